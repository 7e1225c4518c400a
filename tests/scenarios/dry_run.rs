//! A dry run says how many requests there would be, and sends and writes nothing.

use expect_test::{Expect, expect};
use paceline_engine::dry_run;
use paceline_engine::job::{Job, JobId};
use paceline_tests::{QUICK, Stage};

const FUNCTIONS: &str = "CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
    USING API OPTIONS (endpoint '{api}', rate_limit_calls '10');
  CREATE TEMP FUNCTION many(id BIGINT) RETURNS STRUCT<score: DOUBLE>
    USING API OPTIONS (endpoint '{api}', rate_limit_calls '10', quota 'f', format 'array', batch_size '100');
";

async fn run(stage: &Stage, script: &str) -> String {
    let folder = stage.folder.path().to_str().unwrap();
    let script = format!("{FUNCTIONS}{script}").replace("{api}", &stage.api.url()).replace("{folder}", folder);
    let job = Job::new(&JobId::generate(), &script, Default::default());
    let shown = match dry_run::run(&stage.session, &job).await {
        Ok(planned) => planned.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(stage.api.stats().requests, 0);
    assert!(!stage.folder.path().join("out").exists());
    shown.replace(folder, "{folder}")
}

async fn check(script: &str, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    let records: String = (1..=5000).map(|id| format!("{id},\"a, of\nthis record\"\n")).collect();
    stage.file("in.csv", &format!("id,text\n{records}"));
    let lines: String = (1..=40_000).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    stage.file("in.json", &lines);
    expected.assert_eq(&run(&stage, script).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_csv_and_json_are_estimated() {
    check(
        "CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true, multiLine true);
         INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT *, f(id) AS a, many(id) AS b FROM v;",
        expect![[r#"
            statement 4 (line 6): INSERT file://{folder}/out
              rows: at most ~5000
              many: at most ~50 requests for at most ~5000 rows, quota f (10 calls per 1s)
                minimum time: at most ~5 s
              f: ~5000 requests for ~5000 rows, quota f (10 calls per 1s)
                minimum time: ~8 min 20 s
              minimum time: at most ~8 min 25 s
            nothing was sent and nothing was written"#]],
    )
    .await;
    check(
        "CREATE TEMP VIEW v USING json OPTIONS (path '{folder}/in.json');
         INSERT OVERWRITE DIRECTORY '{folder}/out' USING json SELECT id, f(id) AS a FROM v WHERE id > 7;
         SELECT f(id) FROM v LIMIT 7;
         SELECT count(*) FROM v",
        expect![[r#"
            statement 4 (line 6): INSERT file://{folder}/out
              rows: at most ~40868
              f: at most ~40868 requests for at most ~40868 rows, quota f (10 calls per 1s)
                minimum time: at most ~1 h 8 min 7 s
              minimum time: at most ~1 h 8 min 7 s
            statement 5 (line 7): query
              rows: 7
              f: 7 requests for 7 rows, quota f (10 calls per 1s)
                minimum time: 1 s
              minimum time: 1 s
            statement 6 (line 8): query
              rows: 1
            nothing was sent and nothing was written"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_compressed_files_are_estimated_by_what_a_sample_grows_to() {
    let stage = Stage::set(QUICK).await;
    let path =
        stage.file("in.csv", &(1..=300_000_u64).map(|id| format!("{id},{}\n", id * 7919 % 10_007)).collect::<String>());
    assert!(std::process::Command::new("gzip").arg(&path).status().unwrap().success());
    let planned = run(
        &stage,
        "CREATE TEMP VIEW w (id BIGINT, n BIGINT) USING csv OPTIONS (path '{folder}/in.csv.gz'); SELECT f(id) FROM w",
    )
    .await;
    let rows = planned.lines().find_map(|line| line.trim().strip_prefix("rows: ~")).unwrap();
    let rows: f64 = rows.parse().unwrap();
    assert!((200_000.0..400_000.0).contains(&rows), "{planned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_files_say_how_many_rows_they_have() {
    let stage = Stage::set(QUICK).await;
    let script = "CREATE TEMP VIEW v AS SELECT * FROM range(1, 1235) AS t(id);
        INSERT OVERWRITE DIRECTORY '{folder}/in' USING parquet SELECT id FROM v";
    stage.run(script).await.1.unwrap();
    let script = "CREATE TEMP VIEW w USING parquet OPTIONS (path '{folder}/in');
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT id, f(id) AS a FROM w";
    expect![[r#"
        statement 4 (line 6): INSERT file://{folder}/out
          rows: at most 1234
          f: 1234 requests for 1234 rows, quota f (10 calls per 1s)
            minimum time: 2 min 4 s
          minimum time: 2 min 4 s
        nothing was sent and nothing was written"#]]
    .assert_eq(&run(&stage, script).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_found() {
    check(
        "SELECT f(nope) FROM range(1, 3) AS t(id)",
        expect!["statement 3 (line 5): [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `nope` cannot be resolved. Did you mean one of the following? [`id`].; line 1 pos 9"],
    )
    .await;
    check(
        "CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/none.csv')",
        expect!["statement 3 (line 5): there is no file at 'file://{folder}/none.csv'"],
    )
    .await;
    check(
        "INSERT OVERWRITE DIRECTORY '{folder}/out' USING csv SELECT 1 AS id;
         CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/out')",
        expect!["statement 4 (line 6): there is no file at 'file://{folder}/out'; statement 3 would write there, and a dry run cannot look into what is not written: dry-run the statements behind it in a job of their own, after that one has run"],
    )
    .await;
}
