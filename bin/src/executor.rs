//! `paceline executor`

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paceline_engine::cluster::{Access, ExecutorOptions, HostPort, run_executor};

use crate::progress::say;
use crate::run::{pair, settings};
use crate::{access, finish};

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
    /// Tasks that run at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    slots: usize,
    /// Memory of the operators of all tasks, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    memory_pool: u64,
    /// Bytes that operators may spill to disk
    #[arg(long, value_name = "BYTES", default_value_t = 20 << 30)]
    spill_limit: u64,
    /// Folder for shuffled and spilled rows
    #[arg(long, value_name = "FOLDER")]
    work_dir: PathBuf,
    /// A setting, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
}

/// Runs tasks until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let options = ExecutorOptions {
        scheduler: arguments.scheduler,
        quota: arguments.quota,
        bind: arguments.bind,
        host: arguments.host,
        slots: arguments.slots,
        memory_pool: arguments.memory_pool,
        spill_limit: arguments.spill_limit,
        work_dir: arguments.work_dir,
        settings: settings(&arguments.conf)?,
        access: Access::find(&arguments.access.into())?,
    };
    say(&format!("executor of {}", options.scheduler));
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
