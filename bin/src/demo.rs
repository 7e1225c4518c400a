//! `paceline demo`

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::Settings;
use paceline_engine::demo::{Demo, DemoOptions, DemoResult};
use paceline_engine::observe::event_log::{Event, Started};
use paceline_engine::observe::recorder::{self, Recorder};

use crate::ExitCode;
use crate::finish;
use crate::progress::{say, while_running};

/// The size of the demo.
#[derive(clap::Args)]
pub struct Arguments {
    /// Records, one request each
    #[arg(long, default_value_t = 30_000)]
    records: u64,
    /// Requests per second allowed
    #[arg(long, default_value = "5000")]
    rate: NonZeroU32,
    /// Latency of the API in milliseconds
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
    /// Of 100 requests, how many fail with status 500
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_percent: u8,
    /// Folder that the event log is written to, a path or URL, which paceline ui shows
    #[arg(long, value_name = "FOLDER")]
    event_log: Option<String>,
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the demo; the code says whether the output is exact.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Arguments { records, rate, latency_ms, fail_percent, event_log, report } = arguments;
    let latency = Duration::from_millis(latency_ms);
    let demo = Demo::prepare(DemoOptions { records, rate, latency, fail_percent }).await?;
    say(&format!("An S3 and an API run in this process. The job:\n\n{}", demo.script()));
    let settings = Settings { event_log_dir: event_log, ..Settings::default() };
    let recorder = Recorder::of_folder(demo.job().id(), "demo", &settings).await?;
    let started = recorder::started(demo.job(), &settings);
    recorder.tell(&Event::JobStarted(Box::new(Started { name: Some("demo".to_owned()), ..started })));
    let work = recorder::watched(demo.session(), &recorder, demo.run());
    let ran = while_running(demo.session(), Some(records), work).await;
    let (state, report_of) = match &ran {
        Ok(result) => ("SUCCEEDED", Some(Box::new(result.report.clone()))),
        Err(_) => ("FAILED", None),
    };
    // This process counts as one worker G.1X.
    let dpu_hours = report_of.as_ref().map(|report| report.elapsed_s / 3600.0);
    recorder.tell(&Event::JobEnded { state: state.to_owned(), report: report_of, dpu_hours });
    recorder.close().await;
    let result = ran?;
    if let Some(file) = &report {
        finish::write(file, &result.report)?;
    }
    finish::summarize(&result.report);
    let DemoResult { received, verified, .. } = &result;
    say(&format!(
        "  at the API: {} requests, {:.0} per second, at most {} in any second",
        received.requests, received.requests_per_s, received.worst_period
    ));
    if !verified.is_exact() {
        say(&format!("error: the output is not exact: {verified:?}"));
        return Ok(ExitCode::FAILURE);
    }
    say(&format!("  verified: all {} records are in the output exactly once, with the API's answer", verified.input));
    Ok(ExitCode::SUCCESS)
}
