//! The whole trip, three times: records over S3, one request each, against an API in the same process.
//! `make bench` prints each figure beside its target.

use std::error::Error;
use std::time::Duration;

use paceline_benches::{Table, median};
use paceline_engine::demo::{Demo, DemoOptions, DemoResult};

const RUNS: usize = 3;
const RECORDS: u64 = 30_000;

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn main() -> Result<(), Box<dyn Error>> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut results: Vec<DemoResult> = Vec::new();
    for _ in 0..RUNS {
        let options = DemoOptions {
            records: RECORDS,
            rate: 5000.try_into()?,
            latency: Duration::from_millis(50),
            fail_percent: 0,
        };
        let result = runtime.block_on(async { Demo::prepare(options).await?.run().await })?;
        println!("{:?} {:?}", result.received, result.report);
        results.push(result);
    }
    let of = |figure: fn(&DemoResult) -> f64| median(results.iter().map(figure));
    let worst_period = results.iter().filter_map(|result| result.report.worst_period).max().unwrap_or(usize::MAX);
    let exact = results.iter().filter(|result| result.verified.is_exact()).count();
    let title = format!("{RECORDS} records over S3, one per request, limit 5,000/s, latency 50 ms, median of {RUNS}");
    let mut table = Table::begin(title);
    table.at_least("requests/s at the receiver", of(|result| result.received.requests_per_s), 4900.0);
    table.at_most("worst_period (worst of all runs)", worst_period as f64, 5000.0);
    let worst_second = of(|result| result.received.worst_period as f64);
    table.at_most("most requests in any second at the receiver", worst_second, 5150.0);
    table.at_least("pace_utilization", of(|result| result.report.pace_utilization.unwrap_or(0.0)), 0.98);
    table.at_least("runs with an exact output", exact as f64, RUNS as f64);
    Ok(())
}
