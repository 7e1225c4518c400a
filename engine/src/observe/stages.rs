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
    /// Bytes that its tasks wrote for later stages.
    #[serde(default)]
    pub shuffle_written_bytes: u64,
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
            waiting: sum.waiting + stage.count.waiting,
            running: sum.running + stage.count.running,
            completed: sum.completed + stage.count.completed,
            failed: sum.failed + stage.count.failed,
            killed: sum.killed + stage.count.killed,
        })
    }

    /// A plan that runs in this process.
    pub(crate) fn of_plan(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let partitions = plan.output_partitioning().partition_count();
        let metrics = first_metrics(plan);
        let mut tasks: Vec<_> = (0..partitions).filter_map(|partition| task(partition, metrics.as_ref())).collect();
        let completed = tasks.iter().filter(|task| task.ended_ms.is_some()).count() as u64;
        let (total, running) = (partitions as u64, tasks.len() as u64 - completed);
        let count = Tasks { total, running, completed, ..Tasks::default() };
        let state = if count.completed == count.total { StageState::Completed } else { StageState::Running };
        tasks.truncate(TASKS_SHOWN);
        Stage { stage: 1, state, count, tasks, operators: operators(plan, None), ..Stage::default() }
    }

    /// As it is when its plan has ended well.
    pub(crate) fn complete(&mut self, now_ms: u64) {
        self.state = StageState::Completed;
        self.count = Tasks { completed: self.count.total, running: 0, waiting: 0, ..self.count };
        self.end_tasks(StageState::Completed, now_ms);
    }

    /// As it is when its plan has failed: what still ran is cancelled.
    pub(crate) fn give_up(&mut self, now_ms: u64) {
        if self.state == StageState::Running {
            self.state = StageState::Failed;
        }
        self.count = Tasks { killed: self.count.killed + self.count.running, running: 0, waiting: 0, ..self.count };
        self.end_tasks(StageState::Failed, now_ms);
    }

    fn end_tasks(&mut self, state: StageState, now_ms: u64) {
        for task in self.tasks.iter_mut().filter(|task| task.state == StageState::Running) {
            (task.state, task.ended_ms) = (state, Some(now_ms));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_when_a_plan_failed_was_killed() {
        let task = |number, state| {
            let (executor, ended_ms) = ("a".to_owned(), (state != StageState::Running).then_some(5));
            Task { task: number, partition: number, executor, state, started_ms: 1, ended_ms }
        };
        let count = Tasks { total: 9, waiting: 2, running: 2, completed: 3, failed: 1, killed: 1 };
        let tasks = vec![task(0, StageState::Completed), task(1, StageState::Running)];
        let mut stage = Stage { stage: 2, state: StageState::Running, count, tasks, ..Stage::default() };
        let waiting = Stage { stage: 3, count: Tasks { total: 4, ..Tasks::default() }, ..Stage::default() };
        stage.give_up(7);
        assert_eq!(stage.count, Tasks { waiting: 0, running: 0, killed: 3, ..count });
        assert_eq!(stage.state, StageState::Failed);
        let ended = Task { ended_ms: Some(7), ..task(1, StageState::Failed) };
        assert_eq!(stage.tasks, [task(0, StageState::Completed), ended]);
        let mut given_up = waiting.clone();
        given_up.give_up(7);
        assert_eq!(given_up, waiting, "what had not begun was not killed");
        let sum = Tasks { total: 13, waiting: 0, running: 0, completed: 3, failed: 1, killed: 3 };
        assert_eq!(Stage::sum(&[stage, waiting]), sum);
    }
}
