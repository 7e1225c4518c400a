//! What a commit does to files: makes them visible, lists, stages and removes them.
//! Each name and each upload is used once only, so what a driver does late, it does to nothing.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::super::job_folder::{JobFolder, Note, OWN, SUCCESS};
use super::super::sink::{Kind, Staged, StagedFile};
use super::super::stores::Store;
use super::ledger::Commit;
use crate::EngineError;

/// How many files are completed or listed at once.
pub(super) const AT_ONCE: usize = 16;

/// Why a file could not be made visible.
pub(super) enum Broken {
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
pub(super) async fn make_visible(folder: &JobFolder, file: &StagedFile) -> Result<(), Broken> {
    let objects = folder.objects();
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

/// A `_SUCCESS` that is not visible yet. Being staged it can become visible once only, however late that is asked for.
pub(super) async fn stage_success(folder: &JobFolder, job: &str, text: &str) -> Result<StagedFile, EngineError> {
    let failed = folder.failed("cannot stage _SUCCESS of");
    let path = folder.at(&[SUCCESS]);
    let name = format!("{SUCCESS}-{}", Uuid::new_v4());
    let staged = match folder.store().multipart() {
        Some(multipart) => {
            let id = multipart.create_multipart(&path).await.map_err(failed)?;
            let note = serde_json::to_vec(&Note { path: path.to_string(), id: id.clone() }).unwrap_or_default();
            folder.objects().put(&folder.at(&[OWN, job, "uploads", &name]), note.into()).await.map_err(failed)?;
            let part = multipart.put_part(&path, &id, 0, PutPayload::from(text.to_owned())).await.map_err(failed)?;
            Staged::Upload { id, parts: vec![part.content_id] }
        }
        None => {
            let beside = folder.at(&[OWN, job, "staging", &name]);
            folder.objects().put(&beside, PutPayload::from(text.to_owned())).await.map_err(failed)?;
            Staged::File { path: beside.to_string() }
        }
    };
    Ok(StagedFile { path: path.to_string(), kind: Kind::Rows, staged, rows: 0, bytes: text.len() as u64 })
}

/// The first of these that is not there.
pub(super) async fn first_gone<'a>(folder: &JobFolder, paths: &'a [String]) -> Result<Option<&'a String>, EngineError> {
    let failed = folder.failed("cannot read files of");
    for path in paths {
        match folder.objects().head(&self::path(path).map_err(failed)?).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(Some(path)),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(None)
}

/// What a commit replaces.
pub(super) async fn list_old(folder: &JobFolder, commit: &Commit) -> Result<Vec<String>, EngineError> {
    let own = folder.at(&[OWN]);
    let success = folder.at(&[SUCCESS]);
    let new: HashSet<&str> = commit.files.iter().map(|file| file.path.as_str()).collect();
    let replaced = replaced_folders(folder, commit).map_err(folder.failed("cannot list"))?;
    let listed = futures::stream::iter(replaced).map(|replaced| list(folder, replaced));
    let listed: Vec<_> = listed.buffer_unordered(AT_ONCE).try_collect().await?;
    let old = listed.into_iter().flatten();
    let old = old.filter(|path| !path.prefix_matches(&own) && *path != success && !new.contains(path.as_ref()));
    Ok(old.map(String::from).collect())
}

async fn list(folder: &JobFolder, within: Path) -> Result<Vec<Path>, EngineError> {
    let listed = folder.objects().list(Some(&within)).map_ok(|file| file.location);
    listed.try_collect().await.map_err(folder.failed("cannot list"))
}

/// The folders whose files are replaced: all, or the one that was named or those that new files are in, and that of the job's
/// dead letters.
fn replaced_folders(folder: &JobFolder, commit: &Commit) -> object_store::Result<BTreeSet<Path>> {
    if !commit.keeps_other_partitions {
        return Ok(BTreeSet::from([folder.destination.path.clone()]));
    }
    let letters = folder.clone().keeping_other_partitions(true).letters_of(&commit.job);
    if let Some(within) = &commit.within {
        return Ok(BTreeSet::from([folder.partition(within)?, letters]));
    }
    let rows = commit.files.iter().filter(|file| file.kind == Kind::Rows);
    let partitions = rows.filter_map(|file| path(file.path.rsplit_once('/')?.0).ok());
    Ok(partitions.chain([letters]).collect())
}

/// A path as it was written down: what is escaped in it stays as it is.
pub(super) fn path(text: &str) -> object_store::Result<Path> {
    Ok(Path::parse(text)?)
}

/// What a job has below `_paceline/`, as it was at one moment. What another try of the job adds later is not in it.
#[derive(Default)]
pub(super) struct Leftovers {
    uploads: Vec<Note>,
    objects: Vec<Path>,
    /// On a disk also what a killed process was still writing, which is in no listing; folders after what is in them.
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// Lists what a job has: what it staged, or, if `all`, its checkpoints too.
pub(super) async fn leftovers(folder: &JobFolder, job: &str, all: bool) -> Result<Leftovers, EngineError> {
    let mut left = Leftovers::default();
    if folder.store().multipart().is_some() {
        for note in list(folder, folder.at(&[OWN, job, "uploads"])).await? {
            left.uploads.extend(read_json::<Note>(folder, &note).await?);
        }
    }
    let parts: &[&[&str]] = if all { &[&[OWN, job]] } else { &[&[OWN, job, "uploads"], &[OWN, job, "staging"]] };
    for parts in parts {
        let own = folder.at(parts);
        match folder.store() {
            Store::S3(_) => left.objects.extend(list(folder, own).await?),
            Store::Local(store) => {
                let own = store.path_to_filesystem(&own).map_err(folder.failed("cannot clean up"))?;
                walk(own, &mut left).map_err(|error| cannot_remove(folder, &error))?;
            }
        }
    }
    if let Store::Local(store) = folder.store() {
        left.folders.extend(store.path_to_filesystem(&folder.at(&[OWN, job])));
    }
    Ok(left)
}

/// Removes the note of an upload of a job.
pub(super) async fn forget(folder: &JobFolder, job: &str, staged: &StagedFile) -> Result<(), EngineError> {
    let Staged::Upload { id, .. } = &staged.staged else { return Ok(()) };
    for note in list(folder, folder.at(&[OWN, job, "uploads"])).await? {
        if read_json::<Note>(folder, &note).await?.is_some_and(|found| found.id == *id) {
            delete(folder, vec![note]).await?;
        }
    }
    Ok(())
}

fn walk(own: PathBuf, left: &mut Leftovers) -> io::Result<()> {
    let entries = match std::fs::read_dir(&own) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => walk(entry.path(), left)?,
            false => left.files.push(entry.path()),
        }
    }
    left.folders.push(own);
    Ok(())
}

fn cannot_remove(folder: &JobFolder, error: &io::Error) -> EngineError {
    EngineError::Setting(format!("cannot remove what a job has staged at '{}': {error}", folder.url()))
}

/// Aborts the uploads, but those of `kept`, and removes the files.
pub(super) async fn remove(folder: &JobFolder, left: Leftovers, kept: &[StagedFile]) -> Result<(), EngineError> {
    let is_kept =
        |note: &Note| kept.iter().any(|file| matches!(&file.staged, Staged::Upload { id, .. } if *id == note.id));
    if let Some(multipart) = folder.store().multipart() {
        for note in left.uploads.iter().filter(|note| !is_kept(note)) {
            let path = path(&note.path).map_err(folder.failed("cannot clean up"))?;
            match multipart.abort_multipart(&path, &note.id).await {
                // Completed or aborted before: there is nothing to abort.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, upload = %note.id, "an upload could not be aborted"),
            }
        }
    }
    let files = left.files.iter().map(std::fs::remove_file);
    for removed in files.chain(left.folders.iter().map(std::fs::remove_dir)) {
        match removed {
            // A folder that another try has written to stays.
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                return Err(cannot_remove(folder, &error));
            }
            _ => {}
        }
    }
    delete(folder, left.objects).await
}

/// Deletes what is there; what is not there is fine.
pub(super) async fn delete(folder: &JobFolder, paths: Vec<Path>) -> Result<(), EngineError> {
    let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
    let mut deleted = folder.objects().delete_stream(paths);
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
    let bytes = match folder.objects().get(path).await {
        Ok(found) => found.bytes().await.map_err(failed)?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| EngineError::Setting(format!("'{path}' at '{}' is damaged: {error}", folder.url())))
}
