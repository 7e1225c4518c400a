//! How a job ends: by itself, or because it was told to stop; and what is said and written then.

use std::future::Future;
use std::path::Path;

use paceline_engine::observe::event_log::Event;
use paceline_engine::observe::report::Report;
use paceline_engine::{EngineError, Session};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ExitCode;
use crate::progress::say;

/// How a job ended.
pub enum Ending {
    /// By itself, well or not.
    Done(Box<Report>, Result<(), EngineError>),
    /// By a signal.
    Stopped {
        /// Its usual exit code.
        code: u8,
    },
}

impl Ending {
    /// What the event log says of it.
    pub fn event(&self) -> Event {
        let (state, report) = match self {
            Ending::Done(report, Ok(())) => ("SUCCEEDED", Some(report.clone())),
            Ending::Done(report, Err(_)) => ("FAILED", Some(report.clone())),
            Ending::Stopped { .. } => ("STOPPED", None),
        };
        // This process counts as one worker G.1X.
        let dpu_hours = report.as_ref().map(|report| report.elapsed_s / 3600.0);
        Event::JobEnded { state: state.to_owned(), report, dpu_hours }
    }
}

/// Runs a job until it ends or Ctrl-C or SIGTERM comes; then what it had staged is cleaned up.
pub async fn or_stopped(session: &Session, job: impl Future<Output = (Report, Result<(), EngineError>)>) -> Ending {
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    let code = tokio::select! {
        (report, result) = job => return Ending::Done(Box::new(report), result),
        () = next(&mut interrupt) => 130,
        () = next(&mut terminate) => 143,
    };
    let progress = session.progress();
    say(&format!(
        "stopped: {} rows were answered and {} given up, with {} requests",
        progress.replied, progress.failed, progress.requests
    ));
    match session.clean_up().await {
        Ok(false) => say("nothing of the statement that was running is visible at its destination"),
        Ok(true) => {
            say("the statement that was running had begun to commit, so that was finished: its output is complete")
        }
        Err(error) => say(&format!("what was staged could not be cleaned up: {error}")),
    }
    Ending::Stopped { code }
}

/// Ends when Ctrl-C or SIGTERM comes.
pub async fn told_to_stop() {
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    tokio::select! {
        () = next(&mut interrupt) => {}
        () = next(&mut terminate) => {}
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).ok()
}

/// Without a listener the signal keeps its usual effect, so there is nothing to wait for.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Says what the job did and writes its report; the code says whether it is complete.
pub fn report(ending: Ending, file: Option<&Path>) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (report, result) = match ending {
        Ending::Done(report, result) => (report, result),
        Ending::Stopped { code } => return Ok(ExitCode(code)),
    };
    if let Some(file) = file {
        write(file, &report)?;
    }
    if !report.output.is_empty() || report.requests > 0 {
        summarize(&report);
    }
    result?;
    Ok(ExitCode::SUCCESS)
}

/// The report as one JSON object.
pub fn write(file: &Path, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    write_json(file, serde_json::to_string_pretty(report)?)
}

/// Writes JSON to the file that the user named.
pub fn write_json(file: &Path, json: String) -> Result<(), Box<dyn std::error::Error>> {
    Ok(std::fs::write(file, json + "\n").map_err(|error| format!("cannot write {}: {error}", file.display()))?)
}

/// The report in words.
pub fn summarize(report: &Report) {
    say(&format!(
        "job {}: {} records read, {} written, {} failed, in {:.1} s",
        report.job_id, report.records_read, report.records_written, report.records_failed, report.elapsed_s
    ));
    say(&format!(
        "  {} requests ({} retries, {} times 429), {:.0} per second",
        report.requests, report.retries, report.rate_limit_hits, report.requests_per_s
    ));
    if let (Some(used), Some(worst)) = (report.pace_utilization, report.worst_period) {
        say(&format!("  {:.1} % of the allowed rate used, at most {worst} requests in any period", used * 100.0));
    }
    for output in &report.output {
        say(&format!("  output: {output}"));
    }
}
