//! `paceline jobs`

use std::error::Error;
use std::net::Ipv4Addr;

use paceline_engine::cluster::Access;
use paceline_service::client::Client;
use paceline_service::http::Http;
use serde_json::Value;

use crate::run::pair;
use crate::server::{ServerArguments, url};
use crate::{ExitCode, ui};

/// What is wanted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  paceline jobs list --state RUNNING\n  paceline jobs status jr_0198c5 --json\n  \
                        paceline jobs cancel jr_0198c5\n  paceline jobs show nightly --logdir s3://logs/paceline")]
pub struct Arguments {
    #[command(subcommand)]
    wanted: Wanted,
    /// Folder of event logs to read, a path or URL, where no service is asked
    #[arg(long, value_name = "LOGDIR", global = true, conflicts_with = "server")]
    logdir: Option<String>,
    /// A setting for --logdir, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, global = true, requires = "logdir")]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(clap::Subcommand)]
enum Wanted {
    /// List jobs, the newest first
    List {
        /// Only those in this state
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only runs of this job
        #[arg(long, value_name = "NAME")]
        job_name: Option<String>,
        /// How many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
    /// Show how far a job is
    #[command(visible_alias = "show")]
    Status {
        /// Its id
        id: String,
    },
    /// Show the stages and operators of its plan
    Plan {
        /// Its id
        id: String,
    },
    /// Tell a job to stop
    Cancel {
        /// Its id
        id: String,
    },
    /// Go on with a job that was stopped or failed
    Resume {
        /// Its id
        id: String,
    },
    /// Send the dead letters of a job again
    Redrive {
        /// Its id
        id: String,
    },
    /// Show what happened
    Logs {
        /// Its id
        id: String,
    },
    /// Show the rows that were given up
    DeadLetters {
        /// Its id
        id: String,
        /// How many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
}

/// Items that are fetched at once.
const PAGE: usize = 500;

/// Asks the job service.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { wanted, logdir, conf, server } = arguments;
    let client = match logdir {
        None => server.client()?,
        Some(logdir) => of_logs(&logdir, &conf).await?,
    };
    let json = server.json;
    match wanted {
        Wanted::List { state, job_name, limit } => {
            let mut query = Vec::new();
            let state = state.map(|state| state.to_uppercase());
            query.extend(state.as_deref().map(|state| ("state", state)));
            query.extend(job_name.as_deref().map(|name| ("job_name", name)));
            let jobs = pages(&client, &["jobs"], "jobs", &query, limit).await?;
            if json { print(&Value::Array(jobs).to_string()) } else { print(&table(&jobs)) }
        }
        Wanted::Status { id } => {
            let job = client.get(&["jobs", &id], &[]).await?;
            if json { print(&job.to_string()) } else { print(&status(&job)) }
        }
        Wanted::Plan { id } => {
            let plan = client.get(&["jobs", &id, "plan"], &[]).await?;
            if json { print(&plan.to_string()) } else { print(&stages(&plan)) }
        }
        Wanted::Cancel { id } => said(&client.post(&["jobs", &id, "cancel"], None).await?, json),
        Wanted::Resume { id } => said(&client.post(&["jobs", &id, "resume"], None).await?, json),
        Wanted::Redrive { id } => said(&client.post(&["jobs", &id, "redrive"], None).await?, json),
        Wanted::Logs { id } => {
            for line in pages(&client, &["jobs", &id, "logs"], "lines", &[], usize::MAX).await? {
                print(&if json { line.to_string() } else { log_line(&line) });
            }
        }
        Wanted::DeadLetters { id, limit } => {
            for letter in pages(&client, &["jobs", &id, "dead-letters"], "dead_letters", &[], limit).await? {
                print(&if json { letter.to_string() } else { letter_line(&letter) });
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The way to a service in this process, which has the jobs of event logs.
async fn of_logs(logdir: &str, conf: &[(String, String)]) -> Result<Client, Box<dyn Error>> {
    let access = Access::default();
    let options = ui::history(logdir, conf, access.clone()).await?;
    let http = Http::bind(Ipv4Addr::LOCALHOST.into(), Some(0), &access).await?;
    let client = Client::new(url(&http, &access)?.parse()?, access, None)?;
    tokio::spawn(http.serve(options, std::future::pending()));
    Ok(client)
}

/// Items of a list that comes in pages.
async fn pages(
    client: &Client,
    path: &[&str],
    name: &str,
    query: &[(&str, &str)],
    limit: usize,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let (mut items, mut token) = (Vec::new(), None::<String>);
    while items.len() < limit {
        let size = (limit - items.len()).min(PAGE).to_string();
        let mut query = query.to_vec();
        query.push(("limit", &size));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let page = client.get(path, &query).await?;
        items.extend(page.get(name).and_then(Value::as_array).cloned().unwrap_or_default());
        token = page.get("next_page_token").and_then(Value::as_str).map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(items)
}

/// Prints a result.
#[expect(clippy::print_stdout, reason = "the answer is the result")]
pub fn print(text: &str) {
    println!("{text}");
}

fn said(job: &Value, json: bool) {
    if json {
        print(&job.to_string());
    } else {
        print(&format!("{} {}", text(job, "id"), text(job, "state")));
    }
}

/// What a terminal may be shown of what came from data: no control characters.
fn text(value: &Value, name: &str) -> String {
    let text = match value.get(name) {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn table(jobs: &[Value]) -> String {
    let mut rows = vec![["JOB", "NAME", "STATE", "RECORDS", "FAILED", "REQUESTS/S", "SUBMITTED"].map(str::to_owned)];
    for job in jobs {
        let expected = text(job, "expected");
        let records = text(job, "records");
        let records = if expected.is_empty() { records } else { format!("{records}/{expected}") };
        let (failed, rate) = (text(job, "failed"), text(job, "requests_per_s"));
        let name = text(job, "job_name").replace('\n', " ").chars().take(40).collect();
        rows.push([text(job, "attempt"), name, text(job, "state"), records, failed, rate, text(job, "submitted_at")]);
    }
    let mut widths = [0; 7];
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
    }
    let line = |row: &[String; 7]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn status(job: &Value) -> String {
    let mut lines = vec![format!("{}  {}  {}", text(job, "attempt"), text(job, "job_name"), text(job, "state"))];
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<12} {value}"));
        }
    };
    add("error", text(job, "error"));
    add("submitted", text(job, "submitted_at"));
    add("started", text(job, "started_at"));
    add("ended", text(job, "ended_at"));
    add("statement", format!("{} of {}", text(job, "statement"), text(job, "statements")));
    let progress = job.get("progress").cloned().unwrap_or_default();
    let expected = text(&progress, "expected");
    let of = if expected.is_empty() { String::new() } else { format!(" of {expected}") };
    add("records", format!("{}{of}, {} failed", text(&progress, "records"), text(&progress, "failed")));
    add(
        "requests",
        format!(
            "{} ({} retries, {} times 429), {}/s, {} in flight",
            text(&progress, "requests"),
            text(&progress, "retries"),
            text(&progress, "rate_limit_hits"),
            text(&progress, "requests_per_s"),
            text(&progress, "in_flight")
        ),
    );
    let limits = progress.get("limits").and_then(Value::as_array).cloned().unwrap_or_default();
    add("limits", limits.iter().map(|limit| text(limit, "rate")).collect::<Vec<_>>().join(", "));
    let outputs = job.pointer("/report/output").and_then(Value::as_array).cloned().unwrap_or_default();
    outputs.iter().for_each(|output| add("output", output.as_str().unwrap_or_default().to_owned()));
    lines.join("\n")
}

fn stages(plan: &Value) -> String {
    let mut lines = Vec::new();
    for stage in plan.get("stages").and_then(Value::as_array).into_iter().flatten() {
        let count = |name: &str| stage.pointer(&format!("/count/{name}")).map_or(String::new(), Value::to_string);
        lines.push(format!(
            "stage {} {}: {} of {} tasks",
            text(stage, "stage"),
            text(stage, "state"),
            count("completed"),
            count("total")
        ));
        for operator in stage.get("operators").and_then(Value::as_array).into_iter().flatten() {
            let depth = operator.get("depth").and_then(Value::as_u64).unwrap_or(0) as usize;
            let rows = text(operator, "rows");
            let rows = if rows.is_empty() { rows } else { format!("  [{rows} rows]") };
            lines.push(format!("  {}{}{rows}", "  ".repeat(depth.min(60)), text(operator, "detail")));
        }
    }
    lines.join("\n")
}

/// A line of a log, for people.
pub fn log_line(line: &Value) -> String {
    let at = text(line, "at");
    let what = match line.get("event").and_then(Value::as_str).unwrap_or_default() {
        "job_started" => format!("started on {} ({})", text(line, "place"), text(line, "attempt")),
        "state" => text(line, "state"),
        "statement_started" => {
            let first: String = text(line, "text").lines().next().unwrap_or_default().chars().take(100).collect();
            format!("statement {} of {}: {first}", text(line, "statement"), text(line, "statements"))
        }
        "statement_ended" => match text(line, "outcome").as_str() {
            "written" => format!(
                "statement {}: {} read, {} written, {} failed, to {}",
                text(line, "statement"),
                text(line, "records_read"),
                text(line, "records_written"),
                text(line, "records_failed"),
                text(line, "output")
            ),
            "rows" => {
                format!("statement {}: {} rows\n{}", text(line, "statement"), text(line, "rows"), text(line, "table"))
            }
            other => format!("statement {}: {}", text(line, "statement"), other.replace('_', " ")),
        },
        "dead_letters" => format!("statement {} has dead letters", text(line, "statement")),
        "log" => format!("{}: {}", text(line, "level"), text(line, "text")),
        "job_ended" => {
            let error = line.pointer("/report/error").and_then(Value::as_str).unwrap_or_default();
            format!("{} {error}", text(line, "state")).trim_end().to_owned()
        }
        other => other.to_owned(),
    };
    format!("{at} {what}")
}

fn letter_line(letter: &Value) -> String {
    let status = text(letter, "status");
    let status = if status.is_empty() { status } else { format!(" {status}") };
    format!(
        "{} {}{status}: {}  row {}",
        text(letter, "function"),
        text(letter, "error_kind"),
        text(letter, "error").replace('\n', " "),
        text(letter, "row")
    )
}
