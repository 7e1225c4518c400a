//! Writes event logs: a local file grows line by line; on S3, where nothing can be added to an object, the whole is put again now
//! and then. Whoever tells of events never waits for it: what cannot be taken is dropped and counted.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use object_store::{ObjectStoreExt, PutPayload};
use tokio::runtime::Handle;

use super::reader::SUFFIX;
use crate::EngineError;
use crate::io::stores::{Place, Store, Stores};

/// Lines that wait to be written.
const WAITING: usize = 4096;
/// How often an object on S3 is put again.
const PUT_EVERY: Duration = Duration::from_secs(10);

/// An event log that is being written. Dropping it writes the rest and waits for that.
#[derive(Debug)]
pub struct LogWriter {
    lines: Option<SyncSender<Arc<str>>>,
    thread: Option<JoinHandle<()>>,
    dropped: Arc<AtomicU64>,
}

impl LogWriter {
    /// The log of a job in a folder, a path or URL. One that is there goes on; returns its lines too.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub async fn open(folder: &str, job: &str, stores: &Stores) -> Result<(Self, Vec<Arc<str>>), EngineError> {
        let place = stores.place(folder)?;
        let place = place.at(place.path.clone().join(format!("{job}{SUFFIX}")));
        let failed = |error: &dyn std::fmt::Display| {
            EngineError::Setting(format!(
                "the event log {} cannot be written: {error}; give another folder with paceline.eventlog.dir",
                place.url
            ))
        };
        let (sink, earlier) = match &place.store {
            Store::Local(store) => {
                let path = store.path_to_filesystem(&place.path).map_err(|error| failed(&error))?;
                let (file, earlier) = open_local(&path).map_err(|error| failed(&error))?;
                (Sink::Local(file, path), earlier)
            }
            Store::S3(_) => {
                let earlier = match place.store.objects().get(&place.path).await {
                    Ok(found) => found.bytes().await.map_err(|error| failed(&error))?.to_vec(),
                    Err(object_store::Error::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(failed(&error)),
                };
                let sink = Sink::S3 { place: place.clone(), network: Handle::current(), text: earlier.clone() };
                (sink, earlier)
            }
        };
        let earlier = String::from_utf8_lossy(&earlier).lines().map(Arc::from).collect();
        let (lines, waiting) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("event-log".to_owned());
        let thread = thread.spawn(move || write(sink, &waiting)).map_err(|error| failed(&error))?;
        Ok((LogWriter { lines: Some(lines), thread: Some(thread), dropped: Arc::default() }, earlier))
    }

    /// Adds a line.
    pub fn add(&self, line: Arc<str>) {
        let taken = self.lines.as_ref().is_some_and(|lines| lines.try_send(line).is_ok());
        if !taken && self.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("the event log is not written as fast as events come; some are missing there");
        }
    }

    /// Lines that are missing in the log.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        drop(self.lines.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the event log broke off");
        }
    }
}

/// A file to add to, and what it holds. A line that a killed process had begun is ended.
fn open_local(path: &Path) -> std::io::Result<(File, Vec<u8>)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let earlier = std::fs::read(path)?;
    if earlier.last().is_some_and(|last| *last != b'\n') {
        file.write_all(b"\n")?;
    }
    Ok((file, earlier))
}

enum Sink {
    Local(File, PathBuf),
    S3 { place: Place, network: Handle, text: Vec<u8> },
}

fn write(mut sink: Sink, lines: &Receiver<Arc<str>>) {
    let (mut put, mut changed, mut told) = (Instant::now(), false, false);
    loop {
        let line = lines.recv_timeout(PUT_EVERY);
        let written = match (&mut sink, &line) {
            (Sink::Local(file, _), Ok(line)) => file.write_all(format!("{line}\n").as_bytes()),
            (Sink::S3 { text, .. }, Ok(line)) => {
                text.extend_from_slice(line.as_bytes());
                text.push(b'\n');
                changed = true;
                Ok(())
            }
            _ => Ok(()),
        };
        let ends = matches!(line, Err(RecvTimeoutError::Disconnected));
        let written = written.and_then(|()| match &sink {
            Sink::S3 { place, network, text } if changed && (ends || put.elapsed() >= PUT_EVERY) => {
                (put, changed) = (Instant::now(), false);
                let object = PutPayload::from(text.clone());
                let put = network.block_on(place.store.objects().put(&place.path, object));
                put.map(|_| ()).map_err(std::io::Error::other)
            }
            _ => Ok(()),
        });
        if let Err(error) = written
            && !std::mem::replace(&mut told, true)
        {
            let place = match &sink {
                Sink::Local(_, path) => path.display().to_string(),
                Sink::S3 { place, .. } => place.url.to_string(),
            };
            tracing::warn!(%error, place, "the event log cannot be written; the job goes on without it");
        }
        if ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::s3::S3Settings;

    #[tokio::test]
    async fn a_log_goes_on_behind_a_line_that_was_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::new(S3Settings::default(), Handle::current());
        let place = folder.path().to_str().unwrap();
        std::fs::write(folder.path().join("a.jsonl"), "{\"seq\":1}\n{\"se").unwrap();
        let (log, earlier) = LogWriter::open(place, "a", &stores).await.unwrap();
        assert_eq!(earlier.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["{\"seq\":1}", "{\"se"]);
        log.add(Arc::from("{\"seq\":2}"));
        assert_eq!(log.dropped(), 0);
        drop(log);
        let text = std::fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
        assert_eq!(text, "{\"seq\":1}\n{\"se\n{\"seq\":2}\n");
    }
}
