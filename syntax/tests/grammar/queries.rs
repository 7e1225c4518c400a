//! Queries and relations.

use expect_test::expect;

use crate::sketch::statement as check;

#[test]
fn intersect_binds_tighter_than_union_and_except() {
    check(
        "TABLE a UNION TABLE b INTERSECT TABLE c EXCEPT ALL TABLE d",
        expect![[
            r#"Query(Query {body: SetOperations(Table(Named(["a"])), [SetBranch {op: Union, body: SetOperations(Table(Named(["b"])), [SetBranch {op: Intersect, body: Table(Named(["c"]))}])}, SetBranch {op: Except, all: true, body: Table(Named(["d"]))}])})"#
        ]],
    );
    check(
        "(TABLE a UNION ALL TABLE b) MINUS TABLE c LIMIT 1",
        expect![[
            r#"Query(Query {body: SetOperations(Nested(Query {body: SetOperations(Table(Named(["a"])), [SetBranch {op: Union, all: true, body: Table(Named(["b"]))}])}), [SetBranch {op: Except, body: Table(Named(["c"]))}]), limit: Some(Rows(Literal(Int(1))))})"#
        ]],
    );
}

#[test]
fn clauses_stand_in_their_order() {
    check(
        "WITH a(x) AS (SELECT 1) SELECT DISTINCT b AS c FROM a WHERE d GROUP BY b HAVING e ORDER BY c DESC LIMIT 1 OFFSET 2",
        expect![[
            r#"Query(Query {ctes: [Cte {name: "a", columns: ["x"], query: Query {body: Select(Select {items: [Literal(Int(1))]})}}], body: Select(Select {distinct: true, items: [Column(["b"]), alias: Some(Name("c"))], from: [Relation {kind: Table {name: Named(["a"]), alias: TableAlias }}], filter: Some(Column(["d"])), group_by: Some(Elements([Expr(Column(["b"]))])), having: Some(Column(["e"]))}), order_by: [SortItem {value: Column(["c"]), descending: true}], limit: Some(Rows(Literal(Int(1)))), offset: Some(Literal(Int(2)))})"#
        ]],
    );
    check(
        "SELECT a FROM t DISTRIBUTE BY a SORT BY b NULLS LAST",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]}), distribute_by: [Column(["a"])], sort_by: [SortItem {value: Column(["b"])}]})"#
        ]],
    );
    check(
        "SELECT a FROM t ORDER BY a SORT BY b",
        expect![
            "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES: The feature is not supported: Combination of ORDER BY/SORT BY/DISTRIBUTE BY/CLUSTER BY. (1:16)"
        ],
    );
    check(
        "WITH RECURSIVE a AS (SELECT 1) SELECT 1",
        expect!["PARSE_SYNTAX_ERROR: Syntax error at or near 'a'. (1:15)"],
    );
}

#[test]
fn from_may_come_first() {
    check(
        "FROM t SELECT a WHERE b",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], filter: Some(Column(["b"]))})})"#
        ]],
    );
    check(
        "FROM t SELECT a SELECT b LIMIT 1",
        expect![[
            r#"Query(Query {body: FromMany([Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]})}, Query {body: Select(Select {items: [Column(["b"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]}), limit: Some(Rows(Literal(Int(1))))}])})"#
        ]],
    );
    check(
        "FROM t INSERT INTO a SELECT x INSERT OVERWRITE b SELECT y WHERE z",
        expect![[
            r#"MultiInsert {inserts: [(Insert {target: Table {name: Named(["a"]), columns: All}}, Query {body: Select(Select {items: [Column(["x"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]})}), (Insert {target: Table {name: Named(["b"]), columns: All}, overwrite: true}, Query {body: Select(Select {items: [Column(["y"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], filter: Some(Column(["z"]))})})]}"#
        ]],
    );
}

#[test]
fn joins_take_all_that_stands_before_them() {
    check(
        "SELECT * FROM a LEFT JOIN b ON c NATURAL FULL OUTER JOIN d, e CROSS JOIN f",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["a"]), alias: TableAlias }, steps: [Join(Join {kind: LeftOuter, right: Relation {kind: Table {name: Named(["b"]), alias: TableAlias }}, constraint: Some(On(Column(["c"])))}), Join(Join {kind: FullOuter, natural: true, right: Relation {kind: Table {name: Named(["d"]), alias: TableAlias }}})]}, Relation {kind: Table {name: Named(["e"]), alias: TableAlias }, steps: [Join(Join {kind: Cross, right: Relation {kind: Table {name: Named(["f"]), alias: TableAlias }}})]}]})})"#
        ]],
    );
    check(
        "SELECT * FROM a LEFT SEMI JOIN (b JOIN c USING (d)) ON e",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["a"]), alias: TableAlias }, steps: [Join(Join {kind: LeftSemi, right: Relation {kind: Nested {relation: Relation {kind: Table {name: Named(["b"]), alias: TableAlias }, steps: [Join(Join {kind: Inner, right: Relation {kind: Table {name: Named(["c"]), alias: TableAlias }}, constraint: Some(Using(["d"]))})]}, alias: TableAlias }}, constraint: Some(On(Column(["e"])))})]}]})})"#
        ]],
    );
    check(
        "SELECT * FROM a, LATERAL (SELECT b) AS c(d), LATERAL explode(e)",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["a"]), alias: TableAlias }}, Relation {lateral: true, kind: Subquery {query: Query {body: Select(Select {items: [Column(["b"])]})}, alias: TableAlias {name: Some("c"), columns: ["d"]}}}, Relation {lateral: true, kind: Function {name: Named(["explode"]), arguments: [Expr(Argument {value: Column(["e"])})], alias: TableAlias }}]})})"#
        ]],
    );
    check(
        "SELECT * FROM a JOIN LATERAL b",
        expect![
            "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC: Invalid SQL syntax: LATERAL can only be used with subquery and table-valued functions. (1:29)"
        ],
    );
}

#[test]
fn relations_have_samples_states_and_aliases() {
    check(
        "SELECT * FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (5) AS x (y)",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["t"]), sample: Some(Sample {method: Percent(10.0), seed: Some(5)}), alias: TableAlias {name: Some("x"), columns: ["y"]}}}]})})"#
        ]],
    );
    check(
        "SELECT * FROM t VERSION AS OF 1, u FOR TIMESTAMP AS OF '2020-01-01' v",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["t"]), as_of: Some(Version("1")), alias: TableAlias }}, Relation {kind: Table {name: Named(["u"]), as_of: Some(Timestamp(Literal(String("2020-01-01")))), alias: TableAlias {name: Some("v")}}}]})})"#
        ]],
    );
    check(
        "SELECT * FROM parquet.`/a/b`, range(1, 2) AS r(x), f(TABLE(t), a => TABLE(SELECT 1))",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["parquet", "/a/b", quoted: true]), alias: TableAlias }}, Relation {kind: Function {name: Named(["range"]), arguments: [Expr(Argument {value: Literal(Int(1))}), Expr(Argument {value: Literal(Int(2))})], alias: TableAlias {name: Some("r"), columns: ["x"]}}}, Relation {kind: Function {name: Named(["f"]), arguments: [Table(None, Named(["t"])), Query(Some("a"), Query {body: Select(Select {items: [Literal(Int(1))]})})], alias: TableAlias }}]})})"#
        ]],
    );
    check(
        "SELECT * FROM VALUES (1, 2), (3, 4) AS t(a, b)",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Values([Row([Literal(Int(1)), Literal(Int(2))]), Row([Literal(Int(3)), Literal(Int(4))])], TableAlias {name: Some("t"), columns: ["a", "b"]})}]})})"#
        ]],
    );
    check(
        "SELECT * FROM ((SELECT 1) UNION (SELECT 2)) x JOIN ((SELECT 1) y)",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Subquery {query: Query {body: SetOperations(Nested(Query {body: Select(Select {items: [Literal(Int(1))]})}), [SetBranch {op: Union, body: Nested(Query {body: Select(Select {items: [Literal(Int(2))]})})}])}, alias: TableAlias {name: Some("x")}}, steps: [Join(Join {kind: Inner, right: Relation {kind: Nested {relation: Relation {kind: Subquery {query: Query {body: Select(Select {items: [Literal(Int(1))]})}, alias: TableAlias {name: Some("y")}}}, alias: TableAlias }}})]}]})})"#
        ]],
    );
    check(
        "SELECT * FROM t TABLESAMPLE (200 PERCENT)",
        expect!["_LEGACY_ERROR_TEMP_0064: Sampling fraction (2.0) must be on interval [0, 1]. (1:16)"],
    );
}

#[test]
fn rows_become_columns_and_back() {
    check(
        "SELECT * FROM t PIVOT (sum(a) AS s FOR (b, c) IN ((1, 2) AS x, (3, 4)))",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }, steps: [Pivot(Pivot {aggregates: [Call(FunctionCall {name: Named(["sum"]), arguments: [Argument {value: Column(["a"])}]}), alias: Some(Name("s"))], columns: ["b", "c"], values: [PivotValue {value: Row([Literal(Int(1)), Literal(Int(2))]), alias: Some("x")}, PivotValue {value: Row([Literal(Int(3)), Literal(Int(4))])}]})]}]})})"#
        ]],
    );
    check(
        "SELECT * FROM t UNPIVOT INCLUDE NULLS ((v, w) FOR n IN ((a, b) AS x, (c, d))) AS u",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Star([])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }, steps: [Unpivot(Unpivot {include_nulls: true, values: ["v", "w"], multiple: true, name: "n", columns: [UnpivotColumn {columns: [["a"], ["b"]], alias: Some("x")}, UnpivotColumn {columns: [["c"], ["d"]]}], alias: Some("u")})]}]})})"#
        ]],
    );
}

#[test]
fn group_by_has_many_forms() {
    check(
        "SELECT a FROM t GROUP BY a, CUBE (b, (c, d)), GROUPING SETS ((e), ROLLUP (f), ())",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], group_by: Some(Elements([Expr(Column(["a"])), Cube([[Column(["b"])], [Column(["c"]), Column(["d"])]]), Sets([Set([Column(["e"])]), Rollup([[Column(["f"])]]), Set([])])]))})})"#
        ]],
    );
    check(
        "SELECT a FROM t GROUP BY a, b WITH ROLLUP",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], group_by: Some(WithRollup([Column(["a"]), Column(["b"])]))})})"#
        ]],
    );
    check(
        "SELECT a FROM t GROUP BY a, b GROUPING SETS ((a), ())",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], group_by: Some(WithSets([Column(["a"]), Column(["b"])], [[Column(["a"])], []]))})})"#
        ]],
    );
    check(
        "SELECT a FROM t GROUP BY ALL",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], group_by: Some(Elements([Expr(Column(["ALL"]))]))})})"#
        ]],
    );
}

#[test]
fn hints_windows_views_and_scripts_are_kept() {
    check(
        "SELECT /*+ BROADCAST(t), COALESCE(3) */ sum(a) OVER w FROM t WINDOW w AS (ORDER BY b)",
        expect![[
            r#"Query(Query {body: Select(Select {hints: [Hint {name: "BROADCAST", parameters: [Column(["t"])]}, Hint {name: "COALESCE", parameters: [Literal(Int(3))]}], items: [Call(FunctionCall {name: Named(["sum"]), arguments: [Argument {value: Column(["a"])}], over: Some(Named("w"))})], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], windows: [NamedWindow {name: "w", window: Spec {order_by: [SortItem {value: Column(["b"]), nulls_first: true}]}}]})})"#
        ]],
    );
    check(
        "SELECT a FROM t LATERAL VIEW OUTER explode(b) c AS d, e",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"])], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}], lateral_views: [LateralView {outer: true, generator: ["explode"], arguments: [Column(["b"])], table: "c", columns: ["d", "e"]}]})})"#
        ]],
    );
    check(
        "SELECT TRANSFORM (a) USING 'cat' AS (b INT) FROM t",
        expect![[
            r#"Query(Query {body: Transform(Transform {arguments: [Column(["a"])], script: "cat", output: Columns([StructField {name: "b", data_type: Int}]), select: Select {from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]}})})"#
        ]],
    );
    check(
        "SELECT transform(a, x -> x) AS (b, c) FROM t",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Call(FunctionCall {name: Named(["transform"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Lambda(["x"], Column(["x"]))}]}), alias: Some(Names(["b", "c"]))], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]})})"#
        ]],
    );
}
