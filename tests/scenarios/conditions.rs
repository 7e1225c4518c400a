//! A call under a condition is made for the rows that reach it, and for no others.

use expect_test::{Expect, expect};
use paceline_engine::Outcome;
use paceline_engine::observe::table;
use paceline_tests::{QUICK, Stage};

/// Runs a query over ids 1 to 6 (`amount` is NULL for 1 and 2) and shows its rows and the number of requests.
async fn check(query: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id,amount\n1,\n2,\n3,30\n4,40\n5,50\n6,60\n");
    let declared = "CREATE TEMP VIEW t USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
        CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        CREATE TEMP FUNCTION g(id BIGINT) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');";
    let (report, result) = stage.run(&format!("{declared}{query}")).await;
    let shown = result.unwrap();
    let Some(Outcome::Rows { schema, batches }) = shown.last() else { panic!("{shown:?}") };
    expected.assert_eq(&format!("{}\n{} requests", table::format(schema, batches), report.requests));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_called_for_its_own_rows() {
    check(
        "SELECT id, CASE WHEN id > 4 THEN f(id).score END AS x FROM t",
        expect![[r#"
        +----+--------+
        | id | x      |
        +----+--------+
        | 1  | NULL   |
        | 2  | NULL   |
        | 3  | NULL   |
        | 4  | NULL   |
        | 5  | 0.5974 |
        | 6  | 0.7763 |
        +----+--------+
        2 requests"#]],
    )
    .await;
    check(
        "SELECT id, CASE id WHEN 1 THEN f(id).score WHEN 2 THEN g(id).score ELSE -1 END AS x FROM t",
        expect![[r#"
        +----+--------+
        | id | x      |
        +----+--------+
        | 1  | 0.8818 |
        | 2  | 0.0607 |
        | 3  | -1.0   |
        | 4  | -1.0   |
        | 5  | -1.0   |
        | 6  | -1.0   |
        +----+--------+
        2 requests"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_call_in_two_branches_is_made_once_a_row() {
    let query = "SELECT id, CASE WHEN id < 3 THEN f(id).score WHEN id < 5 THEN 0.0 ELSE f(id).score END AS x, \
                 CASE WHEN id > 3 THEN f(id).score END AS y FROM t";
    check(
        query,
        expect![[r#"
        +----+--------+--------+
        | id | x      | y      |
        +----+--------+--------+
        | 1  | 0.8818 | NULL   |
        | 2  | 0.0607 | NULL   |
        | 3  | 0.0    | NULL   |
        | 4  | 0.0    | 0.4185 |
        | 5  | 0.5974 | 0.5974 |
        | 6  | 0.7763 | 0.7763 |
        +----+--------+--------+
        5 requests"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_or_and_coalesce_call_where_the_left_side_does_not_decide() {
    check(
        "SELECT id FROM t WHERE id > 4 AND f(id).score >= 0",
        expect![[r#"
        +----+
        | id |
        +----+
        | 5  |
        | 6  |
        +----+
        2 requests"#]],
    )
    .await;
    check(
        "SELECT id FROM t WHERE amount > 45 OR f(id).score < 0",
        expect![[r#"
        +----+
        | id |
        +----+
        | 5  |
        | 6  |
        +----+
        4 requests"#]],
    )
    .await;
    check(
        "SELECT id, coalesce(amount, f(id).score) IS NULL AS x FROM t",
        expect![[r#"
        +----+-------+
        | id | x     |
        +----+-------+
        | 1  | false |
        | 2  | false |
        | 3  | false |
        | 4  | false |
        | 5  | false |
        | 6  | false |
        +----+-------+
        2 requests"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_calls_are_one_unless_an_argument_varies() {
    check(
        "SELECT id, f(id).score = f(id).score AS same FROM t WHERE id = 1",
        expect![[r#"
        +----+------+
        | id | same |
        +----+------+
        | 1  | true |
        +----+------+
        1 requests"#]],
    )
    .await;
    let random = "CAST(rand() * 1000000 AS BIGINT)";
    check(
        &format!("SELECT f({random}) IS NULL AS a, f({random}) IS NULL AS b FROM t WHERE id = 1"),
        expect![[r#"
        +-------+-------+
        | a     | b     |
        +-------+-------+
        | false | false |
        +-------+-------+
        2 requests"#]],
    )
    .await;
}
