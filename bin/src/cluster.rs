//! `paceline cluster`

use std::error::Error;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use paceline_engine::Settings;
use paceline_engine::cluster::sizing::{Capacity, ClusterConf, Machine, Sizing, WorkerType, Workers};
use paceline_engine::cluster::{Access, HostPort, LocalOptions, Told, run_local};
use paceline_service::flight_sql::FlightSql;
use paceline_service::http::Http;

use crate::ExitCode;
use crate::progress::say;
use crate::run::{folder, pair, settings};
use crate::{access, finish, parent, spark};

/// How large the cluster is, and where.
#[derive(clap::Args)]
pub struct Arguments {
    /// Worker type of AWS Glue that each executor's slots, memory and disk are taken of, as far as this machine has them
    #[arg(long, value_name = "TYPE", default_value = "G.1X")]
    worker_type: String,
    /// Workers: one is the scheduler's, the others are executors'
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    number_of_workers: usize,
    /// Port that clients reach it at; 0 for one that is free
    #[arg(long, value_name = "PORT", default_value_t = 50050)]
    port: u16,
    /// Port of its page and job service; 0 for one that is free (default: 4040 or the next that is free)
    #[arg(long, value_name = "PORT")]
    ui_port: Option<u16>,
    /// Port of Flight SQL; 0 for one that is free (default: 32010 or the next that is free)
    #[arg(long, value_name = "PORT")]
    flight_port: Option<u16>,
    /// URL that is told of every change of a submitted job's state, as a POST of JSON
    #[arg(long, value_name = "URL")]
    webhook: Option<url::Url>,
    /// Topic of AWS SNS that is told of them too, as arn:aws:sns:eu-central-1:123456789012:jobs
    #[arg(long, value_name = "ARN")]
    sns_topic: Option<String>,
    /// Port that Prometheus reads /metrics of the first executor at; executor 2 has the next port, and so on (default: executors
    /// show none)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    metrics_port: Option<u16>,
    /// Folder for submitted jobs and for what is spent of long limits (default: in the folder of the user's state, by port)
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    state_dir: Option<PathBuf>,
    /// Address of this machine that its processes listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Who keeps limits that other processes have too (default: this cluster's scheduler, for this cluster)
    #[arg(long, value_name = "HOST:PORT")]
    quota: Option<HostPort>,
    /// Folder for shuffled and spilled rows (default: the system's for temporary files)
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,
    /// Folder for the logs, a file for each process (default: cluster-PORT in the user's state folder)
    #[arg(long, value_name = "FOLDER")]
    log_dir: Option<PathBuf>,
    /// Seconds that executors may take to finish their tasks when the cluster is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    stop_within: u64,
    /// A setting, as spark.dynamicAllocation.enabled=true or paceline.s3.endpoint=http://127.0.0.1:9000; may be given
    /// several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
    #[command(flatten)]
    parent: parent::ParentArguments,
}

/// Runs the cluster until it is told to stop. Its processes are started as `itself`.
pub async fn start(arguments: Arguments, itself: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    let (program, itself) = itself.split_first().ok_or("the name of this program is not known")?;
    let (of_spark, own) = spark::apart(&arguments.conf);
    let kind = WorkerType::parse(&arguments.worker_type)?;
    let conf = ClusterConf::read(&of_spark, Workers::new(kind, arguments.number_of_workers)?)?;
    spark::warn(&conf, &of_spark);
    let settings = settings(&own)?;
    let shown = arguments.access.flags();
    let quota = arguments.quota.iter().flat_map(|quota| words(&["--quota", &quota.to_string()]));
    let of_executors = quota.chain(shown.iter().cloned()).collect();
    let access = Access::find(&arguments.access.into())?;
    access.check(arguments.bind)?;
    if arguments.bind.is_unspecified() {
        return Err("an address of this machine is needed, as others reach it: its processes tell each other".into());
    }
    let bind = SocketAddr::new(arguments.bind, free_port(arguments.bind, arguments.port)?);
    // Chosen here, so that a scheduler that is started again has the same.
    let usual = arguments.ui_port.or((arguments.port == 0).then_some(0));
    let (page_port, page) = {
        let page = Http::bind(arguments.bind, usual, &access).await?;
        (page.address()?.port(), crate::server::url(&page, &access)?)
    };
    let usual = arguments.flight_port.or((arguments.port == 0).then_some(0));
    let (flight_port, flight) = {
        let flight = FlightSql::bind(arguments.bind, usual, access.clone()).await?;
        (flight.address()?.port(), flight.uri()?)
    };

    let name = format!("paceline-cluster-{}-{}", bind.port(), std::process::id());
    let work_dir = arguments.work_dir.unwrap_or_else(std::env::temp_dir).join(name);
    std::fs::create_dir_all(&work_dir).map_err(|error| format!("cannot use {}: {error}", work_dir.display()))?;
    let most = conf.dynamic.map_or(conf.executors, |dynamic| dynamic.max);
    let here = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
    let sizing = Sizing::derive(kind, &conf, &Machine::here(&work_dir), here)?;
    spark::say_size(&sizing, [false; 3]);
    let log_dir = arguments.log_dir.unwrap_or_else(|| logs(&settings, bind.port()));
    say(&format!("logs in {}", log_dir.display()));

    say(&format!("page at {page}"));
    say(&format!("Flight SQL at {flight}"));
    let url: HostPort = bind.to_string().parse()?;
    let mut of_scheduler = scheduler_flags(itself, bind, &conf, &shown);
    let (Capacity::Dpu(dpus) | Capacity::MemoryDpu(dpus)) = kind.capacity;
    let dpus = dpus * arguments.number_of_workers as f64;
    of_scheduler.extend(words(&["--ui-port", &page_port.to_string(), "--flight-port", &flight_port.to_string()]));
    of_scheduler.extend(words(&["--dpus", &dpus.to_string()]));
    of_scheduler.extend(own.iter().flat_map(|(key, value)| words(&["--conf", &format!("{key}={value}")])));
    of_scheduler.extend(arguments.webhook.iter().flat_map(|url| words(&["--webhook", url.as_str()])));
    of_scheduler.extend(arguments.sns_topic.iter().flat_map(|topic| words(&["--sns-topic", topic])));
    if let Some(folder) = &arguments.state_dir {
        of_scheduler.extend([OsString::from("--state-dir"), folder.into()]);
    }
    let options = LocalOptions {
        program: program.into(),
        scheduler: of_scheduler,
        executor: executor_flags(itself, bind, &conf, &sizing, &own, of_executors, arguments.metrics_port),
        at: url,
        access,
        executors: conf.executors,
        dynamic: conf.dynamic,
        slots: sizing.slots.get(),
        work_dir,
        log_dir,
        stop_within: Duration::from_secs(arguments.stop_within),
        tell: say,
    };
    arguments.parent.watch();
    run_local(options, finish::told_to_stop).await?;
    say("the cluster has ended");
    Ok(ExitCode::SUCCESS)
}

/// The port that was asked for, or a free one; whoever comes later than this process may find it taken, and is started again.
fn free_port(bind: IpAddr, port: u16) -> Result<u16, String> {
    let listener = TcpListener::bind((bind, port)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("cannot listen on {bind}:{port}: {error}"))
}

fn logs(settings: &Settings, port: u16) -> PathBuf {
    settings.state_dir.clone().unwrap_or_else(std::env::temp_dir).join(format!("cluster-{port}"))
}

fn scheduler_flags(itself: &[OsString], bind: SocketAddr, conf: &ClusterConf, shown: &[OsString]) -> Vec<OsString> {
    let mut flags = itself.to_vec();
    flags.extend(words(&[
        "scheduler",
        "--until-stdin-closes",
        "--bind",
        &bind.to_string(),
        "--task-attempts",
        &conf.task_max_failures.to_string(),
        "--stage-attempts",
        &conf.stage_max_failures.to_string(),
        "--executor-timeout",
        &conf.network_timeout.as_secs().to_string(),
    ]));
    flags.extend_from_slice(shown);
    flags
}

/// Each executor is told its size, not how to find it: one that is started again later finds less disk free.
fn executor_flags(
    itself: &[OsString],
    bind: SocketAddr,
    conf: &ClusterConf,
    sizing: &Sizing,
    own: &[(String, String)],
    shown: Vec<OsString>,
    metrics_port: Option<u16>,
) -> Box<Told> {
    let mut flags = itself.to_vec();
    flags.extend(words(&[
        "executor",
        "--until-stdin-closes",
        "--scheduler",
        &bind.to_string(),
        "--bind",
        &bind.ip().to_string(),
        "--slots",
        &sizing.slots.to_string(),
        "--memory-pool",
        &sizing.memory_pool.to_string(),
        "--spill-limit",
        &sizing.spill_limit.to_string(),
        "--heartbeat",
        &conf.heartbeat_interval.as_secs().to_string(),
    ]));
    for (key, value) in own {
        flags.extend(words(&["--conf", &format!("{key}={value}")]));
    }
    flags.extend(shown);
    Box::new(move |id, folder| {
        let mut flags = flags.clone();
        if let Some(port) = metrics_port.and_then(|first| metrics_port_of(first, folder)) {
            flags.extend(words(&["--metrics-port", &port.to_string()]));
        }
        flags.extend(words(&["--id", id, "--work-dir"]));
        flags.push(folder.into());
        flags
    })
}

/// The port of the executor whose folder is `executor-1` is the first.
fn metrics_port_of(first: u16, folder: &Path) -> Option<u16> {
    let (_, number) = folder.file_name()?.to_str()?.rsplit_once('-')?;
    first.checked_add(number.parse::<u16>().ok()?.checked_sub(1)?)
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
