//! Answers that were paid for, written down as they come, so that a job that is run again does not buy them twice.
//!
//! A journal belongs to one statement of one job. Every second, or as soon as there are [`MOST_ANSWERS`], what came since goes
//! into one immutable segment of its own (`segment`); many small segments are joined in the background (`compact`).
//! Segments are read only when a job is run again, and only those blocks that a partition needs (`index`).

mod compact;
mod folder;
mod index;
mod past;
mod segment;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use folder::Folder;
pub use index::Index;
use past::Past;
use segment::Entry;

use crate::ask::Answer;
use crate::counters::Counter;
use crate::key::Key;

/// So many answers are written down without waiting for the second to end.
pub const MOST_ANSWERS: usize = 5_000;
/// An answer waits no longer than this to be written down.
const INTERVAL: Duration = Duration::from_secs(1);
/// Indexes of all partitions together keep so much in memory.
const INDEX_BYTES: usize = 64 * 1024 * 1024;
const ENDING: &str = ".journal";

/// The journal of one statement.
pub struct Journal {
    folder: Folder,
    /// Whether other processes write to the folder too.
    shared: bool,
    /// What others wrote down: earlier runs, and those other processes.
    past: tokio::sync::Mutex<Past>,
    indexes: Mutex<HashMap<u32, Arc<Loaded>>>,
    index_bytes: usize,
    buffer: Mutex<Buffer>,
    filled: Arc<Notify>,
    broken: OnceLock<String>,
    /// Held while a segment is written.
    writing: tokio::sync::Mutex<()>,
    /// What was done.
    pub counters: Counters,
    flusher: tokio::sync::Mutex<Option<AbortOnDropHandle<()>>>,
}

/// The index of a partition, once somebody has asked for it; `None` where there is nothing to find.
type Loaded = OnceCell<Option<Arc<Index>>>;

/// What a journal did.
#[derive(Debug, Default)]
pub struct Counters {
    /// Answers that an earlier run had written down.
    pub found: Counter,
    /// Segments or blocks that were damaged, and whose answers are lost.
    pub damaged: Counter,
    /// Answers written down.
    pub written: Counter,
    /// Segments written.
    pub segments: Counter,
}

#[derive(Default)]
struct Buffer {
    partitions: BTreeMap<u32, Vec<Entry>>,
    answers: usize,
    since: Option<Instant>,
    closing: bool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Journal({})", self.folder.path)
    }
}

impl Journal {
    /// The partition of answers that all partitions share.
    pub const SHARED: u32 = u32::MAX;

    /// Opens the journal in a folder: finds what an earlier run wrote down there, and starts to write on `network`.
    /// `partitions` share the memory of the indexes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        path: Path,
        partitions: usize,
        network: &Handle,
    ) -> Result<Arc<Self>, object_store::Error> {
        Self::begin(store, path, partitions, network, false).await
    }

    /// Opens the journal in a folder that other processes write to at the same time: a partition that begins finds what any
    /// of them wrote down until then.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open_shared(
        store: Arc<dyn ObjectStore>,
        path: Path,
        partitions: usize,
        network: &Handle,
    ) -> Result<Arc<Self>, object_store::Error> {
        Self::begin(store, path, partitions, network, true).await
    }

    async fn begin(
        store: Arc<dyn ObjectStore>,
        path: Path,
        partitions: usize,
        network: &Handle,
        shared: bool,
    ) -> Result<Arc<Self>, object_store::Error> {
        let folder = Folder { store, path, writer: format!("{:08x}", fastrand::u32(..)) };
        let journal = Arc::new(Journal {
            folder,
            shared,
            past: tokio::sync::Mutex::default(),
            indexes: Mutex::default(),
            index_bytes: INDEX_BYTES / partitions.max(1),
            buffer: Mutex::default(),
            filled: Arc::default(),
            broken: OnceLock::new(),
            writing: tokio::sync::Mutex::default(),
            counters: Counters::default(),
            flusher: tokio::sync::Mutex::default(),
        });
        journal.look().await?;
        let flusher =
            AbortOnDropHandle::new(network.spawn(write_down(Arc::downgrade(&journal), Arc::clone(&journal.filled))));
        *journal.flusher.lock().await = Some(flusher);
        Ok(journal)
    }

    /// The answers of a partition that were written down; `None` where there are none. Read once, unless others write too.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn index(&self, partition: u32) -> Result<Option<Arc<Index>>, object_store::Error> {
        if self.shared {
            // What this process did of the partition before counts too.
            self.flush().await.map_err(|error| failed_to_write(error.into()))?;
            return self.load_anew(partition).await.map(|index| index.map(Arc::new));
        }
        let cell = {
            let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(partition).or_default())
        };
        let load = || async { self.load(partition).await.map(|index| index.map(Arc::new)) };
        cell.get_or_try_init(load).await.cloned()
    }

    /// Writes down what came until now.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn flush(&self) -> Result<(), String> {
        let writing = self.writing.lock().await;
        let mut due = Buffer::default();
        {
            let mut buffer = self.buffer();
            (due.partitions, due.answers) =
                (std::mem::take(&mut buffer.partitions), std::mem::take(&mut buffer.answers));
            buffer.since = None;
        }
        if due.answers > 0 {
            let written = self.put(&due).await;
            drop(writing);
            written.inspect_err(|_| self.put_back(due))?;
        }
        self.broken().map_or(Ok(()), Err)
    }

    /// Notes answers; they are written down within a second.
    pub(crate) fn record(&self, partition: u32, answers: impl IntoIterator<Item = (Key, Answer)>) {
        let mut buffer = self.buffer();
        let before = buffer.answers;
        let of_partition = buffer.partitions.entry(partition).or_default();
        let held = of_partition.len();
        of_partition.extend(answers);
        let more = of_partition.len() - held;
        buffer.answers += more;
        let wake = buffer.since.is_none() || (before < MOST_ANSWERS && buffer.answers >= MOST_ANSWERS);
        buffer.since.get_or_insert_with(Instant::now);
        drop(buffer);
        if wake {
            self.filled.notify_one();
        }
    }

    /// Why nothing can be written down any more.
    pub(crate) fn broken(&self) -> Option<String> {
        self.broken.get().cloned()
    }

    /// Writes down what is left and stops. Given up on the way, it may be called again.
    ///
    /// # Errors
    /// Something could not be written down.
    pub async fn close(&self) -> Result<(), String> {
        self.buffer().closing = true;
        self.filled.notify_one();
        let mut flusher = self.flusher.lock().await;
        if let Some(running) = flusher.as_mut() {
            let ended = running.await;
            *flusher = None;
            ended.map_err(|error| format!("the journal could not be closed: {error}"))?;
        }
        // Where a segment could not be written, its answers are here again, with those that came since.
        let left = std::mem::take(&mut *self.buffer());
        if left.answers > 0 {
            self.write(&left).await.inspect_err(|_| self.put_back(left))?;
            self.broken.get().inspect(|error| tracing::warn!("{error}; at last it could"));
            return Ok(());
        }
        self.broken().map_or(Ok(()), Err)
    }

    fn put_back(&self, due: Buffer) {
        let mut buffer = self.buffer();
        buffer.answers += due.answers;
        for (partition, mut entries) in due.partitions {
            buffer.partitions.entry(partition).or_default().append(&mut entries);
        }
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is due to be written down; `Err` says until when there is time, if anything is there.
    fn due(&self, now: Instant) -> Result<Buffer, Option<Instant>> {
        let mut buffer = self.buffer();
        let end = buffer.since.map(|since| since + INTERVAL);
        if buffer.closing || buffer.answers >= MOST_ANSWERS || end.is_some_and(|end| now >= end) {
            let closing = buffer.closing;
            let due = std::mem::take(&mut *buffer);
            buffer.closing = closing;
            return Ok(due);
        }
        Err(end)
    }

    async fn write(&self, due: &Buffer) -> Result<(), String> {
        let _writing = self.writing.lock().await;
        self.put(due).await
    }

    async fn put(&self, due: &Buffer) -> Result<(), String> {
        let failed = |error: &dyn fmt::Display| {
            format!(
                "the journal at '{}' cannot be written ({error}); the job stops, so that no answer is bought twice",
                self.folder.path
            )
        };
        let answers = due.answers as u64;
        let segment = segment::write(&due.partitions).map_err(|error| failed(&error))?;
        let path = self.folder.segment(0, self.counters.segments.get());
        self.folder.store.put(&path, segment.into()).await.map_err(|error| failed(&error))?;
        self.counters.written.add(answers);
        self.counters.segments.add(1);
        Ok(())
    }
}

/// Writes down what comes, until the journal is closed or gone. While it waits it does not keep the journal alive.
async fn write_down(journal: Weak<Journal>, filled: Arc<Notify>) {
    let mut joining: Option<AbortOnDropHandle<()>> = None;
    loop {
        let until = {
            let Some(journal) = journal.upgrade() else { return };
            match journal.due(Instant::now()) {
                Ok(due) if due.answers == 0 => return, // closed
                Ok(due) => {
                    if let Err(error) = journal.write(&due).await {
                        tracing::error!("{error}");
                        journal.put_back(due);
                        journal.broken.set(error).ok();
                        return;
                    }
                    let number = journal.counters.segments.get();
                    let is_free = joining.as_ref().is_none_or(AbortOnDropHandle::is_finished);
                    if number.is_multiple_of(compact::MOST_SEGMENTS as u64) && is_free {
                        // Beside: answers must not wait for it.
                        joining = Some(AbortOnDropHandle::new(tokio::spawn(compact::compact(
                            journal.folder.clone(),
                            number,
                        ))));
                    }
                    continue;
                }
                Err(until) => until,
            }
        };
        match until {
            Some(end) => drop(timeout_at(end, filled.notified()).await),
            None => filled.notified().await,
        }
    }
}

fn failed_to_write(error: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "journal", source: error }
}

pub(crate) fn spill_error(error: redb::Error) -> object_store::Error {
    object_store::Error::Generic { store: "journal's temporary file", source: Box::new(error) }
}

#[cfg(test)]
mod tests;
