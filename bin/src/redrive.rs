//! `paceline redrive ID`

use std::error::Error;
use std::path::PathBuf;
use std::time::SystemTime;

use paceline_engine::Session;
use paceline_engine::job::{JobId, Redrive, redrive};
use paceline_engine::observe::event_log::{Event, Started};
use paceline_engine::observe::recorder::{self, Recorder};

use crate::ExitCode;
use crate::finish;
use crate::progress::while_running;
use crate::run::{pair, settings};

/// Which job.
#[derive(clap::Args)]
pub struct Arguments {
    /// Id of the job whose dead letters are sent again
    id: String,
    /// A setting in place of the one that it was begun with; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Sends the dead letters again; the code says whether that could be done, not whether all succeed now.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let (job, settings) = Redrive::of(&JobId::parse(&arguments.id)?, settings(&arguments.conf)?)?;
    // A log of its own: the job's has how that ended.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let id = format!("{}-redrive-{}", job.job().id(), since.as_secs());
    let recorder = Recorder::of_folder(&id, recorder::name(&id, &settings), &settings).await?;
    let name = Some(format!("redrive of {}", job.job().id()));
    let started = Started { job: id, name, ..recorder::started(job.job(), &settings) };
    recorder.tell(&Event::JobStarted(Box::new(started)));
    let session = Session::new(settings)?;
    let work = recorder::watched(&session, &recorder, redrive(&session, &job));
    let ending = finish::or_stopped(&session, while_running(&session, None, work)).await;
    recorder.tell(&ending.event());
    recorder.close().await;
    finish::report(ending, arguments.report.as_deref())
}
