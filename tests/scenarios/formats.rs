//! Files of every format, in and out.

use expect_test::{Expect, expect};
use paceline_engine::Outcome;
use paceline_engine::observe::table;
use paceline_tests::{QUICK, Stage};

/// Runs a script and shows the types and rows of its last statement.
async fn last_rows(stage: &Stage, script: &str) -> String {
    let shown = stage.run(script).await.1.unwrap();
    let Some(Outcome::Rows { schema, batches }) = shown.last() else { panic!("{shown:?}") };
    let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    format!("{}\n{}", types.join(", "), table::format(schema, batches))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_can_be_read_again() {
    for format in ["parquet", "json", "csv", "avro"] {
        let stage = Stage::set(QUICK).await;
        let rows =
            "1,\"Abe, Ada\",2025-01-02 03:04:05\n2,,\n3,Zoë,2025-01-02 03:04:06.5\n4,\"x,\\\\\",\n5,\"\\\"q\\\",\",\n";
        stage.file("in.csv", &format!("id,name,at\n{rows}"));
        let options = if format == "csv" { "OPTIONS (header 'true')" } else { "" };
        let read = if format == "csv" { ", header 'true', inferSchema 'true'" } else { "" };
        let script = format!(
            "CREATE TEMP VIEW v USING csv OPTIONS (path '{{folder}}/in.csv', header true, inferSchema true);
             INSERT OVERWRITE DIRECTORY '{{folder}}/out' USING {format} {options} SELECT * FROM v;
             CREATE TEMP VIEW w USING {format} OPTIONS (path '{{folder}}/out' {read});
             SELECT id, name, at FROM w"
        );
        let table = last_rows(&stage, &script).await;
        for value in ["Abe, Ada", "Zoë", "2025-01-02T03:04:06.5", "| 2 ", "| 4  | x,\\ ", "| 5  | \"q\", "] {
            assert!(table.contains(value), "{format}: {table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_columns_are_sorted_and_typed() {
    let stage = Stage::set(QUICK).await;
    stage.file("in/a.json", "{\"z\": 1, \"a\": {\"x\": [1.5]}}\n{\"m\": \"t\", \"z\": null, \"none\": null}\n");
    stage.file("in/_SUCCESS", "hidden");
    let script = "CREATE TEMP VIEW v USING json OPTIONS (path '{folder}/in'); SELECT * FROM v";
    check(
        &last_rows(&stage, script).await,
        expect![[r#"
        Struct("x": List(Float64)), Utf8, Utf8, Int64
        +------------+------+------+------+
        | a          | m    | none | z    |
        +------------+------+------+------+
        | {x: [1.5]} | NULL | NULL | 1    |
        | NULL       | t    | NULL | NULL |
        +------------+------+------+------+"#]],
    );
}

/// `id`, 1 and 2 on a line each, as gzip, bzip2 and zstd make it.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x4c\xe1\x32\xe4\x32\xe2\x02\x00\xd8\x24\x32\x12\x07\x00\x00\x00";
const BZIP2: &[u8] = b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x6a\xc3\x60\x20\x00\x00\x03\x49\x00\x00\x10\x30\x00\x04\x20\x20\x00\x30\xcd\x00\xc3\x41\x41\x69\xc5\xdc\x91\x4e\x14\x24\x1a\xb0\xd8\x08\x00";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x69\x64\x0a\x31\x0a\x32\x0a";

#[tokio::test(flavor = "multi_thread")]
async fn compressed_files_are_read_by_their_ending() {
    for (ending, bytes) in [("gz", GZIP), ("bz2", BZIP2), ("zst", ZSTD)] {
        let stage = Stage::set(QUICK).await;
        stage.file(&format!("in.csv.{ending}"), bytes);
        let script = "CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/in.csv.ENDING', header true);
            SELECT sum(CAST(id AS INT)) AS n FROM v";
        let rows = last_rows(&stage, &script.replace("ENDING", ending)).await;
        assert!(rows.contains("| 3 "), "{ending}: {rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_a_compressed_file_is_read() {
    let stage = Stage::set(QUICK).await;
    for (ending, bytes) in [("gz", GZIP), ("bz2", BZIP2), ("zst", ZSTD)] {
        let twice = [bytes, bytes].concat();
        stage.file(&format!("in.csv.{ending}"), &twice);
        let place = stage.stores.place(&format!("s3://in-bucket/in.csv.{ending}")).unwrap();
        object_store::ObjectStoreExt::put(place.store.objects(), &place.path, twice.into()).await.unwrap();
        for folder in ["{folder}", "s3://in-bucket"] {
            let script = format!(
                "CREATE OR REPLACE TEMP VIEW v (id INT) USING csv OPTIONS (path '{folder}/in.csv.{ending}');
                 SELECT sum(id) AS n FROM v"
            );
            let rows = last_rows(&stage, &script).await;
            assert!(rows.contains("| 6 "), "{folder} {ending}: {rows}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_may_have_blanks_and_percent_signs() {
    let stage = Stage::set(QUICK).await;
    for name in ["a b.csv", "day%20one.csv", "50%.csv", "ü.csv"] {
        stage.file(&format!("in/{name}"), "id\n1\n");
        let mut place = stage.stores.place("s3://in-bucket/in").unwrap();
        place.path = object_store::path::Path::parse(format!("in/{name}")).unwrap();
        object_store::ObjectStoreExt::put(place.store.objects(), &place.path, "id\n1\n".into()).await.unwrap();
    }
    for folder in ["{folder}/in", "s3://in-bucket/in"] {
        let script = format!(
            "CREATE OR REPLACE TEMP VIEW v USING csv OPTIONS (path '{folder}', header true); SELECT count(*) AS n FROM v"
        );
        let rows = last_rows(&stage, &script).await;
        assert!(rows.contains("| 4 "), "{folder}: {rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_a_compressed_text_on_s3_is_read() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place("s3://in-bucket/in.txt.zst").unwrap();
    let twice = [ZSTD, ZSTD].concat();
    object_store::ObjectStoreExt::put(place.store.objects(), &place.path, twice.into()).await.unwrap();
    let script =
        "CREATE TEMP VIEW v USING text OPTIONS (path 's3://in-bucket/in.txt.zst'); SELECT count(*) AS n FROM v";
    let rows = last_rows(&stage, script).await;
    assert!(rows.contains("| 6 "), "{rows}");
}

/// However a file is cut into parts, its header is none of its rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_may_stand_behind_comments_and_blank_lines() {
    let stage = Stage::set(QUICK).await;
    for before in [
        "",
        "\n\n\n\n\n\n\n\n\n\n\n\n",
        "# a comment that is longer than all that follows\n",
        "#\n   \n#x\n",
        "\u{feff}#\n",
    ] {
        for rows in 1..12 {
            let ids: String = (1..=rows).map(|id| format!("{id}\n")).collect();
            stage.file("in.csv", &format!("{before}id\n{ids}"));
            let script = "CREATE OR REPLACE TEMP VIEW v (id INT) USING csv OPTIONS (path '{folder}/in.csv', header true, comment '#', mode 'FAILFAST');
                CREATE OR REPLACE TEMP FUNCTION f(id INT) RETURNS STRUCT<score: DOUBLE>
                  USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
                SELECT id, f(id).score IS NULL AS none FROM v";
            let shown = stage.run(script).await.1.unwrap();
            let Some(Outcome::Rows { batches, .. }) = shown.last() else { panic!("{shown:?}") };
            assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), rows, "{before:?}");
        }
    }
}

fn check(shown: &str, expected: Expect) {
    expected.assert_eq(shown);
}
