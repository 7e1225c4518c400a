//! The manifest, `_paceline/commit.json`: which try of each job may commit here, and the commit that is under way.
//! It is never deleted and changes by compare-and-swap only, so whoever was passed over finds out at its next write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::super::job_folder::{JobFolder, OWN};
use super::super::sink::StagedFile;
use super::owner::{self, BEAT, Owner};
use super::swap::{self, Seen};
use super::{MANIFEST, Stop};
use crate::EngineError;

/// Versions 1 and 2 were one commit each, without an owner; they are finished and then become a ledger.
const VERSION: u32 = 3;

/// Tries that never end would fill the ledger; the oldest go.
const MOST_TRIES: usize = 1000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    version: u32,
    /// Another one at each write, so that no two are equal.
    write: String,
    /// The try of each job that may commit: the one that was started last.
    #[serde(default)]
    pub tries: BTreeMap<String, Try>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What `_SUCCESS` holds since the last commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Try {
    pub attempt: String,
    pub host: String,
    pub since: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Last {
    pub job: String,
    pub success: String,
}

/// Everything that a commit does, written down before it does it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Commit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    pub job: String,
    pub files: Vec<StagedFile>,
    /// What `_SUCCESS` will hold.
    #[serde(default)]
    pub success: String,
    /// Whether the job's checkpoints stay.
    #[serde(default)]
    pub keeps_checkpoints: bool,
    /// Whether partitions stay that none of the files is in.
    #[serde(default)]
    pub keeps_other_partitions: bool,
    /// The folder of partitions that is replaced then, instead of those that the files are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Whether `old` must all be there, which is looked at before it is begun.
    #[serde(default)]
    pub appends: bool,
    /// What `_SUCCESS` held before.
    #[serde(default)]
    pub old_success: Option<String>,
    /// Paths of the files that are replaced.
    #[serde(default)]
    pub old: Option<Vec<String>>,
    /// The new `_SUCCESS`, staged; as soon as it is there, so are all of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged_success: Option<StagedFile>,
    /// Whether it only brings `_SUCCESS` back.
    #[serde(default)]
    pub restores: bool,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Ledger {
    pub async fn read(folder: &JobFolder) -> Result<(Ledger, Seen), EngineError> {
        let seen = swap::read(folder).await?;
        let Some(bytes) = &seen.bytes else { return Ok((Ledger::default(), seen)) };
        let ledger = serde_json::from_slice(bytes).and_then(|Versioned { version }| match version {
            1 | 2 => Ok(Some(Ledger { commit: Some(serde_json::from_slice(bytes)?), ..Ledger::default() })),
            VERSION => serde_json::from_slice(bytes).map(Some),
            _ => Ok(None),
        });
        let ledger = ledger.map_err(|error| {
            let path = folder.at(&[OWN, MANIFEST]);
            EngineError::Setting(format!("'{path}' at '{}' is damaged: {error}", folder.url()))
        })?;
        let ledger = ledger.ok_or_else(|| {
            EngineError::Setting(format!(
                "the commits at '{}' were written by a newer version of Paceline; use that one there",
                folder.url()
            ))
        })?;
        Ok((ledger, seen))
    }

    /// Writes it in place of what was seen; `None` if that is not there any more.
    pub async fn swap(mut self, folder: &JobFolder, seen: &Seen) -> Result<Option<(Ledger, Seen)>, EngineError> {
        (self.version, self.write) = (VERSION, Uuid::new_v4().to_string());
        let text = serde_json::to_vec(&self)
            .map_err(|error| EngineError::Setting(format!("the manifest cannot be written down: {error}")))?;
        let swapped = swap::swap(folder, seen, text.into()).await?;
        Ok(swapped.map(|seen| (self, seen)))
    }

    /// From now on only this try of its job may commit.
    pub fn register(&mut self, folder: &JobFolder) {
        let own = Try { attempt: folder.attempt.to_string(), host: owner::host(), since: owner::now() };
        self.tries.insert(folder.job.to_string(), own);
        while self.tries.len() > MOST_TRIES {
            let oldest = self.tries.iter().min_by_key(|(_, found)| found.since).map(|(job, _)| job.clone());
            self.tries.remove(&oldest.unwrap_or_default());
        }
    }

    /// Whether this try may commit, or clean up what its job has staged.
    pub fn is_registered(&self, folder: &JobFolder, seen: &Seen) -> bool {
        // Where somebody emptied the destination, nobody else has registered since.
        seen.bytes.is_none() || self.tries.get(&*folder.job).is_some_and(|found| *found.attempt == *folder.attempt)
    }
}

/// A commit that this driver owns, as long as nobody takes it over.
pub(super) struct Held<'a> {
    pub folder: &'a JobFolder,
    now: Mutex<(Ledger, Seen)>,
}

impl<'a> Held<'a> {
    /// Begins a commit, or takes it over; `None` if somebody else was first.
    pub async fn take(
        folder: &'a JobFolder,
        (mut ledger, seen): (Ledger, Seen),
        commit: Commit,
    ) -> Result<Option<Self>, EngineError> {
        ledger.commit = Some(Commit { owner: Some(Owner::new(&folder.attempt)), ..commit });
        let swapped = ledger.swap(folder, &seen).await?;
        Ok(swapped.map(|now| Held { folder, now: Mutex::new(now) }))
    }

    pub async fn commit(&self) -> Result<Commit, Stop> {
        self.now.lock().await.0.commit.clone().ok_or(Stop::Fenced)
    }

    /// Writes a change down, unless somebody else has taken over.
    pub async fn write(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), Stop> {
        let mut now = self.now.lock().await;
        let mut next = now.0.clone();
        if let Some(Commit { owner: Some(owner), .. }) = &mut next.commit {
            owner.beat = owner::now();
        }
        change(&mut next);
        *now = next.swap(self.folder, &now.1).await?.ok_or(Stop::Fenced)?;
        Ok(())
    }

    /// Goes on only if nobody has taken over.
    pub async fn still_owns(&self) -> Result<(), Stop> {
        self.write(|_| ()).await
    }

    /// Ends when somebody else has taken over.
    pub async fn beat(&self) -> Stop {
        loop {
            tokio::time::sleep(BEAT).await;
            match self.still_owns().await {
                Ok(()) => {}
                Err(Stop::Fenced) => return Stop::Fenced,
                Err(Stop::Failed(error)) => tracing::warn!(%error, "cannot say that the commit goes on"),
            }
        }
    }

    /// So that whoever comes next need not wait.
    pub async fn release(&self) -> Result<(), Stop> {
        self.write(|ledger| ledger.commit = ledger.commit.take().map(|commit| Commit { owner: None, ..commit })).await
    }
}
