//! EXPLAIN says what would be called, how often and for how long; DESCRIBE FUNCTION EXTENDED says all there is to know.

use datafusion::arrow::array::AsArray;
use expect_test::{Expect, expect};
use paceline_engine::Outcome;
use paceline_tests::{QUICK, Stage};

const DECLARED: &str = "CREATE TEMP VIEW v AS SELECT * FROM (VALUES (1), (2), (3), (4), (5)) AS v(id);
    CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
      USING API OPTIONS (endpoint '{api}', rate_limit_calls '2');
    CREATE TEMP FUNCTION many(id BIGINT) RETURNS STRUCT<score: DOUBLE>
      USING API OPTIONS (endpoint '{api}', rate_limit_calls '1', rate_limit_period '1 minute', format 'array',
        batch_size '2', quota 'slow', on_error 'null');";

/// The text that a statement answers with.
async fn text(stage: &Stage, statement: &str) -> String {
    let (report, result) = stage.run(&format!("{DECLARED}{statement}")).await;
    let shown = result.unwrap();
    let Some(Outcome::Rows { schema, batches }) = shown.last() else { panic!("{shown:?}") };
    assert_eq!(report.requests, 0);
    let rows = batches[0].column(0).as_string::<i32>().iter().flatten();
    format!("[{}]\n{}", schema.field(0).name(), rows.collect::<Vec<_>>().join("\n"))
}

/// The lines with calls, which look the same on every machine.
async fn check_calls(query: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    let text = text(&stage, query).await;
    let text = text.replace(stage.folder.path().to_str().unwrap(), "{folder}").replace(&stage.api.url(), "{api}");
    let wanted = |line: &&str| line.contains("ApiCall") || line.starts_with(['=', '[']);
    let lines: Vec<_> = text.lines().filter(wanted).map(str::trim).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_has_its_number() {
    check_calls(
        "EXPLAIN SELECT f(id), many(id) FROM v",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: many(CAST(c1@0 AS Int64)), quota=slow (1 calls per 1m), dead_letters=false, calls=5, requests=~3
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=5, requests=5"#]],
    )
    .await;
    check_calls("EXPLAIN SELECT CASE WHEN id > 1 THEN f(id) END FROM v", expect![[r#"
        [plan]
        == Physical Plan ==
        ApiCallExec: f(CAST(c1@0 AS Int64)), where (c1@0 > 1) IS NOT DISTINCT FROM true, quota=f (2 calls per 1s), dead_letters=false, calls=at most 5, requests=at most 5"#]]).await;
    check_calls(
        "EXPLAIN SELECT f(id) FROM v WHERE id % 2 = 0",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=at most 5, requests=at most 5"#]],
    )
    .await;
    check_calls(
        "EXPLAIN SELECT f(id) FROM v LIMIT 2",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=2, requests=2"#]],
    )
    .await;
    check_calls(
        "EXPLAIN SELECT f(n) FROM (SELECT count(*) AS n FROM v)",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(c2@0), quota=f (2 calls per 1s), dead_letters=false, calls=1, requests=1"#]],
    )
    .await;
    check_calls(
        "EXPLAIN SELECT f(id) FROM v UNION ALL SELECT f(id) FROM v",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=5, requests=5
            ApiCallExec: f(CAST(c3@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=5, requests=5"#]],
    )
    .await;
    check_calls(
        "EXPLAIN SELECT f(a.id) FROM v a JOIN v b ON a.id = b.id",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=unknown, requests=unknown"#]],
    )
    .await;
    check_calls(
        "EXPLAIN EXTENDED SELECT f(id) FROM v",
        expect![[r#"
            [plan]
            == Parsed Logical Plan ==
            == Analyzed Logical Plan ==
            ApiCall: __api_0_f = f(CAST(c1 AS Int64)), quota=f (2 calls per 1s), on_error=fail
            == Optimized Logical Plan ==
            ApiCall: __api_0_f = f(CAST(c1 AS Int64)), quota=f (2 calls per 1s), on_error=fail
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=false, calls=5, requests=5"#]],
    )
    .await;
    check_calls(
        "EXPLAIN INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT id, f(id) AS a FROM v",
        expect![[r#"
            [plan]
            == Physical Plan ==
            ApiCallExec: f(CAST(c1@0 AS Int64)), quota=f (2 calls per 1s), dead_letters=true, calls=5, requests=5"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_is_explained_writes_nothing() {
    let stage = Stage::set(QUICK).await;
    let insert = "INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT id, f(id) AS a FROM v";
    let plan = text(&stage, &format!("EXPLAIN {insert}")).await;
    assert!(plan.contains("WriteFilesExec: file://"), "{plan}");
    assert!(!stage.folder.path().join("out").exists());
}

/// What stands behind the plans.
async fn check_behind(query: &str, title: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    let text = text(&stage, query).await.replace(&stage.api.url(), "{api}");
    let (_, behind) = text.split_once(title).unwrap();
    expected.assert_eq(behind.trim());
}

#[tokio::test(flavor = "multi_thread")]
async fn cost_and_formatted_tell_more_of_each_function() {
    check_behind(
        "EXPLAIN COST SELECT f(id), many(id) FROM v",
        "== API Calls ==",
        expect![[r#"
        many: calls 5, requests ~3, quota slow (1 calls per 1m), minimum time ~3 min
        f: calls 5, requests 5, quota f (2 calls per 1s), minimum time 3 s
        minimum time of the statement: ~3 min"#]],
    )
    .await;
    check_behind(
        "EXPLAIN COST SELECT f(id), f(id + 1) FROM v WHERE id > 1",
        "== API Calls ==",
        expect![[r#"
        f: calls at most 5, requests at most 5, quota f (2 calls per 1s), minimum time at most 3 s
        f: calls at most 5, requests at most 5, quota f (2 calls per 1s), minimum time at most 3 s
        minimum time of the statement: at most 5 s"#]],
    )
    .await;
    check_behind(
        "EXPLAIN FORMATTED SELECT many(id) FROM v",
        "(1) ",
        expect![[r#"
        ApiCall many
        Arguments: id bigint
        Returns: struct<score:double>
        Endpoint: {api}
        Quota: slow (1 calls per 1m)
        On error: Null
        Calls: 5
        Requests: ~3
        Minimum time: ~3 min"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_extended_tells_everything() {
    let stage = Stage::set(QUICK).await;
    let told = text(&stage, "DESCRIBE FUNCTION EXTENDED many").await.replace(&stage.api.url(), "{api}");
    let (head, options) = told.split_once("    Options, ").unwrap();
    expect![[r#"
        [function_desc]
        Function: many
        Class: API function (USING API)
        Usage: many(id bigint) returns struct<score:double> - Asks {api} for each row, many rows a request.
        Extended Usage:
            Arguments, which are the keys of the request:
              id bigint
            Returns: struct<score:double>
              RETURNS STRUCT<…> may ask for these fields beside those of the reply:
              _http_status - HTTP status of the last reply, NULL where there was none
              _error - why the row was given up, NULL where it was answered; the row stays with on_error 'null'
              _attempts - how often the request was sent that the answer came from, also where a cache, a journal or another row had it
              _latency_ms - how long the last attempt took, in milliseconds
            Deterministic: no, every row is asked for
            Quota: slow (1 calls per 1m)
            Format: array
    "#]]
    .assert_eq(head);
    for line in [
        "endpoint = {api} - URL",
        "format = array (default: record) - how",
        "batch_size = 2 (default: 1000) - array, ",
        "timeout = 30 seconds (the default) - longest",
        "quota = slow - name",
        "max_failed_records = (not given) - ",
    ] {
        assert!(options.contains(line), "{line} in {options}");
    }
    assert!(!options.contains("cache_ttl"), "{options}");
}
