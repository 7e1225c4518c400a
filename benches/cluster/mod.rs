//! A job on three executors, in calm and with one that is killed.

mod machines;

use std::process::{Child, Command};
use std::time::Duration;

use paceline_benches::{Api, Columns, Table, Workplace};
use tokio::runtime::Runtime;

pub use machines::Machines;

use super::{AT_5000, LATENCY, Result};

const RECORDS: usize = 100_000;

/// 100,000 records on three executors under one limit; then again, where one is killed at 30 % and another joins at 60 %.
pub fn cluster(runtime: &Runtime) -> Result<Table> {
    let (place, api) = (Workplace::with(RECORDS)?, Api::start(LATENCY)?);
    let mut machines = Machines::start(3, &[])?;
    let job = |machines: &Machines| -> Result<Command> {
        let mut job = place.job(Columns::Inferred, api.url(), AT_5000)?;
        job.args(["--cluster", &machines.at, "--conf", "paceline.partitions=24"]);
        Ok(job)
    };
    let ran = place.finish(job(&machines)?)?;
    let received = runtime.block_on(api.received())?;
    place.verify()?;
    let mut table = Table::begin("100,000 records on 3 executors, limit 5,000/s, latency 50 ms, each output exact");
    table.at_least("pace_utilization", ran.figure("pace_utilization"), 0.97);
    table.at_most("most in any second at the receiver", received.worst_period, 5150.0);
    table.only("requests/s at the receiver", received.requests_per_s);

    let mut running = job(&machines)?.spawn()?;
    reach(runtime, &api, &mut running, RECORDS * 3 / 10)?;
    machines.executors[1].kill()?;
    reach(runtime, &api, &mut running, RECORDS * 6 / 10)?;
    machines.add()?;
    if !running.wait()?.success() {
        return Err("the job with a killed executor failed".into());
    }
    let received = runtime.block_on(api.received())?;
    place.verify()?;
    table.at_most("one killed at 30 %, one joins at 60 %: most in any second", received.worst_period, 5150.0);
    // What it had in flight, and a second of its third of the answers.
    table.at_most("requests that were sent again", received.repeated_keys, 250.0 + 5000.0 / 3.0);
    table.only("requests/s at the receiver, all in all", received.requests_per_s);
    Ok(table)
}

/// Waits until so many requests have arrived.
fn reach(runtime: &Runtime, api: &Api, job: &mut Child, requests: usize) -> Result<()> {
    while runtime.block_on(api.requests())? < requests as f64 {
        if job.try_wait()?.is_some() {
            return Err("the job ended early".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
