//! Two live drivers at one destination: one stalls anywhere in its commit, another takes that over, the first goes on.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutPayload};
use paceline_engine::io::commit;
use paceline_engine::io::job_folder::JobFolder;
use paceline_engine::io::sink::{Kind, Staged, StagedFile};
use paceline_engine::io::stores::Place;
use paceline_tests::{QUICK, Stage};

/// Polls so often, and no more: what was asked for is under way, and nothing follows until somebody polls again.
async fn polled<F: Future>(mut future: Pin<&mut F>, mut polls: usize) -> Option<F::Output> {
    poll_fn(|context| match polls.checked_sub(1) {
        None => Poll::Ready(None),
        Some(left) => {
            polls = left;
            future.as_mut().poll(context).map(Some)
        }
    })
    .await
}

async fn put(place: &Place, name: &str, text: &str) {
    let path = place.path.clone().join(name);
    place.store.objects().put(&path, PutPayload::from(text.to_owned())).await.unwrap();
}

/// A file of rows that nobody sees yet, noted as the sink notes it.
async fn stage(place: &Place, job: &str, name: &str) -> StagedFile {
    let path = place.path.clone().join(name);
    let own = place.path.clone().join("_paceline").join(job);
    let objects = place.store.objects();
    let staged = match place.store.multipart() {
        Some(multipart) => {
            let id = multipart.create_multipart(&path).await.unwrap();
            let note = serde_json::json!({"path": path.to_string(), "id": id}).to_string();
            objects.put(&own.join("uploads").join(name), note.into()).await.unwrap();
            let part = multipart.put_part(&path, &id, 0, PutPayload::from("rows")).await.unwrap();
            Staged::Upload { id, parts: vec![part.content_id] }
        }
        None => {
            let beside = own.join("staging").join(name);
            objects.put(&beside, PutPayload::from("rows")).await.unwrap();
            Staged::File { path: beside.to_string() }
        }
    };
    StagedFile { path: path.to_string(), kind: Kind::Rows, staged, rows: 1, bytes: 4 }
}

/// What readers see, with the text of `_SUCCESS`.
async fn seen(place: &Place) -> (Vec<String>, String) {
    let files: Vec<_> = place.store.objects().list(Some(&place.path)).try_collect().await.unwrap();
    let names = files.iter().filter_map(|file| file.location.filename()).map(str::to_owned);
    let own = |name: &String| name.starts_with("part-");
    let mut names: Vec<_> = names.filter(own).collect();
    names.sort_unstable();
    let success = place.store.objects().get(&place.path.clone().join("_SUCCESS")).await;
    let text = success.unwrap_or_else(|error| panic!("{names:?}: {error}")).bytes().await.unwrap();
    (names, String::from_utf8(text.to_vec()).unwrap())
}

/// What the second driver does while the first one stalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// Starts, and so finishes a commit that it finds.
    Starts,
    /// Starts and commits its own result.
    Commits,
}

/// A driver of `first` stalls after each number of polls in turn; meanwhile one of `second` acts, which does not wait.
async fn check(stage_of: &Stage, root: &str, second_job: &str, does: Second) {
    let mut failures = 0;
    for polls in 0.. {
        let place = stage_of.stores.place(&format!("{root}/{second_job}-{does:?}-{polls}")).unwrap();
        put(&place, "_SUCCESS", "old").await;
        put(&place, "part-old", "old").await;
        let first = JobFolder::new(place.clone(), "first").with_success("by the first");
        commit::prepare(&first).await.unwrap();
        let files = vec![stage(&place, "first", "part-a1").await, stage(&place, "first", "part-a2").await];
        let mut committing = pin!(commit::commit(&first, files));
        if polled(committing.as_mut(), polls).await.is_some() {
            assert!(polls > 8 && failures > 5, "{failures} of {polls}");
            return;
        }

        let second = JobFolder::new(place.clone(), second_job).with_success("by the second");
        let second = second.taking_over_after(Duration::ZERO);
        commit::prepare(&second).await.unwrap();
        if does == Second::Commits {
            let files = vec![stage(&place, second_job, "part-b1").await, stage(&place, second_job, "part-b2").await];
            commit::commit(&second, files).await.unwrap();
        }

        let ended = committing.await;
        failures += usize::from(ended.is_err());
        let (names, success) = seen(&place).await;
        let of_first = (vec!["part-a1".to_owned(), "part-a2".to_owned()], "by the first".to_owned());
        let of_second = (vec!["part-b1".to_owned(), "part-b2".to_owned()], "by the second".to_owned());
        let of_old = (vec!["part-old".to_owned()], "old".to_owned());
        let found = (names, success);
        let context = format!("{polls} polls, {second_job} {does:?}: {found:?}, {ended:?}");
        match &ended {
            Ok(()) => assert!(found == of_first || does == Second::Commits && found == of_second, "{context}"),
            Err(error) if does == Second::Commits => {
                assert!(found == of_second, "{context}");
                let said = error.to_string();
                assert!(said.contains("started again") || said.contains("another driver"), "{context}");
            }
            // The job was started again before its commit had begun, or that was finished for it.
            Err(_) => assert!(found == of_first || second_job == "first" && found == of_old, "{context}"),
        }
    }
}

async fn check_all(root: &str) {
    let stage = Stage::set(QUICK).await;
    let root = root.replace("{folder}", stage.folder.path().to_str().unwrap());
    for job in ["first", "other"] {
        for does in [Second::Starts, Second::Commits] {
            check(&stage, &root, job, does).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_stalls_anywhere_harms_nothing_on_s3() {
    check_all("s3://out-bucket/fenced").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_stalls_anywhere_harms_nothing_in_a_folder() {
    check_all("{folder}/fenced").await;
}
