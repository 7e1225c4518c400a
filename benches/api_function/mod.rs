//! What an API function does beside calling: faults that it gets over, the journal, and answers that several rows share.

use std::error::Error;
use std::time::Duration;

use paceline_benches::{Api, Columns, Ran, Table, Workplace, median};
use tokio::runtime::Runtime;

use super::{AT_5000, LATENCY, RUNS};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// An API that fails often: every row is answered all the same, at the full pace.
pub fn faults(runtime: &Runtime) -> Result<Table> {
    let api = Api::start_with(LATENCY, &["--fail-percent", "20", "--reset-percent", "2"])?;
    let place = Workplace::with(100_000)?;
    let options = format!("{AT_5000}, retry_max_attempts '20'");
    let ran = place.run(Columns::Inferred, api.url(), &options)?;
    let received = runtime.block_on(api.received())?;
    place.verify()?;
    let mut table =
        Table::begin("100,000 records, 20 % status 500 and 2 % broken replies, limit 5,000/s, output exact");
    table.at_least("pace_utilization", ran.figure("pace_utilization"), 0.97);
    table.at_most("worst_period", ran.figure("worst_period"), 5000.0);
    table.at_most("most in any second at the receiver", received.worst_period, 5150.0);
    table.only("requests", received.requests);
    table.only("retries", ran.figure("retries"));
    Ok(table)
}

/// The same job with and without a journal, in turns: at a pace, and as fast as it goes.
pub fn journal(_: &Runtime) -> Result<Table> {
    let (paced, free) = (Workplace::with(50_000)?, Workplace::with(200_000)?);
    let (slow, quick) = (Api::start(LATENCY)?, Api::start(Duration::ZERO)?);
    let run = |place: &Workplace, api: &Api, options: &str, journal: bool| -> Result<Ran> {
        let mut job = place.job(Columns::Declared, api.url(), options)?;
        job.args(["--conf", &format!("paceline.checkpoint.enabled={journal}")]);
        place.finish(job)
    };
    let unlimited = "rate_limit_calls 'unlimited', max_in_flight '1000'";
    let (mut with, mut without, mut free_with, mut free_without) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        with.push(run(&paced, &slow, AT_5000, true)?.figure("requests_per_s"));
        without.push(run(&paced, &slow, AT_5000, false)?.figure("requests_per_s"));
        free_with.push(run(&free, &quick, unlimited, true)?.elapsed.as_secs_f64());
        free_without.push(run(&free, &quick, unlimited, false)?.elapsed.as_secs_f64());
    }
    let mut table = Table::begin(format!("With a journal and without, median of {RUNS} in turns"));
    table.at_least("requests/s with ÷ without, 50,000 records at 5,000/s", median(with) / median(without), 0.97);
    let records_per_s = |seconds: Vec<f64>| 200_000.0 / median(seconds);
    let (with, without) = (records_per_s(free_with), records_per_s(free_without));
    table.only("records/s with, 200,000 records without a limit", with);
    table.only("records/s without", without);
    table.only("with ÷ without", with / without);
    Ok(table)
}

/// 100,000 rows with 1,000 questions.
pub fn answers(runtime: &Runtime) -> Result<Table> {
    let (place, api) = (Workplace::with(100_000)?, Api::start(LATENCY)?);
    let mut table =
        Table::begin("100,000 rows with 1,000 questions, latency 50 ms, 1,000 requests in flight, without a limit");
    let ways = [
        ("every row asks", "", ""),
        ("rows in flight share", "DETERMINISTIC", ", cache_size '0'"),
        ("and answers are kept", "DETERMINISTIC", ""),
    ];
    for (way, said, option) in ways {
        let options = format!("rate_limit_calls 'unlimited', max_in_flight '1000'{option}");
        let job = place.job_with(Columns::Declared, "id % 1000", said, api.url(), &options)?;
        let ran = place.finish(job)?;
        let requests = runtime.block_on(api.received())?.requests;
        table.only(&format!("requests, {way}"), requests);
        table.only(&format!("seconds, {way}"), ran.elapsed.as_secs_f64());
        if option.is_empty() && !said.is_empty() {
            table.at_most("requests ÷ questions, where answers are kept", requests / 1000.0, 1.0);
        }
    }
    Ok(table)
}
