//! Where runs are kept, and the events that tell of them: a redb file, in which every change is on the disk before anybody hears of
//! it (decision 0033).

use std::path::Path;
use std::sync::atomic::AtomicU64;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::ServiceError;
use crate::outbox::{self, Unsent};
use crate::run::Run;

/// Runs by id, as JSON.
const RUNS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("runs");

/// What redb says of a failure, and what else may be wrong.
pub(crate) type Failed = Box<dyn std::error::Error>;

/// An open store. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    database: Database,
    /// The number that an event was given last.
    last: AtomicU64,
}

impl Store {
    /// Opens the store in a folder, and reads what it keeps.
    ///
    /// # Errors
    /// It cannot be read, or another process has it.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Run>), ServiceError> {
        let file = folder.join("jobs.redb");
        let failed = |error: &dyn std::fmt::Display| {
            ServiceError::Internal(format!(
                "the jobs in {} cannot be read: {error}; is another scheduler running with this --state-dir?",
                file.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let database = Database::create(&file).map_err(|error| failed(&error))?;
        let mut store = Store { database, last: AtomicU64::new(0) };
        store.change(&[], &[], &[])?; // which makes the tables
        let (runs, last) = store.all().map_err(|error| failed(&error))?;
        store.last = last.into();
        Ok((store, runs))
    }

    /// The runs, and the number that an event was given last.
    fn all(&self) -> Result<(Vec<Run>, u64), Failed> {
        let transaction = self.database.begin_read()?;
        let table = transaction.open_table(RUNS)?;
        let mut runs = Vec::new();
        for entry in table.iter()? {
            let (id, run) = entry?;
            let run = serde_json::from_slice(run.value());
            runs.push(run.map_err(|error| format!("job '{}' is damaged: {error}", id.value()))?);
        }
        Ok((runs, outbox::last(&transaction)?))
    }

    /// Keeps these runs, lets go of those, and has events wait to be sent: all of it, or nothing. When it returns, that is on the
    /// disk. Returns how many events there was no room for.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn change(&self, keep: &[&Run], forget: &[String], tell: &[Unsent]) -> Result<usize, ServiceError> {
        let written = self.write(|transaction| {
            let mut table = transaction.open_table(RUNS)?;
            for run in keep {
                table.insert(run.id.as_str(), serde_json::to_vec(run)?.as_slice())?;
            }
            for id in forget {
                table.remove(id.as_str())?;
            }
            outbox::add(transaction, &self.last, tell)
        });
        written.map_err(|error| ServiceError::Internal(format!("the job cannot be kept: {error}")))
    }

    /// The first event that waits for somebody behind a number, with its own.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn unsent(&self, to: &str, behind: u64) -> Result<Option<(u64, String)>, ServiceError> {
        let reading = self.database.begin_read().map_err(Failed::from);
        let next = reading.and_then(|reading| outbox::next(&reading, to, behind));
        next.map_err(|error| ServiceError::Internal(format!("the events that wait cannot be read: {error}")))
    }

    /// An event was taken, or given up: it waits no more.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn sent(&self, to: &str, number: u64) -> Result<(), ServiceError> {
        let written = self.write(|transaction| outbox::remove(transaction, to, number));
        written.map_err(|error| ServiceError::Internal(format!("that an event was sent cannot be kept: {error}")))
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, Failed>) -> Result<T, Failed> {
        let transaction = self.database.begin_write()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Kind, State};

    #[test]
    fn runs_are_there_again_and_one_process_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let (store, runs) = Store::open(folder.path()).unwrap();
        assert_eq!(runs, []);
        let submission = serde_json::from_str(r#"{"sql":"SELECT 1","idempotency_token":"t"}"#).unwrap();
        let run = Run::new(1, Kind::Redrive { redrive_of: "jr_0".to_owned() }, submission, 7);
        store.change(&[&run], &[], &[]).unwrap();
        let run = run.in_state(State::Starting, None, 8).unwrap();
        store.change(&[&run], &["jr_other".to_owned()], &[]).unwrap();
        let busy = Store::open(folder.path()).unwrap_err().to_string();
        assert!(busy.contains("is another scheduler running"), "{busy}");
        drop(store);
        let (store, runs) = Store::open(folder.path()).unwrap();
        assert_eq!(runs, std::slice::from_ref(&run));
        store.change(&[], std::slice::from_ref(&run.id), &[]).unwrap();
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().1, []);
    }

    #[test]
    fn a_store_of_a_version_that_had_no_events_in_it_opens() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new(1, Kind::Submitted, serde_json::from_str(r#"{"sql":"SELECT 1"}"#).unwrap(), 7);
        let database = Database::create(folder.path().join("jobs.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        let text = serde_json::to_vec(&run).unwrap();
        transaction.open_table(RUNS).unwrap().insert(run.id.as_str(), text.as_slice()).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let (store, runs) = Store::open(folder.path()).unwrap();
        assert_eq!((runs, store.unsent("webhook", 0).unwrap()), (vec![run], None));
        let event = Unsent { to: "webhook", event: "{}".to_owned() };
        assert_eq!(store.change(&[], &[], &[event]).unwrap(), 0);
        assert_eq!(store.unsent("webhook", 0).unwrap(), Some((1, "{}".to_owned())));
    }
}
