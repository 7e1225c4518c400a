//! `paceline scheduler`

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use paceline_engine::cluster::{Access, Scheduler, SchedulerOptions};

use crate::progress::say;
use crate::{access, finish, quota};

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
    /// Folder for what is spent of long limits (default: in the folder of the user's state, by port)
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    access: access::AccessArguments,
}

/// Serves until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { bind, host, task_attempts, state_dir, access } = arguments;
    let state_dir = quota::keeper_folder(state_dir, bind.port());
    let options = SchedulerOptions { bind, host, task_attempts, state_dir, access: Access::find(&access.into())? };
    let scheduler = Scheduler::bind(options).await?;
    say(&format!("scheduler at df://{}", scheduler.address()));
    scheduler.serve(finish::told_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}
