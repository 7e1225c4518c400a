//! Batches against the scripted transport, on paused time.

use std::time::Duration;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use expect_test::{Expect, expect};

use bytes::Bytes;

use super::*;
use crate::journal::Journal;
use crate::testing::{self, Script, Step};

const UNLIMITED: (&str, &str) = ("rate_limit_calls", "unlimited");

fn score() -> DataType {
    DataType::Struct(vec![Field::new("score", DataType::Float64, true)].into())
}

fn ids(ids: std::ops::Range<i64>) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
    RecordBatch::try_from_iter([("id", ids)]).unwrap()
}

fn shown(landed: &Landed) -> String {
    let scores = landed.values.as_struct().column(0).as_primitive::<Float64Type>();
    let value = |row| if landed.values.is_null(row) { "NULL".to_owned() } else { scores.value(row).to_string() };
    let values: Vec<_> = (0..landed.values.len()).map(value).collect();
    let gone = |(row, why): &(usize, GivenUp)| {
        format!("row {row}: {} after {}, {}", why.failure.kind, why.attempts, why.failure.message)
    };
    let gone: Vec<_> = landed.given_up.iter().map(gone).collect();
    [vec![values.join(" ")], gone].concat().join("\n")
}

/// Sends the rows 0 to 3 and shows what was sent, the values, and the rows given up.
async fn check(options: &[(&str, &str)], primed: &[(&str, &str)], steps: &[Step], expected: Expect) {
    let script = Arc::new(Script::new(Duration::from_millis(10), steps.iter().cloned()));
    let caller = testing::caller(Fields::empty(), score(), &[&[UNLIMITED], options].concat(), &script);
    for (row, answer) in primed {
        caller.primed().put(Bytes::from((*row).to_owned()), Bytes::from((*answer).to_owned()));
    }
    let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..4)).await.unwrap().land().await.unwrap();
    let sent: Vec<_> = script.seen().iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect();
    expected.assert_eq(&format!("{}\n{}", sent.join(" "), shown(&landed)));
    let counters = caller.counters();
    let given_up: u64 = counters.given_up().iter().sum();
    assert_eq!(given_up, landed.given_up.len() as u64);
    assert_eq!(counters.answered.get() + given_up, 4);
    assert_eq!(counters.reused.get(), primed.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn rows_come_back_in_their_order_and_a_bad_reply_costs_its_own_row() {
    let steps = [
        Step::Reply(200, r#"{"score": 0.5}"#),
        Step::Reply(200, "<html>"),
        Step::Reply(422, "no"),
        Step::Reply(200, r#"{"score": 3}"#),
    ];
    check(&[], &[], &steps, expect![[r#"
        {"id":0} {"id":1} {"id":2} {"id":3}
        0.5 NULL NULL 3
        row 1: bad_reply after 1, the reply is not Struct("score": Float64): Json error: Encountered unexpected '<' whilst parsing value
        row 2: http_4xx after 1, the API refused the request with status 422"#]]).await;
}

#[tokio::test(start_paused = true)]
async fn arrays_are_taken_apart_and_one_that_is_too_short_costs_its_rows() {
    let steps = [Step::Reply(200, r#"[{"score": 1}, {"error": "bad id"}]"#), Step::Reply(200, r#"[{"score": 1}]"#)];
    check(
        &[("format", "array"), ("batch_size", "2")],
        &[],
        &steps,
        expect![[r#"
            [{"id":0},{"id":1}] [{"id":2},{"id":3}] [{"id":2}] [{"id":3}]
            1 NULL 0 0
            row 1: bad_reply after 1, the API answered this row with an error: bad id"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rows_with_an_answer_are_not_sent() {
    let primed = [(r#"{"id":1}"#, r#"{"score":7.5}"#), (r#"{"id":3}"#, r#"{"score":8.5}"#)];
    check(
        &[("format", "array")],
        &primed,
        &[Step::Reply(200, r#"[{"score": 1}, {"score": 2}]"#)],
        expect![[r#"
        [{"id":0},{"id":2}]
        1 7.5 2 8.5"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_ends_the_job_where_the_budget_or_the_credentials_say_so() {
    let stop = async |options: &[(&str, &str)], steps: Vec<Step>, rows: i64| {
        let script = Arc::new(Script::new(Duration::from_millis(10), steps));
        let caller = testing::caller(Fields::empty(), score(), &[&[UNLIMITED], options].concat(), &script);
        let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..rows)).await.unwrap().land().await;
        landed.unwrap_err().to_string()
    };
    expect!["API function 'f': 2 of 2 rows were given up, more than max_failed_records; the last one: the API refused the request with status 404"].assert_eq(&stop(&[("max_failed_records", "1")], vec![Step::Reply(404, "gone"); 2], 2).await);
    expect!["API function 'f': 101 of 1000 rows were given up, more than max_failed_percent 10; the last one: the API refused the request with status 404"].assert_eq(&stop(&[], vec![Step::Reply(404, "gone"); 101], 1000).await);
    expect!["API function 'f': the first 100 answers were all refusals (401 or 403): check the credentials; the last one: the API refused the request with status 403"].assert_eq(&stop(&[], vec![Step::Echo(403); 100], 100).await);
}

/// What a row of an echoing API is worth: its own id, as score.
fn scores(body: &Bytes) -> Vec<i64> {
    let rows: serde_json::Value = serde_json::from_slice(body).unwrap();
    rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Answers arrays, unless one of their rows is bad.
fn picky(bad: &'static [i64]) -> Arc<Script> {
    Arc::new(Script::answering(move |_, request| {
        let ids = scores(&request.body);
        let body = ids.iter().map(|id| format!("{{\"score\":{id}}}")).collect::<Vec<_>>().join(",");
        let status = if ids.iter().any(|id| bad.contains(id)) { 422 } else { 200 };
        let headers = http::HeaderMap::new();
        (Duration::from_millis(10), Ok(crate::client::Reply { status, headers, body: format!("[{body}]").into() }))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_as_a_whole_is_halved_until_the_bad_row_stands_alone() {
    let script = picky(&[5, 700]);
    let options = [UNLIMITED, ("format", "array"), ("max_failed_percent", "100")];
    let caller = testing::caller(Fields::empty(), score(), &options, &script);
    let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..1000)).await.unwrap().land().await.unwrap();
    let gone: Vec<_> = landed.given_up.iter().map(|(row, _)| *row).collect();
    assert_eq!(gone, [5, 700]);
    assert_eq!(landed.values.null_count(), 2);
    let extra = script.seen().len() as u64 - 1;
    assert_eq!(extra, caller.counters().split_requests.get());
    assert!(extra <= 2 * 2 * 10, "{extra} requests to find two among a thousand");
}

#[tokio::test(start_paused = true)]
async fn the_search_for_bad_rows_is_bounded() {
    let script = picky(&[0, 1, 2, 3, 4, 5, 6, 7]);
    let options = [UNLIMITED, ("format", "array"), ("max_split_requests", "5")];
    let caller = testing::caller(Fields::empty(), score(), &options, &script);
    let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..8)).await.unwrap().land().await.unwrap();
    assert_eq!((landed.given_up.len(), script.seen().len()), (8, 5));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_nobodys_row() {
    let script = Arc::new(Script::new(Duration::from_millis(10), [Step::Reply(401, "no")]));
    let caller = testing::caller(Fields::empty(), score(), &[UNLIMITED, ("format", "array")], &script);
    let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..8)).await.unwrap().land().await.unwrap();
    assert_eq!((landed.given_up.len(), script.seen().len()), (8, 1));
}

#[tokio::test(start_paused = true)]
async fn equal_rows_of_a_deterministic_function_are_one_request() {
    let script =
        Arc::new(Script::new(Duration::from_millis(10), [Step::Reply(404, "no"), Step::Reply(200, "{\"score\":7}")]));
    let caller = testing::deterministic(Fields::empty(), score(), &[UNLIMITED], &script);
    let equal: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 2, 1]));
    let equal = RecordBatch::try_from_iter([("id", equal)]).unwrap();
    let mut lane = Lane::alone(caller.api());
    let (first, second) =
        (send(&caller, &mut lane, &equal).await.unwrap(), send(&caller, &mut lane, &equal).await.unwrap());
    let (first, second) = (first.land().await.unwrap(), second.land().await.unwrap());
    // The row that was refused shares its fate too.
    let gone = |landed: &Landed| landed.given_up.iter().map(|(row, _)| *row).collect::<Vec<_>>();
    assert_eq!((gone(&first), gone(&second)), (vec![0, 1, 4], vec![0, 1, 4]));
    assert_eq!(script.seen().len(), 2);
    let third = send(&caller, &mut lane, &equal).await.unwrap().land().await.unwrap();
    assert_eq!((script.seen().len(), caller.counters().cache_hits.get()), (3, 2), "{:?}", third.given_up);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_row_that_is_dropped_asks_itself() {
    let script = Arc::new(Script::new(Duration::from_millis(10), []));
    let caller = testing::deterministic(Fields::empty(), DataType::Utf8, &[UNLIMITED], &script);
    let first = send(&caller, &mut Lane::alone(caller.api()), &ids(0..1)).await.unwrap();
    let second = send(&caller, &mut Lane::alone(caller.api()), &ids(0..1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    drop(first);
    assert_eq!(second.land().await.unwrap().given_up.len(), 0);
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_for_is_not_asked_again_and_the_rest_has_the_same_key() {
    let store: Arc<dyn object_store::ObjectStore> = Arc::new(object_store::memory::InMemory::new());
    let network = tokio::runtime::Handle::current();
    let open = || Journal::open(Arc::clone(&store), "journal".into(), 1, &network);
    let header = |script: &Script| {
        let key = |seen: &crate::testing::Seen| seen.headers["idempotency-key"].to_str().unwrap().to_owned();
        script.seen().iter().map(key).collect::<Vec<_>>()
    };
    let script =
        Arc::new(Script::new(Duration::from_millis(10), [Step::Reply(200, "{\"score\":1}"), Step::Late, Step::Late]));
    let options = [UNLIMITED, ("max_in_flight", "1"), ("retry_max_attempts", "2"), ("retry_delay", "1 ms")];
    let caller = testing::caller(Fields::empty(), score(), &options, &script);
    let journal = open().await.unwrap();
    let mut lane = Lane::new(caller.api(), "job", 0).with_journal(&journal, 0).await.unwrap();
    let landed = send(&caller, &mut lane, &ids(0..2)).await.unwrap().land().await.unwrap();
    assert_eq!(landed.given_up.len(), 1);
    journal.close().await.unwrap();
    let keys = header(&script);
    assert!(keys[0] != keys[1] && keys[1] == keys[2]);

    let script = Arc::new(Script::new(Duration::from_millis(10), [Step::Reply(200, "{\"score\":2}")]));
    let caller = testing::caller(Fields::empty(), score(), &options, &script);
    let journal = open().await.unwrap();
    let mut lane = Lane::new(caller.api(), "job", 0).with_journal(&journal, 0).await.unwrap();
    let landed = send(&caller, &mut lane, &ids(0..2)).await.unwrap().land().await.unwrap();
    assert_eq!(shown(&landed), "1 2");
    assert_eq!(header(&script), keys[1..2]);
    assert_eq!((caller.counters().journal_hits.get(), caller.counters().reused.get()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_may_tell_of_its_call() {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let returns = DataType::Struct(
        vec![
            field("_http_status", DataType::Int32),
            field("score", DataType::Float64),
            field("_error", DataType::Utf8),
            field("_attempts", DataType::Int64),
            field("_latency_ms", DataType::Float64),
        ]
        .into(),
    );
    let steps = [Step::Reply(500, "no"), Step::Reply(404, "gone"), Step::Reply(200, "{\"score\":1}"), Step::Reset];
    let script = Arc::new(Script::new(Duration::from_millis(10), steps));
    let options =
        [UNLIMITED, ("max_in_flight", "1"), ("on_error", "null"), ("retry_delay", "1 ms"), ("retry_max_attempts", "2")];
    let caller = testing::caller(Fields::empty(), returns, &options, &script);
    let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..3)).await.unwrap().land().await.unwrap();
    let rows: Vec<_> =
        (0..3).map(|row| arrow::util::display::array_value_to_string(&landed.values, row).unwrap()).collect();
    expect![[r#"
        {_http_status: , score: , _error: connection: no reply: connection reset by script, _attempts: 2, _latency_ms: }
        {_http_status: 404, score: , _error: http_4xx: the API refused the request with status 404, _attempts: 1, _latency_ms: }
        {_http_status: 200, score: 1.0, _error: , _attempts: 1, _latency_ms: 10.0}"#]].assert_eq(&rows.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_not_ready_is_asked_for_again_until_it_is_or_the_time_is_up() {
    let sent = async |options: &[(&str, &str)], ready_after: usize| {
        let script = Arc::new(Script::answering(move |number, _| {
            let body = if number < ready_after { "{}" } else { r#"{"data":[[0,{"score":1}],[1,{"score":2}]]}"# };
            let status = if number < ready_after { 202 } else { 200 };
            (Duration::from_millis(10), Ok(testing::reply(status, None, body)))
        }));
        let options = [&[UNLIMITED, ("format", "snowflake")], options].concat();
        let caller = testing::caller(Fields::empty(), score(), &options, &script);
        let landed = send(&caller, &mut Lane::alone(caller.api()), &ids(0..2)).await.unwrap().land().await.unwrap();
        let requests = script.seen();
        let start = requests[0].at;
        let shown_request = |seen: &crate::testing::Seen| {
            let batch = seen.headers["sf-external-function-query-batch-id"].to_str().unwrap()
                == requests[0].headers["sf-external-function-query-batch-id"];
            format!("{}ms {} bytes, same batch id {batch}", (seen.at - start).as_millis(), seen.body.len())
        };
        let requests: Vec<_> = requests.iter().map(shown_request).collect();
        format!("{}\n{}\npolls {}", requests.join("\n"), shown(&landed), caller.counters().polls.get())
    };
    expect![[r#"
        0ms 22 bytes, same batch id true
        510ms 0 bytes, same batch id true
        1270ms 0 bytes, same batch id true
        2405ms 0 bytes, same batch id true
        1 2
        polls 3"#]]
    .assert_eq(&sent(&[], 3).await);
    expect![[r#"
        0ms 22 bytes, same batch id true
        510ms 0 bytes, same batch id true
        1270ms 0 bytes, same batch id true
        NULL NULL
        row 0: timeout after 3, no answer within poll_timeout (1s)
        row 1: timeout after 3, no answer within poll_timeout (1s)
        polls 2"#]]
    .assert_eq(&sent(&[("poll_timeout", "1 second")], 9).await);
}
