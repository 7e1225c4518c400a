//! `paceline resume ID`

use std::error::Error;
use std::path::PathBuf;

use paceline_engine::cluster::Access;
use paceline_engine::job::{Job, JobId};

use crate::ExitCode;
use crate::access;
use crate::run::{carry_out, pair, settings};

/// Which job, and where it is remembered.
#[derive(clap::Args)]
pub struct Arguments {
    /// Id of the job that was broken off
    id: String,
    /// Folder of its checkpoint, where it ran on another machine, as s3://bucket/output/_paceline/ID/
    #[arg(long, value_name = "URI")]
    checkpoint: Option<String>,
    /// A setting in place of the one that it was begun with; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Goes on where the job stopped; the code says whether it is complete.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let id = JobId::parse(&arguments.id)?;
    let mut given = settings(&arguments.conf)?;
    given.access = Access::find(&arguments.access.into())?;
    let (job, settings) = Job::resume(&id, arguments.checkpoint.as_deref(), given).await?;
    carry_out(job, settings, arguments.report.as_deref()).await
}
