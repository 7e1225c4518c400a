//! Statements that are not queries.

use expect_test::expect;

use crate::sketch::statement as check;

#[test]
fn inserts_say_where_rows_go() {
    check(
        "INSERT INTO t PARTITION (a = 1, b) (c) VALUES (DEFAULT)",
        expect![[
            r#"Insert {insert: Insert {target: Table {name: Named(["t"]), partition: Some([PartitionValue {name: "a", value: Some(Int(1))}, PartitionValue {name: "b"}]), columns: Listed(["c"])}}, query: Query {body: Values([Column(["DEFAULT"])], TableAlias )}}"#
        ]],
    );
    check(
        "INSERT OVERWRITE TABLE t BY NAME SELECT 1",
        expect![[
            r#"Insert {insert: Insert {target: Table {name: Named(["t"]), columns: ByName}, overwrite: true}, query: Query {body: Select(Select {items: [Literal(Int(1))]})}}"#
        ]],
    );
    check(
        "INSERT INTO t REPLACE WHERE a = 1 TABLE u",
        expect![[
            r#"Insert {insert: Insert {target: Where {name: Named(["t"]), condition: Binary(Column(["a"]), Eq, Literal(Int(1)))}}, query: Query {body: Table(Named(["u"]))}}"#
        ]],
    );
    check(
        "INSERT OVERWRITE DIRECTORY '/x' USING Parquet OPTIONS (a.b 'c', 'd' = 1.5, e TRUE) TABLE t",
        expect![[
            r#"Insert {insert: Insert {target: Directory {path: Some("/x"), format: ["Parquet"], options: [Property {key: "a.b", value: "c"}, Property {key: "d", value: "1.5"}, Property {key: "e", value: "true"}]}, overwrite: true}, query: Query {body: Table(Named(["t"]))}}"#
        ]],
    );
    check(
        "INSERT OVERWRITE LOCAL DIRECTORY '/x' STORED AS orc TABLE t",
        expect![[
            r#"Insert {insert: Insert {target: HiveDirectory {local: true, path: "/x", file_format: Some(Named("orc"))}, overwrite: true}, query: Query {body: Table(Named(["t"]))}}"#
        ]],
    );
    check(
        "INSERT OVERWRITE DIRECTORY USING parquet TABLE t",
        expect![
            "_LEGACY_ERROR_TEMP_0049: Directory path and 'path' in OPTIONS should be specified one, but not both. (1:0)"
        ],
    );
}

#[test]
fn rows_are_changed() {
    check(
        "UPDATE t AS x SET a = 1, b.c = DEFAULT WHERE d",
        expect![[
            r#"Update {table: Named(["t"]), alias: TableAlias {name: Some("x")}, assignments: [Assignment {column: ["a"], value: Literal(Int(1))}, Assignment {column: ["b", "c"], value: Column(["DEFAULT"])}], filter: Some(Column(["d"]))}"#
        ]],
    );
    check(
        "DELETE FROM t WHERE a",
        expect![[r#"Delete {table: Named(["t"]), alias: TableAlias , filter: Some(Column(["a"]))}"#]],
    );
    check(
        "MERGE INTO t USING (TABLE u) AS s ON a WHEN MATCHED AND b THEN DELETE WHEN MATCHED THEN UPDATE SET * \
         WHEN NOT MATCHED THEN INSERT (a) VALUES (1) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET a = 1",
        expect![[
            r#"Merge {merge: Merge {target: Named(["t"]), source: Query(Query {body: Table(Named(["u"]))}), source_alias: Some("s"), condition: Column(["a"]), matched: [MergeClause {condition: Some(Column(["b"])), action: Delete}, MergeClause {action: UpdateAll}], not_matched: [MergeClause {action: Insert([["a"]], [Literal(Int(1))])}], not_matched_by_source: [MergeClause {action: Update([Assignment {column: ["a"], value: Literal(Int(1))}])}]}}"#
        ]],
    );
    check(
        "MERGE INTO t USING u ON a",
        expect!["_LEGACY_ERROR_TEMP_0008: There must be at least one WHEN clause in a MERGE statement. (1:0)"],
    );
}

#[test]
fn tables_are_made_and_changed() {
    check(
        "CREATE TABLE IF NOT EXISTS a.t (b INT NOT NULL DEFAULT 1 + 1 COMMENT 'c', d STRING) USING parquet \
         OPTIONS (x 1) PARTITIONED BY (b, bucket(4, d)) LOCATION 'l' TBLPROPERTIES ('p' = 'q')",
        expect![[
            r#"CreateTable(CreateTable {name: Named(["a", "t"]), create: true, if_not_exists: true, columns: [TableColumn {name: "b", data_type: Int, options: [NotNull, Default(Binary(Literal(Int(1)), Add, Literal(Int(1))), "1 + 1"), Comment("c")]}, TableColumn {name: "d", data_type: String}], clauses: TableClauses {provider: Some(["parquet"]), options: [("x", Literal(Int(1)))], partitioned_by: [Transformation(Transformation {arguments: [Column(["b"])]}), Transformation(Transformation {function: Some("bucket"), arguments: [Literal(Int(4)), Column(["d"])]})], location: Some("l"), properties: [Property {key: "p", value: "q"}]}})"#
        ]],
    );
    check(
        "CREATE OR REPLACE TABLE t AS SELECT 1",
        expect![[
            r#"CreateTable(CreateTable {name: Named(["t"]), create: true, replace: true, clauses: TableClauses , query: Some(Query {body: Select(Select {items: [Literal(Int(1))]})})})"#
        ]],
    );
    check(
        "CREATE TABLE a LIKE b USING orc",
        expect![[r#"CreateTableLike {target: ["a"], source: ["b"], clauses: TableClauses {provider: Some(["orc"])}}"#]],
    );
    check(
        "ALTER TABLE t ADD COLUMNS (a.b INT FIRST, c STRING AFTER d)",
        expect![[
            r#"AlterTable {name: Named(["t"]), action: AddColumns([NewColumn {name: ["a", "b"], data_type: Int, options: [Position(First)]}, NewColumn {name: ["c"], data_type: String, options: [Position(After("d"))]}])}"#
        ]],
    );
    check(
        "ALTER TABLE t ALTER COLUMN a TYPE BIGINT",
        expect![[r#"AlterTable {name: Named(["t"]), action: AlterColumn {column: ["a"], change: Type(BigInt)}}"#]],
    );
    check(
        "ALTER TABLE t CHANGE a",
        expect![
            "_LEGACY_ERROR_TEMP_0035: Operation not allowed: ALTER TABLE table CHANGE COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER. (1:0)"
        ],
    );
    check(
        "ALTER TABLE t DROP IF EXISTS PARTITION (a = 1), PARTITION (a = 2) PURGE",
        expect![[
            r#"AlterTable {name: Named(["t"]), action: DropPartitions {partitions: [[PartitionValue {name: "a", value: Some(Int(1))}], [PartitionValue {name: "a", value: Some(Int(2))}]], if_exists: true, purge: true}}"#
        ]],
    );
    check("DROP TABLE IF EXISTS t PURGE", expect![[r#"DropTable {name: Named(["t"]), if_exists: true, purge: true}"#]]);
    check(
        "CREATE TABLE t (a INT) COMMENT 'x' COMMENT 'y'",
        expect!["DUPLICATE_CLAUSES: Found duplicate clauses: COMMENT. Please, remove one of them. (1:23)"],
    );
}

#[test]
fn views_and_functions_are_made() {
    check(
        "CREATE OR REPLACE TEMP VIEW v (a COMMENT 'x') AS TABLE t",
        expect![[
            r#"CreateView {name: Named(["v"]), or_replace: true, temporary: true, columns: [("a", Some("x"))], query: Query {body: Table(Named(["t"]))}, text: "TABLE t"}"#
        ]],
    );
    check(
        "CREATE GLOBAL TEMPORARY VIEW v (a INT) USING csv OPTIONS (path '/x')",
        expect![[
            r#"CreateViewUsing {name: ["v"], global: true, columns: [StructField {name: "a", data_type: Int}], provider: ["csv"], options: [Property {key: "path", value: "/x"}]}"#
        ]],
    );
    check(
        "CREATE TEMPORARY VIEW a.b AS SELECT 1",
        expect![
            "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS: CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: `a`.`b`. (1:0)"
        ],
    );
    check(
        "CREATE FUNCTION a.f AS 'c' USING JAR 'j', FILE 'k'",
        expect![[
            r#"CreateFunction(Class {name: Named(["a", "f"]), class: "c", resources: [(Jar, "j"), (File, "k")]})"#
        ]],
    );
    check(
        "CREATE OR REPLACE TEMPORARY FUNCTION f(a INT, b STRING) RETURNS STRUCT<c: INT> NOT DETERMINISTIC USING API \
         OPTIONS (url 'https://x', retry.limit 3)",
        expect![[
            r#"CreateFunction(Api {name: "f", or_replace: true, arguments: [StructField {name: "a", data_type: Int}, StructField {name: "b", data_type: String}], returns: Struct([StructField {name: "c", data_type: Int}]), options: [Property {key: "url", value: "https://x"}, Property {key: "retry.limit", value: "3"}]})"#
        ]],
    );
    check(
        "DROP TEMPORARY FUNCTION IF EXISTS f",
        expect![[r#"DropFunction {name: Named(["f"]), temporary: true, if_exists: true}"#]],
    );
}

#[test]
fn sessions_are_set() {
    check("SET a.b = any 'thing to the end;", expect![[r#"Set(Assign("a.b", "any 'thing to the end"))"#]]);
    check("SET `a b` = `c;d`", expect![[r#"Set(Assign("a b", "c;d"))"#]]);
    check("SET -v", expect!["Set(Verbose)"]);
    check(
        "SET a b",
        expect![
            "INVALID_SET_SYNTAX: Expected format is 'SET', 'SET key', or 'SET key=value'. If you want to include special characters in key, or include semicolon in value, please use backquotes, e.g., SET `key`=`value`. (1:0)"
        ],
    );
    check(
        "SET TIME ZONE INTERVAL 2 HOURS",
        expect![[r#"SetTimeZone(Offset(Units([IntervalPart {value: "2", unit: Hour}])))"#]],
    );
    check("RESET a.b", expect![[r#"Reset(Some("a.b"))"#]]);
    check("USE DATABASE a", expect![[r#"UseNamespace(Named(["a"]))"#]]);
    check("ADD JARS a.jar 'b c.jar'", expect![[r#"AddResource {kind: Jar, paths: ["a.jar", "b c.jar"]}"#]]);
}

#[test]
fn things_are_shown_and_described() {
    check(
        "SHOW TABLES IN a LIKE 'b*'",
        expect![[r#"Show(Tables(Limits {namespace: Some(Named(["a"])), pattern: Some("b*")}))"#]],
    );
    check(
        "SHOW USER FUNCTIONS LIKE 'x'",
        expect![[r#"Show(Functions {user: true, limits: Limits {pattern: Some("x")}})"#]],
    );
    check(
        "DESCRIBE FUNCTION EXTENDED between",
        expect![[r#"DescribeFunction {name: Function(Named(["between"])), extended: true}"#]],
    );
    check("DESC FUNCTION <=>", expect![[r#"DescribeFunction {name: Text("<=>")}"#]]);
    check(
        "DESC EXTENDED t PARTITION (a = 1)",
        expect![[
            r#"DescribeTable {name: Named(["t"]), partition: Some([PartitionValue {name: "a", value: Some(Int(1))}]), extended: true}"#
        ]],
    );
    check("DESC t a.b", expect![[r#"DescribeTable {name: Named(["t"]), column: Some(["a", "b"])}"#]]);
    check("DESC query", expect![[r#"DescribeTable {name: Named(["query"])}"#]]);
    check(
        "DESC QUERY TABLE t",
        expect![[r#"DescribeQuery {query: Query {body: Table(Named(["t"]))}, text: "TABLE t"}"#]],
    );
    check(
        "EXPLAIN FORMATTED INSERT INTO t TABLE u",
        expect![[
            r#"Explain {mode: Formatted, statement: Insert {insert: Insert {target: Table {name: Named(["t"]), columns: All}}, query: Query {body: Table(Named(["u"]))}}}"#
        ]],
    );
    check(
        "CACHE LAZY TABLE t OPTIONS ('a' = 'b') AS TABLE u",
        expect![[
            r#"Cache {name: Named(["t"]), lazy: true, options: [Property {key: "a", value: "b"}], query: Some(Query {body: Table(Named(["u"]))})}"#
        ]],
    );
    check(
        "ANALYZE TABLE t PARTITION (a) COMPUTE STATISTICS FOR COLUMNS b, c",
        expect![[
            r#"AnalyzeTable {name: Named(["t"]), partition: Some([PartitionValue {name: "a"}]), statistics: Columns(["b", "c"])}"#
        ]],
    );
}

#[test]
fn what_only_hive_has_is_named() {
    check("GRANT ALL ON t TO u", expect!["_LEGACY_ERROR_TEMP_0035: Operation not allowed: GRANT. (1:0)"]);
    check(
        "ALTER TABLE t CLUSTERED BY (a)",
        expect!["_LEGACY_ERROR_TEMP_0035: Operation not allowed: ALTER TABLE CLUSTERED BY. (1:0)"],
    );
    check("SHOW GRANT u", expect!["_LEGACY_ERROR_TEMP_0035: Operation not allowed: SHOW GRANT. (1:0)"]);
}
