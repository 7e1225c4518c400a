//! What is kept of a job while it runs, so that it can be resumed: what it was begun with, what its plan reads, and the journal
//! of its answers.
//!
//! A checkpoint belongs to one INSERT. It lies in `<output>/_paceline/<job>/`, or in `<paceline.checkpoint.location>/<job>/`:
//! `statement-<n>.json` ([`Checkpoint`]) and `journal-<n>/` (segments of `paceline_udfs::journal`).

mod pins;
mod state;

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use paceline_udfs::journal::Journal;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::EngineError;
use crate::io::job_folder::JobFolder;
use crate::io::stores::{Place, Store, Stores};
use pins::Pins;

pub use state::{Begun, Output, StateFolder};

/// Where in its job a statement stands.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The job.
    pub begun: &'a Begun,
    /// The number of the statement in it, from 1.
    pub statement: usize,
    /// Whether the job goes on where it was broken off.
    pub again: bool,
}

/// Whether and where checkpoints are kept.
#[derive(Clone, Debug)]
pub struct CheckpointSettings {
    /// Whether there are any.
    pub enabled: bool,
    /// Where, if not beside the output.
    pub location: Option<String>,
    /// Whether they stay after a successful commit.
    pub keep: bool,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        CheckpointSettings { enabled: true, location: None, keep: false }
    }
}

/// One INSERT of a job, as it was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// The job.
    pub begun: Begun,
    statement: usize,
    text: String,
    pins: Pins,
}

const VERSION: u32 = 1;

/// What the commit of an INSERT leaves in `_SUCCESS`, by which it is known when its job is resumed.
pub fn success_note(begun: &Begun, run: &str, statement: usize) -> String {
    serde_json::json!({ "job": begun.job, "run": run, "statement": statement }).to_string()
}

/// An open checkpoint.
#[derive(Debug)]
pub struct Open {
    /// What sets this run of the job apart from all others, also when it is resumed.
    pub run: String,
    /// Its journal.
    pub journal: Arc<Journal>,
    /// Where that is.
    pub place: Place,
}

/// What is kept of one INSERT, wherever that is.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: Place,
    statement: usize,
}

impl Kept {
    /// Where a job keeps it, by its settings and the statement's output.
    ///
    /// # Errors
    /// The location of checkpoints is malformed.
    pub fn of(
        settings: &CheckpointSettings,
        stores: &Stores,
        output: &JobFolder,
        step: &Step<'_>,
    ) -> Result<Self, EngineError> {
        let folder = match &settings.location {
            Some(location) => {
                let mut place = stores.place(location)?;
                place.path = place.path.join(step.begun.job.as_str());
                place
            }
            None => output.own_place(),
        };
        Ok(Kept { folder, statement: step.statement })
    }

    /// What an earlier try left.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn earlier(&self) -> Result<Option<Checkpoint>, EngineError> {
        read(&self.folder, &self.file()).await
    }

    /// Goes on with what an earlier try left, or begins.
    ///
    /// # Errors
    /// The store cannot be read or written, or the earlier try was of another statement or read other input.
    pub async fn open(
        &self,
        earlier: Option<Checkpoint>,
        step: &Step<'_>,
        text: &str,
        plan: &Arc<dyn ExecutionPlan>,
        network: &Handle,
    ) -> Result<Open, EngineError> {
        let pins = Pins::of(plan);
        let run = match earlier {
            Some(earlier) => {
                earlier.check(step, text, &pins, &self.folder)?;
                earlier.begun.run
            }
            None => {
                let begun = step.begun.clone();
                let run = begun.run.clone();
                let new =
                    Checkpoint { version: VERSION, begun, statement: self.statement, text: text.to_owned(), pins };
                let json =
                    serde_json::to_vec_pretty(&new).map_err(|error| damaged(&self.folder, &self.file(), &error))?;
                let put = self.folder.store.objects().put(&self.file(), PutPayload::from(json)).await;
                put.map_err(|source| storage("cannot write the checkpoint at", &self.folder, source))?;
                run
            }
        };
        let partitions = plan.output_partitioning().partition_count();
        let journal = Journal::open(self.folder.store.shared(), self.journal(), partitions, network).await;
        let journal = journal.map_err(|source| storage("cannot read the journal at", &self.folder, source))?;
        Ok(Open { run, journal, place: self.folder.at(self.journal()) })
    }

    /// Removes it; what cannot be removed is only logged, as the next try under the job's id does it.
    pub async fn remove(&self) {
        if let Err(error) = self.remove_unlisted() {
            tracing::warn!(%error, checkpoint = %self.folder.url, "what was being written could not be removed");
        }
        let objects = self.folder.store.objects();
        let listed = objects.list(Some(&self.journal())).map_ok(|file| file.location);
        let paths = listed.chain(futures::stream::iter([Ok(self.file())])).boxed();
        let removed = objects.delete_stream(paths).filter_map(async |result| match result {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => Some(error),
        });
        let errors: Vec<_> = removed.collect().await;
        if let Some(error) = errors.first() {
            tracing::warn!(%error, checkpoint = %self.folder.url, "a part of a checkpoint could not be removed");
        }
    }

    /// On a disk, removes also what a killed process was still writing, which is in no listing.
    fn remove_unlisted(&self) -> std::io::Result<()> {
        let Store::Local(store) = &self.folder.store else { return Ok(()) };
        let on_disk = |path: &Path| store.path_to_filesystem(path);
        let (folder, journal) = (on_disk(&self.folder.path)?, on_disk(&self.journal())?);
        let unfinished = format!("{}#", self.file().filename().unwrap_or_default());
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.path() == journal {
                std::fs::remove_dir_all(journal.as_path())?;
            } else if entry.file_name().to_string_lossy().starts_with(&unfinished) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn file(&self) -> Path {
        self.folder.path.clone().join(format!("statement-{}.json", self.statement))
    }

    fn journal(&self) -> Path {
        self.folder.path.clone().join(format!("journal-{}", self.statement))
    }
}

impl Checkpoint {
    /// Whether it is of this statement.
    pub fn is_of(&self, text: &str) -> bool {
        self.text == text
    }

    fn check(&self, step: &Step<'_>, text: &str, pins: &Pins, folder: &Place) -> Result<(), EngineError> {
        let refuse = |why: String| {
            EngineError::Setting(format!(
                "job '{}' cannot go on where it stopped: {why}; run it under another id, or delete '{}' to begin anew",
                step.begun.job, folder.url
            ))
        };
        if self.version > VERSION {
            return Err(refuse("a newer version of Paceline began it".to_owned()));
        }
        if self.text != text {
            return Err(refuse(format!("statement {} was another one", self.statement)));
        }
        self.pins.difference(pins).map_or(Ok(()), |difference| Err(refuse(difference)))
    }
}

/// The job whose checkpoints are in a folder.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn find(stores: &Stores, location: &str) -> Result<Begun, EngineError> {
    let folder = stores.place(location)?;
    let listed: Vec<_> = folder
        .store
        .objects()
        .list(Some(&folder.path))
        .try_collect()
        .await
        .map_err(|source| storage("cannot list", &folder, source))?;
    let is_statement = |path: &Path| path.filename().is_some_and(|name| name.starts_with("statement-"));
    let mut found: Option<Begun> = None;
    for file in listed.into_iter().map(|file| file.location).filter(is_statement) {
        let begun = read(&folder, &file).await?.map(|checkpoint| checkpoint.begun);
        // The last statement that was begun knows most of what is done.
        found = found.into_iter().chain(begun).max_by_key(|begun| begun.done.len());
    }
    if let Some(found) = found {
        return Ok(found);
    }
    Err(EngineError::Setting(format!("there is no checkpoint at '{location}'; it is a folder with statement-<n>.json")))
}

async fn read(folder: &Place, file: &Path) -> Result<Option<Checkpoint>, EngineError> {
    let failed = |source| storage("cannot read the checkpoint at", folder, source);
    let bytes = match folder.store.objects().get(file).await {
        Ok(found) => found.bytes().await.map_err(failed)?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(folder, file, &error))
}

fn damaged(folder: &Place, file: &Path, error: &serde_json::Error) -> EngineError {
    EngineError::Setting(format!("the checkpoint '{file}' at '{}' is damaged: {error}", folder.url))
}

fn storage(action: &'static str, folder: &Place, source: object_store::Error) -> EngineError {
    EngineError::Storage { action, url: folder.url.to_string(), source }
}
