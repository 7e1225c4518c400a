//! The steps of a commit, by the driver that owns it. Each may be done twice, and late by a driver that was taken over.

use futures::StreamExt;

use super::super::job_folder::{JobFolder, SUCCESS};
use super::Stop;
use super::files::{self, AT_ONCE, Broken, delete, make_visible, stage_success};
use super::ledger::{Commit, Held, Last, Ledger};
use crate::EngineError;

/// How a commit that nobody took over ends.
#[derive(Debug)]
pub(super) enum Ended {
    Done,
    /// It could not be begun or finished, and the destination is as it was; why.
    GivenUp(String),
}

/// Carries a commit out from wherever it was broken off.
pub(super) async fn roll_forward(held: Held<'_>) -> Result<Ended, EngineError> {
    let folder = held.folder;
    let ended = match carry_out(&held).await {
        // It failed on what the one who took over has changed.
        Err(Stop::Failed(error)) => match held.release().await {
            Err(Stop::Fenced) => Err(Stop::Fenced),
            _ => return Err(error),
        },
        ended => ended,
    };
    if let Err(error) = restore_success(folder).await {
        tracing::warn!(%error, "cannot see whether _SUCCESS is there");
    }
    match ended {
        Ok(ended) => Ok(ended),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Fenced) => Err(taken_over(folder).await),
    }
}

async fn carry_out(held: &Held<'_>) -> Result<Ended, Stop> {
    tokio::select! {
        biased;
        ended = steps(held) => ended,
        stop = held.beat() => Err(stop),
    }
}

/// `_SUCCESS` is the one name that is used again: a driver that was taken over between its last look and its delete has
/// deleted that of a finished commit. It finds out at its next write and puts it back; whoever finished looks, too.
async fn restore_success(folder: &JobFolder) -> Result<(), EngineError> {
    loop {
        let (ledger, seen) = Ledger::read(folder).await?;
        let (None, Some(last)) = (&ledger.commit, &ledger.last) else { return Ok(()) };
        if folder.success().await?.is_some() {
            return Ok(());
        }
        let commit = restoring(folder, &last.job, &last.success).await?;
        // Where the manifest has changed, that may have been no more than the start of a job.
        if let Some(held) = Held::take(folder, (ledger, seen), commit).await? {
            return match carry_out(&held).await {
                Err(Stop::Failed(error)) => Err(error),
                // Who took that over brings it back.
                Ok(_) | Err(Stop::Fenced) => Ok(()),
            };
        }
    }
}

/// A commit of nothing but this `_SUCCESS`.
async fn restoring(folder: &JobFolder, job: &str, success: &str) -> Result<Commit, EngineError> {
    let staged_success = Some(stage_success(folder, job, success).await?);
    let (job, success) = (job.to_owned(), success.to_owned());
    Ok(Commit { job, success, staged_success, old: Some(Vec::new()), restores: true, ..Commit::default() })
}

async fn taken_over(folder: &JobFolder) -> EngineError {
    let by = match Ledger::read(folder).await {
        Ok((Ledger { commit: Some(Commit { owner: Some(owner), .. }), .. }, _)) => format!(" on '{}'", owner.host),
        _ => String::new(),
    };
    EngineError::Setting(format!(
        "the commit of job '{}' to '{}' showed no sign of life for too long, so another driver{by} has taken it over and \
         finishes it; this one has stopped. Run or resume the job under the same id to see how it ended",
        folder.job,
        folder.url()
    ))
}

async fn steps(held: &Held<'_>) -> Result<Ended, Stop> {
    let folder = held.folder;
    let failed = folder.failed("cannot commit to");
    if held.commit().await?.staged_success.is_none()
        && let Some(gone) = begin(held).await?
    {
        return Ok(Ended::GivenUp(gone));
    }
    let commit = held.commit().await?;
    if !commit.restores {
        delete(folder, vec![folder.at(&[SUCCESS])]).await?;
        let completed = commit.files.iter().map(|file| make_visible(folder, file));
        let completed: Vec<_> = futures::stream::iter(completed).buffer_unordered(AT_ONCE).collect().await;
        if !completed.is_empty() && completed.iter().all(|done| matches!(done, Err(Broken::Gone(_)))) {
            return give_up(held, &commit).await.map(Ended::GivenUp);
        }
        completed.into_iter().collect::<Result<Vec<()>, _>>().map_err(|broken| failed(broken.into()))?;
        held.still_owns().await?;
        let old = commit.old.iter().flatten().map(|old| files::path(old)).collect::<Result<_, _>>().map_err(failed)?;
        delete(folder, old).await?;
    }
    put_success(held, &commit).await?;
    // A commit that only restores has nothing else staged, and its job may be running again.
    if !commit.restores {
        clean_up(held, &commit, !commit.keeps_checkpoints).await?;
    }
    end(held, &commit).await?;
    Ok(Ended::Done)
}

/// Writes down what will be replaced. Until then nothing is changed, so whoever comes by looks at the files anew.
/// Returns why it cannot be.
async fn begin(held: &Held<'_>) -> Result<Option<String>, Stop> {
    let folder = held.folder;
    let mut commit = held.commit().await?;
    let replaced = commit.old.iter().flatten().cloned().collect::<Vec<_>>();
    if commit.appends
        && let Some(gone) = files::first_gone(folder, &replaced).await?
    {
        held.write(|ledger| ledger.commit = None).await?;
        return Ok(Some(format!(
            "'{gone}' was to be replaced and is gone: somebody else has done the same work at this moment; nothing of job \
             '{}' became visible",
            commit.job
        )));
    }
    // A manifest of an older version may have this from before its `_SUCCESS` went.
    if commit.old_success.is_none() {
        commit.old_success = folder.success().await?;
    }
    if commit.old.is_none() {
        commit.old = Some(files::list_old(folder, &commit).await?);
    }
    commit.staged_success = Some(stage_success(folder, &commit.job, &commit.success).await?);
    let Commit { old, old_success, staged_success, .. } = commit;
    held.write(|ledger| {
        ledger.commit = ledger.commit.take().map(|found| Commit { old, old_success, staged_success, ..found });
    })
    .await?;
    Ok(None)
}

/// Nothing that was staged is there any more, so nothing of the commit can be finished, and nothing was replaced.
async fn give_up(held: &Held<'_>, commit: &Commit) -> Result<String, Stop> {
    let folder = held.folder;
    match &commit.old_success {
        Some(text) => {
            let restoring = restoring(folder, &commit.job, text).await?;
            let change = |ledger: &mut Ledger| {
                let owner = ledger.commit.take().and_then(|found| found.owner);
                ledger.commit = Some(Commit { owner, ..restoring.clone() });
            };
            held.write(change).await?;
            put_success(held, &restoring).await?;
            clean_up(held, commit, false).await?;
            end(held, &restoring).await?;
        }
        None => {
            clean_up(held, commit, false).await?;
            held.write(|ledger| (ledger.commit, ledger.last) = (None, None)).await?;
        }
    }
    Ok(format!(
        "what job '{}' had staged for '{}' is gone, as when it is started again while it still runs; the destination is \
         as it was, run the job again",
        commit.job,
        folder.url()
    ))
}

async fn put_success(held: &Held<'_>, commit: &Commit) -> Result<(), Stop> {
    let folder = held.folder;
    let failed = folder.failed("cannot put _SUCCESS of");
    let Some(staged) = &commit.staged_success else { return Ok(()) };
    match make_visible(folder, staged).await {
        Ok(()) => return Ok(()),
        // Some stores say so of an upload that is not there, and then the request was not carried out.
        Err(Broken::Gone(_) | Broken::Failed(object_store::Error::PermissionDenied { .. })) => {}
        Err(Broken::Failed(error)) => return Err(failed(error).into()),
    }
    // It was visible and has been deleted since, or its upload has expired.
    let staged = stage_success(folder, &commit.job, &commit.success).await?;
    held.write(|ledger| {
        let staged_success = Some(staged.clone());
        ledger.commit = ledger.commit.take().map(|found| Commit { staged_success, ..found });
    })
    .await?;
    make_visible(folder, &staged).await.map_err(|broken| failed(broken.into()).into())
}

/// Removes what the job staged, or, if `all`, its checkpoints too. The commit is as good as ended: what is left over is removed
/// by the next try of its job, so it is no reason to fail.
async fn clean_up(held: &Held<'_>, commit: &Commit, all: bool) -> Result<(), Stop> {
    let folder = held.folder;
    let left = files::leftovers(folder, &commit.job, all).await;
    // What was listed is not of a later try: none is registered before this commit ends.
    held.still_owns().await?;
    let removed = match left {
        Ok(left) => files::remove(folder, left, &commit.files).await,
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::warn!(%error, "the commit is complete, but its own files could not be removed");
    }
    Ok(())
}

async fn end(held: &Held<'_>, commit: &Commit) -> Result<(), Stop> {
    let last = Some(Last { job: commit.job.clone(), success: commit.success.clone() });
    held.write(|ledger| {
        (ledger.commit, ledger.last) = (None, last);
        if !commit.restores {
            ledger.tries.remove(&commit.job);
        }
    })
    .await
}
