//! The executors of this machine and user: each leaves a file in the user's state folder that says where its rows lie.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ballista_core::serde::scheduler::PartitionLocation;

/// What is known of them. Its own file goes when it does.
#[derive(Debug)]
pub struct Neighbours {
    /// Where the files are; nowhere, if there is no state folder.
    folder: Option<PathBuf>,
    own: String,
    /// Folders by executor; who was not there when asked for never will be, since an executor enters before it has tasks.
    known: Mutex<HashMap<String, Option<String>>>,
}

impl Neighbours {
    /// Enters an executor, and takes out those that left nothing behind.
    ///
    /// # Errors
    /// Its file cannot be written.
    pub fn enter(state_dir: Option<&Path>, executor: &str, work_dir: &Path) -> io::Result<Self> {
        let folder = state_dir.map(|folder| folder.join("executors"));
        if let Some(folder) = &folder {
            fs::create_dir_all(folder)?;
            for entry in fs::read_dir(folder)?.flatten() {
                let is_gone = fs::read_to_string(entry.path()).is_ok_and(|work_dir| !Path::new(&work_dir).is_dir());
                if is_gone {
                    fs::remove_file(entry.path()).ok(); // another may have done so
                }
            }
            let work_dir = fs::canonicalize(work_dir)?;
            // Whoever reads it finds all of it.
            let beside = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(beside.path(), work_dir.to_string_lossy().as_bytes())?;
            beside.persist(folder.join(executor)).map_err(|error| error.error)?;
        }
        Ok(Neighbours { folder, own: executor.to_owned(), known: Mutex::default() })
    }

    /// The folder on this machine that has the block: `work_dir`, which is this executor's, or another's.
    pub fn holding(&self, block: &PartitionLocation, work_dir: &str) -> Option<String> {
        let executor = &block.executor_meta.id;
        let folder = if *executor == self.own { Some(work_dir.to_owned()) } else { self.work_dir(executor) };
        folder.filter(|folder| block.path(folder).is_ok_and(|path| path.exists()))
    }

    fn work_dir(&self, executor: &str) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work_dir) = known.get(executor) {
            return work_dir.clone();
        }
        // The id came over the network; it must not lead elsewhere.
        let is_name = Path::new(executor).file_name().is_some_and(|name| name == executor);
        let read = |folder: &PathBuf| fs::read_to_string(folder.join(executor)).ok();
        let work_dir = self.folder.as_ref().filter(|_| is_name).and_then(read);
        known.insert(executor.to_owned(), work_dir.clone());
        work_dir
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            fs::remove_file(folder.join(&self.own)).ok(); // at worst it stays until another one enters
        }
    }
}
