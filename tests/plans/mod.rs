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
            Projection: c2 AS o0, c3 AS o1, c4 AS o2, __api_0_f AS o3
              ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                Projection: c1.id AS c2, c1.email AS c3, c1.amount AS c4
                  TableScan: c1 projection=[id, email, amount]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_calls_of_one_select_are_one() {
    check(
        "SELECT f(id), f(id).score AS s, f(id + 1) FROM records",
        expect![[r#"
        Projection: __api_0_f AS o0, get_field(__api_0_f, Utf8("score")) AS o1, __api_1_f AS o2
          ApiCall: __api_1_f = f(CAST(spark_add(c2, Int32(1)) AS Int64)), quota=f (5000 calls per 1s), on_error=fail
            ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
              Projection: c1.id AS c2
                TableScan: c1 projection=[id]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_call_comes_first() {
    check(
        "SELECT g(f(id).score) AS y FROM records",
        expect![[r#"
            Projection: __api_1_g AS o0
              ApiCall: __api_1_g = g(get_field(__api_0_f, Utf8("score"))), quota=g (10 calls per 1s), on_error=null
                ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                  Projection: c1.id AS c2
                    TableScan: c1 projection=[id]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_on_the_answer_calls_once_and_one_on_the_input_comes_before() {
    check(
        "SELECT * FROM (SELECT id, f(id).score AS s FROM records) WHERE s > 0.5 AND id > 7",
        expect![[r#"
            Projection: c2 AS o0, c5 AS o1
              Filter: spark_normal_float(c5) > Float64(0.5)
                Projection: c2, get_field(__api_0_f, Utf8("score")) AS c5
                  ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                    Projection: c1.id AS c2
                      Filter: c1.id > Int32(7)
                        TableScan: c1 projection=[id], partial_filters=[c1.id > Int32(7)]"#]],
    )
    .await;
    check(
        "SELECT id FROM records WHERE f(id).score > 0.5",
        expect![[r#"
            Projection: c2 AS o0
              Filter: spark_normal_float(__datafusion_extracted_1) > Float64(0.5)
                Projection: get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_1, c2
                  ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                    Projection: c1.id AS c2
                      TableScan: c1 projection=[id]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_limits_the_calls() {
    check(
        "SELECT f(id) AS answer FROM records LIMIT 3",
        expect![[r#"
            Projection: __api_0_f AS o0
              Limit: skip=0, fetch=3
                ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                  Projection: c1.id AS c2
                    Limit: skip=0, fetch=3
                      TableScan: c1 projection=[id], fetch=3"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_a_condition_is_made_for_the_rows_that_reach_it() {
    let case =
        "SELECT CASE WHEN id > 1 THEN f(id).score WHEN amount < 2 THEN g(amount) ELSE f(id).score END FROM records";
    check(case, expect![[r#"
        Projection: CASE WHEN __common_expr_1 THEN __datafusion_extracted_2 WHEN spark_normal_float(c4) < Float64(2) THEN __api_1_g ELSE get_field(CASE WHEN __common_expr_1 IS TRUE THEN __api_0_f ELSE __api_2_f END, Utf8("score")) END AS o0
          Projection: c2 > Int32(1) AS __common_expr_1, c4, __api_0_f, __api_1_g, __api_2_f, get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_2
            ApiCall: __api_2_f = f(CAST(c2 AS Int64)), where c2 > Int32(1) IS NOT TRUE AND spark_normal_float(c4) < Float64(2) IS NOT TRUE AND c2 > Int32(1) IS TRUE IS NOT TRUE AS c2 > Int32(1) IS NOT TRUE AND spark_normal_float(c4) Float64 9a14 < spark_normal_float(Int32(2)) Float64 9a14 IS NOT TRUE AND c2 > Int32(1) IS TRUE IS NOT TRUE, quota=f (5000 calls per 1s), on_error=fail
              ApiCall: __api_1_g = g(c4), where c2 > Int32(1) IS NOT TRUE AND spark_normal_float(c4) < Float64(2) IS TRUE AS c2 > Int32(1) IS NOT TRUE AND spark_normal_float(c4) Float64 9a14 < spark_normal_float(Int32(2)) Float64 9a14 IS TRUE, quota=g (10 calls per 1s), on_error=null
                ApiCall: __api_0_f = f(CAST(c2 AS Int64)), where c2 > Int32(1) IS TRUE, quota=f (5000 calls per 1s), on_error=fail
                  Projection: c1.id AS c2, c1.amount AS c4
                    TableScan: c1 projection=[id, amount]"#]]).await;
    check(
        "SELECT id FROM records WHERE id > 1 AND f(id).score > 0.5",
        expect![[r#"
            Projection: c2 AS o0
              Filter: spark_normal_float(__datafusion_extracted_1) > Float64(0.5)
                Projection: get_field(__api_0_f, Utf8("score")) AS __datafusion_extracted_1, c2
                  ApiCall: __api_0_f = f(CAST(c2 AS Int64)), quota=f (5000 calls per 1s), on_error=fail
                    Projection: c1.id AS c2
                      Filter: c1.id > Int32(1)
                        TableScan: c1 projection=[id], partial_filters=[c1.id > Int32(1)]"#]],
    )
    .await;
    check("SELECT coalesce(amount, g(1), f(id).score) AS x FROM records", expect![[r#"
        Projection: CASE WHEN c4 IS NOT NULL THEN c4 WHEN __api_0_g IS NOT NULL THEN __api_0_g ELSE get_field(__api_1_f, Utf8("score")) END AS o0
          ApiCall: __api_1_f = f(CAST(c2 AS Int64)), where c4 IS NOT NULL IS NOT TRUE AND __api_0_g IS NOT NULL IS NOT TRUE, quota=f (5000 calls per 1s), on_error=fail
            ApiCall: __api_0_g = g(Float64(1) AS Int32(1)), where c4 IS NOT NULL IS NOT TRUE, quota=g (10 calls per 1s), on_error=null
              Projection: c1.id AS c2, c1.amount AS c4
                TableScan: c1 projection=[id, amount]"#]]).await;
}
