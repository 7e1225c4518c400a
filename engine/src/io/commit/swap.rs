//! Compare-and-swap of one small object: on S3 by its ETag, on a disk under a lock of the destination's folder.
//! It never overwrites what its caller has not seen.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use object_store::{ObjectStoreExt, PutMode, UpdateVersion};

use super::super::job_folder::{JobFolder, OWN};
use super::super::stores::Store;
use super::MANIFEST;
use crate::EngineError;

/// The object as somebody saw it, or that it was not there.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub bytes: Option<Bytes>,
    e_tag: Option<String>,
    version: Option<String>,
}

pub(super) async fn read(folder: &JobFolder) -> Result<Seen, EngineError> {
    let failed = folder.failed("cannot read Paceline's own files at");
    match folder.objects().get(&folder.at(&[OWN, MANIFEST])).await {
        Ok(found) => {
            let (e_tag, version) = (found.meta.e_tag.clone(), found.meta.version.clone());
            Ok(Seen { bytes: Some(found.bytes().await.map_err(failed)?), e_tag, version })
        }
        Err(object_store::Error::NotFound { .. }) => Ok(Seen::default()),
        Err(error) => Err(failed(error)),
    }
}

/// Writes `text`, which was never written before, in place of what was seen; `None` if that is not there any more.
pub(super) async fn swap(folder: &JobFolder, seen: &Seen, text: Bytes) -> Result<Option<Seen>, EngineError> {
    let failed = folder.failed("cannot commit to");
    if let Store::Local(store) = folder.store() {
        let file = store.path_to_filesystem(&folder.at(&[OWN, MANIFEST])).map_err(failed)?;
        let root = store.path_to_filesystem(&folder.destination.path).map_err(failed)?;
        let (expected, new) = (seen.bytes.clone(), text.clone());
        let swapped = tokio::task::spawn_blocking(move || swap_file(&root, &file, expected, &new)).await;
        let swapped = swapped.map_err(io::Error::from).flatten();
        let swapped = swapped
            .map_err(|source| failed(object_store::Error::Generic { store: "folder", source: Box::new(source) }))?;
        return Ok(swapped.then(|| Seen { bytes: Some(text), ..Seen::default() }));
    }
    let mode = match seen.bytes {
        Some(_) => PutMode::Update(UpdateVersion { e_tag: seen.e_tag.clone(), version: seen.version.clone() }),
        None => PutMode::Create,
    };
    match folder.objects().put_opts(&folder.at(&[OWN, MANIFEST]), text.clone().into(), mode.into()).await {
        Ok(put) => Ok(Some(Seen { bytes: Some(text), e_tag: put.e_tag, version: put.version })),
        Err(error) => {
            // The request may have been done although its answer was lost; the client may even have sent it twice.
            let found = read(folder).await?;
            match error {
                _ if found.bytes.as_ref() == Some(&text) => Ok(Some(found)),
                object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => Ok(None),
                error => Err(failed(error)),
            }
        }
    }
}

fn swap_file(root: &Path, file: &Path, expected: Option<Bytes>, new: &[u8]) -> io::Result<bool> {
    let _lock = lock(root)?;
    let found = match fs::read(file) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if found.as_deref() != expected.as_deref() {
        return Ok(false);
    }
    let beside = beside(file);
    fs::create_dir_all(beside.parent().unwrap_or(root))?;
    fs::write(&beside, new)?;
    fs::rename(&beside, file)?;
    Ok(true)
}

/// A killed process leaves at most this one file, which the next one overwrites.
fn beside(file: &Path) -> PathBuf {
    file.with_extension("json#1") // a name that listings pass over
}

/// The lock goes when the file is dropped, or its process dies. A folder that was removed meanwhile locks nobody out.
fn lock(root: &Path) -> io::Result<File> {
    loop {
        fs::create_dir_all(root)?;
        let locked = File::open(root)?;
        locked.lock()?;
        match fs::metadata(root) {
            Ok(found) if (found.dev(), found.ino()) == (locked.metadata()?.dev(), locked.metadata()?.ino()) => {
                return Ok(locked);
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}
