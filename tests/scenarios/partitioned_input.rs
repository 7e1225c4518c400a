//! Inputs in folders of partitions: the folders are columns, with the types that Spark 3.5.4 gives them.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use paceline_engine::observe::table;
use paceline_engine::{Outcome, Session, Settings};
use paceline_tests::{QUICK, Stage};

/// The types and rows of the last statement of a script, or its error.
pub(super) async fn shown(stage: &Stage, script: &str) -> String {
    let outcomes = match stage.run(script).await.1 {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let folder = stage.folder.path().to_str().unwrap();
            return error.to_string().replace(folder, "{folder}").replace(&folder[1..], "{folder}");
        }
    };
    let Some(Outcome::Rows { schema, batches }) = outcomes.last() else { panic!("{outcomes:?}") };
    let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    format!("{}\n{}", types.join(", "), table::format(schema, batches))
}

const WRITTEN: &str = "CREATE TEMP VIEW t AS SELECT * FROM (VALUES
      (1, DATE '2026-01-02', 'eu', 1.5, TIMESTAMP '2026-01-01 10:00:00'),
      (2, DATE '2026-01-01', 'a/b:c%d=e', 2.5, TIMESTAMP '2026-01-01 10:00:00.5'),
      (3, NULL, '', 3.5, NULL), (4, DATE '2026-01-01', 'é {x}', 4.5, NULL)) AS t(id, day, region, x, at);
    INSERT OVERWRITE DIRECTORY '{out}' USING {format} {options} SELECT *, id % 2 AS odd FROM t;
    CREATE TEMP VIEW v USING {format} OPTIONS (path '{out}' {read});";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_folders_is_read_again() {
    let mut found = BTreeSet::new();
    for (format, header, read) in
        [("parquet", "", ""), ("json", "", ""), ("csv", ", header 'true'", ", header 'true', inferSchema 'true'")]
    {
        let stage = Stage::set(QUICK).await;
        let options = format!("OPTIONS (partitionBy 'day,region,x,at,odd' {header})");
        let script = WRITTEN.replace("{format}", format).replace("{options}", &options).replace("{read}", read);
        let script = script.replace("{out}", "{folder}/out");
        let all = script + "SELECT CAST(id AS INT) AS id, day, region, x, at, odd FROM v ORDER BY id";
        let of_two = "SELECT odd, count(*) AS rows, min(CAST(id AS INT)) AS id FROM v
                      WHERE day = '2026-01-01' OR day IS NULL GROUP BY odd ORDER BY odd";
        found.insert((shown(&stage, &all).await, shown(&stage, of_two).await));
    }
    let [(all, of_two)] = found.into_iter().collect::<Vec<_>>().try_into().unwrap();
    check(
        &all,
        expect![[r#"
        Int32, Date32, Utf8, Float64, Timestamp(µs, "UTC"), Int32
        +----+------------+-----------+-----+--------------------------+-----+
        | id | day        | region    | x   | at                       | odd |
        +----+------------+-----------+-----+--------------------------+-----+
        | 1  | 2026-01-02 | eu        | 1.5 | 2026-01-01T10:00:00Z     | 1   |
        | 2  | 2026-01-01 | a/b:c%d=e | 2.5 | 2026-01-01T10:00:00.500Z | 0   |
        | 3  | NULL       | NULL      | 3.5 | NULL                     | 1   |
        | 4  | 2026-01-01 | é {x}     | 4.5 | NULL                     | 0   |
        +----+------------+-----------+-----+--------------------------+-----+"#]],
    );
    check(
        &of_two,
        expect![[r#"
        Int32, Int64, Int32
        +-----+------+----+
        | odd | rows | id |
        +-----+------+----+
        | 0   | 2    | 2  |
        | 1   | 1    | 3  |
        +-----+------+----+"#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_on_s3_are_read_again() {
    let stage = Stage::set(QUICK).await;
    let script = WRITTEN.replace("{format}", "parquet").replace("{options}", "OPTIONS (partitionBy 'region,odd')");
    let script = script.replace("{read}", "").replace("{out}", "s3://out-bucket/out");
    check(
        &shown(&stage, &(script + "SELECT id, region, odd FROM v ORDER BY id")).await,
        expect![[r#"
            Int32, Utf8, Int32
            +----+-----------+-----+
            | id | region    | odd |
            +----+-----------+-----+
            | 1  | eu        | 1   |
            | 2  | a/b:c%d=e | 0   |
            | 3  | NULL      | 1   |
            | 4  | é {x}     | 0   |
            +----+-----------+-----+"#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_of_the_wanted_partitions_are_read() {
    let stage = Stage::set(QUICK).await;
    for (k, id) in [("1", "1"), ("2", "2"), ("__HIVE_DEFAULT_PARTITION__", "3")] {
        stage.file(&format!("in/k={k}/a.csv"), &format!("id\n{id}\n"));
    }
    // Whoever reads this one fails: it is found when columns are declared only.
    stage.file("in/k=9/a.csv", "id\nx\n");
    let view = "CREATE OR REPLACE TEMP VIEW v (id INT) USING csv OPTIONS (path '{folder}/in', header 'true', mode 'FAILFAST');";
    let rows =
        async |filter: &str| shown(&stage, &format!("{view} SELECT id, k FROM v WHERE {filter} ORDER BY id")).await;
    check(
        &rows("k < 9 AND id > 0").await,
        expect![[r#"
        Int32, Int32
        +----+---+
        | id | k |
        +----+---+
        | 1  | 1 |
        | 2  | 2 |
        +----+---+"#]],
    );
    check(
        &rows("k IS NULL").await,
        expect![[r#"
        Int32, Int32
        +----+------+
        | id | k    |
        +----+------+
        | 3  | NULL |
        +----+------+"#]],
    );
    check(
        &rows("k = 5").await,
        expect![[r#"
        Int32, Int32
        +----+---+
        | id | k |
        +----+---+
        +----+---+"#]],
    );
    assert!(rows("id > 0").await.contains("a.csv"));
    let of_subquery = "k = (SELECT min(col1) FROM (VALUES (2), (3)))";
    assert!(rows(&format!("{of_subquery} AND k < 9")).await.ends_with("| 2  | 2 |\n+----+---+"));
    let count = format!("{view} SELECT count(*) AS n FROM v WHERE k IS NOT NULL");
    check(
        &shown(&stage, &count).await,
        expect![[r#"
        Int64
        +---+
        | n |
        +---+
        | 3 |
        +---+"#]],
    );
}

pub(super) fn check(found: &str, expected: Expect) {
    expected.assert_eq(found);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_columns_as_in_spark() {
    for (folders, expected) in [
        (
            &["k=1/j=a", "k=2/j=b"][..],
            expect![[r#"
            Int64, Int32, Utf8
            +----+---+---+
            | id | k | j |
            +----+---+---+
            | 0  | 1 | a |
            | 1  | 2 | b |
            +----+---+---+"#]],
        ),
        (
            &["x/k=1/y"],
            expect![[r#"
            Int64, Int32
            +----+---+
            | id | k |
            +----+---+
            | 0  | 1 |
            +----+---+"#]],
        ),
        (
            &["K%3A=1"],
            expect![[r#"
            Int64, Int32
            +----+----+
            | id | K: |
            +----+----+
            | 0  | 1  |
            +----+----+"#]],
        ),
        (
            &["k=1", "k=x"],
            expect![[r#"
            Int64, Utf8
            +----+---+
            | id | k |
            +----+---+
            | 0  | 1 |
            | 1  | x |
            +----+---+"#]],
        ),
        (
            &["k=1", "j=2"],
            expect![
                "statement 1 (line 1): cannot read 'file://{folder}/in': conflicting partition column names: j and k; all files must be in folders of the same columns"
            ],
        ),
        (
            &["k=1", "x"],
            expect![
                "statement 1 (line 1): cannot read 'file://{folder}/in': conflicting partition column names: k and none; all files must be in folders of the same columns"
            ],
        ),
        (
            &["k="],
            expect!["statement 1 (line 1): cannot read 'file://{folder}/in': empty partition column value in 'k='"],
        ),
        (
            &["id=5"],
            expect![
                "statement 1 (line 1): cannot read 'file://{folder}/in': the column 'id' is in the files and in the names of their folders"
            ],
        ),
    ] {
        let stage = Stage::set(QUICK).await;
        for (id, folder) in folders.iter().enumerate() {
            stage.file(&format!("in/{folder}/a.json"), &format!("{{\"id\": {id}}}\n"));
        }
        let script = "CREATE TEMP VIEW v USING json OPTIONS (path '{folder}/in'); SELECT * FROM v ORDER BY id";
        check(&shown(&stage, script).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_may_be_declared_or_left_a_string() {
    let mut stage = Stage::set(QUICK).await;
    stage.file("in/k=1/a.json", "{\"id\": 1}\n");
    stage.file("in/k=02/a.json", "{\"id\": 2}\n");
    let declared =
        "CREATE TEMP VIEW d (K DOUBLE, id BIGINT) USING json OPTIONS (path '{folder}/in'); SELECT * FROM d ORDER BY id";
    check(
        &shown(&stage, declared).await,
        expect![[r#"
        Int64, Float64
        +----+-----+
        | id | K   |
        +----+-----+
        | 1  | 1.0 |
        | 2  | 2.0 |
        +----+-----+"#]],
    );
    check(
        &shown(&stage, &declared.replace("d (K DOUBLE", "e (k DATE").replace("FROM d", "FROM e")).await,
        expect![
            "statement 1 (line 1): cannot read 'file://{folder}/in': the folder of '{folder}/in/k=02/a.json' has a value of 'k' that cannot be read: Cast error: Cannot cast string '02' to value of Date32 type"
        ],
    );
    let mut settings = Settings::default();
    settings.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false").unwrap();
    stage.session = Session::new(settings).unwrap();
    let script = "CREATE TEMP VIEW v USING json OPTIONS (path '{folder}/in'); SELECT * FROM v ORDER BY id";
    check(
        &shown(&stage, script).await,
        expect![[r#"
        Int64, Utf8
        +----+----+
        | id | k  |
        +----+----+
        | 1  | 1  |
        | 2  | 02 |
        +----+----+"#]],
    );
}
