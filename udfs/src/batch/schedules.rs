//! Thousands of seeded schedules of faults, on paused time: whatever an API does, every row has exactly one fate, in its
//! place, at the allowed pace, and for no more requests than allowed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::*;
use crate::client::{Outgoing, Reply, SendError};
use crate::testing::{self, Script};

const SCHEDULES: u64 = 4_000;
const PERIOD: Duration = Duration::from_secs(1);

/// What one schedule is made of.
struct Schedule {
    rows: i64,
    batch_rows: i64,
    array: bool,
    batch_size: i64,
    limit: usize,
    attempts: u64,
    faults_percent: u64,
}

impl Schedule {
    fn seeded(random: &mut fastrand::Rng) -> Self {
        Schedule {
            rows: random.i64(1..60),
            batch_rows: random.i64(1..25),
            array: random.bool(),
            batch_size: random.i64(1..12),
            limit: random.usize(1..40),
            attempts: random.u64(1..5),
            faults_percent: random.u64(0..70),
        }
    }
}

fn ids(body: &Bytes) -> Vec<i64> {
    let rows: serde_json::Value = serde_json::from_slice(body).unwrap();
    let id = |row: &serde_json::Value| row["id"].as_i64().unwrap();
    rows.as_array().map_or_else(|| vec![id(&rows)], |rows| rows.iter().map(id).collect())
}

fn reply(status: u16, headers: HeaderMap, body: String) -> Result<Reply, SendError> {
    Ok(Reply { status, headers, body: body.into() })
}

/// Everything that APIs do.
fn outcome(
    random: &mut fastrand::Rng,
    faults_percent: u64,
    request: &Outgoing,
) -> (Duration, Result<Reply, SendError>) {
    let latency = Duration::from_millis(random.u64(1..200));
    let ids = ids(&request.body);
    let values: Vec<_> = ids.iter().map(|id| format!("{{\"double\":{}}}", id * 2)).collect();
    let one = !request.body.starts_with(b"[");
    let good = if one { values[0].clone() } else { format!("[{}]", values.join(",")) };
    if random.u64(0..100) >= faults_percent {
        return (latency, reply(200, HeaderMap::new(), good));
    }
    let after = |text| HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
    let outcome = match random.u8(0..11) {
        0 => reply(500, HeaderMap::new(), "oops".into()),
        1 => reply(503, after("1"), String::new()),
        2 => reply(429, HeaderMap::new(), String::new()),
        3 => reply(429, after("2"), String::new()),
        4 => Err(SendError::Timeout("the schedule's".into())),
        5 => Err(SendError::Connection("reset".into())),
        6 => reply(200, HeaderMap::new(), "<html>".into()),
        7 => reply(200, HeaderMap::new(), if one { "[]".into() } else { format!("[{}]", values[1..].join(",")) }),
        8 => reply(422, HeaderMap::new(), "no".into()),
        9 => Err(SendError::TooLarge { limit: 10 }),
        _ => return (latency * 40, reply(200, HeaderMap::new(), good)), // a slow body
    };
    (latency, outcome)
}

async fn run(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let schedule = Schedule::seeded(&mut random);
    let faults = schedule.faults_percent;
    let chance = Mutex::new(random);
    let script = Arc::new(Script::answering(move |_, request| outcome(&mut chance.lock().unwrap(), faults, request)));
    let (limit, size, attempts) =
        (schedule.limit.to_string(), schedule.batch_size.to_string(), schedule.attempts.to_string());
    let options = [
        ("format", if schedule.array { "array" } else { "record" }),
        ("batch_size", size.as_str()),
        ("rate_limit_calls", limit.as_str()),
        ("retry_max_attempts", attempts.as_str()),
        ("breaker_open_for", "3 seconds"),
        ("breaker_min_attempts", "10"),
        ("max_failed_percent", "100"),
    ];
    let returns = DataType::Struct(vec![Field::new("double", DataType::Int64, true)].into());
    let caller = testing::caller(Fields::empty(), returns, &options, &script);
    let mut lane = Lane::new(caller.api(), "job", 0);

    let mut given_up = 0;
    let mut sent = Vec::new();
    for start in (0..schedule.rows).step_by(schedule.batch_rows as usize) {
        let of_batch = start..(start + schedule.batch_rows).min(schedule.rows);
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(of_batch.clone()));
        let batch = RecordBatch::try_from_iter([("id", column)]).unwrap();
        sent.push((of_batch, send(&caller, &mut lane, &batch).await.unwrap()));
    }
    for (of_batch, sent) in sent {
        let landed = sent.land().await.unwrap();
        assert_eq!(landed.values.len(), of_batch.clone().count());
        let values = landed.values.as_struct().column(0).as_primitive::<Int64Type>();
        for (at, id) in of_batch.enumerate() {
            let gone = landed.given_up.iter().filter(|(row, _)| *row == at).count();
            let answered = landed.values.is_valid(at) && values.is_valid(at);
            assert_eq!(gone + usize::from(answered), 1, "seed {seed}: row {id} has exactly one fate");
            assert!(!answered || values.value(at) == id * 2, "seed {seed}: row {id} has the answer of another");
        }
        given_up += landed.given_up.len() as u64;
    }

    let counters = caller.counters();
    assert_eq!(counters.answered.get() + given_up, schedule.rows as u64, "seed {seed}");
    let seen = script.seen();
    let times: Vec<Instant> = seen.iter().map(|seen| seen.at).collect();
    for (at, start) in times.iter().enumerate() {
        let in_period = times[at..].iter().take_while(|time| time.duration_since(*start) < PERIOD).count();
        assert!(in_period <= schedule.limit, "seed {seed}: {in_period} requests in a period, allowed are {limit}");
    }
    let first_requests = seen.len() as u64 - counters.retries.get();
    let allowed = schedule.rows as u64 + counters.split_requests.get();
    assert!(first_requests <= allowed, "seed {seed}: {first_requests} requests without retries, allowed are {allowed}");
    let mut by_key: HashMap<_, u64> = HashMap::new();
    for seen in &seen {
        *by_key.entry((seen.headers["idempotency-key"].clone(), seen.body.clone())).or_default() += 1;
    }
    assert!(by_key.values().all(|times| *times <= schedule.attempts), "seed {seed}: sent more often than allowed");
}

#[test]
fn every_row_has_exactly_one_fate_whatever_the_api_does() {
    for seed in 0..SCHEDULES {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run(seed));
    }
}
