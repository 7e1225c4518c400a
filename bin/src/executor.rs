//! `paceline executor`

use std::error::Error;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paceline_engine::cluster::sizing::{ClusterConf, Machine, Sizing, WorkerType, Workers};
use paceline_engine::cluster::{Access, ExecutorGauges, ExecutorOptions, HostPort, run_executor};
use paceline_engine::observe::prometheus::with_process;
use paceline_service::http::{Http, HttpOptions};

use crate::ExitCode;
use crate::progress::say;
use crate::run::{pair, settings};
use crate::{access, finish, parent, spark};

/// How long an executor waits before it begins anew.
const AGAIN: Duration = Duration::from_secs(1);

/// Where the executor's scheduler is, and what it may use.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port of the scheduler
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    scheduler: HostPort,
    /// Address and port of who keeps the pace, where that is not the scheduler
    #[arg(long, value_name = "HOST:PORT")]
    quota: Option<HostPort>,
    /// Address that other processes of the cluster reach it at
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Host that they reach it at, where that is not the address it binds
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Worker type of AWS Glue that slots, memory and disk are taken of, as far as this machine has them (default G.1X
    /// where a setting spark.* is given)
    #[arg(long, value_name = "TYPE")]
    worker_type: Option<String>,
    /// Executors that share this machine
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    executors_here: NonZeroUsize,
    /// Tasks that run at once (default: as the worker type has it, or 4)
    #[arg(long, value_name = "NUMBER")]
    slots: Option<NonZeroUsize>,
    /// Memory of the operators of all tasks, in bytes (default: as the worker type has it, or 1 GiB)
    #[arg(long, value_name = "BYTES")]
    memory_pool: Option<u64>,
    /// Bytes that operators may spill to disk (default: as the worker type has it, or 20 GiB)
    #[arg(long, value_name = "BYTES")]
    spill_limit: Option<u64>,
    /// Seconds between two signs of life (default: spark.executor.heartbeatInterval, or 1)
    #[arg(long, value_name = "SECONDS")]
    heartbeat: Option<u64>,
    /// Port that Prometheus reads /metrics at; 0 for one that is free (default: none)
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Folder for shuffled and spilled rows
    #[arg(long, value_name = "FOLDER")]
    work_dir: PathBuf,
    /// A setting, as paceline.s3.endpoint=http://127.0.0.1:9000 or spark.executor.memory=8g; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
    /// What its names at the scheduler begin with
    #[arg(long, hide = true)]
    id: Option<String>,
    #[command(flatten)]
    parent: parent::ParentArguments,
}

/// The type whose parts an executor has that was given settings of Spark and no type: Glue's own default.
const USUAL_TYPE: &str = "G.1X";

/// What an executor has that was not told anything of its size.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
const MEMORY_POOL: u64 = 1 << 30;
const SPILL_LIMIT: u64 = 20 << 30;

/// Runs tasks until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    arguments.parent.watch();
    let (of_spark, own) = spark::apart(&arguments.conf);
    let named = arguments.worker_type.as_deref().or((!of_spark.is_empty()).then_some(USUAL_TYPE));
    let (sizing, conf) = match named {
        Some(name) => {
            let kind = WorkerType::parse(name)?;
            let conf = ClusterConf::read(&of_spark, Workers::any_number(kind))?;
            std::fs::create_dir_all(&arguments.work_dir)?;
            let machine = Machine::here(&arguments.work_dir);
            (Some(Sizing::derive(kind, &conf, &machine, arguments.executors_here)?), Some(conf))
        }
        None => (None, None),
    };
    if let Some(conf) = &conf {
        spark::warn(conf, &of_spark);
    }
    let (heartbeat, derived) = (conf.as_ref().map(|conf| conf.heartbeat_interval), sizing.as_ref());
    let options = ExecutorOptions {
        id: arguments.id,
        scheduler: arguments.scheduler,
        quota: arguments.quota,
        bind: arguments.bind,
        host: arguments.host,
        heartbeat: arguments.heartbeat.map(Duration::from_secs).or(heartbeat).unwrap_or(Duration::from_secs(1)),
        slots: arguments.slots.or(derived.map(|sizing| sizing.slots)).unwrap_or(SLOTS).get(),
        memory_pool: arguments.memory_pool.or(derived.map(|sizing| sizing.memory_pool)).unwrap_or(MEMORY_POOL),
        spill_limit: arguments.spill_limit.or(derived.map(|sizing| sizing.spill_limit)).unwrap_or(SPILL_LIMIT),
        work_dir: arguments.work_dir,
        settings: settings(&own)?,
        access: Access::find(&arguments.access.into())?,
        gauges: ExecutorGauges::default(),
    };
    if let Some(sizing) = &sizing {
        let given = [arguments.slots.is_some(), arguments.memory_pool.is_some(), arguments.spill_limit.is_some()];
        spark::say_size(sizing, given);
    }
    let ExecutorOptions { slots, memory_pool, spill_limit, .. } = &options;
    tracing::info!(slots, memory_pool, spill_limit, "size of this executor");
    say(&format!("executor of {}", options.scheduler));
    if let Some(port) = arguments.metrics_port {
        serve_metrics(port, &options).await?;
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let to_stop = Arc::clone(&stopped);
    tokio::spawn(async move {
        finish::told_to_stop().await;
        to_stop.store(true, Ordering::SeqCst);
    });
    // It ends by itself when its scheduler is gone, and begins anew for the next one.
    while !stopped.load(Ordering::SeqCst) {
        let ended = run_executor(options.clone()).await;
        if stopped.load(Ordering::SeqCst) {
            break;
        }
        let why = ended.err().map_or("its scheduler is gone".to_owned(), |error| error.to_string());
        say(&format!("{why}; it tries again"));
        tokio::time::sleep(AGAIN).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the metrics as long as the process lives.
async fn serve_metrics(port: u16, options: &ExecutorOptions) -> Result<(), Box<dyn Error>> {
    let ExecutorOptions { bind, host, access, settings, gauges, .. } = options.clone();
    let registry = with_process(settings.registry()?);
    registry.register(Box::new(gauges))?;
    let http = Http::bind(bind, Some(port), &access).await?;
    say(&format!("metrics at {}/metrics", crate::server::url(&http, &access)?));
    let options = HttpOptions { jobs: None, cluster: None, settings, access, host, registry };
    tokio::spawn(http.serve(options, std::future::pending()));
    Ok(())
}
