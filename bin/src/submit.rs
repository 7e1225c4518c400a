//! `paceline submit JOB.sql`

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::observe::progress::Progress;
use paceline_service::client::{Client, ClientError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ExitCode;
use crate::finish;
use crate::jobs::print;
use crate::progress::{Bar, say};
use crate::run::pair;
use crate::server::ServerArguments;

/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// A scheduler that is started again is waited for so long.
const BACK_WITHIN: Duration = Duration::from_secs(120);
/// Lines of a log that are fetched at once.
const LINES: &str = "500";

/// The job, and how it is to be run.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  paceline submit job.sql --var day=2026-01-01 --wait\n  \
                        paceline submit job.sql --job-name nightly --max-retries 2 --timeout 2h --idempotency-token \
                        nightly-2026-01-01\n\nExit codes with --wait: 0 the job succeeded, 1 it did not, 130 this \
                        command was stopped (the job goes on).")]
pub struct Arguments {
    /// File with the statements
    job: PathBuf,
    /// A setting, as of paceline run; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    /// A value for ${KEY} in the statements, which is kept, so no secret; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// The job that this is a run of: limits of runs at once hold for runs of one name (default: the file's name)
    #[arg(long, value_name = "NAME")]
    job_name: Option<String>,
    /// A name of this run, for people
    #[arg(long, value_name = "NAME")]
    run_name: Option<String>,
    /// The same submission with the same token is one run, however often it is sent
    #[arg(long, value_name = "TOKEN")]
    idempotency_token: Option<String>,
    /// Runs of this job at once
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    max_concurrent_runs: u32,
    /// Fail instead of waiting while as many runs of the job run
    #[arg(long)]
    no_queue: bool,
    /// How often the run is tried again after a failure; each try goes on where the last one stopped
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    max_retries: u32,
    /// How long an attempt may take, as 2h or 90s
    #[arg(long, value_name = "TIME", default_value = "48h", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Tell the webhook when the run takes longer than this
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    notify_delay_after: Option<Duration>,
    /// Wait for the end, with a progress bar; the exit code is the job's
    #[arg(long)]
    wait: bool,
    /// Wait, and print what happens as it does
    #[arg(long)]
    follow: bool,
    /// File that the report is written to, as one JSON object; with --wait or --follow
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArguments,
}

/// A job as the service shows it.
#[derive(Deserialize)]
struct Shown {
    state: String,
    error: Option<String>,
    ended_at: Option<String>,
    #[serde(default)]
    progress: Progress,
    report: Option<Value>,
}

/// Submits the job; the code says whether that worked, or with `--wait` how the job ended.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let client = arguments.server.client()?;
    let path = arguments.job.display();
    let sql = std::fs::read_to_string(&arguments.job).map_err(|error| format!("cannot read {path}: {error}"))?;
    let of_file = || arguments.job.file_stem().map_or("default".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let map = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<std::collections::BTreeMap<_, _>>();
    let submission = json!({
        "sql": sql,
        "conf": map(&arguments.conf),
        "variables": map(&arguments.var),
        "job_name": arguments.job_name.clone().unwrap_or_else(of_file),
        "run_name": arguments.run_name,
        "idempotency_token": arguments.idempotency_token,
        "max_concurrent_runs": arguments.max_concurrent_runs,
        "queue": !arguments.no_queue,
        "max_retries": arguments.max_retries,
        "timeout_s": arguments.timeout.as_secs().max(1),
        "notify_delay_after_s": arguments.notify_delay_after.map(|after| after.as_secs().max(1)),
    });
    let run = client.post(&["jobs"], Some(&submission)).await?;
    let id = run.get("id").and_then(Value::as_str).ok_or("the job service names no job")?.to_owned();
    if !(arguments.wait || arguments.follow) {
        if arguments.server.json {
            print(&run.to_string());
        } else {
            print(&id);
        }
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("job {id}: {}#{id}", arguments.server.at()?));
    let ended = tokio::select! {
        ended = wait(&client, &id, arguments.follow) => ended?,
        () = finish::told_to_stop() => {
            say(&format!("the job goes on; to stop it: paceline jobs cancel {id}"));
            return Ok(ExitCode(130));
        }
    };
    if let (Some(file), Some(report)) = (&arguments.report, &ended.report) {
        finish::write_json(file, serde_json::to_string_pretty(report)?)?;
    }
    if arguments.server.json {
        print(&client.get(&["jobs", &id], &[]).await?.to_string());
    } else {
        summarize(&id, &ended);
    }
    Ok(if ended.state == "SUCCEEDED" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for the end of a job, with a bar, and with what happens where that is wanted.
async fn wait(client: &Client, id: &str, follow: bool) -> Result<Shown, Box<dyn Error>> {
    let (mut bar, mut told, mut state) = (Bar::new(None), 0, String::new());
    let mut lost: Option<tokio::time::Instant> = None;
    loop {
        match look(client, id).await {
            Ok(shown) => {
                lost = None;
                if shown.state != state {
                    state.clone_from(&shown.state);
                    if !follow {
                        bar.say(&state);
                    }
                }
                bar.show(&shown.progress);
                if follow {
                    told = tell(client, id, told, &bar).await?;
                }
                if shown.ended_at.is_some() {
                    bar.end();
                    return Ok(shown);
                }
            }
            // A scheduler that is started again goes on with its jobs.
            Err(ClientError::Unreachable(why)) => {
                let since = *lost.get_or_insert_with(|| {
                    bar.say(&format!("{why}; the scheduler is waited for"));
                    tokio::time::Instant::now()
                });
                if since.elapsed() >= BACK_WITHIN {
                    return Err(why.into());
                }
            }
            Err(refused) => return Err(refused.into()),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(client: &Client, id: &str) -> Result<Shown, ClientError> {
    let shown = client.get(&["jobs", id], &[]).await?;
    serde_json::from_value(shown).map_err(|error| {
        ClientError::Unreachable(format!(
            "the job service speaks of jobs in another way ({error}); is it of this version?"
        ))
    })
}

/// Prints lines of a log from behind so many on; returns how many there are then.
async fn tell(client: &Client, id: &str, mut told: usize, bar: &Bar) -> Result<usize, ClientError> {
    loop {
        let from = told.to_string();
        let page = client.get(&["jobs", id, "logs"], &[("limit", LINES), ("page_token", &from)]).await?;
        let lines = page.get("lines").and_then(Value::as_array).cloned().unwrap_or_default();
        lines.iter().for_each(|line| bar.say(&crate::jobs::log_line(line)));
        told += lines.len();
        if page.get("next_page_token").is_none_or(Value::is_null) {
            return Ok(told);
        }
    }
}

fn summarize(id: &str, ended: &Shown) {
    let why = ended.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
    say(&format!("job {id}: {}{why}", ended.state));
    let Some(report) = &ended.report else { return };
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    let seconds = report.get("elapsed_s").and_then(Value::as_f64).unwrap_or(0.0);
    say(&format!(
        "  {} records read, {} written, {} failed, in {seconds:.1} s; {} requests",
        number("records_read"),
        number("records_written"),
        number("records_failed"),
        number("requests")
    ));
    for output in report.get("output").and_then(Value::as_array).into_iter().flatten() {
        say(&format!("  output: {}", output.as_str().unwrap_or_default()));
    }
}
