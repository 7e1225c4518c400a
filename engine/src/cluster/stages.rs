//! The stages of a job, read off Ballista's state in the scheduler.

use ballista_core::serde::protobuf::task_status::Status as TaskStatus;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};

use super::service::State;
use crate::observe::progress::Tasks;
use crate::observe::stages::{Stage, StageState, TASKS_SHOWN, Task, operators};

/// The stages of a job that runs, in their order; none of another.
pub(super) async fn of_job(scheduler: &State, job: &str) -> Vec<Stage> {
    let running = scheduler.task_manager.get_running_job_cache();
    let Some((_, running)) = running.iter().find(|(id, _)| id.to_string() == job) else { return Vec::new() };
    let graph = running.execution_graph.read().await;
    let mut stages: Vec<_> = graph.stages().values().map(stage).collect();
    stages.sort_by_key(|stage| stage.stage);
    stages
}

fn stage(stage: &ExecutionStage) -> Stage {
    let (id, state, inputs, partitions, plan, metrics) = match stage {
        ExecutionStage::UnResolved(stage) => {
            (stage.stage_id, StageState::Waiting, Some(&stage.inputs), None, &stage.plan, None)
        }
        ExecutionStage::Resolved(stage) => {
            (stage.stage_id, StageState::Waiting, Some(&stage.inputs), Some(stage.partitions), &stage.plan, None)
        }
        ExecutionStage::Running(stage) => {
            let metrics = stage.stage_metrics.as_deref();
            (stage.stage_id, StageState::Running, Some(&stage.inputs), Some(stage.partitions), &stage.plan, metrics)
        }
        ExecutionStage::Successful(stage) => {
            let metrics = Some(stage.stage_metrics.as_slice());
            (stage.stage_id, StageState::Completed, Some(&stage.inputs), Some(stage.partitions), &stage.plan, metrics)
        }
        ExecutionStage::Failed(stage) => {
            (stage.stage_id, StageState::Failed, None, Some(stage.partitions), &stage.plan, None)
        }
    };
    let infos = stage.task_infos().unwrap_or_default();
    let partitions = partitions.unwrap_or_else(|| plan.properties().output_partitioning().partition_count());
    let mut reads: Vec<_> = inputs.into_iter().flat_map(|inputs| inputs.keys()).map(|id| number(*id)).collect();
    reads.sort_unstable();
    let with = |wanted: StageState| infos.iter().filter(|info| state_of(info) == wanted).count() as u64;
    let count = Tasks {
        total: partitions as u64,
        running: with(StageState::Running),
        completed: with(StageState::Completed),
        failed: with(StageState::Failed),
    };
    let shown = infos.len().saturating_sub(TASKS_SHOWN);
    let tasks = infos.iter().skip(shown).map(task).collect();
    // Before any task has ended nothing was counted: not zero.
    let operators = operators(plan, Some(metrics.unwrap_or_default()));
    Stage { stage: number(id), state, reads, count, tasks, operators }
}

fn state_of(info: &TaskInfo) -> StageState {
    match &info.task_status {
        TaskStatus::Running(_) => StageState::Running,
        TaskStatus::Successful(_) => StageState::Completed,
        TaskStatus::Failed(_) => StageState::Failed,
    }
}

fn task(info: &TaskInfo) -> Task {
    let executor = match &info.task_status {
        TaskStatus::Running(task) => task.executor_id.clone(),
        TaskStatus::Successful(task) => task.executor_id.clone(),
        TaskStatus::Failed(_) => String::new(),
    };
    let milliseconds = |at: u128| u64::try_from(at).unwrap_or(u64::MAX);
    // The scheduler's clock; the executor's own is told with the end.
    let started =
        if info.start_exec_time > 0 { info.start_exec_time } else { info.launch_time.max(info.scheduled_time) };
    let ended = [info.end_exec_time, info.finish_time].into_iter().find(|at| *at > 0).map(milliseconds);
    let state = state_of(info);
    Task {
        task: number(info.task_id),
        partition: info.global_input_partition_ids.first().map_or(0, |partition| number(*partition)),
        executor,
        state,
        started_ms: milliseconds(started),
        ended_ms: ended.filter(|_| state != StageState::Running),
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
