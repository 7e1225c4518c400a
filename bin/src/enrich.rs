//! `paceline enrich`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};
use paceline_engine::cluster::Access;
use paceline_engine::enrich::{self, EnrichOptions, SETTINGS, Values};
use paceline_engine::job::JobId;
use paceline_engine::observe::event_log::Event;
use paceline_engine::observe::recorder::{self, Recorder};
use paceline_engine::{Session, Settings};

use crate::ExitCode;
use crate::access;
use crate::finish;
use crate::progress::while_running;
use crate::run::pair;

/// The job and its settings. Each setting is a flag, or comes from the environment or from .env.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Type of the reply, as STRUCT<status: STRING, score: DOUBLE>; without it the first 100 answers decide
    #[arg(long, value_name = "TYPE")]
    returns: Option<String>,
    /// File with settings, one NAME=value a line
    #[arg(long, value_name = "FILE", default_value = ".env")]
    env_file: PathBuf,
    /// A setting of the engine, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    /// Name of this job; a new one is made otherwise
    #[arg(long, value_name = "ID")]
    job_id: Option<String>,
    #[command(flatten)]
    access: access::AccessArguments,
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Arguments {
    /// What is logged; a level that does not exist is an error when the job starts.
    pub fn log_level(&self) -> &'static str {
        gather(&self.flags, &self.env_file).ok().and_then(|values| values.log_level().ok()).unwrap_or("info")
    }
}

/// One flag for each row of the table of settings.
#[derive(Clone, Debug, Default)]
pub struct Flags(BTreeMap<String, String>);

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().fold(command, |command, row| {
            let default = row.default.map_or(String::new(), |default| format!(" (default: {default})"));
            let flag = Arg::new(row.name).long(row.flag).value_name(row.name);
            command.arg(flag.help(format!("{}{default}", row.meaning)))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Flags::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let given =
            SETTINGS.iter().filter_map(|row| Some((row.name.to_owned(), matches.get_one::<String>(row.name)?.clone())));
        self.0.extend(given);
        Ok(())
    }
}

/// Gathers the settings of `paceline enrich`; a file that is not there has none.
pub fn gather(flags: &Flags, env_file: &Path) -> Result<Values, String> {
    let shown = env_file.display();
    let file = match dotenvy::from_path_iter(env_file) {
        Ok(lines) => lines.collect::<Result<_, _>>().map_err(|error| format!("cannot read {shown}: {error}"))?,
        Err(error) if error.not_found() => BTreeMap::new(),
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    Ok(Values::gather(&flags.0, |name| std::env::var(name).ok(), &file))
}

/// Runs the job; the code says whether it is complete.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let values = gather(&arguments.flags, &arguments.env_file)?;
    let options = EnrichOptions::new(&values)?;
    let mut settings = Settings { batch_rows: options.chunk_size, ..Settings::default() };
    for (key, value) in &arguments.conf {
        settings.set(key, value)?;
    }
    settings.access = Access::find(&arguments.access.into())?;
    let job = arguments.job_id.as_deref().map_or_else(|| Ok(JobId::generate()), JobId::parse)?;
    let recorder = Recorder::of_folder(job.as_str(), recorder::name(job.as_str(), &settings), &settings).await?;
    let started = recorder::started_as(job.as_str(), "-- paceline enrich", &BTreeMap::new(), &settings);
    recorder.tell(&Event::JobStarted(Box::new(started)));
    let session = Session::new(settings)?;
    let work = enrich::run(&session, &options, arguments.returns.as_deref(), &job);
    let work = recorder::watched(&session, &recorder, work);
    let ending = finish::or_stopped(&session, while_running(&session, None, work)).await;
    recorder.tell(&ending.event());
    recorder.close().await;
    finish::report(ending, arguments.report.as_deref())
}
