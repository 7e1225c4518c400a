//! The command line as a function: one file per subcommand, no logic.

mod access;
mod cluster;
mod completions;
mod config;
mod data;
mod demo;
mod enrich;
mod executor;
mod finish;
mod jobs;
mod mock_api;
mod parent;
mod progress;
mod quota;
mod redrive;
mod resume;
mod run;
mod scheduler;
mod server;
mod spark;
mod sql;
mod submit;
mod ui;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::{self, Termination};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// SQL jobs that call an HTTP API for every row, at a strict rate, and lose or repeat none.
#[derive(Parser)]
#[command(name = "paceline", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How log lines look; what is logged is in the environment, as PACELINE_LOG=info
    #[arg(long, global = true, default_value = "text", value_enum)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run the main job with nothing else needed: records, S3 and API in this process
    Demo(demo::Arguments),
    /// Make test data, and clean up
    Data(data::Arguments),
    /// Run the classic job: every record of a CSV file to an API, the answers beside it
    Enrich(enrich::Arguments),
    /// Show every setting with its meaning and value
    Config(config::Arguments),
    /// Run the statements of a file
    Run(run::Arguments),
    /// Carry out statements and show their rows
    Sql(sql::Arguments),
    /// Go on with a job that was broken off; no answer that was paid for is asked for again
    Resume(resume::Arguments),
    /// Send the dead letters of a job again, and add the rows that succeed now to its output
    Redrive(redrive::Arguments),
    /// Run a cluster on this machine: a scheduler and executors, which are watched and started again
    Cluster(cluster::Arguments),
    /// Plan the tasks of a cluster and hand them to its executors
    Scheduler(scheduler::Arguments),
    /// Run tasks that a scheduler hands out
    Executor(executor::Arguments),
    /// Keep limits for processes that share them, without a cluster
    Quota(quota::Arguments),
    /// Submit a job to the job service of a scheduler
    Submit(Box<submit::Arguments>),
    /// Look at the jobs of a job service, and tell them to stop or to go on
    Jobs(jobs::Arguments),
    /// Show finished jobs in the browser, from their event logs
    Ui(ui::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
    /// Serve an API for tests, with deterministic answers
    MockApi(mock_api::Arguments),
}

/// How a command ended, as its process's exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode(pub u8);

impl ExitCode {
    /// What was asked for is done.
    pub const SUCCESS: Self = ExitCode(0);
    /// It is not.
    pub const FAILURE: Self = ExitCode(1);
}

impl Termination for ExitCode {
    fn report(self) -> process::ExitCode {
        process::ExitCode::from(self.0)
    }
}

/// Carries out a command line, the program's name first. `itself` is how this program is started again, as parts of a cluster are.
pub fn run(arguments: impl IntoIterator<Item = OsString>, itself: Vec<OsString>) -> ExitCode {
    let code = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => carry_out(arguments, itself),
        Err(error) => {
            // Help and version are asked for, and no mistakes.
            let code = if error.exit_code() == 0 { ExitCode::SUCCESS } else { ExitCode(2) };
            let _ = error.print(); // nobody is left to read it
            code
        }
    };
    let _ = std::io::stdout().flush(); // as above
    code
}

fn carry_out(arguments: Arguments, itself: Vec<OsString>) -> ExitCode {
    let level = match &arguments.command {
        Command::Enrich(enrich) => enrich.log_level(),
        _ => "warn",
    };
    let filter = EnvFilter::try_from_env("PACELINE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Who started the process may have closed its standard error: that is no reason to stop.
    let log = log.with_ansi(std::io::stderr().is_terminal()).log_internal_errors(false);
    match arguments.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    // A request in flight is an open connection, and shells allow 1,024 files where the system allows many more.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised; lower max_in_flight if calls fail");
    }
    match start(arguments.command, itself) {
        Ok(code) => code,
        Err(error) => {
            progress::say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command, itself: Vec<OsString>) -> Result<ExitCode, Box<dyn std::error::Error>> {
    // Plans of deeply nested statements are deep too; of a thread's stack only what is used is in memory.
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(16 << 20).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Demo(arguments) => demo::start(arguments).await,
            Command::Data(arguments) => data::start(arguments).await,
            Command::Enrich(arguments) => enrich::start(arguments).await,
            Command::Config(arguments) => config::start(&arguments),
            Command::Run(arguments) => run::start(arguments).await,
            Command::Sql(arguments) => sql::start(arguments).await,
            Command::Redrive(arguments) => redrive::start(arguments).await,
            Command::Resume(arguments) => resume::start(arguments).await,
            Command::Cluster(arguments) => cluster::start(arguments, itself).await,
            Command::Scheduler(arguments) => scheduler::start(arguments).await,
            Command::Executor(arguments) => executor::start(arguments).await,
            Command::Quota(arguments) => quota::start(arguments).await,
            Command::Submit(arguments) => submit::start(*arguments).await,
            Command::Jobs(arguments) => jobs::start(arguments).await,
            Command::Ui(arguments) => ui::start(arguments).await,
            Command::Completions(arguments) => completions::start(&arguments),
            Command::MockApi(arguments) => mock_api::start(arguments).await,
        }
    })
}
