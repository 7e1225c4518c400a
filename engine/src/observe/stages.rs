//! The stages of a plan, their tasks and operators, as they can be seen: a plan in this process is one stage, each partition of
//! it a task; a cluster's scheduler knows its own.

use std::sync::Arc;

use datafusion::physical_plan::metrics::{Metric, MetricValue, MetricsSet};
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, ExecutionPlanProperties};
use serde::{Deserialize, Serialize};

use super::progress::Tasks;

/// Of a stage so many tasks are shown one by one, the last that began.
pub(crate) const TASKS_SHOWN: usize = 300;
/// So many operators.
const OPERATORS_SHOWN: usize = 200;
/// Characters of what an operator says of itself.
const DETAIL: usize = 300;

/// A stage of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its number in the plan.
    pub stage: u32,
    /// How far it is.
    pub state: StageState,
    /// The stages whose rows it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<u32>,
    /// How many tasks there are.
    pub count: Tasks,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Its operators from the top down, each before those that it reads from.
    pub operators: Vec<Operator>,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StageState {
    /// It waits for stages that it reads from.
    #[default]
    Waiting,
    /// It has tasks that run, or could.
    Running,
    /// All its tasks are done.
    Completed,
    /// It failed.
    Failed,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its number in the stage.
    pub task: u32,
    /// The partition it works on.
    pub partition: u32,
    /// Where it runs; empty for this process.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub executor: String,
    /// How far it is.
    pub state: StageState,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
}

/// An operator of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// How many operators stand between it and the top.
    pub depth: u32,
    /// Its kind.
    pub name: String,
    /// What it says of itself.
    pub detail: String,
    /// Rows that came out of it so far; on a cluster, out of tasks that have ended. Absent where it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

impl Stage {
    /// The tasks of all stages.
    pub(crate) fn sum(stages: &[Stage]) -> Tasks {
        stages.iter().fold(Tasks::default(), |sum, stage| Tasks {
            total: sum.total + stage.count.total,
            running: sum.running + stage.count.running,
            completed: sum.completed + stage.count.completed,
            failed: sum.failed + stage.count.failed,
        })
    }

    /// A plan that runs in this process.
    pub(crate) fn of_plan(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let partitions = plan.output_partitioning().partition_count();
        let metrics = first_metrics(plan);
        let mut tasks: Vec<_> = (0..partitions).filter_map(|partition| task(partition, metrics.as_ref())).collect();
        let completed = tasks.iter().filter(|task| task.ended_ms.is_some()).count() as u64;
        let count = Tasks { total: partitions as u64, running: tasks.len() as u64 - completed, completed, failed: 0 };
        let state = if count.completed == count.total { StageState::Completed } else { StageState::Running };
        tasks.truncate(TASKS_SHOWN);
        Stage { stage: 1, state, reads: Vec::new(), count, tasks, operators: operators(plan, None) }
    }

    /// As it is when its plan has ended well.
    pub(crate) fn complete(&mut self, now_ms: u64) {
        self.state = StageState::Completed;
        self.count = Tasks { completed: self.count.total, running: 0, ..self.count };
        for task in self.tasks.iter_mut().filter(|task| task.state == StageState::Running) {
            (task.state, task.ended_ms) = (StageState::Completed, Some(now_ms));
        }
    }
}

/// The operators of a plan. `metrics` are theirs in this order, where they were counted elsewhere.
pub(crate) fn operators(plan: &Arc<dyn ExecutionPlan>, metrics: Option<&[MetricsSet]>) -> Vec<Operator> {
    let (mut found, mut left) = (Vec::new(), vec![(Arc::clone(plan), 0)]);
    let mut counted = 0;
    while let Some((plan, depth)) = left.pop() {
        let rows = match (metrics, plan.metrics()) {
            // Those that count nothing are passed over there.
            (Some(all), Some(_)) => {
                counted += 1;
                all.get(counted - 1).and_then(MetricsSet::output_rows)
            }
            (Some(_), None) => None,
            (None, own) => own.and_then(|metrics| metrics.output_rows()),
        };
        let detail = Detail(plan.as_ref()).to_string().chars().take(DETAIL).collect();
        found.push(Operator { depth, name: plan.name().to_owned(), detail, rows: rows.map(|rows| rows as u64) });
        if found.len() == OPERATORS_SHOWN {
            break;
        }
        // The first child comes next.
        left.extend(plan.children().into_iter().rev().map(|child| (Arc::clone(child), depth + 1)));
    }
    found
}

struct Detail<'a>(&'a dyn ExecutionPlan);

impl std::fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt_as(DisplayFormatType::Default, f)
    }
}

/// The numbers of the topmost operator that has some for each partition.
fn first_metrics(plan: &Arc<dyn ExecutionPlan>) -> Option<MetricsSet> {
    let has_start = |metrics: &MetricsSet| {
        let is_start = |metric: &Arc<Metric>| matches!(metric.value(), MetricValue::StartTimestamp(_));
        metrics.iter().any(|metric| metric.partition().is_some() && is_start(metric))
    };
    let own = plan.metrics().filter(has_start);
    own.or_else(|| plan.children().into_iter().find_map(first_metrics))
}

fn task(partition: usize, metrics: Option<&MetricsSet>) -> Option<Task> {
    let (mut started, mut ended) = (None, None);
    for metric in metrics?.iter().filter(|metric| metric.partition() == Some(partition)) {
        match metric.value() {
            MetricValue::StartTimestamp(at) => started = at.value().map(|at| at.timestamp_millis()),
            MetricValue::EndTimestamp(at) => ended = at.value().map(|at| at.timestamp_millis()),
            _ => {}
        }
    }
    let milliseconds = |at: i64| u64::try_from(at).unwrap_or(0);
    let number = u32::try_from(partition).unwrap_or(u32::MAX);
    let (started_ms, ended_ms) = (milliseconds(started?), ended.map(milliseconds));
    let state = if ended_ms.is_some() { StageState::Completed } else { StageState::Running };
    Some(Task { task: number, partition: number, executor: String::new(), state, started_ms, ended_ms })
}
