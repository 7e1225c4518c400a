//! The same work by PySpark, in turns with the job.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceline_benches::{Api, Columns, Table, Workplace, median};
use tokio::runtime::Runtime;

const RECORDS: usize = 1_000_000;
const ARRAYS: &str = "rate_limit_calls 'unlimited', max_in_flight '64', format 'array', batch_size '1000'";

/// Needs PySpark and aiohttp in the Python that `PYSPARK_PYTHON` names, and a Java that Spark takes.
pub fn compare(_: &Runtime) -> Result<Table, Box<dyn Error>> {
    let (place, api) = (Workplace::with(RECORDS)?, Api::start(Duration::ZERO)?);
    let (mut ours, mut whole, mut work) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..super::RUNS {
        let start = Instant::now();
        work.push(spark(&place, api.url())?);
        whole.push(start.elapsed().as_secs_f64());
        ours.push(place.run(Columns::Declared, api.url(), ARRAYS)?.elapsed.as_secs_f64());
    }
    let (ours, whole, work) = (median(ours), median(whole), median(work));
    let runs = super::RUNS;
    let mut table =
        Table::begin(format!("{RECORDS} records in arrays of 1,000, median of {runs} in turns with PySpark"));
    table.only("seconds of Paceline, whole process", ours);
    table.only("seconds of PySpark, whole process", whole);
    table.only("seconds of PySpark, without the start of Java and of the session", work);
    table.at_least("PySpark ÷ Paceline, without the start of Java and of the session", work / ours, 8.0);
    table.only("PySpark ÷ Paceline, whole processes", whole / ours);
    Ok(table)
}

/// Runs `job.py` and returns the seconds that its work took, as it says itself.
fn spark(place: &Workplace, endpoint: &str) -> Result<f64, Box<dyn Error>> {
    let python = std::env::var("PYSPARK_PYTHON").map_err(|_| "PYSPARK_PYTHON is not set: use `make bench-pyspark`")?;
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/pyspark/job.py"))
        .args([place.input(), place.path().join("by_spark")])
        .arg(endpoint)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let seconds = said.lines().find_map(|line| line.strip_prefix("seconds ")?.parse().ok());
    match seconds.filter(|_| output.status.success()) {
        Some(seconds) => Ok(seconds),
        None => Err(format!("PySpark failed: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
