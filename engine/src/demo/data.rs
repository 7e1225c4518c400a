//! Test data: made and cleaned up.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload, WriteMultipart};

use super::records::{RecordOptions, Records};
use crate::EngineError;
use crate::io::stores::{Place, Stores};

/// Beside each generated file: what it is, and the permission to delete it.
const MARK: &str = ".paceline-generated";

/// Writes records to a file.
///
/// # Errors
/// The file cannot be written.
pub async fn generate(stores: &Stores, url: &str, options: RecordOptions) -> Result<(), EngineError> {
    let place = stores.place(url)?;
    let failed = |source| EngineError::Storage { action: "cannot write", url: url.to_owned(), source };
    let upload = place.store.objects().put_multipart_opts(&place.path, Default::default()).await.map_err(failed)?;
    let mut writer = WriteMultipart::new(upload);
    for piece in Records::new(options) {
        writer.wait_for_capacity(2).await.map_err(failed)?; // memory stays bounded however many records there are
        writer.put(piece.into());
    }
    writer.finish().await.map_err(failed)?;
    place.store.objects().put(&mark_of(&place.path), PutPayload::new()).await.map_err(failed)?;
    Ok(())
}

/// What would be, or was, deleted.
#[derive(Debug)]
pub struct Cleaning {
    place: Place,
    /// Paths in the store.
    pub files: Vec<Path>,
}

/// Finds what `generate` and jobs wrote at `url`: a generated file, or a folder with an output of Paceline. Nothing else is
/// ever listed.
///
/// # Errors
/// The place cannot be listed, or holds nothing of the kind.
pub async fn find(stores: &Stores, url: &str) -> Result<Cleaning, EngineError> {
    let place = stores.place(url)?;
    let failed = |source| EngineError::Storage { action: "cannot list", url: url.to_owned(), source };
    let mark = mark_of(&place.path);
    if place.store.objects().head(&mark).await.is_ok() {
        return Ok(Cleaning { files: vec![place.path.clone(), mark], place });
    }
    let all: Vec<Path> = place
        .store
        .objects()
        .list(Some(&place.path))
        .map_ok(|file| file.location)
        .try_collect()
        .await
        .map_err(failed)?;
    let files: Vec<_> = all.iter().filter(|file| is_ours(&place.path, file, &all)).cloned().collect();
    if files.is_empty() {
        let why = "it is no file that 'data generate' wrote and no folder that a job wrote to";
        return Err(EngineError::Setting(format!("nothing to clean at '{url}': {why}")));
    }
    Ok(Cleaning { place, files })
}

impl Cleaning {
    /// Deletes the files.
    ///
    /// # Errors
    /// One of them cannot be deleted.
    pub async fn delete(&self) -> Result<(), EngineError> {
        for file in &self.files {
            match self.place.store.objects().delete(file).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => {
                    return Err(EngineError::Storage { action: "cannot delete", url: file.to_string(), source });
                }
            }
        }
        Ok(())
    }
}

fn mark_of(path: &Path) -> Path {
    Path::from(format!("{path}{MARK}"))
}

/// Names as the sink gives them, below the folder itself or one of its own folders; and generated files with their marks.
fn is_ours(folder: &Path, file: &Path, all: &[Path]) -> bool {
    let Some(parts) = file.prefix_match(folder) else { return false };
    let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["_SUCCESS"] | ["_paceline", ..] => true,
        [name] | ["_dead_letter", name] if name.starts_with("part-") && name.contains("-c000.") => true,
        [.., name] => name.ends_with(MARK) || all.contains(&mark_of(file)),
        [] => false,
    }
}
