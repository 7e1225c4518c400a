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
