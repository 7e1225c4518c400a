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
              ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                TableScan: records projection=[id, email, amount]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_calls_of_one_select_are_one() {
    check("SELECT f(id), f(id).score AS s, f(id + 1) FROM records", expect![[r#"
        Projection: __api_0_f AS f(records.id), get_field(__api_0_f, Utf8("score")) AS s, __api_1_f AS f(records.id + Int64(1))
          ApiCall: __api_1_f = f(CAST(records.id AS Int64) + Int64(1)), quota=f (5000 calls per 1s), on_error=fail
            ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
              TableScan: records projection=[id]"#]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_call_comes_first() {
    check(
        "SELECT g(f(id).score) AS y FROM records",
        expect![[r#"
            Projection: __api_1_g AS y
              ApiCall: __api_1_g = g(get_field(__api_0_f, Utf8("score"))), quota=g (10 calls per 1s), on_error=null
                ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
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
                ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                  Filter: records.id > Int32(7)
                    TableScan: records projection=[id], partial_filters=[records.id > Int32(7)]"#]],
    )
    .await;
    check(
        "SELECT id FROM records WHERE f(id).score > 0.5",
        expect![[r#"
            Projection: records.id
              Filter: __datafusion_extracted_1 > Float64(0.5)
                Projection: get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_1, records.id
                  ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
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
                ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                  Limit: skip=0, fetch=3
                    Limit: skip=0, fetch=3
                      Limit: skip=0, fetch=3
                        TableScan: records projection=[id], fetch=3"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_a_condition_is_made_for_the_rows_that_reach_it() {
    let case =
        "SELECT CASE WHEN id > 1 THEN f(id).score WHEN amount < 2 THEN g(amount) ELSE f(id).score END FROM records";
    check(case, expect![[r#"
        Projection: CASE WHEN __common_expr_1 THEN __datafusion_extracted_2 WHEN records.amount < Float64(2) THEN __api_1_g ELSE get_field(CASE WHEN __common_expr_1 IS TRUE THEN __api_0_f ELSE __api_2_f END, Utf8("score")) END AS CASE WHEN records.id > Int64(1) THEN f(records.id)[score] WHEN records.amount < Int64(2) THEN g(records.amount) ELSE f(records.id)[score] END
          Projection: records.id > Int32(1) AS __common_expr_1, records.amount, __api_0_f, __api_1_g, __api_2_f, get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_2
            ApiCall: __api_2_f = f(CAST(records.id AS Int64)), where records.id > Int32(1) IS NOT TRUE AND records.amount < Float64(2) IS NOT TRUE AND records.id > Int32(1) IS TRUE IS NOT TRUE AS records.id > Int64(1) IS NOT TRUE AND records.amount < Int64(2) IS NOT TRUE AND records.id > Int64(1) IS TRUE IS NOT TRUE, quota=f (5000 calls per 1s), on_error=fail
              ApiCall: __api_1_g = g(records.amount), where records.id > Int32(1) IS NOT TRUE AND records.amount < Float64(2) IS TRUE AS records.id > Int64(1) IS NOT TRUE AND records.amount < Int64(2) IS TRUE, quota=g (10 calls per 1s), on_error=null
                ApiCall: __api_0_f = f(CAST(records.id AS Int64)), where records.id > Int32(1) IS TRUE AS records.id > Int64(1) IS TRUE, quota=f (5000 calls per 1s), on_error=fail
                  TableScan: records projection=[id, amount]"#]]).await;
    check(
        "SELECT id FROM records WHERE id > 1 AND f(id).score > 0.5",
        expect![[r#"
        Projection: records.id
          Filter: __datafusion_extracted_1 > Float64(0.5)
            Projection: get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_1, records.id
              ApiCall: __api_0_f = f(CAST(records.id AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                Filter: records.id > Int32(1)
                  TableScan: records projection=[id], partial_filters=[records.id > Int32(1)]"#]],
    )
    .await;
    check("SELECT coalesce(amount, g(1), f(id).score) AS x FROM records", expect![[r#"
        Projection: CASE WHEN records.amount IS NOT NULL THEN records.amount WHEN __api_0_g IS NOT NULL THEN __api_0_g ELSE get_field(__api_1_f, Utf8("score")) END AS x
          ApiCall: __api_1_f = f(CAST(records.id AS Int64)), where records.amount IS NULL AND __api_0_g IS NULL, quota=f (5000 calls per 1s), on_error=fail
            ApiCall: __api_0_g = g(Float64(1) AS Int64(1)), where records.amount IS NULL, quota=g (10 calls per 1s), on_error=null
              TableScan: records projection=[id, amount]"#]]).await;
}
