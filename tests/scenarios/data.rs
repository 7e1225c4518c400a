//! Test data is made, and only what was made is cleaned up.

use futures::TryStreamExt;
use paceline_engine::demo::{self, RecordOptions};
use paceline_tests::{QUICK, Stage};

async fn listed(stage: &Stage, url: &str) -> Vec<String> {
    let place = stage.stores.place(url).unwrap();
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let mut names: Vec<_> = files.iter().map(|file| file.location.filename().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_generate_and_jobs_wrote_is_deleted() {
    let stage = Stage::set(QUICK).await;
    let folder = stage.folder.path().to_str().unwrap().to_owned();
    let input = format!("{folder}/in/records.csv");
    let options = RecordOptions { records: 20_001, seed: 1, ..RecordOptions::default() };
    demo::generate(&stage.stores, &input, options).await.unwrap();
    let script = "CREATE TEMP VIEW v USING csv OPTIONS (path '{folder}/in/records.csv', header true, inferSchema true);
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT * FROM v";
    let (report, result) = stage.run(script).await;
    result.unwrap();
    assert_eq!(report.records_written, 20_001);
    stage.file("out/mine.parquet", "mine");
    stage.file("in/mine.csv", "mine");

    for (url, left) in [(format!("{folder}/out"), vec!["mine.parquet"]), (input, vec![])] {
        demo::find(&stage.stores, &url).await.unwrap().delete().await.unwrap();
        assert_eq!(listed(&stage, &url).await, left);
    }
    assert_eq!(listed(&stage, &format!("{folder}/in")).await, ["mine.csv"]);
    let error = demo::find(&stage.stores, &format!("{folder}/in")).await.unwrap_err().to_string();
    assert!(error.contains("no folder that a job wrote to"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_is_missing_double_or_wrong() {
    let stage = Stage::set(QUICK).await;
    let options = RecordOptions { records: 3000, seed: 1, null_percent: 4, duplicate_percent: 3, ..Default::default() };
    let folder = stage.folder.path().to_str().unwrap().to_owned();
    let (input, output) = (format!("{folder}/in.csv"), format!("{folder}/out"));
    demo::generate(&stage.stores, &input, options).await.unwrap();
    let script = "CREATE OR REPLACE TEMP VIEW v USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
        CREATE OR REPLACE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited');
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT * FROM (SELECT *, ANSWER AS answer FROM v) WHERE";
    let sent = ["id".to_owned(), "email".to_owned()];
    let verify = async |condition: &str, answer: &str| {
        stage.run(&script.replace("ANSWER", answer).replace("WHERE", condition)).await.1.unwrap();
        demo::verify(&stage.session, &input, &output, &sent).await.unwrap()
    };

    let exact = verify("", "enrich(id, email)").await;
    assert!(exact.is_exact(), "{exact:?}");
    assert_eq!(exact.input, demo::count(&stage.session, &input).await.unwrap());
    assert_eq!(exact.input, exact.output + exact.dead_letters);
    assert!(exact.input > 3000 && exact.dead_letters > 60, "{exact:?}");

    let missing = verify("WHERE id <> 7", "enrich(id, email)").await;
    assert_eq!((missing.missing.as_slice(), missing.is_exact()), (["id 7".to_owned()].as_slice(), false));
    let wrong = verify("", "enrich(id + CAST(id = 8 AS INT), email)").await;
    assert_eq!((wrong.wrong.as_slice(), wrong.is_exact()), (["id 8".to_owned()].as_slice(), false));
    let double =
        verify("UNION ALL SELECT *, enrich(id, email) AS answer FROM v WHERE id = 9", "enrich(id, email)").await;
    assert_eq!((double.double.as_slice(), double.is_exact()), (["id 9".to_owned()].as_slice(), false));
}
