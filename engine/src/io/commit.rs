//! Makes staged files visible, all or nothing as far as readers can tell: they trust `_SUCCESS`.
//!
//! Completing many uploads is not atomic, so a commit rolls forward. A manifest that lists everything is written
//! first; from then on whoever finds it can finish the commit, and doing a step twice changes nothing:
//! 1. the manifest, written only if there is none; then, as nobody else commits here now, the list of old files in it
//! 2. the old `_SUCCESS` goes
//! 3. each staged file becomes visible
//! 4. the old files go, never what is below `_paceline/`; where other partitions stay, those in the folders of new files only
//! 5. the new `_SUCCESS`, then what the job had of its own goes, then the manifest

use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;

use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::job_folder::{JobFolder, Note, OWN, SUCCESS};
use super::sink::{Kind, Staged, StagedFile};
use super::stores::Store;
use crate::EngineError;

const MANIFEST: &str = "commit.json";

/// The newest version of the manifest. The first one knew of no partitions that stay; whoever knows that one only must not
/// finish such a commit.
const VERSION: u32 = 2;

/// How many files are completed or deleted at once.
const AT_ONCE: usize = 16;

/// Everything that a commit does, written down before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    job: String,
    files: Vec<StagedFile>,
    /// What `_SUCCESS` will hold.
    #[serde(default)]
    success: String,
    /// Whether the job's checkpoints stay.
    #[serde(default)]
    keeps_checkpoints: bool,
    /// Whether partitions stay that none of the files is in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keeps_other_partitions: bool,
    /// What `_SUCCESS` held before; not there until the manifest itself keeps everybody else out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_success: Option<String>,
    /// Paths of the files that are replaced; not there until the manifest itself keeps everybody else out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<Vec<String>>,
}

impl Manifest {
    /// Whether both are of one commit.
    fn is_that_of(&self, other: &Manifest) -> bool {
        (&self.job, &self.files) == (&other.job, &other.files)
    }
}

/// Before a job writes: finishes a commit that was broken off here, and aborts what an earlier try of this job left.
/// Returns whether there was such a commit.
///
/// # Errors
/// The store cannot be read or written, or the broken commit cannot be finished.
pub async fn prepare(folder: &JobFolder) -> Result<bool, EngineError> {
    let broken = read_manifest(folder).await?;
    let was_broken = broken.is_some();
    if let Some(manifest) = broken {
        tracing::warn!(destination = %folder.url(), job = %manifest.job, "finishing a commit that was broken off");
        roll_forward(folder, manifest).await?;
    }
    abandon(folder).await?;
    Ok(was_broken)
}

/// Makes exactly `files` the content of the destination, or of their partitions where the others stay.
///
/// # Errors
/// The store fails: the destination is finished by the next job that writes there. Or another job is committing here at
/// this moment: then nothing of this one is visible or left.
pub async fn commit(folder: &JobFolder, files: Vec<StagedFile>) -> Result<(), EngineError> {
    let manifest = Manifest {
        version: if folder.keeps_other_partitions { VERSION } else { 1 },
        job: folder.job.to_string(),
        files,
        success: folder.success.to_string(),
        keeps_checkpoints: folder.keeps_checkpoints,
        keeps_other_partitions: folder.keeps_other_partitions,
        old_success: None,
        old: folder.appends.then(|| folder.replaced.to_vec()),
    };
    if !claim(folder, &manifest).await? {
        abandon_after_failure(folder).await;
        return Err(EngineError::Setting(format!(
            "another job is committing to '{}' at this moment; nothing of this job became visible, run it again",
            folder.url()
        )));
    }
    if let Some(gone) = first_gone(folder).await? {
        delete(folder, vec![folder.at(&[OWN, MANIFEST])]).await?;
        abandon_after_failure(folder).await;
        return Err(EngineError::Setting(format!(
            "'{gone}' was to be replaced and is gone: somebody else has done the same work at this moment; nothing of this \
             job became visible"
        )));
    }
    roll_forward(folder, manifest).await
}

/// The first of the files to be replaced that is not there, where only some are replaced.
async fn first_gone(folder: &JobFolder) -> Result<Option<&String>, EngineError> {
    for path in folder.replaced.iter() {
        match folder.objects().head(&self::path(path).map_err(folder.failed("cannot read files of"))?).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(Some(path)),
            Err(error) => return Err(folder.failed("cannot read files of")(error)),
        }
    }
    Ok(None)
}

/// [`abandon`], where the job has failed anyway: what cannot be cleaned up is only logged.
pub async fn abandon_after_failure(folder: &JobFolder) {
    if let Err(error) = abandon(folder).await {
        tracing::warn!(%error, "what the job had staged could not be removed; the next try under its id removes it");
    }
}

/// Aborts every upload that the job noted and removes what it had staged. Nothing of it was visible; what is left are its
/// checkpoints, so that it can be resumed.
///
/// # Errors
/// The store cannot be read or written; the bucket's rule for incomplete uploads is the backstop.
pub async fn abandon(folder: &JobFolder) -> Result<(), EngineError> {
    abort_noted(folder, &folder.job, &[]).await?;
    remove_staged(folder, &folder.job).await
}

/// Aborts every upload that a job noted, but those of `files`.
async fn abort_noted(folder: &JobFolder, job: &str, files: &[StagedFile]) -> Result<(), EngineError> {
    let failed = folder.failed("cannot clean up");
    let is_kept =
        |note: &Note| files.iter().any(|file| matches!(&file.staged, Staged::Upload { id, .. } if *id == note.id));
    if let Some(multipart) = folder.store().multipart() {
        let objects = folder.store().objects();
        let notes = objects.list(Some(&folder.at(&[OWN, job, "uploads"])));
        let notes: Vec<_> = notes.try_collect().await.map_err(failed)?;
        for note in notes {
            let Some(note) = read_json::<Note>(folder, &note.location).await?.filter(|note| !is_kept(note)) else {
                continue;
            };
            match multipart.abort_multipart(&path(&note.path).map_err(failed)?, &note.id).await {
                // Completed or aborted before: there is nothing to abort.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, upload = %note.id, "an upload could not be aborted"),
            }
        }
    }
    Ok(())
}

async fn remove_staged(folder: &JobFolder, job: &str) -> Result<(), EngineError> {
    remove_folder(folder, &[OWN, job, "uploads"]).await?;
    remove_folder(folder, &[OWN, job, "staging"]).await
}

/// Writes the manifest if there is none; `false` if there is another one.
async fn claim(folder: &JobFolder, manifest: &Manifest) -> Result<bool, EngineError> {
    match put_manifest(folder, manifest, PutMode::Create).await {
        Ok(()) => Ok(true),
        // Our own request may have been sent twice by the client because its first answer was lost.
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
            // Somebody who came by may have filled it in since.
            Ok(read_manifest(folder).await?.is_some_and(|found| found.is_that_of(manifest)))
        }
        Err(error) => Err(folder.failed("cannot commit to")(error)),
    }
}

async fn put_manifest(folder: &JobFolder, manifest: &Manifest, mode: PutMode) -> object_store::Result<()> {
    let text = serde_json::to_vec(manifest)
        .map_err(|error| object_store::Error::Generic { store: "manifest", source: Box::new(error) })?;
    folder.store().objects().put_opts(&folder.at(&[OWN, MANIFEST]), text.into(), mode.into()).await.map(|_| ())
}

async fn read_manifest(folder: &JobFolder) -> Result<Option<Manifest>, EngineError> {
    let manifest: Option<Manifest> = read_json(folder, &folder.at(&[OWN, MANIFEST])).await?;
    match manifest {
        Some(manifest) if !(1..=VERSION).contains(&manifest.version) => Err(EngineError::Setting(format!(
            "the unfinished commit at '{}' was written by a newer version of Paceline; finish it with that one",
            folder.url()
        ))),
        manifest => Ok(manifest),
    }
}

/// Steps 2 to 5.
async fn roll_forward(folder: &JobFolder, mut manifest: Manifest) -> Result<(), EngineError> {
    let failed = folder.failed("cannot commit to");
    let objects = folder.store().objects();
    if manifest.old.is_none() || manifest.old_success.is_none() {
        manifest.old_success = folder.success().await?;
        if manifest.old.is_none() {
            manifest.old = Some(list_old(folder, &manifest).await?);
        }
        put_manifest(folder, &manifest, PutMode::Overwrite).await.map_err(failed)?;
    }
    let success = folder.at(&[SUCCESS]);
    delete(folder, vec![success.clone()]).await?;

    let completed = manifest.files.iter().map(|file| make_visible(folder, file));
    let completed: Vec<_> = futures::stream::iter(completed).buffer_unordered(AT_ONCE).collect().await;
    if !completed.is_empty() && completed.iter().all(|done| matches!(done, Err(Broken::Gone(_)))) {
        return give_up(folder, &manifest).await;
    }
    completed.into_iter().collect::<Result<Vec<()>, _>>().map_err(|broken| failed(broken.into()))?;

    // Somebody else may have finished this commit meanwhile, and a later one with it.
    if !still_stands(folder, &manifest).await? {
        return Ok(());
    }
    let old = manifest.old.iter().flatten();
    delete(folder, old.map(|old| path(old)).collect::<Result<_, _>>().map_err(failed)?).await?;
    objects.put(&success, manifest.success.clone().into()).await.map_err(failed)?;

    clean_up(folder, &manifest).await
}

/// The job is complete. What is left over is removed by the next one, so it is no reason to fail. Whoever came by may have
/// finished it and begun another commit here, whose manifest must stay.
async fn clean_up(folder: &JobFolder, manifest: &Manifest) -> Result<(), EngineError> {
    let removed = async {
        // A task that was run again left the upload of its first try.
        abort_noted(folder, &manifest.job, &manifest.files).await?;
        match manifest.keeps_checkpoints {
            true => remove_staged(folder, &manifest.job).await?,
            false => remove_folder(folder, &[OWN, &manifest.job]).await?,
        }
        if still_stands(folder, manifest).await? {
            delete(folder, vec![folder.at(&[OWN, MANIFEST])]).await?;
        }
        Ok::<_, EngineError>(())
    };
    if let Err(error) = removed.await {
        tracing::warn!(%error, "the commit is complete, but its own files could not be removed");
    }
    remove_empty_local_folder(folder);
    Ok(())
}

/// Whether this commit is the one that goes on here.
async fn still_stands(folder: &JobFolder, manifest: &Manifest) -> Result<bool, EngineError> {
    Ok(read_manifest(folder).await?.is_some_and(|found| found.is_that_of(manifest)))
}

async fn list_old(folder: &JobFolder, manifest: &Manifest) -> Result<Vec<String>, EngineError> {
    let own = folder.at(&[OWN]);
    let new: HashSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    let listed = futures::stream::iter(replaced_folders(folder, manifest)).map(|replaced| async move {
        let listed = folder.store().objects().list(Some(&replaced)).map_ok(|file| file.location);
        listed.try_collect::<Vec<_>>().await.map_err(folder.failed("cannot list"))
    });
    let listed: Vec<_> = listed.buffer_unordered(AT_ONCE).try_collect().await?;
    let old = listed.into_iter().flatten().filter(|path| !path.prefix_matches(&own) && !new.contains(path.as_ref()));
    Ok(old.map(String::from).collect())
}

/// The folders whose files are replaced: all, or those that new files are in and that of the job's dead letters.
fn replaced_folders(folder: &JobFolder, manifest: &Manifest) -> BTreeSet<Path> {
    if !manifest.keeps_other_partitions {
        return BTreeSet::from([folder.destination.path.clone()]);
    }
    let rows = manifest.files.iter().filter(|file| file.kind == Kind::Rows);
    let partitions = rows.filter_map(|file| path(file.path.rsplit_once('/')?.0).ok());
    let letters = folder.clone().keeping_other_partitions(true).letters_of(&manifest.job);
    partitions.chain([letters]).collect()
}

/// A path as it was written down: what is escaped in it stays as it is.
fn path(text: &str) -> object_store::Result<Path> {
    Ok(Path::parse(text)?)
}

/// Nothing that was staged is there any more, so nothing of the commit can be finished, and nothing was replaced.
async fn give_up(folder: &JobFolder, manifest: &Manifest) -> Result<(), EngineError> {
    if let Some(text) = &manifest.old_success {
        let success = folder.at(&[SUCCESS]);
        let put = folder.store().objects().put(&success, text.clone().into()).await;
        put.map_err(folder.failed("cannot restore _SUCCESS of"))?;
    }
    delete(folder, vec![folder.at(&[OWN, MANIFEST])]).await?;
    Err(EngineError::Setting(format!(
        "what job '{}' had staged for '{}' is gone, as when it is started again while it still runs; the destination is \
         as it was, run the job again",
        manifest.job,
        folder.url()
    )))
}

/// Why a file could not be made visible.
enum Broken {
    /// What was staged is not there.
    Gone(object_store::Error),
    /// Anything else; another try may succeed.
    Failed(object_store::Error),
}

impl From<Broken> for object_store::Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Gone(error) | Broken::Failed(error) => error,
        }
    }
}

/// A file that is there with its full size was made visible before: its name is used once only.
async fn make_visible(folder: &JobFolder, file: &StagedFile) -> Result<(), Broken> {
    let objects = folder.store().objects();
    let path = path(&file.path).map_err(Broken::Failed)?;
    let done = match (&file.staged, folder.store().multipart()) {
        (Staged::Upload { id, parts }, Some(multipart)) => {
            let parts = parts.iter().map(|id| object_store::multipart::PartId { content_id: id.clone() }).collect();
            multipart.complete_multipart(&path, id, parts).await.map(|_| ())
        }
        (Staged::Upload { .. }, None) => Err(object_store::Error::NotImplemented {
            operation: "multipart upload".to_owned(),
            implementer: objects.to_string(),
        }),
        (Staged::File { path: staged }, _) => objects.rename(&self::path(staged).map_err(Broken::Failed)?, &path).await,
    };
    let Err(error) = done else { return Ok(()) };
    match (objects.head(&path).await, &error) {
        (Ok(found), _) if found.size == file.bytes => Ok(()),
        (Err(object_store::Error::NotFound { .. }), object_store::Error::NotFound { .. }) => Err(Broken::Gone(error)),
        _ => Err(Broken::Failed(error)),
    }
}

async fn remove_folder(folder: &JobFolder, parts: &[&str]) -> Result<(), EngineError> {
    if let Store::Local(store) = folder.store() {
        return remove_local_folder(folder, store, parts);
    }
    let files = folder.store().objects().list(Some(&folder.at(parts)));
    let files: Vec<_> = files.map_ok(|file| file.location).try_collect().await.map_err(folder.failed("cannot list"))?;
    delete(folder, files).await
}

/// A folder on a disk has more than its files: sub-folders, and what a killed process was still writing.
fn remove_local_folder(folder: &JobFolder, store: &LocalFileSystem, parts: &[&str]) -> Result<(), EngineError> {
    let own = store.path_to_filesystem(&folder.at(parts)).map_err(folder.failed("cannot clean up"))?;
    match std::fs::remove_dir_all(&own) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(EngineError::Setting(format!("cannot remove {}: {error}", own.display()))),
    }
    remove_empty_local_folder(folder);
    Ok(())
}

/// Paceline's own folder goes when nothing is in it: no manifest, and no folder of another job.
fn remove_empty_local_folder(folder: &JobFolder) {
    if let Store::Local(store) = folder.store() {
        for parts in [[OWN, &folder.job].as_slice(), &[OWN]] {
            store.path_to_filesystem(&folder.at(parts)).ok().and_then(|own| std::fs::remove_dir(own).ok());
        }
    }
}

/// Deletes what is there; what is not there is fine.
async fn delete(folder: &JobFolder, paths: Vec<Path>) -> Result<(), EngineError> {
    let objects = folder.store().objects();
    let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
    let mut deleted = objects.delete_stream(paths);
    while let Some(result) = deleted.next().await {
        match result {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(folder.failed("cannot delete files of")(error)),
        }
    }
    Ok(())
}

async fn read_json<T: DeserializeOwned>(folder: &JobFolder, path: &Path) -> Result<Option<T>, EngineError> {
    let failed = folder.failed("cannot read Paceline's own files at");
    let bytes = match folder.store().objects().get(path).await {
        Ok(found) => found.bytes().await.map_err(failed)?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| EngineError::Setting(format!("'{path}' at '{}' is damaged: {error}", folder.url())))
}
