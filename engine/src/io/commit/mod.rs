//! Makes staged files visible, all or nothing as far as readers can tell: they trust `_SUCCESS`.
//!
//! Completing many uploads is not atomic, so a commit rolls forward. A manifest that lists everything is written
//! first; from then on whoever takes it over can finish the commit, and doing a step twice changes nothing:
//! 1. the commit goes into the manifest, if its try of the job is the one that is registered and no other commit is there
//! 2. the files to be replaced, listed and looked at, and the new `_SUCCESS`, staged, go into it
//! 3. the old `_SUCCESS` goes
//! 4. each staged file becomes visible
//! 5. the old files go, never what is below `_paceline/`; where other partitions stay, those in the folders of new files only
//! 6. the new `_SUCCESS`, then what the job had of its own goes, then the commit leaves the manifest
//!
//! The manifest changes by compare-and-swap only (`swap`), by the driver that owns the commit in it (`ledger`), which gives
//! signs of life; one that gives none is taken over (`owner`). What it does late is done to names and uploads that are used
//! once only, hence to nothing (decision 0018).

mod files;
mod ledger;
mod owner;
mod steps;
mod swap;

use tokio::time::Instant;

use super::job_folder::JobFolder;
use super::sink::StagedFile;
use crate::EngineError;
use ledger::{Commit, Held, Ledger};
use owner::{Known, Next, Owner};
use steps::{Ended, roll_forward};
use swap::Seen;

pub(in crate::io) use owner::STALE;

const MANIFEST: &str = "commit.json";

/// Why a driver stops in the midst of a commit.
enum Stop {
    /// Another driver has taken it over.
    Fenced,
    Failed(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Stop::Failed(error)
    }
}

/// Before a job writes: finishes a commit that was broken off here, registers this try of the job as the one that may commit,
/// and aborts what an earlier try left. Returns whether there was such a commit.
///
/// # Errors
/// The store cannot be read or written, the broken commit cannot be finished, or another job's goes on for too long.
pub async fn prepare(folder: &JobFolder) -> Result<bool, EngineError> {
    let (mut waiting, mut was_broken) = (Waiting::new(), false);
    loop {
        let (ledger, seen) = Ledger::read(folder).await?;
        if let Some(commit) = ledger.commit.clone() {
            match waiting.then_finish(folder, (ledger, seen), commit).await? {
                Some(Ended::GivenUp(why)) => return Err(EngineError::Setting(why)),
                finished => was_broken |= finished.is_some(),
            }
            continue;
        }
        let mut next = ledger;
        next.register(folder);
        if next.swap(folder, &seen).await?.is_some() {
            break;
        }
    }
    abandon(folder).await?;
    Ok(was_broken)
}

/// Makes exactly `files` the content of the destination, or of their partitions where the others stay. Another commit that is
/// under way there is waited for, or finished if its driver gives no sign of life.
///
/// # Errors
/// The store fails: the destination is finished by the next job that writes there. Or the job was started again, or another
/// one commits for too long: then nothing of this try is visible. Or another driver has taken the commit over.
pub async fn commit(folder: &JobFolder, files: Vec<StagedFile>) -> Result<(), EngineError> {
    let commit = Commit {
        job: folder.job.to_string(),
        files,
        success: folder.success.to_string(),
        keeps_checkpoints: folder.keeps_checkpoints,
        keeps_other_partitions: folder.keeps_other_partitions,
        within: folder.within.as_deref().map(str::to_owned),
        appends: folder.appends,
        old: folder.appends.then(|| folder.replaced.to_vec()),
        ..Commit::default()
    };
    let held = match claim(folder, &commit).await {
        Ok(held) => held,
        Err(error) => {
            abandon_after_failure(folder).await;
            return Err(error);
        }
    };
    match roll_forward(held).await? {
        Ended::Done => Ok(()),
        Ended::GivenUp(why) => {
            abandon_after_failure(folder).await;
            Err(EngineError::Setting(why))
        }
    }
}

async fn claim<'a>(folder: &'a JobFolder, commit: &Commit) -> Result<Held<'a>, EngineError> {
    let mut waiting = Waiting::new();
    loop {
        let (ledger, seen) = Ledger::read(folder).await?;
        if let Some(other) = ledger.commit.clone() {
            if let Some(Ended::GivenUp(why)) = waiting.then_finish(folder, (ledger, seen), other).await? {
                tracing::warn!(why, "a commit that was broken off was given up");
            }
            continue;
        }
        if !ledger.is_registered(folder, &seen) {
            return Err(passed_over(folder, &ledger));
        }
        if let Some(held) = Held::take(folder, (ledger, seen), commit.clone()).await? {
            return Ok(held);
        }
    }
}

fn passed_over(folder: &JobFolder, ledger: &Ledger) -> EngineError {
    let (job, url) = (&folder.job, folder.url());
    EngineError::Setting(match ledger.tries.get(&**job) {
        Some(other) => format!(
            "job '{job}' was started again, on '{}' {} s ago, while this one still ran, so only that one may commit to \
             '{url}'; nothing of this one became visible",
            other.host,
            owner::now().saturating_sub(other.since) / 1000
        ),
        None => format!(
            "job '{job}' was started again while this one still ran, and that one has committed to '{url}'; nothing of this \
             one became visible"
        ),
    })
}

/// After a job was told to stop: finishes its commit if that had begun, otherwise removes what it had staged. Nothing is
/// changed where the job was started again since. Returns whether it finished a commit.
///
/// # Errors
/// As [`prepare`].
pub async fn stopped(folder: &JobFolder) -> Result<bool, EngineError> {
    let (ledger, seen) = Ledger::read(folder).await?;
    let own = |owner: &Owner| *owner.attempt == *folder.attempt;
    match ledger.commit.clone() {
        Some(commit) if commit.owner.as_ref().is_some_and(own) => {
            match Waiting::new().then_finish(folder, (ledger, seen), commit).await? {
                Some(Ended::GivenUp(why)) => Err(EngineError::Setting(why)),
                finished => Ok(finished.is_some()),
            }
        }
        _ => abandon(folder).await.map(|()| false),
    }
}

/// [`abandon`], where the job has failed anyway: what cannot be cleaned up is only logged.
pub async fn abandon_after_failure(folder: &JobFolder) {
    if let Err(error) = abandon(folder).await {
        tracing::warn!(%error, "what the job had staged could not be removed; the next try under its id removes it");
    }
}

/// Aborts every upload that the job noted and removes what it had staged, unless the job was started again or is being
/// committed. Nothing of it was visible; what is left are its checkpoints, so that it can be resumed.
///
/// # Errors
/// The store cannot be read or written; the bucket's rule for incomplete uploads is the backstop.
pub async fn abandon(folder: &JobFolder) -> Result<(), EngineError> {
    // Listed first: what a later try adds once it is registered is not among it, however late this goes on.
    let left = files::leftovers(folder, &folder.job, false).await?;
    let (ledger, seen) = Ledger::read(folder).await?;
    let is_committed = ledger.commit.as_ref().is_some_and(|commit| *commit.job == *folder.job);
    match ledger.is_registered(folder, &seen) && !is_committed {
        true => files::remove(folder, left, &[]).await,
        false => Ok(()),
    }
}

/// Waiting for a commit of somebody else.
struct Waiting {
    began: Instant,
    /// What was seen last, and when for the first time.
    seen: Option<(Seen, Instant)>,
}

impl Waiting {
    fn new() -> Self {
        Waiting { began: Instant::now(), seen: None }
    }

    /// Waits a little, or takes the commit over and finishes it; `None` if it is still to be waited for.
    async fn then_finish(
        &mut self,
        folder: &JobFolder,
        (ledger, seen): (Ledger, Seen),
        commit: Commit,
    ) -> Result<Option<Ended>, EngineError> {
        let (now, is_first_look) = (Instant::now(), self.seen.is_none());
        let first_seen = match &self.seen {
            Some((before, when)) if before.bytes == seen.bytes => *when,
            _ => now,
        };
        self.seen = Some((seen.clone(), first_seen));
        let known = Known {
            attempt: &folder.attempt,
            now: owner::now(),
            silent: now - first_seen,
            waited: now - self.began,
            stale: folder.stale_after,
        };
        let url = folder.url();
        match (owner::next(commit.owner.as_ref(), known), &commit.owner) {
            (Next::TakeOver, _) => {
                tracing::warn!(destination = %url, job = %commit.job, "finishing a commit that was broken off");
                match Held::take(folder, (ledger, seen), commit).await? {
                    Some(held) => roll_forward(held).await.map(Some),
                    None => Ok(None),
                }
            }
            (Next::Refuse, Some(owner)) => Err(EngineError::Setting(format!(
                "job '{}' on '{}' has been committing to '{url}' for {} s and goes on; nothing of this job became visible, \
                 run it again when that one has ended",
                commit.job,
                owner.host,
                known.now.saturating_sub(owner.since) / 1000
            ))),
            (wait, owner) => {
                if is_first_look {
                    let host = owner.as_ref().map_or("", |owner| &owner.host);
                    tracing::warn!(destination = %url, job = %commit.job, host, "waiting for another commit to end");
                }
                if let Next::LookAgainIn(pause) = wait {
                    tokio::time::sleep(pause).await;
                }
                Ok(None)
            }
        }
    }
}
