//! Functions of where a row is: which file, which partition, which row, and random numbers, which are a row's of its partition.

use expect_test::expect;
use paceline_tests::{QUICK, Stage};

use super::partitioned_input::{check, shown};

/// Files in folders of partitions, with names that are not plain.
async fn files(format: &str) -> Stage {
    let stage = Stage::set(QUICK).await;
    let written = format!(
        "INSERT OVERWRITE DIRECTORY '{{folder}}/a b' USING {format} OPTIONS (partitionBy 'k')
           SELECT id, concat('x%', id % 2) AS k FROM range(0, 6, 1, 1) AS r(id);
         CREATE TEMP VIEW t USING {format} OPTIONS (path '{{folder}}/a b');"
    );
    stage.run(&written).await.1.unwrap();
    stage
}

const SAID: &str = "regexp_replace(input_file_name(), '^file://.*(?=/a%20b)|(?<=part-).*', '') AS name,
    input_file_block_start() AS start, input_file_block_length() > 0 AS has_length";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_knows_its_file() {
    for format in ["parquet", "json", "orc", "avro"] {
        let stage = files(format).await;
        let rows = shown(&stage, &format!("SELECT CAST(id AS INT) AS id, k, {SAID} FROM t ORDER BY id LIMIT 2")).await;
        check(
            &rows,
            expect![[r#"
                Int32, Utf8, Utf8, Int64, Boolean
                +----+-----+------------------------+-------+------------+
                | id | k   | name                   | start | has_length |
                +----+-----+------------------------+-------+------------+
                | 0  | x%0 | /a%20b/k=x%25250/part- | 0     | true       |
                | 1  | x%1 | /a%20b/k=x%25251/part- | 0     | true       |
                +----+-----+------------------------+-------+------------+"#]],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_whose_name_is_wanted_are_read() {
    let stage = files("parquet").await;
    let query = "SELECT count(*) AS n, sum(id) AS s FROM t WHERE input_file_name() LIKE '%k=x%2525%1/%'";
    check(
        &shown(&stage, query).await,
        expect![[r#"
            Int64, Int64
            +---+---+
            | n | s |
            +---+---+
            | 3 | 9 |
            +---+---+"#]],
    );
    let plan = shown(&stage, &format!("EXPLAIN {query}")).await;
    assert!(plan.contains("1 group") && !plan.contains("x%250/"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_the_file_of_its_row_as_argument() {
    let stage = files("parquet").await;
    let script = "CREATE TEMP FUNCTION f(id BIGINT, file STRING) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        SELECT count(a.score) AS answers, count(DISTINCT file) AS files, count(DISTINCT row) AS rows FROM
          (SELECT f(id, input_file_name()) AS a, input_file_name() AS file, monotonically_increasing_id() AS row FROM t)";
    check(
        &shown(&stage, script).await,
        expect![[r#"
        Int64, Int64, Int64
        +---------+-------+------+
        | answers | files | rows |
        +---------+-------+------+
        | 6       | 2     | 6    |
        +---------+-------+------+"#]],
    );
    assert_eq!(stage.api.stats().requests, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_of_no_file_behind_a_shuffle_and_of_one_source_only() {
    let stage = files("parquet").await;
    let files = "SELECT count(DISTINCT name) AS names FROM";
    for (query, names) in [
        ("(SELECT input_file_name() AS name FROM (SELECT * FROM t UNION ALL SELECT 9, 'y'))", 3),
        ("(SELECT input_file_name() AS name FROM (SELECT DISTINCT id FROM t))", 1),
        ("(SELECT input_file_name() AS name FROM t LATERAL VIEW explode(array(1, 2)) AS e WHERE id < 9)", 2),
        ("(SELECT input_file_name() AS name FROM (SELECT * FROM t WHERE input_file_name() LIKE '%1/%') AS s)", 1),
        ("(SELECT input_file_name() AS name FROM t JOIN range(6) AS r ON t.id = r.id)", 2),
    ] {
        let shown = shown(&stage, &format!("{files} {query}")).await;
        assert!(shown.contains(&format!("| {names}     |")), "{query}: {shown}");
    }
    let joined = "SELECT input_file_name() FROM t JOIN (SELECT id, input_file_name() AS f FROM t) AS s ON t.id = s.id";
    let refused = shown(&stage, joined).await;
    assert!(
        refused.contains("[MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION] The expression \"input_file_name()\""),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_rows_and_random_numbers_do_not_come_again() {
    let stage = Stage::set(QUICK).await;
    let lines: String = (0..50_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    for file in ["a", "b", "c"] {
        stage.file(&format!("in/{file}.json"), &lines);
    }
    let script = "CREATE TEMP VIEW t USING json OPTIONS (path '{folder}/in');
        SELECT count(*) AS n, count(DISTINCT row) AS rows, count(DISTINCT part) > 1 AS parts, count(DISTINCT r) AS randoms,
          count(DISTINCT s) > 149990 AS seeded, max(shiftright(row, 33)) = max(part) AS of_part FROM
          (SELECT monotonically_increasing_id() AS row, spark_partition_id() AS part, rand() AS r, randn(5) AS s FROM t)";
    check(
        &shown(&stage, script).await,
        expect![[r#"
            Int64, Int64, Boolean, Int64, Boolean, Boolean
            +--------+--------+-------+---------+--------+---------+
            | n      | rows   | parts | randoms | seeded | of_part |
            +--------+--------+-------+---------+--------+---------+
            | 150000 | 150000 | true  | 150000  | true   | true    |
            +--------+--------+-------+---------+--------+---------+"#]],
    );
}
