//! The main job, on real S3, HTTP and files.

use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int32Type;
use expect_test::expect;
use futures::TryStreamExt;
use paceline_engine::Outcome;
use paceline_engine::demo::{Demo, DemoOptions, MockApiOptions};
use paceline_engine::observe::table;
use paceline_tests::{QUICK, Stage};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_records_over_s3_come_out_exactly_once() {
    let (records, latency) = (2000, Duration::from_millis(5));
    let options = DemoOptions { records, rate: 5000.try_into().unwrap(), latency, fail_percent: 0 };
    let demo = Demo::prepare(options).await.unwrap();
    assert!(demo.verify().await.is_err(), "there is no output yet");
    let result = demo.run().await.unwrap();
    assert!(result.verified.is_exact() && result.verified.output == records, "{:?}", result.verified);
    assert_eq!(result.received.requests, 2000);
    let report = result.report;
    assert_eq!((report.records_read, report.records_written, report.records_failed), (2000, 2000, 0));
    assert_eq!((report.requests, report.retries), (2000, 0));
    assert!(report.worst_period.is_some_and(|worst| worst <= 5000));
    assert!(report.pace_utilization.is_some_and(|used| used > 0.0 && used <= 1.01));
    assert!(report.peak_rss_bytes.is_none_or(|bytes| bytes > 1_000_000));
}

/// Declares `enrich` with these options and writes `SELECT *, enrich(id, email) AS answer FROM records` to `output`.
fn enrich_to(output: &str, options: &str) -> String {
    format!(
        "CREATE TEMPORARY VIEW records (id BIGINT, email STRING)
           USING csv OPTIONS (path '{{folder}}/in', header 'true');
         CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
           USING API OPTIONS (endpoint '{{api}}', {options});
         INSERT OVERWRITE DIRECTORY '{output}' USING parquet
           SELECT *, enrich(id, email) AS answer FROM records;"
    )
}

fn csv(rows: impl Iterator<Item = (u64, bool)>) -> String {
    let rows = rows.map(|(id, has_email)| format!("{id},{}\n", if has_email { "a@example.com" } else { "" }));
    format!("id,email\n{}", rows.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_are_sent_again_until_all_rows_have_their_answer() {
    let stage = Stage::set(MockApiOptions { fail_percent: 20, ..QUICK }).await;
    stage.file("in/a.csv", &csv((1..=500).map(|id| (id, true))));
    let options = "rate_limit_calls 'unlimited', retry_delay '1 ms', retry_max_attempts '30'";
    let (report, result) = stage.run(&enrich_to("{folder}/out", options)).await;
    result.unwrap();
    assert_eq!((report.records_written, report.records_failed), (500, 0));
    assert!(report.retries >= 100, "{} retries", report.retries);
    assert_eq!(report.requests, 500 + report.retries);
    assert_eq!(stage.api.stats().requests as u64, report.requests);
    assert_eq!(report.worst_period, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_api_refuses_is_a_dead_letter_and_the_others_are_written() {
    let stage = Stage::set(QUICK).await;
    stage.file("in/a.csv", &csv((1..=100).map(|id| (id, id % 10 != 0))));
    let (report, result) = stage.run(&enrich_to("s3://out-bucket/enriched", "rate_limit_calls '5000'")).await;
    result.unwrap();
    assert_eq!((report.records_read, report.records_written, report.records_failed), (100, 90, 10));

    let place = stage.stores.place("s3://out-bucket/enriched/_dead_letter").unwrap();
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let mut letters: Vec<Value> = Vec::new();
    for file in &files {
        let found = object_store::ObjectStoreExt::get(place.store.objects(), &file.location).await.unwrap();
        let bytes = found.bytes().await.unwrap();
        letters.extend(serde_json::Deserializer::from_slice(&bytes).into_iter().map(|letter| letter.unwrap()));
    }
    letters.sort_by_key(|letter: &Value| letter["row"]["id"].as_u64());
    let ids: Vec<_> = letters.iter().map(|letter| letter["row"]["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    let mut first = letters[0].clone();
    assert_eq!(first["key"].as_str().map(str::len), Some(32), "{first}"); // another one in each run
    first["key"] = Value::Null;
    first["time"] = Value::Null;
    expect![[r#"{"function":"enrich","call":"__api_0_enrich","key":null,"row":{"id":10,"email":null},"error_kind":"http_4xx","error":"the API refused the request with status 422","status":422,"attempts":1,"body":"{\"error\":\"email is required\"}","time":null}"#]].assert_eq(&first.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_of_rows_come_back_as_rows_and_an_error_among_them_costs_one_row() {
    let stage = Stage::set(QUICK).await;
    stage.file("in/a.csv", &csv((1..=1000).map(|id| (id, id % 100 != 0))));
    let options = "rate_limit_calls '5000', format 'array', batch_size '300'";
    let (report, result) = stage.run(&enrich_to("{folder}/out", options)).await;
    result.unwrap();
    assert_eq!((report.records_read, report.records_written, report.records_failed), (1000, 990, 10));
    assert_eq!((report.requests, stage.api.stats().requests, stage.api.stats().records), (4, 4, 1000));
    assert_eq!(report.failures_by_kind.into_iter().collect::<Vec<_>>(), [("bad_reply".to_owned(), 10)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_columns_or_with_two_of_one_name_has_its_dead_letter() {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id\n7\n");
    let script = "CREATE TEMP VIEW t USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
        CREATE TEMP FUNCTION f(email STRING) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        CREATE TEMP FUNCTION g(id BIGINT, email STRING) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        INSERT OVERWRITE DIRECTORY '{folder}/none' USING parquet SELECT f(NULL) AS x FROM t;
        INSERT OVERWRITE DIRECTORY '{folder}/two' USING parquet
          SELECT a.id, b.id AS other, g(a.id, NULL) AS x FROM t a JOIN (SELECT id + 1 AS id FROM t) b ON a.id < b.id";
    let (report, result) = stage.run(script).await;
    result.unwrap();
    assert_eq!((report.records_written, report.records_failed), (0, 2));
    for (folder, row) in [("none", "{}"), ("two", r#"{"id":7,"id_2":8}"#)] {
        let file = std::fs::read_dir(stage.folder.path().join(folder).join("_dead_letter")).unwrap().next().unwrap();
        let letter: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        assert_eq!(letter["row"].to_string(), row);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_failures_end_the_job_early() {
    let stage = Stage::set(QUICK).await;
    stage.file("in/a.csv", &csv((1..=5000).map(|id| (id, id % 5 != 0))));
    let (report, result) = stage.run(&enrich_to("{folder}/out", "rate_limit_calls 'unlimited'")).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("more than max_failed_percent 10; the last one: the API refused"), "{error}");
    assert_eq!(report.records_written, 0);
    assert!(!stage.folder.path().join("out/_SUCCESS").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_and_a_select_is_shown() {
    let stage = Stage::set(MockApiOptions { latency: Duration::from_millis(3), ..QUICK }).await;
    stage.file("in.csv", &csv((1..=300).map(|id| (id, true))));
    let (report, result) = stage
        .run(
            "CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
             CREATE TEMP FUNCTION score(id BIGINT) RETURNS STRUCT<score: DOUBLE>
               USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited', max_in_flight '7');
             SELECT id, score(id).score IS NOT NULL AS scored FROM records;
             SELECT id, score(id).score AS score FROM records WHERE id < 3 ORDER BY id DESC",
        )
        .await;
    let shown = result.unwrap();
    assert_eq!(report.requests, 302);
    let [Outcome::Done, Outcome::Done, Outcome::Rows { batches, .. }, Outcome::Rows { schema, batches: few }] =
        &shown[..]
    else {
        panic!("{shown:?}")
    };
    let ids: Vec<i32> =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec()).collect();
    assert_eq!(ids, (1..=300).collect::<Vec<_>>());
    assert!(batches.iter().all(|batch| batch.column(1).as_boolean().false_count() == 0));
    expect![[r#"
        +----+--------+
        | id | score  |
        +----+--------+
        | 2  | 0.0607 |
        | 1  | 0.8818 |
        +----+--------+"#]]
    .assert_eq(&table::format(schema, few));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_replaces_the_first_and_old_rows_stay_until_then() {
    let stage = Stage::set(QUICK).await;
    stage.file("in/a.csv", &csv((1..=10).map(|id| (id, true))));
    let script =
        enrich_to("s3://out-bucket/enriched", "rate_limit_calls '5000'").replace("CREATE", "CREATE OR REPLACE");
    stage.run(&script).await.1.unwrap();
    let first = visible(&stage).await;
    stage.file("in/b.csv", &csv((11..=30).map(|id| (id, true))));
    let (report, result) = stage.run(&script).await;
    result.unwrap();
    assert_eq!(report.records_written, 30);
    let second = visible(&stage).await;
    assert!(second.contains(&"_SUCCESS".to_owned()));
    assert!(second.iter().filter(|name| first.contains(name)).eq(["_SUCCESS"]), "{first:?} {second:?}");
}

async fn visible(stage: &Stage) -> Vec<String> {
    let place = stage.stores.place("s3://out-bucket/enriched").unwrap();
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let seen = files.iter().filter(|file| !file.location.as_ref().contains("/_paceline/"));
    seen.map(|file| file.location.filename().unwrap().to_owned()).collect()
}
