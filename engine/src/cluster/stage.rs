//! How an executor runs a task: its plan bound to this process, to this machine's disks and to its share of the memory, its
//! answers written down before it counts as done.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::execution_plans::ShuffleReaderExec;
use ballista_core::serde::protobuf::{RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport};
use ballista_executor::execution_engine::{ExecutionEngine, QueryStageExecutor};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;

use super::carried::Carried;
use super::faults::{is_short_of_memory, told_apart};
use super::idle::{HUNG, noticed};
use super::memory::{Granted, Memory};
use super::process::{Bound, Process};
use super::running::{Begun, TaskId};
use super::shuffle::{ChainExec, FetchExec, Sources};
use super::work::Work;
use crate::api_call::ApiCallExec;

/// Ballista's engine, with tasks bound to a process.
pub struct Tasks(Arc<Place>);

/// What the tasks of an executor run on.
pub struct Place {
    /// The process.
    pub process: Arc<Process>,
    /// Where what earlier stages wrote comes from.
    pub sources: Arc<Sources>,
    /// What operators keep rows in.
    pub memory: Arc<Memory>,
    /// What tasks came to.
    pub work: Work,
    /// What runs them.
    pub inner: Arc<dyn ExecutionEngine>,
}

impl Tasks {
    /// Tasks that run there.
    pub fn new(place: Place) -> Self {
        Tasks(Arc::new(place))
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
        let (work_dir, config) = (work_dir.to_owned(), config.clone());
        let given = Given { job, stage, task, partitions, plan, work_dir, config };
        let begun = self.0.process.running.begin(TaskId { job: given.job.to_string(), stage, task });
        let ready = Mutex::new(Arc::new(Ready::new(&self.0, &given)?));
        Ok(Arc::new(Task { place: Arc::clone(&self.0), given, ready, _begun: begun }))
    }
}

/// What a task is made of.
struct Given {
    job: JobId,
    stage: usize,
    task: usize,
    partitions: Vec<usize>,
    plan: Arc<dyn ExecutionPlan>,
    work_dir: String,
    config: SessionConfig,
}

/// A task that can run, once.
struct Ready {
    bound: Bound,
    inner: Arc<dyn QueryStageExecutor>,
}

impl Ready {
    fn new(place: &Arc<Place>, given: &Given) -> Result<Self> {
        let carried = given.config.options().extensions.get::<Carried>().cloned().unwrap_or_default();
        let bound = place.process.bind(&carried, Arc::clone(&given.plan))?;
        let plan = fetching(Arc::clone(&bound.plan), place, &given.work_dir)?;
        let plan = with_dynamic_filters(plan, &given.config)?;
        let Given { job, stage, task, partitions, work_dir, config, .. } = given;
        let inner = &place.inner;
        let inner =
            inner.create_query_stage_exec(job.clone(), *stage, *task, partitions.clone(), plan, work_dir, config)?;
        Ok(Ready { bound, inner })
    }

    /// Runs it in the memory that it was granted.
    async fn run(
        &self,
        process: &Process,
        task: usize,
        context: &TaskContext,
        granted: &Granted,
    ) -> Result<Vec<ShuffleWritePartition>> {
        // A task that is cancelled is dropped, but not all that works for it is.
        let _ended = self.bound.ended.clone().drop_guard();
        let context = Arc::new(within(context, granted)?);
        let calls = self.bound.plan.exists(|node| Ok(node.is::<ApiCallExec>()))?;
        let hung = || {
            tracing::warn!(task, calls, "a task has done nothing for {HUNG:?}");
            !calls // who calls may wait for the API's pace
        };
        let done = tokio::select! {
            done = noticed(self.inner.execute_query_stage(task, context), HUNG, hung) => {
                let given_up = || io::Error::new(io::ErrorKind::TimedOut, "the task did nothing for ten minutes");
                done.unwrap_or_else(|| Err(DataFusionError::IoError(given_up())))
            }
            () = self.bound.ended.cancelled() => exec_err!("nobody waits for this task any more"),
        };
        // Also where it failed: whoever runs it again must not buy the answers twice.
        let flushed = self.bound.statement.flush().await;
        process.report().await;
        done.and_then(|done| flushed.map(|()| done))
    }
}

/// The context of a task, with its memory.
fn within(context: &TaskContext, granted: &Granted) -> Result<TaskContext> {
    let runtime = RuntimeEnvBuilder::from_runtime_env(&context.runtime_env());
    Ok(TaskContext::new(
        context.task_id(),
        context.session_id(),
        context.session_config().clone(),
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        runtime.with_memory_pool(Arc::clone(&granted.pool)).build_arc()?,
    ))
}

/// The plan with what it reads of earlier stages found.
fn fetching(plan: Arc<dyn ExecutionPlan>, place: &Arc<Place>, work_dir: &str) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(|node| {
        Ok(match node.downcast_ref::<ShuffleReaderExec>() {
            Some(reader) => {
                Transformed::yes(Arc::new(FetchExec::new(reader.clone(), Arc::clone(&place.sources), work_dir)) as _)
            }
            None => match ChainExec::instead_of(&node) {
                Some(chain) => Transformed::yes(chain),
                None => Transformed::no(node),
            },
        })
    });
    Ok(plan?.data)
}

/// What a join's first side or the best rows so far rule out is not read. Ballista plans without this, as a filter that is
/// known only when it runs cannot cross processes; within a task it does not have to.
fn with_dynamic_filters(plan: Arc<dyn ExecutionPlan>, config: &SessionConfig) -> Result<Arc<dyn ExecutionPlan>> {
    // A join's filter is complete when all of its partitions said theirs, and here only those of the task will.
    let waits = |node: &Arc<dyn ExecutionPlan>| {
        Ok(node.is::<HashJoinExec>() && node.output_partitioning().partition_count() > 1)
    };
    if plan.exists(waits)? {
        return Ok(plan);
    }
    let mut options = config.options().as_ref().clone();
    options.optimizer.enable_dynamic_filter_pushdown = true;
    FilterPushdown::new_post_optimization().optimize(plan, &options)
}

/// One task.
struct Task {
    place: Arc<Place>,
    given: Given,
    /// What runs, or ran last.
    ready: Mutex<Arc<Ready>>,
    _begun: Begun,
}

impl Task {
    fn ready(&self) -> Arc<Ready> {
        Arc::clone(&self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn run(&self, task: usize, context: &TaskContext) -> Result<Vec<ShuffleWritePartition>> {
        let done = self.tried(task, context).await;
        self.place.work.ended(&done, &self.collect_plan_metrics());
        done
    }

    async fn tried(&self, task: usize, context: &TaskContext) -> Result<Vec<ShuffleWritePartition>> {
        let Place { process, memory, .. } = self.place.as_ref();
        let granted = memory.share().await;
        let done = self.ready().run(process, task, context, &granted).await;
        let Err(error) = &done else { return done };
        if !is_short_of_memory(error) || memory.is_whole() {
            return done;
        }
        tracing::warn!(
            %error, job = %self.given.job, stage = self.given.stage, task,
            "a task ran out of its share of the memory; it is run again alone, with all of it"
        );
        drop((done, granted));
        let granted = memory.all().await;
        let again = Arc::new(Ready::new(&self.place, &self.given)?);
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&again);
        again.run(process, task, context, &granted).await
    }
}

#[async_trait]
impl QueryStageExecutor for Task {
    async fn execute_query_stage(&self, task: usize, context: Arc<TaskContext>) -> Result<Vec<ShuffleWritePartition>> {
        self.run(task, &context).await.map_err(told_apart)
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.ready().inner.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.ready().inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.ready().inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.ready().inner.collect_column_stats()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.ready().inner)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ready().inner)
    }
}
