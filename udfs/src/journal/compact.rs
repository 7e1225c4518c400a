//! Joins many small segments into one, without taking their blocks apart.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};

use super::segment::{self, Footer};
use super::{ENDING, Folder};

/// So many segments of one level are joined into one of the next.
pub(super) const MOST_SEGMENTS: usize = 500;
/// Parts of the joined segment that are on their way at once.
const PARTS: usize = 2;
/// Segments that are read at once.
const AT_ONCE: usize = 8;

/// Joins what this process wrote, level by level. Where it fails there will be another try.
pub(super) async fn compact(folder: Folder, number: u64) {
    if let Err(error) = compact_levels(&folder, number).await {
        tracing::warn!(%error, "segments of the journal could not be joined; there will be another try");
    }
}

/// A segment is deleted when the one that has its blocks is complete; a crash between leaves both, which costs nothing but
/// room.
async fn compact_levels(folder: &Folder, number: u64) -> Result<(), object_store::Error> {
    for level in 0.. {
        // What an earlier run wrote stays as it is: partitions may still read it.
        let mut of_level = folder.list().await?;
        of_level.retain(|(path, _)| level_of(folder, path) == Some(level));
        if of_level.len() < MOST_SEGMENTS {
            break;
        }
        join(folder, &of_level, folder.segment(level + 1, number)).await?;
    }
    Ok(())
}

fn level_of(folder: &Folder, path: &Path) -> Option<u32> {
    let mut parts = path.filename()?.strip_suffix(ENDING)?.split('-');
    let (_, level, writer) = (parts.next()?, parts.next()?, parts.next()?);
    (writer == folder.writer).then(|| level.parse().ok())?
}

async fn join(folder: &Folder, segments: &[(Path, u64)], target: Path) -> Result<(), object_store::Error> {
    let read = |(path, size): &(Path, u64)| {
        let (path, size) = (path.clone(), *size);
        async move {
            let Ok(footer) = folder.footer(&path, size).await? else { return Ok(None) };
            let end = footer.blocks.last().map_or(0, |block| block.range().end);
            let blocks = if end > 0 { folder.store.get_range(&path, 0..end).await? } else { bytes::Bytes::new() };
            Ok::<_, object_store::Error>(Some((path, footer, blocks)))
        }
    };
    let mut upload = WriteMultipart::new(folder.store.put_multipart(&target).await?);
    let mut read = futures::stream::iter(segments.iter().map(read)).buffered(AT_ONCE);
    let (mut footers, mut joined): (Vec<Footer>, Vec<Path>) = Default::default();
    loop {
        let next = match read.try_next().await {
            Ok(next) => next,
            Err(error) => {
                upload.abort().await.ok();
                return Err(error);
            }
        };
        let Some(segment) = next else { break };
        let Some((path, footer, blocks)) = segment else { continue };
        upload.put(blocks);
        if let Err(error) = upload.wait_for_capacity(PARTS).await {
            upload.abort().await.ok();
            return Err(error);
        }
        footers.push(footer);
        joined.push(path);
    }
    let end = segment::end_of_joined(&footers)
        .map_err(|error| object_store::Error::Generic { store: "journal", source: Box::new(error) })?;
    upload.put(end);
    upload.finish().await?;
    let joined = futures::stream::iter(joined.into_iter().map(Ok)).boxed();
    folder.store.delete_stream(joined).try_for_each(|_| async { Ok(()) }).await
}
