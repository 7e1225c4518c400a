//! `paceline sql`: statements by hand, and their rows.

use std::error::Error;
use std::io::{BufRead, Read};
use std::path::PathBuf;

use paceline_engine::cluster::Access;
use paceline_engine::job::JobId;
use paceline_engine::observe::rows::{self, Format};
use paceline_engine::{EngineError, Outcome, Session, Settings};

use crate::ExitCode;
use crate::access;
use crate::progress::say;
use crate::run::{pair, settings};

/// The statements, and how their rows are shown.
#[derive(clap::Args)]
pub struct Arguments {
    /// The statements themselves
    #[arg(short, value_name = "SQL", conflicts_with_all = ["script", "serve"])]
    execute: Option<String>,
    /// File with the statements; without it and -e they come from standard input
    #[arg(short = 'f', long = "file", value_name = "FILE", conflicts_with = "serve")]
    script: Option<PathBuf>,
    /// Read paths of scripts from standard input, a line each, and carry out each in a session of its own; needs --format spark
    #[arg(long)]
    serve: bool,
    /// How rows are shown
    #[arg(long, default_value = "table", value_enum)]
    format: Shown,
    /// A setting, as spark.sql.ansi.enabled=true; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    /// Where plans run: embedded for this process, or a cluster, as df://127.0.0.1:50050
    #[arg(long, value_name = "URL")]
    cluster: Option<String>,
    #[command(flatten)]
    access: access::AccessArguments,
    /// A script, as -f
    #[arg(value_name = "FILE", conflicts_with_all = ["script", "execute", "serve"])]
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shown {
    /// For people
    Table,
    /// With a header
    Csv,
    /// An object a line
    Json,
    /// An object a statement, with Spark's schema and its rows as Spark prints them; a statement that fails is one with its
    /// error, and the next one follows
    Spark,
}

/// Carries the statements out; the first that fails ends it, except with `--format spark`.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut settings = settings(&arguments.conf)?;
    if let Some(cluster) = &arguments.cluster {
        settings.set("paceline.cluster", cluster)?;
    }
    settings.access = Access::find(&arguments.access.into())?;
    if arguments.serve {
        if arguments.format != Shown::Spark {
            return Err("--serve goes with --format spark".into());
        }
        return serve(&settings).await;
    }
    let script = match (arguments.execute, arguments.script.or(arguments.path)) {
        (Some(text), _) => text,
        (None, Some(path)) => read(&path)?,
        (None, None) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
    };
    let session = Session::new(settings)?;
    match arguments.format {
        Shown::Spark => {
            each_statement(&session, &script).await;
            Ok(ExitCode::SUCCESS)
        }
        Shown::Table => until_one_fails(&session, &script, Format::Table).await,
        Shown::Csv => until_one_fails(&session, &script, Format::Csv).await,
        Shown::Json => until_one_fails(&session, &script, Format::Json).await,
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[expect(clippy::print_stdout, reason = "the rows are the result")]
async fn until_one_fails(session: &Session, script: &str, format: Format) -> Result<ExitCode, Box<dyn Error>> {
    let job = JobId::generate();
    for (at, piece) in paceline_engine::split(script).iter().enumerate() {
        let wrong = |error| EngineError::Statement { number: at + 1, line: piece.line, source: Box::new(error) };
        match session.sql(piece.text, job.as_str()).await.map_err(wrong)? {
            Outcome::Rows { schema, batches } => print!("{}", rows::shown(format, &schema, &batches)?),
            Outcome::Written(written) => say(&format!("{} rows written to {}", written.records_written, written.url)),
            Outcome::Done | Outcome::DoneBefore(_) => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An answer for each statement, whether it fails or not.
#[expect(clippy::print_stdout, reason = "the rows are the result")]
async fn each_statement(session: &Session, script: &str) {
    let job = JobId::generate();
    for piece in paceline_engine::split(script) {
        let outcome = session.sql(piece.text, job.as_str()).await;
        println!("{}", rows::answer(&outcome, session));
    }
}

#[expect(clippy::print_stdout, reason = "the rows are the result")]
async fn serve(settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
    for path in std::io::stdin().lock().lines() {
        let path = PathBuf::from(path?);
        match read(&path) {
            Ok(script) => each_statement(&Session::new(settings.clone())?, &script).await,
            Err(error) => say(&error),
        }
        println!("{{\"end\": true}}");
    }
    Ok(ExitCode::SUCCESS)
}
