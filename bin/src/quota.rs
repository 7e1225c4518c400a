//! `paceline quota`

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::Settings;
use paceline_engine::cluster::{Access, Scheduler, SchedulerOptions};

use crate::ExitCode;
use crate::progress::say;
use crate::{access, finish};

/// Where the pace is kept.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port that processes reach it at
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50060")]
    bind: SocketAddr,
    /// Folder for what is spent of long limits (default: in the folder of the user's state, by port)
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    access: access::AccessArguments,
}

/// Keeps the pace until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { bind, state_dir, access } = arguments;
    let state_dir = keeper_folder(state_dir, bind.port());
    let access = Access::find(&access.into())?;
    let options = SchedulerOptions {
        bind,
        host: None,
        task_attempts: 1,
        stage_attempts: 1,
        executor_timeout: Duration::from_secs(5),
        state_dir,
        access,
    };
    let keeper = Scheduler::bind(options).await?;
    say(&format!("quota at {}", keeper.address()));
    keeper.keep_pace(finish::told_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Where a keeper remembers what it must. A port that the system chose says nothing of the last start.
pub fn keeper_folder(given: Option<PathBuf>, port: u16) -> Option<PathBuf> {
    let of_user = || Settings::of_user().state_dir.map(|folder| folder.join(format!("keeper-{port}")));
    given.or_else(|| of_user().filter(|_| port > 0))
}
