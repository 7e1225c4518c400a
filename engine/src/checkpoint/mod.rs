//! What is kept of a job while it runs, so that it can be resumed: what it was begun with, what its plan reads, and the journal
//! of its answers.
//!
//! A checkpoint belongs to one INSERT. It lies in `<output>/_paceline/<job>/`, or in `<paceline.checkpoint.location>/<job>/`:
//! `statement-<n>.json` ([`Checkpoint`]) and `journal-<n>/` (segments of `paceline_udfs::journal`).

mod pins;
mod state;

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use paceline_udfs::journal::Journal;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::EngineError;
use crate::io::job_folder::JobFolder;
use crate::io::stores::{Place, Stores};
use pins::Pins;

pub use state::{Begun, StateFolder};

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
pub fn success_note(begun: &Begun, statement: usize) -> String {
    success_note_of(&begun.job, &begun.run, statement)
}

/// The same, by the names of the job and its run.
pub(crate) fn success_note_of(job: &str, run: &str, statement: usize) -> String {
    serde_json::json!({ "job": job, "run": run, "statement": statement }).to_string()
}

/// An open checkpoint.
#[derive(Debug)]
pub struct Open {
    /// What sets this run of the job apart from all others, also when it is resumed.
    pub run: String,
    /// Its journal.
    pub journal: Arc<Journal>,
    folder: Place,
}

/// Opens the checkpoint of an INSERT: the one that an earlier try left, or a new one.
///
/// # Errors
/// The store cannot be read or written, or the earlier try was of another statement or read other input.
pub async fn open(
    settings: &CheckpointSettings,
    stores: &Stores,
    output: &JobFolder,
    step: &Step<'_>,
    text: &str,
    plan: &Arc<dyn ExecutionPlan>,
    network: &Handle,
) -> Result<Open, EngineError> {
    let folder = match &settings.location {
        Some(location) => {
            let mut place = stores.place(location)?;
            place.path = place.path.join(step.begun.job.as_str());
            place
        }
        None => output.own_place(),
    };
    let pins = Pins::of(plan);
    let file = statement_file(&folder, step.statement);
    let run = match read(&folder, &file).await? {
        Some(earlier) => {
            earlier.check(step, text, &pins, &folder)?;
            earlier.begun.run
        }
        None => {
            let begun = step.begun.clone();
            let run = begun.run.clone();
            let new = Checkpoint { version: VERSION, begun, statement: step.statement, text: text.to_owned(), pins };
            let json = serde_json::to_vec_pretty(&new).map_err(|error| damaged(&folder, &file, &error))?;
            let put = folder.store.objects().put(&file, PutPayload::from(json)).await;
            put.map_err(|source| storage("cannot write the checkpoint at", &folder, source))?;
            run
        }
    };
    let path = folder.path.clone().join(format!("journal-{}", step.statement));
    let partitions = datafusion::physical_plan::ExecutionPlanProperties::output_partitioning(plan).partition_count();
    let journal = Journal::open(folder.store.shared(), path, partitions, network).await;
    let journal = journal.map_err(|source| storage("cannot read the journal at", &folder, source))?;
    Ok(Open { run, journal, folder })
}

impl Open {
    /// Removes a checkpoint that is not beside the output, after its INSERT was committed.
    pub async fn remove(&self, statement: usize) {
        let journal = self.folder.path.clone().join(format!("journal-{statement}"));
        let objects = self.folder.store.objects();
        let listed = objects.list(Some(&journal));
        let listed: Vec<_> = futures::StreamExt::collect(listed).await;
        let segments = listed.into_iter().flatten().map(|file| file.location);
        for path in segments.chain([statement_file(&self.folder, statement)]) {
            if let Err(error) = objects.delete(&path).await {
                tracing::warn!(%error, %path, "a part of the checkpoint could not be removed");
            }
        }
    }
}

impl Checkpoint {
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
    let listed: Vec<_> = futures::TryStreamExt::try_collect(folder.store.objects().list(Some(&folder.path)))
        .await
        .map_err(|source| storage("cannot list", &folder, source))?;
    let is_statement = |path: &Path| path.filename().is_some_and(|name| name.starts_with("statement-"));
    for file in listed.into_iter().map(|file| file.location).filter(is_statement) {
        if let Some(checkpoint) = read(&folder, &file).await? {
            return Ok(checkpoint.begun);
        }
    }
    Err(EngineError::Setting(format!("there is no checkpoint at '{location}'; it is a folder with statement-<n>.json")))
}

fn statement_file(folder: &Place, statement: usize) -> Path {
    folder.path.clone().join(format!("statement-{statement}.json"))
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
