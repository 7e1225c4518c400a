//! `paceline demo`

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::demo::{Demo, DemoOptions, DemoResult};

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
    /// File that the report is written to, as one JSON object
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the demo; the code says whether the output is exact.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Arguments { records, rate, latency_ms, fail_percent, report } = arguments;
    let latency = Duration::from_millis(latency_ms);
    let demo = Demo::prepare(DemoOptions { records, rate, latency, fail_percent }).await?;
    say(&format!("An S3 and an API run in this process. The job:\n\n{}", demo.script()));
    let result = while_running(demo.session(), Some(records), demo.run()).await?;
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
