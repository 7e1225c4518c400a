//! What others wrote down: earlier runs, and other processes of this one.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::segment::{self, Footer};
use super::{Index, Journal, spill_error};

/// Footers that are read at once.
const AT_ONCE: usize = 8;
/// So often segments may be joined while a partition is read.
const MOST_JOINS: usize = 5;

/// Segments by name, so oldest first, with what is in them; `None` where that is lost.
pub(super) type Past = BTreeMap<Path, Option<Arc<Footer>>>;

impl Journal {
    /// Takes in the segments that are there and not known yet.
    pub(super) async fn look(&self) -> Result<(), object_store::Error> {
        let mut past = self.past.lock().await;
        let listed = self.folder.list().await?;
        let there: HashSet<&Path> = listed.iter().map(|(path, _)| path).collect();
        past.retain(|path, _| there.contains(path)); // the others were joined
        let unknown: Vec<_> = listed.iter().filter(|(path, _)| !past.contains_key(path)).cloned().collect();
        let footers = unknown.into_iter().map(|(path, size)| async move {
            match self.folder.footer(&path, size).await {
                Ok(footer) => Ok(Some((path, footer))),
                Err(object_store::Error::NotFound { .. }) if self.shared => Ok(None),
                Err(error) => Err(error),
            }
        });
        let mut footers = futures::stream::iter(footers).buffered(AT_ONCE);
        while let Some(found) = footers.try_next().await? {
            match found {
                None => {}
                Some((path, Ok(footer))) => {
                    self.counters.found.add(footer.blocks.iter().map(|block| block.answers).sum());
                    past.insert(path, Some(Arc::new(footer)));
                }
                Some((path, Err(damage))) => {
                    tracing::warn!(segment = %path, %damage, "a segment of the journal is lost; its rows are asked for again");
                    self.counters.damaged.add(1);
                    past.insert(path, None);
                }
            }
        }
        Ok(())
    }

    /// Loads what is there now. A segment that is joined by its writer meanwhile is found in the joined one.
    pub(super) async fn load_anew(&self, partition: u32) -> Result<Option<Index>, object_store::Error> {
        for _ in 0..MOST_JOINS {
            self.look().await?;
            match self.load(partition).await {
                Err(object_store::Error::NotFound { .. }) => {}
                loaded => return loaded,
            }
        }
        self.look().await?;
        self.load(partition).await
    }

    pub(super) async fn load(&self, partition: u32) -> Result<Option<Index>, object_store::Error> {
        let mut index = None;
        let past = self.past.lock().await.clone();
        for (path, footer) in past.into_iter().filter_map(|(path, footer)| Some((path, footer?))) {
            for block in footer.blocks.iter().filter(|block| block.partition == partition) {
                let packed = self.folder.store.get_range(&path, block.range()).await?;
                let entries = match segment::read(block, &packed) {
                    Ok(entries) => entries,
                    Err(damage) => {
                        let lost = block.answers;
                        tracing::warn!(segment = %path, %damage, lost, "a block of the journal is lost; its rows are asked for again");
                        self.counters.damaged.add(1);
                        continue;
                    }
                };
                let index = index.get_or_insert_with(|| Index::new(self.index_bytes));
                index.add(entries).map_err(spill_error)?;
            }
        }
        Ok(index)
    }
}
