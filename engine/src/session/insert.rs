//! An INSERT: planned, its answers written down as they come, its files staged and committed.

use std::sync::{Arc, PoisonError};

use datafusion::physical_plan::ExecutionPlan;
use paceline_sql::commands::{InsertDirectory, Overwrite};
use paceline_udfs::journal::Journal;

use super::{Outcome, Session, Written, plan};
use crate::EngineError;
use crate::api_call::{ApiCallExec, Run};
use crate::checkpoint::{Kept, Output, Step, success_note};
use crate::io::commit;
use crate::io::job_folder::JobFolder;
use crate::io::of_session;
use crate::io::sink::{Kind, StagedFile, Target, WriteFiles, partition_folder};
use crate::io::stores::Place;
use crate::observe::progress::{Before, Running};

/// An INSERT that is being carried out.
#[derive(Debug)]
pub(super) struct Inserting {
    folder: JobFolder,
    journal: Option<Arc<Journal>>,
}

impl Session {
    pub(super) async fn insert(
        &self,
        insert: &InsertDirectory,
        text: &str,
        step: &Step<'_>,
    ) -> Result<Outcome, EngineError> {
        let mut target = self.target(insert, &step.begun.job)?;
        target.folder = target.folder.keeping_checkpoints(self.checkpoints.keep);
        target.folder = match &insert.overwrite {
            Overwrite::Nothing => target.folder.appending(Vec::new()),
            Overwrite::Everything | Overwrite::Partitions => target.folder,
            Overwrite::Partition(values) => target.folder.replacing_within(partition_folder(values)?),
        };
        let folder = target.folder.clone();
        commit::prepare(&folder).await?;
        let success = folder.success().await?;
        let kept = Kept::of(&self.checkpoints, &self.stores, &folder, step)?;
        let mut earlier = if self.checkpoints.enabled { kept.earlier().await? } else { None };
        let run = earlier.as_ref().map_or(&step.begun.run, |earlier| &earlier.begun.run).clone();
        if success.as_ref() == Some(&success_note(step.begun, &run, step.statement)) {
            if step.again {
                return Ok(Outcome::DoneBefore(Output { url: folder.url().to_string(), run }));
            }
            kept.remove().await; // of an earlier job of this id, which has ended
            earlier = None;
        }

        let plan = self.plan_insert(insert, target).await?;
        let open = match self.checkpoints.enabled && has_calls(&plan) {
            true => Some(kept.open(earlier, step, text, &plan, self.network.handle()).await?),
            false => None,
        };
        // A run that goes on is known by the name that it began with.
        let run = open.as_ref().map_or(&step.begun.run, |open| &open.run).clone();
        let folder = folder.with_success(&success_note(step.begun, &run, step.statement));
        let scope = format!("{run}/{}", step.statement);
        let (journal, place) = open.map(|open| (open.journal, open.place)).unzip();
        let run_of_plan = Run { scope, journal: journal.clone().into(), ..Run::default() };
        let staged = self.stage(&folder, plan, run_of_plan, place.as_ref()).await;
        let (written, files) = self.closing(&folder, journal.as_deref(), staged).await?;
        self.commit(&folder, &written, files).await?;
        // Beside the output it went with the commit.
        if journal.is_some() && self.checkpoints.location.is_some() && !self.checkpoints.keep {
            kept.remove().await;
        }
        Ok(Outcome::Written(Written { run, ..written }))
    }

    /// Where to and how a job writes. What the settings say of outputs holds where the INSERT says nothing.
    pub(crate) fn target(&self, insert: &InsertDirectory, job: &str) -> Result<Target, EngineError> {
        let folder = JobFolder::new(self.stores.place(&insert.directory)?, job);
        let options = of_session::written(&insert.format, &insert.options, &self.expression_settings());
        Target::new(folder, &insert.format, &options)
    }

    /// The plan of an INSERT that writes to `target`.
    pub(super) async fn plan_insert(
        &self,
        insert: &InsertDirectory,
        target: Target,
    ) -> Result<Arc<dyn ExecutionPlan>, EngineError> {
        let plan = WriteFiles::plan(target, plan::with_names(&insert.query)?)?;
        self.physical(&plan, &insert.query).await
    }

    /// Closes the journal of what was staged; where one of the two failed, nothing of it stays.
    pub(super) async fn closing<T>(
        &self,
        folder: &JobFolder,
        journal: Option<&Journal>,
        staged: Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let closed = match journal {
            Some(journal) => journal.close().await.map_err(EngineError::Setting),
            None => Ok(()),
        };
        let result = staged.and_then(|staged| closed.map(|()| staged));
        if result.is_err() {
            commit::abandon_after_failure(folder).await;
            self.note(None);
        }
        result
    }

    /// Makes files that were staged in `folder` visible.
    pub(super) async fn commit(
        &self,
        folder: &JobFolder,
        written: &Written,
        files: Vec<StagedFile>,
    ) -> Result<(), EngineError> {
        commit::commit(folder, files).await?;
        self.note(None);
        tracing::info!(url = %written.url, rows = written.records_written, failed = written.records_failed, "committed");
        Ok(())
    }

    /// Carries a plan out that writes to `folder`; what it wrote is not visible yet.
    pub(super) async fn stage(
        &self,
        folder: &JobFolder,
        plan: Arc<dyn ExecutionPlan>,
        run: Run,
        place: Option<&Place>,
    ) -> Result<(Written, Vec<StagedFile>), EngineError> {
        let before = self.progress();
        let before = Before { wanted: before.wanted, decided: before.decided() };
        let running = Running { plan: Arc::clone(&plan), before };
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        let journal = run.journal.opened().cloned();
        self.note(Some(Inserting { folder: folder.clone(), journal: journal.clone() }));
        let collected = self.collect(plan, run, place).await;
        self.stages(); // as they are in the end
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;

        let collected = collected?;
        let files = StagedFile::from_batches(&collected.batches)?;
        let rows = |kind| files.iter().filter(|file| file.kind == kind).map(|file| file.rows).sum();
        let written = Written {
            url: folder.url().clone(),
            records_read: collected.read,
            records_malformed: collected.malformed,
            records_dropped: collected.dropped,
            records_written: rows(Kind::Rows),
            records_failed: rows(Kind::DeadLetters),
            run: String::new(),
            journal_damaged: journal.map_or(0, |journal| journal.counters.damaged.get()),
        };
        let decided = self.progress().decided().saturating_sub(before.decided);
        let all = decided.max(written.records_written + written.records_failed);
        self.records.lock().unwrap_or_else(PoisonError::into_inner).end(all);
        Ok((written, files))
    }

    /// After a statement was given up on the way: writes down the answers that came, finishes its commit if that had begun,
    /// otherwise removes what it had staged. Returns whether it finished a commit.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn clean_up(&self) -> Result<bool, EngineError> {
        if let Some(cluster) = &self.cluster {
            cluster.let_go().await;
        }
        let inserting = self.inserting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Inserting { folder, journal }) = inserting else { return Ok(false) };
        let closed = match journal {
            Some(journal) => journal.close().await.map_err(EngineError::Setting),
            None => Ok(()),
        };
        let finished = commit::stopped(&folder).await?;
        closed.map(|()| finished)
    }

    fn note(&self, inserting: Option<Inserting>) {
        *self.inserting.lock().unwrap_or_else(PoisonError::into_inner) = inserting;
    }
}

fn has_calls(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<ApiCallExec>() || plan.children().into_iter().any(has_calls)
}
