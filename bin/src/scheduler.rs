//! `paceline scheduler`

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use paceline_engine::cluster::{Scheduler, SchedulerOptions};

use crate::progress::say;

/// Where the scheduler listens.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port that clients and executors reach it at
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    bind: SocketAddr,
    /// How often a task is tried before its job fails
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    task_attempts: usize,
}

/// Serves until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let options = SchedulerOptions { bind: arguments.bind, task_attempts: arguments.task_attempts };
    let scheduler = Scheduler::bind(options).await?;
    say(&format!("scheduler at df://{}", scheduler.address()));
    scheduler.serve().await?;
    Ok(ExitCode::SUCCESS)
}
