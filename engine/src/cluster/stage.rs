//! How an executor runs a task: its plan bound to this process, its errors told apart, its answers written down before it
//! counts as done.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::{RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport};
use ballista_executor::execution_engine::{ExecutionEngine, QueryStageExecutor};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use tokio_util::sync::CancellationToken;

use super::carried::Carried;
use super::process::{Bound, Process, Statement};

/// Ballista's engine, with tasks bound to a process.
pub struct Tasks {
    process: Arc<Process>,
    inner: Arc<dyn ExecutionEngine>,
}

impl Tasks {
    /// Tasks of a process, run by `inner`.
    pub fn new(process: Arc<Process>, inner: Arc<dyn ExecutionEngine>) -> Self {
        Tasks { process, inner }
    }
}

impl ExecutionEngine for Tasks {
    fn create_query_stage_exec(
        &self,
        job: JobId,
        stage: usize,
        task: usize,
        partitions: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let carried = config.options().extensions.get::<Carried>().cloned().unwrap_or_default();
        let Bound { statement, plan, ended } = self.process.bind(&carried, plan)?;
        let inner = self.inner.create_query_stage_exec(job, stage, task, partitions, plan, work_dir, config)?;
        Ok(Arc::new(Task { process: Arc::clone(&self.process), statement, ended, inner }))
    }
}

/// One task.
struct Task {
    process: Arc<Process>,
    statement: Arc<Statement>,
    ended: CancellationToken,
    inner: Arc<dyn QueryStageExecutor>,
}

#[async_trait]
impl QueryStageExecutor for Task {
    async fn execute_query_stage(&self, task: usize, context: Arc<TaskContext>) -> Result<Vec<ShuffleWritePartition>> {
        // A task that is cancelled is dropped, but not all that works for it is.
        let _ended = self.ended.clone().drop_guard();
        let done = tokio::select! {
            done = self.inner.execute_query_stage(task, context) => done,
            () = self.ended.cancelled() => exec_err!("nobody waits for this task any more"),
        };
        // Also where it failed: whoever runs it again must not buy the answers twice.
        let flushed = self.statement.flush().await;
        self.process.report().await;
        let done = done.map_err(told_apart)?;
        flushed.map(|()| done).map_err(told_apart)
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.inner.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.inner.collect_column_stats()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.inner)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

/// Ballista runs a task again after an I/O error, and fails the job after any other. A store that did not answer may do so the
/// next time. Memory would be as short again: each task has its own share.
fn told_apart(error: DataFusionError) -> DataFusionError {
    let again = |error: DataFusionError| DataFusionError::IoError(io::Error::other(error.to_string()));
    let error = without_wrapper(error);
    match error.find_root() {
        DataFusionError::ObjectStore(cause) if is_passing(cause) => again(error),
        DataFusionError::ParquetError(cause) if is_passing_within(cause.as_ref()) => again(error),
        _ => error,
    }
}

/// What Ballista wrapped into an error of its own, which shows no source.
fn without_wrapper(error: DataFusionError) -> DataFusionError {
    let is_ballistas = |error: &DataFusionError| match error {
        DataFusionError::External(inner) => inner.is::<BallistaError>(),
        _ => false,
    };
    match error {
        DataFusionError::Shared(shared) => match Arc::try_unwrap(shared) {
            Ok(error) => without_wrapper(error),
            Err(shared) => DataFusionError::Shared(shared),
        },
        error if is_ballistas(&error) => match BallistaError::from(error) {
            BallistaError::DataFusionError(inner) => without_wrapper(*inner),
            other => DataFusionError::External(Box::new(other)),
        },
        error => error,
    }
}

fn is_passing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}

fn is_passing_within(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(store) = error.downcast_ref::<object_store::Error>() {
            return is_passing(store);
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let generic = || object_store::Error::Generic { store: "S3", source: "503".into() };
        let missing = || object_store::Error::NotFound { path: "x".to_owned(), source: "404".into() };
        let in_parquet = |error| {
            DataFusionError::ParquetError(Box::new(datafusion::parquet::errors::ParquetError::External(Box::new(
                error,
            ))))
        };
        let is_again = |error| matches!(told_apart(error), DataFusionError::IoError(_));
        assert!(is_again(DataFusionError::ObjectStore(Box::new(generic()))));
        assert!(is_again(DataFusionError::ObjectStore(Box::new(generic())).context("reading")));
        assert!(is_again(in_parquet(generic())));
        let wrapped = BallistaError::DataFusionError(Box::new(DataFusionError::ObjectStore(Box::new(generic()))));
        assert!(is_again(DataFusionError::Shared(Arc::new(DataFusionError::External(Box::new(wrapped))))));
        assert!(!is_again(DataFusionError::ResourcesExhausted("sort".to_owned())));
        assert!(!is_again(DataFusionError::ObjectStore(Box::new(missing()))));
        assert!(!is_again(in_parquet(missing())));
        assert!(!is_again(DataFusionError::Execution("429".to_owned())));
    }
}
