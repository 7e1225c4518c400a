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
    check(
        "SELECT *, f(id) AS answer FROM records",
        expect![[r#"
        Projection: records.id, records.email, records.amount, __api_0_f AS answer
          ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
            TableScan: records projection=[id, email, amount]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_calls_of_one_select_are_one() {
    check("SELECT f(id), f(id).score AS s, f(id + 1) FROM records", expect![[r#"
        Projection: __api_0_f AS f(records.id), get_field(__api_0_f, Utf8("score")) AS s, __api_1_f AS f(records.id + Int64(1))
          ApiCall: __api_1_f = f(records.id + Int64(1)), quota=f (5000 calls per 1s), on_error=fail
            ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
              TableScan: records projection=[id]"#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_call_comes_first() {
    check(
        "SELECT g(f(id).score) AS y FROM records",
        expect![[r#"
        Projection: __api_1_g AS y
          ApiCall: __api_1_g = g(get_field(__api_0_f, Utf8("score"))), quota=g (10 calls per 1s), on_error=null
            ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
              TableScan: records projection=[id]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_on_the_answer_calls_once_and_one_on_the_input_comes_before() {
    check(
        "SELECT * FROM (SELECT id, f(id).score AS s FROM records) WHERE s > 0.5 AND id > 7",
        expect![[r#"
            Filter: s > Float64(0.5)
              Projection: records.id, get_field(__api_0_f, Utf8("score")) AS s
                ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
                  Filter: records.id > Int64(7)
                    TableScan: records projection=[id], partial_filters=[records.id > Int64(7)]"#]],
    )
    .await;
    check(
        "SELECT id FROM records WHERE f(id).score > 0.5",
        expect![[r#"
            Projection: records.id
              Filter: __datafusion_extracted_1 > Float64(0.5)
                Projection: get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_1, records.id
                  ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
                    TableScan: records projection=[id]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_limits_the_calls() {
    check(
        "SELECT f(id) AS answer FROM records LIMIT 3",
        expect![[r#"
        Projection: __api_0_f AS answer
          Limit: skip=0, fetch=3
            ApiCall: __api_0_f = f(records.id), quota=f (5000 calls per 1s), on_error=fail
              Limit: skip=0, fetch=3
                Limit: skip=0, fetch=3
                  Limit: skip=0, fetch=3
                    TableScan: records projection=[id], fetch=3"#]],
    )
    .await;
}
