//! Joins many small segments into one, without taking their blocks apart.

use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};

use super::segment::{self, Footer};
use super::{ENDING, Folder};

/// More segments of one level than this are joined into one of the next.
pub(super) const MOST_SEGMENTS: usize = 500;
/// Parts of the joined segment that are on their way at once.
const PARTS: usize = 2;

/// Joins the segments of each level that has more than [`MOST_SEGMENTS`]. A segment is deleted when the one that has its
/// blocks is complete; a crash between leaves both, which costs nothing but room.
pub(super) async fn compact(folder: &Folder, number: u64) -> Result<(), object_store::Error> {
    let listed = folder.list().await?;
    for level in 0..u32::MAX {
        let of_level: Vec<_> = listed.iter().filter(|(path, _)| level_of(path) == Some(level)).collect();
        if of_level.is_empty() {
            return Ok(());
        }
        // Only what this process wrote: a damaged or foreign segment stays as it is.
        if of_level.len() >= MOST_SEGMENTS {
            join(folder, &of_level, folder.segment(level + 1, number)).await?;
        }
    }
    Ok(())
}

fn level_of(path: &Path) -> Option<u32> {
    path.filename()?.strip_suffix(ENDING)?.split('-').next()?.parse().ok()
}

async fn join(folder: &Folder, segments: &[&(Path, u64)], target: Path) -> Result<(), object_store::Error> {
    let mut footers: Vec<Footer> = Vec::new();
    let mut joined = Vec::new();
    let mut upload = WriteMultipart::new(folder.store.put_multipart(&target).await?);
    for (path, size) in segments {
        let Ok(footer) = folder.footer(path, *size).await? else { continue };
        let end = footer.blocks.last().map_or(0, |block| block.range().end);
        if end > 0 {
            upload.put(folder.store.get_range(path, 0..end).await?);
            upload.wait_for_capacity(PARTS).await?;
        }
        footers.push(footer);
        joined.push(path);
    }
    let end = segment::end_of_joined(&footers)
        .map_err(|error| object_store::Error::Generic { store: "journal", source: Box::new(error) })?;
    upload.put(end);
    upload.finish().await?;
    for path in joined {
        folder.store.delete(path).await?;
    }
    Ok(())
}
