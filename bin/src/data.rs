//! `paceline data generate`, `paceline data verify` and `paceline data clean`

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Subcommand;
use paceline_engine::demo::{self, RecordOptions};
use paceline_engine::{Session, Settings};

use crate::ExitCode;
use crate::progress::say;
use crate::run::pair;

/// What is done with test data.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// A setting, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, global = true)]
    conf: Vec<(String, String)>,
}

#[derive(Subcommand)]
enum Command {
    /// Write a CSV file of records: id, name, email, country, amount, created_at
    Generate {
        /// How many records
        #[arg(long)]
        records: u64,
        /// Where to: s3://, file:// or a plain path
        #[arg(long, value_name = "URI")]
        out: String,
        /// The same seed writes the same records
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Percent of the records without an email
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        null_percent: u8,
        /// Percent of the lines that end early
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        malformed_percent: u8,
        /// Percent of the records that stand there twice
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        duplicate_percent: u8,
        /// Create the bucket where there is none
        #[arg(long)]
        create_bucket: bool,
    },
    /// Write the tables of TPC-H as Parquet files, a folder each
    Tpch {
        /// 1 has six million line items, some 250 MB
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// The folder that they come into
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Check that every row of a CSV file is in an output or its dead letters exactly once, with the mock API's answer
    Verify {
        /// The CSV file; alone it is only read and counted
        #[arg(value_name = "INPUT")]
        input: String,
        /// The folder that a job wrote Parquet files to
        #[arg(value_name = "OUTPUT")]
        output: Option<String>,
        /// Columns that were sent to the API, separated by commas (default: all)
        #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
        arguments: Vec<String>,
    },
    /// Delete what generate and jobs wrote at a place, and nothing else
    Clean {
        /// A generated file, or a folder that a job wrote to
        #[arg(value_name = "URI")]
        url: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Does it.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut settings = Settings::default();
    for (key, value) in &arguments.conf {
        settings.set(key, value)?;
    }
    let session = Session::new(settings)?;
    match arguments.command {
        Command::Generate { records, out, seed, null_percent, malformed_percent, duplicate_percent, create_bucket } => {
            if create_bucket && session.stores().create_bucket(&out).await? {
                say(&format!("the bucket of {out} was created"));
            }
            let options = RecordOptions { records, seed, null_percent, malformed_percent, duplicate_percent };
            demo::generate(session.stores(), &out, options).await?;
            say(&format!("{records} records are in {out}"));
        }
        Command::Tpch { scale, out } => {
            demo::tpch(&out, scale)?;
            say(&format!("the tables {} are in {}", demo::TPCH_TABLES.join(", "), out.display()));
        }
        Command::Verify { input, output: None, .. } => {
            say(&format!("{input} can be read and has {} rows", demo::count(&session, &input).await?));
        }
        Command::Verify { input, output: Some(output), arguments } => {
            let found = demo::verify(&session, &input, &output, &arguments).await?;
            say(&format!("{} rows in, {} out, {} dead letters", found.input, found.output, found.dead_letters));
            if !found.is_exact() {
                let complete = if found.success { "" } else { "\n  there is no _SUCCESS" };
                say(&format!(
                    "error: the output is not exact (at most ten of each are shown){complete}\n  missing: {}\n  double: {}\n  \
                     wrong answer: {}",
                    found.missing.join(", "),
                    found.double.join(", "),
                    found.wrong.join(", ")
                ));
                return Ok(ExitCode::FAILURE);
            }
            say("every row is there exactly once, with the API's answer");
        }
        Command::Clean { url, yes } => {
            let found = demo::find(session.stores(), &url).await?;
            let shown: Vec<_> = found.files.iter().take(10).map(ToString::to_string).collect();
            say(&format!("{} files, among them:\n  {}", found.files.len(), shown.join("\n  ")));
            if !yes && !confirmed() {
                say("nothing was deleted");
                return Ok(ExitCode::FAILURE);
            }
            found.delete().await?;
            say("deleted");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks at a terminal; where there is none the answer is no.
fn confirmed() -> bool {
    let input = std::io::stdin();
    if !input.is_terminal() {
        say("there is no terminal to ask at; say --yes to delete");
        return false;
    }
    say("delete them? (yes/no)");
    let mut answer = String::new();
    input.lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("yes")
}
