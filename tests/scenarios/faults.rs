//! An S3 that answers 503, breaks connections and changes files in mid-read: the job ends exact, or says what happened.

use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, PutPayload};
use paceline_engine::demo::{self, Faults, RecordOptions, Records};
use paceline_tests::{QUICK, Stage};

const IN: &str = "s3://in-bucket/records.csv";
const OUT: &str = "s3://out-bucket/enriched";

fn records(records: u64) -> RecordOptions {
    RecordOptions { records, seed: 1, null_percent: 2, ..RecordOptions::default() }
}

/// The main job, and the check that each record is in its output once.
async fn run_and_verify(stage: &Stage) {
    let script = format!(
        "CREATE TEMP VIEW v USING csv OPTIONS (path '{IN}', header true, inferSchema true);
         CREATE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
           USING API OPTIONS (endpoint '{{api}}', rate_limit_calls 'unlimited');
         INSERT OVERWRITE DIRECTORY '{OUT}' USING parquet SELECT *, enrich(id, email) AS answer FROM v"
    );
    stage.run(&script).await.1.unwrap();
    let found = demo::verify(&stage.session, IN, OUT, &["id".to_owned(), "email".to_owned()]).await.unwrap();
    assert!(found.is_exact(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_may_be_slowed_down_once() {
    let (seen, kinds) = (Mutex::new(HashSet::new()), Arc::new(Mutex::new(HashSet::new())));
    let counted = Arc::clone(&kinds);
    let slow_down = move |method: &str, uri: &str| {
        let kind = match (method, uri) {
            ("POST", uri) if uri.contains("/_SUCCESS?uploadId=") => "success",
            ("PUT", uri) if uri.contains("partNumber=") => "part",
            ("POST", uri) if uri.contains("uploadId=") => "complete",
            ("PUT", uri) if uri.ends_with("/_paceline/commit.json") => "manifest",
            ("GET", uri) if uri.ends_with("/records.csv") => "read",
            _ => "other",
        };
        counted.lock().unwrap().insert(kind);
        seen.lock().unwrap().insert(format!("{method} {uri}"))
    };
    let stage = Stage::set_faulty(QUICK, Faults { slow_down: Some(Arc::new(slow_down)), ..Faults::default() }).await;
    demo::generate(&stage.stores, IN, records(200)).await.unwrap();
    run_and_verify(&stage).await;
    let kinds = kinds.lock().unwrap();
    for kind in ["part", "complete", "manifest", "success", "read"] {
        assert!(kinds.contains(kind), "no request of the kind '{kind}' was slowed down");
    }
}

/// Breaks `cuts` connections after 200,000 bytes each.
fn cuts(cuts: usize) -> (Faults, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(cuts));
    (Faults { cut_after: 200_000, cuts: Arc::clone(&left), ..Faults::default() }, left)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_taken_up_where_it_broke() {
    let (faults, left) = cuts(3);
    let stage = Stage::set_faulty(QUICK, faults).await;
    demo::generate(&stage.stores, IN, records(10_000)).await.unwrap();
    run_and_verify(&stage).await;
    assert_eq!(left.load(Ordering::SeqCst), 0, "no download broke off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_file_that_breaks_off_does_not_look_like_its_end() {
    let (faults, left) = cuts(2);
    let stage = Stage::set_faulty(QUICK, faults).await;
    let plain = stage.file("records.csv", &Records::new(records(60_000)).collect::<Vec<_>>().concat());
    assert!(Command::new("gzip").arg(&plain).status().unwrap().success());
    let packed = std::fs::read(format!("{plain}.gz")).unwrap();
    assert!(packed.len() > 500_000);
    let place = stage.stores.place("s3://in-bucket/records.csv.gz").unwrap();
    place.store.objects().put(&place.path, PutPayload::from(packed)).await.unwrap();
    let count = demo::count(&stage.session, "s3://in-bucket/records.csv.gz").await.unwrap();
    assert_eq!((count, left.load(Ordering::SeqCst)), (60_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_in_pieces_of_one_version() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place("s3://in-bucket/large.bin").unwrap();
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    place.store.objects().put(&place.path, PutPayload::from(bytes.clone())).await.unwrap();
    let tables = place.store.shared();
    let read = tables.get(&place.path).await.unwrap().bytes().await.unwrap();
    assert!(read == bytes, "the pieces are not the file");
    let range = 999_999..18_000_001_u64;
    let read = tables.get_range(&place.path, range.clone()).await.unwrap();
    assert!(read == bytes[range.start as usize..range.end as usize], "the pieces are not the range");
    let empty = stage.stores.place("s3://in-bucket/empty.bin").unwrap().path;
    place.store.objects().put(&empty, PutPayload::new()).await.unwrap();
    assert!(tables.get(&empty).await.unwrap().bytes().await.unwrap().is_empty());

    let mut read = tables.get(&place.path).await.unwrap().into_stream();
    read.next().await.unwrap().unwrap();
    place.store.objects().put(&place.path, PutPayload::from(vec![0; 20_000_000])).await.unwrap();
    let error = read.try_collect::<Vec<_>>().await.unwrap_err().to_string();
    assert!(error.contains("'large.bin' was changed while it was read"), "{error}");
}
