//! A bare loop over an API, as a program: `bare_loop URL RECORDS ROWS_A_REQUEST IN_FLIGHT` prints how many seconds it
//! took, as JSON. With 1 row a request bodies are objects, else arrays.

use std::error::Error;

use paceline_benches::{Bodies, bare_loop};

const USAGE: &str = "usage: bare_loop URL RECORDS ROWS_A_REQUEST IN_FLIGHT";

#[expect(clippy::print_stdout, reason = "the figure is the result")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, records, rows, in_flight] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (records, rows, in_flight): (usize, usize, usize) = (records.parse()?, rows.parse()?, in_flight.parse()?);
    rlimit::increase_nofile_limit(u64::MAX)?;
    let bodies = if rows == 1 { Bodies::records(records) } else { Bodies::arrays(records, rows) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let took = runtime.block_on(bare_loop(url, &bodies, in_flight))?;
    println!("{{\"seconds\": {}}}", took.as_secs_f64());
    Ok(())
}
