//! Where calls stand in a plan. `UPDATE_EXPECT=1 make test` rewrites the snapshots; read their diff.

use expect_test::{Expect, expect};
use paceline_tests::{QUICK, Stage};

async fn check(query: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    stage.file("in.csv", "id,email,amount\n1,a@example.com,2.5\n");
    let declared = "CREATE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
        CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint 'http://api.example/', rate_limit_calls '5000');
        CREATE TEMP FUNCTION g(score DOUBLE) RETURNS DOUBLE
          USING API OPTIONS (endpoint 'http://api.example/', rate_limit_calls '10', on_error 'null')";
    stage.run(declared).await.1.unwrap();
    expected.assert_eq(&stage.session.explain(query).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_node_below_its_projection() {
    check("SELECT *, f(id) AS answer FROM records", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_calls_of_one_select_are_one() {
    check("SELECT f(id), f(id).score AS s, f(id + 1) FROM records", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_call_comes_first() {
    check("SELECT g(f(id).score) AS y FROM records", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_on_the_answer_calls_once_and_one_on_the_input_comes_before() {
    check("SELECT * FROM (SELECT id, f(id).score AS s FROM records) WHERE s > 0.5 AND id > 7", expect![[""]]).await;
    check("SELECT id FROM records WHERE f(id).score > 0.5", expect![[""]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_limits_the_calls() {
    check("SELECT f(id) AS answer FROM records LIMIT 3", expect![[""]]).await;
}
