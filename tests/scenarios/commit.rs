//! What is visible at a destination, and what becomes of a commit that is broken off.

use futures::TryStreamExt;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use paceline_engine::io::commit;
use paceline_engine::io::job_folder::JobFolder;
use paceline_engine::io::sink::{Kind, Staged, StagedFile};
use paceline_engine::io::stores::Place;
use paceline_engine::job::JobId;
use paceline_tests::{QUICK, Stage};
use serde_json::json;

/// Stays, so that whoever writes it finds out whether somebody else has.
const MANIFEST: &str = "_paceline/commit.json";

const OUT: &str = "s3://out-bucket/enriched";

async fn listed(place: &Place) -> Vec<String> {
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let names = files.iter().map(|file| file.location.as_ref().trim_start_matches("enriched/").to_owned());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(MANIFEST)).collect();
    names.sort_unstable();
    names
}

async fn put(place: &Place, name: &str, text: &str) {
    place.store.objects().put(&at(place, name), PutPayload::from(text.to_owned())).await.unwrap();
}

/// A name at a place, where what is escaped stays as it is.
fn at(place: &Place, name: &str) -> Path {
    Path::parse(format!("{}/{name}", place.path)).unwrap()
}

/// Uploads a file without completing it.
async fn stage_upload(place: &Place, name: &str) -> StagedFile {
    let path = at(place, name);
    let multipart = place.store.multipart().unwrap();
    let id = multipart.create_multipart(&path).await.unwrap();
    let part = multipart.put_part(&path, &id, 0, PutPayload::from("rows")).await.unwrap();
    let staged = Staged::Upload { id, parts: vec![part.content_id] };
    StagedFile { path: path.to_string(), kind: Kind::Rows, staged, rows: 1, bytes: 4 }
}

async fn complete(place: &Place, file: &StagedFile) {
    let Staged::Upload { id, parts } = &file.staged else { panic!("{file:?}") };
    let parts = parts.iter().map(|id| PartId { content_id: id.clone() }).collect();
    let path = Path::parse(&file.path).unwrap();
    place.store.multipart().unwrap().complete_multipart(&path, id, parts).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_broken_off_after_any_step_is_finished_by_the_next_job() {
    for steps_done in 0..=5 {
        let stage = Stage::set(QUICK).await;
        let place = stage.stores.place(OUT).unwrap();
        put(&place, "_SUCCESS", "").await;
        put(&place, "part-old", "old").await;
        let files = [stage_upload(&place, "part-a").await, stage_upload(&place, "part-b").await];
        let manifest = json!({"version": 1, "job": "killed", "files": files, "old": ["enriched/part-old"]});
        put_manifest(&place, &manifest.to_string()).await;
        let remove = |name: &str| Path::from(format!("enriched/{name}"));
        if steps_done >= 1 {
            place.store.objects().delete(&remove("_SUCCESS")).await.unwrap();
        }
        if steps_done >= 2 {
            complete(&place, &files[1]).await;
        }
        if steps_done >= 3 {
            complete(&place, &files[0]).await;
        }
        if steps_done >= 4 {
            place.store.objects().delete(&remove("part-old")).await.unwrap();
        }
        if steps_done >= 5 {
            put(&place, "_SUCCESS", "").await;
        }
        commit::prepare(&JobFolder::new(place.clone(), "next")).await.unwrap();
        assert_eq!(listed(&place).await, ["_SUCCESS", "part-a", "part-b"], "after {steps_done} steps");
    }
}

/// As `a_commit_broken_off_after_any_step_is_finished_by_the_next_job`, where other partitions stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_partitions_broken_off_after_any_step_replaces_these_only() {
    let old = ["k=1/part-old", "k=1/deep/part-old", "_dead_letter/job=killed/part-old"];
    let others = ["_dead_letter/job=other/part-x", "_dead_letter/part-x", "k=10/part-x", "k=3/part-x", "part-x"];
    for steps_done in 0..=6 {
        let stage = Stage::set(QUICK).await;
        let place = stage.stores.place(OUT).unwrap();
        put(&place, "_SUCCESS", "before").await;
        for name in old.iter().chain(&others) {
            put(&place, name, "old").await;
        }
        let files = [stage_upload(&place, "k=1/part-a").await, stage_upload(&place, "k=2%3A/part-b").await];
        let mut manifest = json!({"version": 2, "job": "killed", "files": files, "keeps_other_partitions": true});
        if steps_done >= 1 {
            manifest["old"] = old.iter().map(|name| format!("enriched/{name}")).collect();
            manifest["old_success"] = "before".into();
        }
        put_manifest(&place, &manifest.to_string()).await;
        let remove = async |name: &str| place.store.objects().delete(&at(&place, name)).await.unwrap();
        if steps_done >= 2 {
            remove("_SUCCESS").await;
        }
        if steps_done >= 3 {
            complete(&place, &files[1]).await;
        }
        if steps_done >= 4 {
            complete(&place, &files[0]).await;
        }
        if steps_done >= 5 {
            remove(old[0]).await;
        }
        if steps_done >= 6 {
            remove(old[1]).await;
            remove(old[2]).await;
            put(&place, "_SUCCESS", "").await;
        }
        commit::prepare(&JobFolder::new(place.clone(), "next")).await.unwrap();
        let mut expected = ["_SUCCESS", "k=1/part-a", "k=2%3A/part-b"].to_vec();
        expected.extend(others);
        expected.sort_unstable();
        assert_eq!(listed(&place).await, expected, "after {steps_done} steps");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_rows_replaces_no_partition() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place(OUT).unwrap();
    put(&place, "k=1/part-old", "old").await;
    let folder = JobFolder::new(place.clone(), "empty").keeping_other_partitions(true);
    commit::commit(&folder, Vec::new()).await.unwrap();
    assert_eq!(listed(&place).await, ["_SUCCESS", "k=1/part-old"]);
}

async fn put_manifest(place: &Place, text: &str) {
    let path = place.path.clone().join("_paceline").join("commit.json");
    place.store.objects().put(&path, PutPayload::from(text.to_owned())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_manifest_is_not_guessed_at() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place(OUT).unwrap();
    let folder = JobFolder::new(place.clone(), "second");
    put_manifest(&place, "{\"version\": 1, \"jo").await;
    let error = commit::prepare(&folder).await.unwrap_err().to_string();
    assert!(error.contains("'enriched/_paceline/commit.json'") && error.contains("is damaged"), "{error}");
    put_manifest(&place, &json!({"version": 4, "job": "first", "files": [], "old": []}).to_string()).await;
    let error = commit::prepare(&folder).await.unwrap_err().to_string();
    assert!(error.contains("newer version"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_files_are_all_gone_is_given_up_and_the_old_result_stays() {
    for manifest_has_old in [false, true] {
        let stage = Stage::set(QUICK).await;
        let place =
            stage.stores.place("{folder}/out".replace("{folder}", stage.folder.path().to_str().unwrap()).as_str());
        let place = place.unwrap();
        put(&place, "_SUCCESS", "").await;
        put(&place, "part-old", "old").await;
        let path = place.path.clone();
        let staged = Staged::File { path: path.clone().join("_paceline").join("killed").join("part-a").to_string() };
        let file = StagedFile { path: path.join("part-a").to_string(), kind: Kind::Rows, staged, rows: 1, bytes: 4 };
        let mut manifest = json!({"version": 1, "job": "killed", "files": [file]});
        if manifest_has_old {
            manifest["old"] = json!([place.path.clone().join("part-old").to_string()]);
        }
        put_manifest(&place, &manifest.to_string()).await;
        let folder = JobFolder::new(place.clone(), "next");
        let error = commit::prepare(&folder).await.unwrap_err().to_string();
        assert!(error.contains("what job 'killed' had staged") && error.contains("is gone"), "{error}");
        let names = listed_names(&place).await;
        let names: Vec<_> = names.iter().map(|name| name.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["_SUCCESS", "part-old"]);
        commit::prepare(&folder).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_was_broken_off_before_its_list_of_old_files_is_finished() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place(OUT).unwrap();
    put(&place, "part-old", "old").await;
    let file = stage_upload(&place, "part-a").await;
    put_manifest(&place, &json!({"version": 1, "job": "killed", "files": [file]}).to_string()).await;
    assert!(commit::prepare(&JobFolder::new(place.clone(), "next")).await.unwrap());
    assert_eq!(listed(&place).await, ["_SUCCESS", "part-a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_file_breaks_the_commit_instead_of_being_passed_over() {
    let stage = Stage::set(QUICK).await;
    let place = stage.stores.place(OUT).unwrap();
    let mut file = stage_upload(&place, "part-a").await;
    complete(&place, &file).await;
    file.bytes = 5; // what is there is not what was staged
    assert!(commit::commit(&JobFolder::new(place.clone(), "job"), vec![file]).await.is_err());
    assert!(!listed(&place).await.contains(&"_SUCCESS".to_owned()));
}

const ONE_CALL_AN_HOUR: &str =
    "CREATE OR REPLACE TEMP VIEW records USING csv OPTIONS (path '{folder}/in.csv', header 'true');
     CREATE OR REPLACE TEMP FUNCTION enrich(id BIGINT) RETURNS STRUCT<score: DOUBLE>
       USING API OPTIONS (endpoint '{api}', rate_limit_calls '1', rate_limit_period '1 hour');
     INSERT OVERWRITE DIRECTORY '{out}' USING parquet SELECT *, enrich(id) AS answer FROM records;";

/// Runs a job that waits an hour for its second call, looks at the destination once the first has arrived, gives the
/// job up and runs it again under the same id.
async fn nothing_is_visible_before_commit(stage: Stage, out: &str) {
    stage.file("in.csv", "id\n1\n2\n");
    let out = out.replace("{folder}", stage.folder.path().to_str().unwrap());
    let place = stage.stores.place(&out).unwrap();
    put(&place, "part-old", "old").await;
    let id = JobId::parse("nightly").unwrap();
    let script = ONE_CALL_AN_HOUR.replace("{out}", &out);
    let first_call = async {
        while stage.api.stats().requests == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        (_, result) = stage.run_as(id.clone(), &script) => panic!("the job ended: {result:?}"),
        () = first_call => {}
    }
    let seen = listed_names(&place).await;
    assert_eq!(seen.iter().filter(|name| !name.contains("/_paceline/")).count(), 1, "{seen:?}");

    let quick = script.replace("rate_limit_calls '1'", "rate_limit_calls '1000', quota 'quick'");
    let (report, result) = stage.run_as(id, &quick).await;
    result.unwrap();
    assert_eq!(report.records_written, 2);
    let names = listed_names(&place).await;
    let file_names: Vec<_> = names.iter().map(|name| name.rsplit('/').next().unwrap()).collect();
    assert!(
        file_names.len() >= 2 && file_names[0] == "_SUCCESS" && file_names[1].starts_with("part-00000-"),
        "{names:?}"
    );
    assert!(file_names[1..].iter().all(|name| name.ends_with("-c000.snappy.parquet")), "{names:?}");
}

async fn listed_names(place: &Place) -> Vec<String> {
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let names = files.iter().map(|file| file.location.to_string());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(MANIFEST)).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_on_s3_before_commit() {
    nothing_is_visible_before_commit(Stage::set(QUICK).await, OUT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_in_a_folder_before_commit() {
    nothing_is_visible_before_commit(Stage::set(QUICK).await, "{folder}/out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_leaves_what_was_there() {
    let stage = Stage::set(QUICK).await;
    let path = stage.file("in.csv", "id,email\n1,a@example.com\n2,\n");
    let place = stage.stores.place(OUT).unwrap();
    put(&place, "part-old", "old").await;
    let script = format!(
        "CREATE TEMP VIEW records USING csv OPTIONS (path '{path}', header 'true');
         CREATE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<score: DOUBLE>
           USING API OPTIONS (endpoint '{{api}}', rate_limit_calls '1000', on_error 'fail');
         INSERT OVERWRITE DIRECTORY '{OUT}' USING parquet SELECT *, enrich(id, email) AS answer FROM records;"
    );
    let (report, result) = stage.run(&script).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("statement 3") && error.contains("status 422 (http_4xx, attempts: 1)"), "{error}");
    assert!(report.output.is_empty() && report.error.is_some());
    let (own, visible): (Vec<_>, Vec<_>) =
        listed(&place).await.into_iter().partition(|name| name.starts_with("_paceline/"));
    assert_eq!(visible, ["part-old"]);
    // What is left is its checkpoint: it can be resumed.
    assert!(own.iter().all(|name| name.contains("/journal-3/") || name.ends_with("/statement-3.json")), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_as_json_and_dead_letters_do_not_get_in_each_others_way() {
    for out in [OUT, "{folder}/out"] {
        let stage = Stage::set(QUICK).await;
        let path = stage.file("in.csv", "id,email\n1,a@example.com\n2,\n");
        let script = format!(
            "CREATE TEMP VIEW records USING csv OPTIONS (path '{path}', header 'true');
             CREATE TEMP FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<score: DOUBLE>
               USING API OPTIONS (endpoint '{{api}}', rate_limit_calls '1000');
             INSERT OVERWRITE DIRECTORY '{out}' USING json SELECT *, enrich(id, email) AS answer FROM records;"
        );
        let (report, result) = stage.run(&script).await;
        result.unwrap();
        assert_eq!((report.records_written, report.records_failed), (1, 1));
        let place = stage.stores.place(&out.replace("{folder}", stage.folder.path().to_str().unwrap())).unwrap();
        let names = listed_names(&place).await;
        let (letters, rest): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.contains("/_dead_letter/part-"));
        let rows: Vec<_> = rest.iter().filter(|name| name.contains("/part-") && name.ends_with("-c000.json")).collect();
        assert!(letters.len() == 1 && !rows.is_empty() && rest.len() == rows.len() + 1, "{names:?}");
    }
}
