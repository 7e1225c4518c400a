//! An API whose own limit is lower than the job's: it says 429 and `Retry-After`, and the job does as it is told.

use std::time::Duration;

use paceline_engine::demo::{self, MockApiOptions, OwnLimit, RecordOptions};
use paceline_tests::{QUICK, Stage};

fn of(requests: u32) -> MockApiOptions {
    let limit = OwnLimit { requests: requests.try_into().unwrap(), period: Duration::from_millis(200) };
    MockApiOptions { limit: Some(limit), ..QUICK }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_pauses_every_call_and_the_output_is_exact() {
    let stage = Stage::set(of(40)).await;
    let (input, output) = ("s3://in-bucket/records.csv", "s3://out-bucket/enriched");
    let records = RecordOptions { records: 100, seed: 1, ..RecordOptions::default() };
    demo::generate(&stage.stores, input, records).await.unwrap();
    // One request in flight, so that none can arrive between the refusal and the pause.
    let script = "CREATE TEMP VIEW records USING csv OPTIONS (path 's3://in-bucket/records.csv', header true, inferSchema true);
        CREATE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls '5000', max_in_flight '1');
        INSERT OVERWRITE DIRECTORY 's3://out-bucket/enriched' USING parquet SELECT *, enrich(id, email) AS answer FROM records";
    let (report, result) = stage.run(script).await;
    result.unwrap();
    let arguments = ["id".to_owned(), "email".to_owned()];
    let verified = demo::verify(&stage.session, input, output, &arguments).await.unwrap();
    assert!(verified.is_exact() && verified.output == 100, "{verified:?}");
    let received = stage.api.stats();
    assert!(received.refused > 0 && received.refused_in_pause == 0, "{received:?}");
    assert_eq!(received.requests, 100 + received.refused);
    assert_eq!((report.rate_limit_hits, report.retries), (received.refused as u64, received.refused as u64));
    assert_eq!(report.records_failed, 0);
    let pauses = received.refused as f64; // each of a second, the shortest that Retry-After can say
    assert!(report.paused_s > pauses * 0.9 && report.paused_s < report.elapsed_s, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_share_a_quota_share_the_pause() {
    let stage = Stage::set(of(30)).await;
    let ids: String = (1..=60).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    stage.file("in.json", &ids);
    let script = "CREATE TEMP VIEW v USING json OPTIONS (path '{folder}/in.json');
        CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (
          endpoint '{api}', quota 'vendor', rate_limit_calls '5000', max_in_flight '1');
        CREATE TEMP FUNCTION g(id BIGINT, other BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (
          endpoint '{api}', quota 'vendor', rate_limit_calls '5000', max_in_flight '1');
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT id, f(id) AS a, g(id, 7) AS b FROM v";
    let (report, result) = stage.run(script).await;
    result.unwrap();
    assert_eq!((report.records_written, report.records_failed), (60, 0));
    let received = stage.api.stats();
    let pauses = received.refused - received.refused_in_pause;
    assert!(pauses > 0, "{received:?}");
    // At each refusal the other function has at most one request on its way; after it, none.
    assert!(received.refused_in_pause <= pauses, "{received:?}");
    assert_eq!(received.requests, 120 + received.refused);
}
