//! Outputs in folders of partitions, and files of so many rows. Names, and what is replaced, are what Spark 3.5.4 left for the
//! same rows and options of a DataFrameWriter.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use futures::TryStreamExt;
use paceline_engine::job::JobId;
use paceline_engine::observe::report::Report;
use paceline_engine::{Session, Settings};
use paceline_tests::{QUICK, Stage};

const OUTS: [&str; 2] = ["s3://out-bucket/out", "{folder}/out"];

async fn run(stage: &Stage, script: &str) -> Report {
    let (report, result) = stage.run(script).await;
    result.unwrap();
    report
}

/// The visible files with their text, without the ids in their names; Parquet without text.
async fn files(stage: &Stage, out: &str) -> String {
    let place = stage.stores.place(&out.replace("{folder}", stage.folder.path().to_str().unwrap())).unwrap();
    let objects = place.store.objects();
    let found: Vec<_> = objects.list(Some(&place.path)).try_collect().await.unwrap();
    let mut lines = Vec::new();
    for file in found.into_iter().filter(|file| !file.location.as_ref().contains("/_paceline/")) {
        let name = file.location.as_ref().strip_prefix(place.path.as_ref()).unwrap().trim_start_matches('/');
        let id = name.find("part-").map(|at| at + "part-00000-".len());
        let name = id.map_or(name.to_owned(), |at| format!("{}<id>{}", &name[..at], &name[at + 36..]));
        let bytes = object_store::ObjectStoreExt::get(objects, &file.location).await.unwrap().bytes().await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap_or_default();
        let text = if name.contains("part-") { text.trim_end().replace('\n', " ") } else { String::new() };
        lines.push(format!("{name} {text}").trim_end().to_owned());
    }
    lines.sort_unstable();
    lines.join("\n")
}

async fn check(out: &str, stage: &Stage, expected: &Expect) {
    expected.assert_eq(&files(stage, out).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_become_folders_with_the_names_that_spark_gives_them() {
    let expected = expect![[r#"
        DAY=2026-01-01/region=a%2Fb%3Ac%25d%3De/part-00000-<id>.c000.csv id,x 2,2.5 6,6.5
        DAY=2026-01-01/region=eu/part-00000-<id>.c000.csv id,x 4,4.5
        DAY=2026-01-01/region=é <|>~./part-00000-<id>.c000.csv id,x 7,7.5
        DAY=2026-01-02/region=eu/part-00000-<id>.c000.csv id,x 1,1.5
        DAY=__HIVE_DEFAULT_PARTITION__/region=__HIVE_DEFAULT_PARTITION__/part-00000-<id>.c000.csv id,x 3,3.5 5,5.5
        _SUCCESS"#]];
    for out in OUTS {
        let stage = Stage::set(QUICK).await;
        let script = format!(
            "CREATE TEMP VIEW t AS SELECT * FROM (VALUES
               (1, DATE '2026-01-02', 'eu', 1.5), (2, DATE '2026-01-01', 'a/b:c%d=e', 2.5), (3, NULL, '', 3.5),
               (4, DATE '2026-01-01', 'eu', 4.5), (5, NULL, NULL, 5.5), (6, DATE '2026-01-01', 'a/b:c%d=e', 6.5),
               (7, DATE '2026-01-01', 'é <|>~.', 7.5)) AS t(id, day, region, x);
             INSERT OVERWRITE DIRECTORY '{out}' USING csv OPTIONS (partitionBy 'DAY, region', header 'true')
               SELECT id, day, x, region FROM t"
        );
        let report = run(&stage, &script).await;
        assert_eq!(report.records_written, 7);
        check(out, &stage, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_end_as_those_of_spark() {
    let stage = Stage::set(QUICK).await;
    run(
        &stage,
        "INSERT OVERWRITE DIRECTORY '{folder}/out' USING json OPTIONS (partitionBy 'k') SELECT 1 AS id, 2 AS k",
    )
    .await;
    check(
        "{folder}/out",
        &stage,
        &expect![[r#"
        _SUCCESS
        k=2/part-00000-<id>.c000.json {"id":1}"#]],
    )
    .await;
    let parquet =
        "INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet OPTIONS (partitionBy 'k') SELECT 1 AS id, true AS k";
    run(&stage, parquet).await;
    check(
        "{folder}/out",
        &stage,
        &expect![[r#"
        _SUCCESS
        k=true/part-00000-<id>.c000.snappy.parquet"#]],
    )
    .await;
    // Nothing is replaced by nothing: there is no folder that a file with the columns alone could be in.
    run(&stage, &format!("{parquet} WHERE false")).await;
    check("{folder}/out", &stage, &expect!["_SUCCESS"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_so_many_rows_at_most() {
    let rows = "SELECT * FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS t(id) ORDER BY id DESC";
    for out in OUTS {
        let stage = Stage::set(QUICK).await;
        let script =
            |options: &str, rows: &str| format!("INSERT OVERWRITE DIRECTORY '{out}' USING json {options} {rows}");
        run(&stage, &script("OPTIONS (maxRecordsPerFile '4')", rows)).await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            part-00000-<id>-c000.json {"id":9} {"id":8} {"id":7} {"id":6}
            part-00000-<id>-c001.json {"id":5} {"id":4} {"id":3} {"id":2}
            part-00000-<id>-c002.json {"id":1} {"id":0}"#]],
        )
        .await;
        run(&stage, &script("OPTIONS (maxRecordsPerFile '5')", rows)).await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            part-00000-<id>-c000.json {"id":9} {"id":8} {"id":7} {"id":6} {"id":5}
            part-00000-<id>-c001.json {"id":4} {"id":3} {"id":2} {"id":1} {"id":0}"#]],
        )
        .await;
        run(&stage, &script("OPTIONS (maxRecordsPerFile '-1')", rows)).await;
        check(out, &stage, &expect![[r#"
            _SUCCESS
            part-00000-<id>-c000.json {"id":9} {"id":8} {"id":7} {"id":6} {"id":5} {"id":4} {"id":3} {"id":2} {"id":1} {"id":0}"#]]).await;
        let by_k = rows.replace("SELECT *", "SELECT id, id % 2 AS k");
        let report = run(&stage, &script("OPTIONS (maxRecordsPerFile '3', partitionBy 'k')", &by_k)).await;
        assert_eq!(report.records_written, 10);
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            k=0/part-00000-<id>.c000.json {"id":8} {"id":6} {"id":4}
            k=0/part-00000-<id>.c001.json {"id":2} {"id":0}
            k=1/part-00000-<id>.c000.json {"id":9} {"id":7} {"id":5}
            k=1/part-00000-<id>.c001.json {"id":3} {"id":1}"#]],
        )
        .await;
    }
}

const ROWS: &str = "CREATE OR REPLACE TEMP VIEW t AS SELECT * FROM (VALUES (0), (1), (2), (3), (4), (5)) AS t(id);
    INSERT OVERWRITE DIRECTORY '{out}' USING json OPTIONS (partitionBy 'k'{options}) SELECT id, ";

#[tokio::test(flavor = "multi_thread")]
async fn an_overwrite_replaces_everything_or_the_partitions_that_it_has() {
    for out in OUTS {
        let stage = Stage::set(QUICK).await;
        let insert = async |options: &str, rows: &str| {
            run(&stage, &(ROWS.replace("{out}", out).replace("{options}", options) + rows)).await
        };
        insert("", "id % 3 AS k FROM t").await;
        insert(", partitionOverwriteMode 'Dynamic'", "id % 2 + 1 AS k FROM t WHERE id < 4").await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            k=0/part-00000-<id>.c000.json {"id":0} {"id":3}
            k=1/part-00000-<id>.c000.json {"id":0} {"id":2}
            k=2/part-00000-<id>.c000.json {"id":1} {"id":3}"#]],
        )
        .await;
        insert(", partitionOverwriteMode 'dynamic'", "1 AS k FROM t WHERE id < 0").await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            k=0/part-00000-<id>.c000.json {"id":0} {"id":3}
            k=1/part-00000-<id>.c000.json {"id":0} {"id":2}
            k=2/part-00000-<id>.c000.json {"id":1} {"id":3}"#]],
        )
        .await;
        insert(", partitionOverwriteMode 'static'", "7 AS k FROM t WHERE id = 5").await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            k=7/part-00000-<id>.c000.json {"id":5}"#]],
        )
        .await;
        // Without partitions dynamic is static.
        run(&stage, &format!(
            "INSERT OVERWRITE DIRECTORY '{out}' USING json OPTIONS (partitionOverwriteMode 'dynamic') SELECT 1 AS id, 2 AS k"
        )).await;
        check(
            out,
            &stage,
            &expect![[r#"
            _SUCCESS
            part-00000-<id>-c000.json {"id":1,"k":2}"#]],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_hold_where_the_options_say_nothing() {
    let mut stage = Stage::set(QUICK).await;
    let mut settings = Settings::default();
    settings.set("spark.sql.sources.partitionOverwriteMode", "DYNAMIC").unwrap();
    settings.set("spark.sql.files.maxRecordsPerFile", "1").unwrap();
    stage.session = Session::new(settings).unwrap();
    let insert = async |options: &str, rows: &str| {
        run(&stage, &(ROWS.replace("{out}", "{folder}/out").replace("{options}", options) + rows)).await
    };
    insert("", "id AS k FROM t WHERE id = 1").await;
    insert("", "2 AS k FROM t WHERE id < 2").await;
    check(
        "{folder}/out",
        &stage,
        &expect![[r#"
        _SUCCESS
        k=1/part-00000-<id>.c000.json {"id":1}
        k=2/part-00000-<id>.c000.json {"id":0}
        k=2/part-00000-<id>.c001.json {"id":1}"#]],
    )
    .await;
    insert(", maxRecordsPerFile '0', partitionOverwriteMode 'static'", "3 AS k FROM t WHERE id < 2").await;
    check(
        "{folder}/out",
        &stage,
        &expect![[r#"
        _SUCCESS
        k=3/part-00000-<id>.c000.json {"id":0} {"id":1}"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_partitioned_is_refused_before_a_row_is_read() {
    let stage = Stage::set(QUICK).await;
    for (by, expected) in [
        ("c", expect!["statement 1 (line 1): Partition column `c` not found in schema struct<a:int,b:int>"]),
        (
            "a,b",
            expect![
                "statement 1 (line 1): [ALL_PARTITION_COLUMNS_NOT_ALLOWED] Cannot use all columns for partition columns."
            ],
        ),
        (
            "b,B",
            expect![
                "statement 1 (line 1): [COLUMN_ALREADY_EXISTS] The column `b` already exists. Consider to choose another name or rename the existing column."
            ],
        ),
        (
            "",
            expect![
                "statement 1 (line 1): the csv output option 'partitionBy' is '', expected names of columns, as in 'day,region'"
            ],
        ),
    ] {
        let insert = format!(
            "INSERT OVERWRITE DIRECTORY '{{folder}}/out' USING csv OPTIONS (partitionBy '{by}') SELECT 1 AS a, 2 AS b"
        );
        expected.assert_eq(&stage.run(&insert).await.1.unwrap_err().to_string());
    }
}

const LETTERS: &str =
    "CREATE OR REPLACE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header 'true', inferSchema 'true');
    CREATE OR REPLACE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<score: DOUBLE>
      USING API OPTIONS (endpoint '{api}', rate_limit_calls '10000', max_failed_percent '100');
    INSERT OVERWRITE DIRECTORY '{out}' USING json OPTIONS (partitionBy 'day', partitionOverwriteMode 'dynamic')
      SELECT *, enrich(id, email).score AS score FROM records;";

/// The letters of a day's job stay when the job of another day runs, and go when its own runs again.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_lie_beside_partitions_by_their_job() {
    for out in OUTS {
        let stage = Stage::set(QUICK).await;
        let script = LETTERS.replace("{out}", out);
        let day = async |day: u8, job: &str, rows: &str| {
            let rows = rows.lines().map(|row| format!("{row},2026-01-0{day}\n")).collect::<String>();
            stage.file("in.csv", &format!("id,email,day\n{rows}"));
            let (report, result) = stage.run_as(JobId::parse(job).unwrap(), &script).await;
            result.unwrap();
            (report.records_written, report.records_failed)
        };
        let folders = async || {
            let files = files(&stage, out).await;
            let folders: BTreeSet<_> = files.lines().filter_map(|line| Some(line.rsplit_once("/part-")?.0)).collect();
            folders.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(day(1, "first", "1,a@b.c\n2,\n3,a@b.c").await, (2, 1));
        assert_eq!(day(2, "second", "4,\n5,a@b.c\n6,").await, (1, 2));
        let days = ["day=2026-01-01", "day=2026-01-02"];
        assert_eq!(folders().await, [&["_dead_letter/job=first", "_dead_letter/job=second"], days.as_slice()].concat());
        assert_eq!(day(1, "first", "1,a@b.c\n2,a@b.c\n3,a@b.c").await, (3, 0));
        assert_eq!(folders().await, [&["_dead_letter/job=second"], days.as_slice()].concat());
    }
}

/// Many rows in many partitions, more than a task may hold while it sorts: none is lost, each is in its folder, in the order
/// in which it came, and no folder has more than one file of a task.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_folder_stay_in_their_order_when_they_do_not_fit_into_memory() {
    let stage = Stage::set(QUICK).await;
    let filler = "x".repeat(1000);
    let text: String = (0..120_000).map(|id| format!("{id},{filler}\n")).collect();
    stage.file("in.csv", &format!("id,filler\n{text}"));
    let report = run(
        &stage,
        "CREATE TEMP VIEW t USING csv OPTIONS (path '{folder}/in.csv', header 'true', inferSchema 'true');
         INSERT OVERWRITE DIRECTORY '{folder}/out' USING csv OPTIONS (partitionBy 'k') SELECT id, filler, (id * 7919) % 50 AS k FROM t",
    )
    .await;
    assert_eq!(report.records_written, 120_000);
    let mut ids = Vec::new();
    for k in 0..50 {
        let folder = stage.folder.path().join(format!("out/k={k}"));
        let mut tasks = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap();
            assert!(tasks.insert(file.file_name().to_str().unwrap()[..10].to_owned()), "{file:?}");
            let text = std::fs::read_to_string(file.path()).unwrap();
            let own: Vec<u64> = text.lines().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
            assert!(own.is_sorted() && own.iter().all(|id| id * 7919 % 50 == k));
            ids.extend(own);
        }
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..120_000));
}
