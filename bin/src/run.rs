//! `paceline run JOB.sql`

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use paceline_engine::cluster::Access;
use paceline_engine::dry_run;
use paceline_engine::job::{Job, JobId};
use paceline_engine::observe::event_log::Event;
use paceline_engine::observe::recorder::{self, Recorder};
use paceline_engine::observe::table;
use paceline_engine::placement;
use paceline_engine::{Outcome, Session, Settings};

use crate::ExitCode;
use crate::access;
use crate::finish::{self, Ending};
use crate::progress::{say, while_running};

/// The job and its settings.
#[derive(clap::Args)]
pub struct Arguments {
    /// File with the statements
    job: PathBuf,
    /// A setting, as paceline.s3.endpoint=http://127.0.0.1:9000 or spark.sql.shuffle.partitions=200; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    /// Where plans run: embedded for this process, a cluster, as df://127.0.0.1:50050, or auto: in this process if it is large
    /// enough for the job, else in the cluster that PACELINE_CLUSTER or the setting paceline.cluster.auto names
    #[arg(long, value_name = "URL")]
    cluster: Option<String>,
    /// A value for ${KEY} in the statements, kept with the job's checkpoint, so no secret; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Name of this job; a new one is made otherwise
    #[arg(long, value_name = "ID")]
    job_id: Option<String>,
    /// Plan everything, open the inputs, and say how many requests there would be; nothing is sent or written
    #[arg(long)]
    dry_run: bool,
    /// Who keeps limits that other processes have too, as df://127.0.0.1:50050
    #[arg(long, value_name = "URL", conflicts_with = "cluster")]
    quota: Option<String>,
    #[command(flatten)]
    access: access::AccessArguments,
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// `KEY=VALUE` of a flag.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// A folder on a disk.
pub fn folder(text: &str) -> Result<PathBuf, String> {
    if text.contains("://") {
        let why = "jobs are kept on a disk, for a store of objects has no transaction over two of them";
        return Err(format!("{why}; name a folder, and put event logs where paceline.eventlog.dir says"));
    }
    Ok(PathBuf::from(text))
}

/// Runs the job; the code says whether it is complete.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut settings = settings(&arguments.conf)?;
    if let Some(cluster) = &arguments.cluster {
        settings.set("paceline.cluster", cluster)?;
    }
    if let Some(quota) = &arguments.quota {
        settings.set("paceline.quota", quota)?;
    }
    settings.access = Access::find(&arguments.access.into())?;
    let id = arguments.job_id.as_deref().map_or_else(|| Ok(JobId::generate()), JobId::parse)?;
    let path = arguments.job.display();
    let script = std::fs::read_to_string(&arguments.job).map_err(|error| format!("cannot read {path}: {error}"))?;
    let variables = BTreeMap::from_iter(arguments.var);
    if arguments.dry_run {
        let job = Job::new(&id, &script, variables);
        return plan_only(&Session::new(settings)?, &job, arguments.report.as_deref()).await;
    }
    if settings.by_size {
        let job = Job::new(&id, &script, variables.clone());
        let placement = placement::of(&job, &settings, std::env::var(placement::VARIABLE).ok()).await?;
        say(&format!("{placement}"));
        settings.set("paceline.cluster", &placement.place())?; // which the job keeps when it is resumed
    }
    let job = Job::begin(&id, &script, variables, &mut settings)?;
    carry_out(job, settings, arguments.report.as_deref()).await
}

/// The settings of this user, with what is given on the command line. Says what of Spark's was not taken as it was given.
pub fn settings(conf: &[(String, String)]) -> Result<Settings, paceline_engine::EngineError> {
    let mut settings = Settings::of_user();
    for (key, value) in conf {
        settings.set(key, value)?;
    }
    for warning in settings.spark_warnings() {
        say(&format!("warning: {warning}"));
    }
    Ok(settings)
}

/// Runs a job until it ends or is told to stop.
pub async fn carry_out(job: Job, settings: Settings, report: Option<&Path>) -> Result<ExitCode, Box<dyn Error>> {
    let id = job.id().to_owned();
    let recorder = Recorder::of_folder(&id, recorder::name(&id, &settings), &settings).await?;
    recorder.tell(&Event::JobStarted(Box::new(recorder::started(&job, &settings))));
    let session = Session::new(settings)?;
    let work = recorder::run(&session, job, &recorder, show);
    let ending = finish::or_stopped(&session, while_running(&session, None, work)).await;
    recorder.tell(&ending.event());
    recorder.close().await;
    if !matches!(&ending, Ending::Done(_, Ok(()))) {
        say(&format!("to go on where it stopped: paceline resume {id}"));
    }
    finish::report(ending, report)
}

#[expect(clippy::print_stdout, reason = "the numbers are the result")]
async fn plan_only(session: &Session, job: &Job, file: Option<&Path>) -> Result<ExitCode, Box<dyn Error>> {
    let planned = dry_run::run(session, job).await?;
    println!("{planned}");
    if let Some(file) = file {
        finish::write_json(file, serde_json::to_string_pretty(&planned)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the rows are the result")]
fn show(outcome: &Outcome) {
    if let Outcome::Rows { schema, batches } = outcome {
        println!("{}", table::format(schema, batches));
    }
}
