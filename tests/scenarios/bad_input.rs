//! Mistakes get an error that says what, where and what to do.

use expect_test::{Expect, expect};
use paceline_tests::{QUICK, Stage};

const DECLARED: &str = "CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
CREATE TEMP FUNCTION enrich(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api}', rate_limit_calls '10');
";

async fn check(script: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id,email\n1,a@example.com\n");
    let (report, result) = stage.run(script).await;
    let error = result.unwrap_err().to_string();
    assert_eq!(report.error.as_deref(), Some(error.as_str()));
    let error = error.replace(stage.folder.path().to_str().unwrap(), "{folder}");
    expected.assert_eq(&error);
    assert_eq!(stage.api.stats().requests, 0);
}

async fn check_declared(script: &str, expected: Expect) {
    check(&format!("{DECLARED}{script}"), expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_are_not_known_are_named() {
    check("", expect![[""]]).await;
    check("CREATE TABLE t (a INT)", expect![[""]]).await;
    check("INSERT INTO t VALUES (1)", expect![[""]]).await;
    check("SELECT 1;\nGRANT ALL", expect![[""]]).await;
    check("SELECT '${day}'", expect![[""]]).await;
    check("SELECT FROM WHERE", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_need_files_and_known_options() {
    check("CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/none.csv')", expect![[""]]).await;
    check("CREATE TEMP VIEW v USING csv OPTIONS (path 's3://no-such-bucket/x.csv')", expect![[""]]).await;
    check("CREATE TEMP VIEW v USING csv OPTIONS (header 'true')", expect![[""]]).await;
    check("CREATE TEMP VIEW v USING csv OPTIONS (path 'x', heading 'true')", expect![[""]]).await;
    check("CREATE TEMP VIEW v USING orc OPTIONS (path 'x')", expect![[""]]).await;
    check_declared("CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv')", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_checked_when_they_are_declared() {
    let declare = |options: &str| format!("CREATE TEMP FUNCTION f(id BIGINT) RETURNS DOUBLE USING API OPTIONS ({options})");
    check(&declare("endpoint '{api}'"), expect![[""]]).await;
    check(&declare("rate_limit_calls '1'"), expect![[""]]).await;
    check("CREATE TEMP FUNCTION f(id BIGINT) RETURNS MONEY USING API OPTIONS ()", expect![[""]]).await;
    check("CREATE TEMP FUNCTION f AS 'com.example.F'", expect![[""]]).await;
    check_declared("CREATE TEMP FUNCTION enrich(id INT) RETURNS INT USING API OPTIONS (endpoint '{api}', rate_limit_calls '1')", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_carried_out_are_refused_before_any_is_made() {
    check_declared("SELECT count(*) FROM records GROUP BY enrich(id).score", expect![[""]]).await;
    check_declared("SELECT CASE WHEN id > 1 THEN enrich(id) END FROM records", expect![[""]]).await;
    check_declared("SELECT * FROM records WHERE id > 1 AND enrich(id).score > 0.5", expect![[""]]).await;
    check_declared("SELECT coalesce(NULL, enrich(id)) FROM records", expect![[""]]).await;
    check_declared("SELECT enrich(id, email) FROM records", expect![[""]]).await;
    check_declared("SELECT enrich('x') FROM records WHERE nope = 1", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_may_only_leave_where_nobody_counts_on_it() {
    let insert = |query: &str| format!("INSERT OVERWRITE DIRECTORY '{{folder}}/out' USING parquet {query}");
    let totals = "SELECT count(*) AS n FROM (SELECT enrich(id).score AS score FROM records) WHERE score > 0";
    check_declared(&insert(totals), expect![[""]]).await;
    check_declared(&insert("SELECT enrich(id).score AS score FROM records ORDER BY 1"), expect![[""]]).await;
    let subquery = "SELECT * FROM records WHERE id IN (SELECT enrich(id).score FROM records)";
    check_declared(&insert(subquery), expect![[""]]).await;
    check_declared(&insert("SELECT id, id FROM records"), expect![[""]]).await;
}
