//! Whole runs beside their targets: the binary as a user runs it, against an API in a process of its own. Where two are
//! compared they run in turns, so that whatever else the machine does meets both.

mod api_function;
mod cluster;
mod tpch;

use std::error::Error;
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use paceline_benches::{Api, Bodies, Columns, Ran, Received, Table, Workplace, bare_loop, median};
use tokio::runtime::Runtime;

use api_function::{answers, faults, journal};
use cluster::cluster;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const RUNS: usize = 3;
const AT_5000: &str = "rate_limit_calls '5000', rate_limit_period '1 second'";
const LATENCY: Duration = Duration::from_millis(50);

type Bench = fn(&Runtime) -> Result<Table>;

/// What `cargo bench --bench whole -- NAME …` runs; without a name, all that take a minute or two.
const BENCHES: &[(&str, Bench)] = &[
    ("start", start),
    ("pace", pace),
    ("records", records),
    ("arrays", arrays),
    ("faults", faults),
    ("journal", journal),
    ("answers", answers),
    ("cluster", cluster),
    ("tpch", tpch::tpch),
    ("spill", tpch::spill),
    ("million", million),
    ("memory", memory),
];
const SHORT: &[&str] = &["start", "pace", "faults", "journal", "answers", "cluster", "tpch", "records", "arrays"];

fn main() -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_asked = |name: &str| if asked.is_empty() { SHORT.contains(&name) } else { asked.iter().any(|a| a == name) };
    if let Some(unknown) = asked.iter().find(|asked| !BENCHES.iter().any(|(name, _)| name == asked)) {
        return Err(format!("there is no bench '{unknown}'").into());
    }
    let mut missed = Vec::new();
    for (name, bench) in BENCHES.iter().filter(|(name, _)| is_asked(name)) {
        if !bench(&runtime)?.all_met() {
            missed.push(*name);
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("targets were missed in {}", missed.join(", ")).into()) }
}

/// From the start of the process to the first byte of its first request.
fn start(_: &Runtime) -> Result<Table> {
    let place = Workplace::with(1000)?;
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let api = TcpListener::bind(("127.0.0.1", 0))?; // a new one, as a job leaves connections behind
        let endpoint = format!("http://{}/", api.local_addr()?);
        let mut job = place.job(Columns::Declared, &endpoint, AT_5000)?;
        let start = Instant::now();
        let mut child = job.spawn()?;
        let (mut request, _) = api.accept()?;
        request.read_exact(&mut [0])?;
        seconds.push(start.elapsed().as_secs_f64());
        child.kill()?;
        child.wait()?;
    }
    let mut table = Table::begin("From the start of the process to its first request, schema declared, median of 5");
    table.at_most("seconds", median(seconds), 0.5);
    Ok(table)
}

fn pace(runtime: &Runtime) -> Result<Table> {
    let (place, api) = (Workplace::with(100_000)?, Api::start(LATENCY)?);
    let mut runs: Vec<(Ran, Received)> = Vec::new();
    for _ in 0..RUNS {
        let ran = place.run(Columns::Inferred, api.url(), AT_5000)?;
        place.verify()?;
        runs.push((ran, runtime.block_on(api.received())?));
    }
    let of_report = |key: &'static str| runs.iter().map(move |(ran, _)| ran.figure(key));
    let worst = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let mut table = Table::begin(format!(
        "100,000 records, one per request, limit 5,000/s, latency 50 ms, {RUNS} runs, each output exact"
    ));
    table.at_least("pace_utilization (median)", median(of_report("pace_utilization")), 0.98);
    table.at_most("worst_period (worst)", worst(&mut of_report("worst_period")), 5000.0);
    let received = |figure: fn(&Received) -> f64| runs.iter().map(move |(_, received)| figure(received));
    table.at_most("most in any second at the receiver (worst)", worst(&mut received(|r| r.worst_period)), 5150.0);
    table.at_least("requests/s at the receiver (median)", median(received(|r| r.requests_per_s)), 4900.0);
    Ok(table)
}

/// The job in turns with the bare loop.
struct Duel {
    records: usize,
    in_flight: usize,
    format: &'static str,
    bodies: Bodies,
}

impl Duel {
    fn fight(&self, runtime: &Runtime, target: f64) -> Result<Table> {
        let Duel { records, in_flight, format, bodies } = self;
        let (place, api) = (Workplace::with(*records)?, Api::start(Duration::ZERO)?);
        let options = format!("rate_limit_calls 'unlimited', max_in_flight '{in_flight}', {format}");
        let (mut bare, mut jobs) = (Vec::new(), Vec::new());
        runtime.block_on(bare_loop(api.url(), bodies, *in_flight))?; // the first one warms the API up
        for _ in 0..RUNS {
            bare.push(runtime.block_on(bare_loop(api.url(), bodies, *in_flight))?.as_secs_f64());
            jobs.push(place.run(Columns::Declared, api.url(), &options)?);
        }
        let rate = |seconds: f64| *records as f64 / seconds;
        let (bare, whole) = (median(bare), median(jobs.iter().map(|ran| ran.elapsed.as_secs_f64())));
        let mut table = Table::begin(format!(
            "{records} records without a limit, {in_flight} requests in flight, median of {RUNS} in turns with a bare loop"
        ));
        table.only("records/s of the bare loop", rate(bare));
        table.only("records/s of the job, from the start of its process to its end", rate(whole));
        table.at_least("job ÷ bare loop", bare / whole, target);
        table.only("peak RSS of the job in MB", median(jobs.iter().map(megabytes)));
        table.only("CPU seconds of the job", median(jobs.iter().map(|ran| ran.figure("cpu_s"))));
        Ok(table)
    }
}

fn records(runtime: &Runtime) -> Result<Table> {
    let records = 200_000;
    let bodies = Bodies::records(records);
    Duel { records, in_flight: 1000, format: "format 'record'", bodies }.fight(runtime, 0.70)
}

fn arrays(runtime: &Runtime) -> Result<Table> {
    let records = 1_000_000;
    let bodies = Bodies::arrays(records, 1000);
    Duel { records, in_flight: 64, format: ARRAYS, bodies }.fight(runtime, 0.65)
}

const ARRAYS: &str = "format 'array', batch_size '1000'";

fn million(runtime: &Runtime) -> Result<Table> {
    let (place, api) = (Workplace::with(1_000_000)?, Api::start(LATENCY)?);
    let ran = place.run(Columns::Inferred, api.url(), AT_5000)?;
    let received = runtime.block_on(api.received())?;
    place.verify()?;
    let mut table = Table::begin("1,000,000 records, one per request, limit 5,000/s, latency 50 ms, output exact");
    table.at_most("seconds, from the start of the process to its end", ran.elapsed.as_secs_f64(), 206.0);
    table.at_most("peak RSS in MB", megabytes(&ran), 300.0);
    table.at_least("pace_utilization", ran.figure("pace_utilization"), 0.98);
    table.at_most("worst_period", ran.figure("worst_period"), 5000.0);
    table.at_most("most in any second at the receiver", received.worst_period, 5150.0);
    Ok(table)
}

fn memory(_: &Runtime) -> Result<Table> {
    let api = Api::start(Duration::ZERO)?;
    let options = format!("rate_limit_calls 'unlimited', {ARRAYS}");
    let peak = |records| Workplace::with(records)?.run(Columns::Declared, api.url(), &options);
    let (small, large) = (peak(1_000_000)?, peak(10_000_000)?);
    let mut table = Table::begin("Memory of 1,000,000 and of 10,000,000 records in arrays, without a limit");
    table.only("peak RSS in MB, 1,000,000 records", megabytes(&small));
    table.only("peak RSS in MB, 10,000,000 records", megabytes(&large));
    table.at_most("ratio", megabytes(&large) / megabytes(&small), 1.1);
    table.only("records/s, 10,000,000 records", 10_000_000.0 / large.elapsed.as_secs_f64());
    Ok(table)
}

fn megabytes(ran: &Ran) -> f64 {
    (ran.figure("peak_rss_bytes") / 1e6).round()
}
