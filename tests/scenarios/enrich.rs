//! The classic job: every record of a CSV file to the API, the answers beside it.

use std::collections::BTreeMap;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use expect_test::{Expect, expect};
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutPayload};
use paceline_engine::EngineError;
use paceline_engine::enrich::{self, EnrichOptions, Values};
use paceline_engine::job::JobId;
use paceline_engine::observe::report::Report;
use paceline_tests::{QUICK, Stage};

async fn run(
    stage: &Stage,
    csv: &str,
    set: &[(&str, &str)],
    returns: Option<&str>,
) -> (Report, Result<(), EngineError>) {
    let input = stage.stores.place("s3://in-bucket/day/records.csv").unwrap();
    input.store.objects().put(&input.path, PutPayload::from(csv.to_owned())).await.unwrap();
    let required =
        [("S3_BUCKET", "in-bucket"), ("S3_KEY", "day/records.csv"), ("S3_OUTPUT", "s3://out-bucket/enriched")];
    let mut flags: BTreeMap<_, _> =
        required.iter().chain(set).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    flags.insert("API_ENDPOINT".to_owned(), stage.api.url());
    let options = EnrichOptions::new(&Values::gather(&flags, |_| None, &BTreeMap::new())).unwrap();
    enrich::run(&stage.session, &options, returns, &JobId::generate()).await
}

/// Columns of the output, with their types.
async fn columns(stage: &Stage) -> String {
    let place = stage.stores.place("s3://out-bucket/enriched").unwrap();
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let file = files.iter().find(|file| file.location.as_ref().ends_with(".parquet")).unwrap();
    let bytes = place.store.objects().get(&file.location).await.unwrap().bytes().await.unwrap();
    let schema = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().schema().clone();
    schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect::<Vec<_>>().join(", ")
}

fn csv(header: &str, rows: u64) -> String {
    let rows = (1..=rows).map(|id| format!("{id},u{id}@example.com\n"));
    format!("{header}\n{}", rows.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answers_decide_on_the_columns_and_are_not_bought_twice() {
    // The 150 rows that are left are in four partitions, one of which has none but rows that were asked for already.
    for (format, requests) in [("record", 250), ("array", 1 + 3)] {
        let stage = Stage::set(QUICK).await;
        let set = [("API_FORMAT", format), ("BATCH_SIZE", "100")];
        let (report, result) = run(&stage, &csv("id,email", 250), &set, None).await;
        result.unwrap();
        assert_eq!((report.records_read, report.records_written, report.answers_reused), (250, 250, 100), "{format}");
        assert_eq!((report.requests, stage.api.stats().records), (requests, 250), "{format}");
        assert_eq!(columns(&stage).await, "id Int32, email Utf8, status Utf8, score Float64");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_the_reply_that_the_input_has_gets_another_name() {
    let stage = Stage::set(QUICK).await;
    let (report, result) =
        run(&stage, &csv("score,status`", 3), &[], Some("STRUCT<status: STRING, score: DOUBLE>")).await;
    result.unwrap();
    assert_eq!((report.records_written, report.requests), (3, 3));
    assert_eq!(columns(&stage).await, "score Int32, status` Utf8, status Utf8, response_score Float64");
}

async fn check_error(csv: &str, returns: Option<&str>, expected: Expect) {
    let stage = Stage::set(QUICK).await;
    let (report, result) = run(&stage, csv, &[], returns).await;
    let error = result.unwrap_err().to_string();
    assert_eq!(report.error.as_ref(), Some(&error));
    expected.assert_eq(&error);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_gives_no_answer_is_said_so() {
    check_error("id,email\n", None, expect!["'s3://in-bucket/day/records.csv' has no records"]).await;
    check_error("id,email\n1,\n2,\n", None, expect!["none of the first 2 calls was answered with a JSON object; say what the API answers, as in --returns 'STRUCT<status: STRING, score: DOUBLE>'"]).await;
    check_error(
        "id\n1\n",
        Some("STRUCT<a>"),
        expect![[r#"

            [PARSE_SYNTAX_ERROR] Syntax error at or near '>'.(line 1, pos 8)

            == SQL ==
            STRUCT<a>
            --------^^^
        "#]],
    )
    .await;
}
