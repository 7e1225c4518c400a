//! The whole trip, three times: records over S3, one request each, against an API in the same process.
//! `make bench` prints each figure beside its target.

use std::error::Error;
use std::time::Duration;

use paceline_benches::{line, median};
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
    let of = |figure: fn(&DemoResult) -> f64| median(results.iter().map(figure).collect());
    let rate = of(|result| result.received.requests_per_s);
    let worst_second = of(|result| result.received.worst_second as f64);
    let worst_period = results.iter().filter_map(|result| result.report.worst_period).max().unwrap_or(usize::MAX);
    let utilization = of(|result| result.report.pace_utilization.unwrap_or(0.0));
    let exact = results.iter().filter(|result| result.verified.is_exact()).count();
    println!("\n{RECORDS} records over S3, one per request, limit 5,000/s, latency 50 ms, median of {RUNS}\n");
    println!("| figure | measured | target | met |\n|---|---|---|---|");
    println!("{}", line("requests/s at the receiver", rate, "≥ 4,900", rate >= 4900.0));
    println!("{}", line("worst_period (worst of all runs)", worst_period as f64, "≤ 5,000", worst_period <= 5000));
    println!("{}", line("worst second at the receiver", worst_second, "≤ 5,150", worst_second <= 5150.0));
    println!("{}", line("pace_utilization", utilization, "≥ 0.98", utilization >= 0.98));
    println!("{}", line("runs with an exact output", exact as f64, RUNS, exact == RUNS));
    Ok(())
}
