//! Where runs are kept: a redb file, in which every change is on the disk before anybody hears of it (decision 0033).

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::ServiceError;
use crate::run::Run;

/// Runs by id, as JSON.
const RUNS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("runs");

/// An open store. One process has it at a time.
#[derive(Debug)]
pub struct Store(Database);

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
        let store = Store(database);
        store.change(&[], &[])?; // which makes the table
        let runs = store.all().map_err(|error| failed(&error))?;
        Ok((store, runs))
    }

    fn all(&self) -> Result<Vec<Run>, Box<dyn std::error::Error>> {
        let table = self.0.begin_read()?.open_table(RUNS)?;
        let mut runs = Vec::new();
        for entry in table.iter()? {
            let (id, run) = entry?;
            let run = serde_json::from_slice(run.value());
            runs.push(run.map_err(|error| format!("job '{}' is damaged: {error}", id.value()))?);
        }
        Ok(runs)
    }

    /// Keeps these runs, and lets go of those; when it returns, that is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn change(&self, keep: &[&Run], forget: &[String]) -> Result<(), ServiceError> {
        let write = || -> Result<(), Box<dyn std::error::Error>> {
            let transaction = self.0.begin_write()?;
            {
                let mut table = transaction.open_table(RUNS)?;
                for run in keep {
                    table.insert(run.id.as_str(), serde_json::to_vec(run)?.as_slice())?;
                }
                for id in forget {
                    table.remove(id.as_str())?;
                }
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| ServiceError::Internal(format!("the job cannot be kept: {error}")))
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
        store.change(&[&run], &[]).unwrap();
        let run = run.in_state(State::Starting, None, 8).unwrap();
        store.change(&[&run], &["jr_other".to_owned()]).unwrap();
        let busy = Store::open(folder.path()).unwrap_err().to_string();
        assert!(busy.contains("is another scheduler running"), "{busy}");
        drop(store);
        let (store, runs) = Store::open(folder.path()).unwrap();
        assert_eq!(runs, std::slice::from_ref(&run));
        store.change(&[], std::slice::from_ref(&run.id)).unwrap();
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().1, []);
    }
}
