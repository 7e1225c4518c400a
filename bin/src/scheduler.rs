//! `paceline scheduler`

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use paceline_engine::cluster::{Access, Scheduler, SchedulerOptions};

use crate::progress::say;
use crate::{access, finish, parent, quota};

/// Where the scheduler listens.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port that clients and executors reach it at
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    bind: SocketAddr,
    /// Host that they reach it at, where that is not the address it binds
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// How often a task is tried before its job fails
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    task_attempts: usize,
    /// How often a stage is tried before its job fails
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    stage_attempts: usize,
    /// Seconds after which an executor that says nothing is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    executor_timeout: u64,
    /// Folder for what is spent of long limits (default: in the folder of the user's state, by port)
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    access: access::AccessArguments,
    #[command(flatten)]
    parent: parent::ParentArguments,
}

/// Serves until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { bind, host, task_attempts, stage_attempts, executor_timeout, state_dir, access, parent } =
        arguments;
    let stop = finish::told_to_stop();
    parent.watch();
    let options = SchedulerOptions {
        bind,
        host,
        task_attempts,
        stage_attempts,
        executor_timeout: Duration::from_secs(executor_timeout),
        state_dir: quota::keeper_folder(state_dir, bind.port()),
        access: Access::find(&access.into())?,
    };
    let scheduler = Scheduler::bind(options).await?;
    say(&format!("scheduler at df://{}", scheduler.address()));
    scheduler.serve(stop).await?;
    Ok(ExitCode::SUCCESS)
}
