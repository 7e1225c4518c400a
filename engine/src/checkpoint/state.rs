//! The state folder of a user: what each job was begun with, so that `resume` and `redrive` need only its id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::EngineError;

/// What a job was begun with. Statements and settings hold no secrets, only references to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its id.
    pub job: String,
    /// Sets this run of the id apart from later ones.
    pub run: String,
    /// Its statements.
    pub script: String,
    /// What `${name}` stands for.
    pub variables: BTreeMap<String, String>,
    /// Its settings, as given.
    pub conf: Vec<(String, String)>,
    /// Partitions that its queries are cut into.
    pub partitions: usize,
    /// Numbers of the statements that are done, views and functions aside.
    #[serde(default)]
    pub done: BTreeSet<usize>,
    /// Where each INSERT wrote to, by its number.
    #[serde(default)]
    pub outputs: BTreeMap<usize, Output>,
    /// Whether all of it is done.
    #[serde(default)]
    pub finished: bool,
}

/// What an INSERT wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Where to.
    pub url: String,
    /// The run of the job that its commit names.
    pub run: String,
}

impl Begun {
    /// A job that begins now.
    pub fn new(job: &str, script: &str, variables: BTreeMap<String, String>) -> Self {
        Begun {
            job: job.to_owned(),
            run: uuid::Uuid::now_v7().to_string(),
            script: script.to_owned(),
            variables,
            conf: Vec::new(),
            partitions: 0,
            done: BTreeSet::new(),
            outputs: BTreeMap::new(),
            finished: false,
        }
    }
}

/// A folder with a file for each job.
#[derive(Clone, Debug)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder `jobs` below `folder`.
    pub fn new(folder: &Path) -> Self {
        StateFolder(folder.join("jobs"))
    }

    /// What is known of a job.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn load(&self, job: &str) -> Result<Option<Begun>, EngineError> {
        let file = self.file(job);
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| EngineError::Setting(format!("'{}' is damaged: {error}", file.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Keeps what is known of a job, in place of what was.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, begun: &Begun) -> Result<(), EngineError> {
        let save = || -> io::Result<()> {
            fs::create_dir_all(&self.0)?;
            // Written beside and renamed; the file is its owner's only.
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.write_all(&serde_json::to_vec_pretty(begun)?)?;
            file.persist(self.file(&begun.job))?;
            Ok(())
        };
        save().map_err(|error| self.failed(&error))
    }

    fn file(&self, job: &str) -> PathBuf {
        self.0.join(format!("{job}.json"))
    }

    fn failed(&self, error: &io::Error) -> EngineError {
        EngineError::Setting(format!(
            "the state folder '{}' cannot be used: {error}; give another with paceline.state.dir",
            self.0.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_found_as_it_was_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path());
        assert_eq!(state.load("a").unwrap(), None);
        let mut begun = Begun::new("a", "SELECT 1", BTreeMap::from([("day".to_owned(), "1".to_owned())]));
        state.save(&begun).unwrap();
        begun.done.insert(3);
        state.save(&begun).unwrap();
        assert_eq!(state.load("a").unwrap(), Some(begun));
        assert_eq!(fs::read_dir(folder.path().join("jobs")).unwrap().count(), 1);
        fs::write(folder.path().join("jobs/b.json"), "{").unwrap();
        assert!(state.load("b").unwrap_err().to_string().contains("is damaged"));
    }
}
