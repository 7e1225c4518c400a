//! The stages of a job, read off Ballista's state in the scheduler.

use ballista_core::serde::protobuf::FailedTask;
use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::task_status::Status as TaskStatus;
use ballista_scheduler::cluster::JobState;
use ballista_scheduler::state::execution_graph::ExecutionGraph;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};

use super::service::State;
use crate::observe::progress::Tasks;
use crate::observe::stages::{Stage, StageState, TASKS_SHOWN, Task, operators};

/// The stages of a job that runs, or is among those that have ended, in their order; none of another.
pub(super) async fn of_job(scheduler: &State, ended: &dyn JobState, job: &str) -> Vec<Stage> {
    if let Some(running) = scheduler.task_manager.get_running_job_cache().get(job) {
        return of_graph(running.execution_graph.read().await.as_ref());
    }
    match ended.get_execution_graph(&job.into()).await {
        Ok(Some(graph)) => of_graph(graph.as_ref()),
        Ok(None) => Vec::new(),
        Err(error) => {
            tracing::debug!(%error, job, "its stages are not known");
            Vec::new()
        }
    }
}

fn of_graph(graph: &(dyn ExecutionGraph + Send + Sync)) -> Vec<Stage> {
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
    // What the last stage writes is the result.
    let is_read = !stage.output_links().is_empty();
    let partitions = partitions.unwrap_or_else(|| plan.properties().output_partitioning().partition_count());
    let mut reads: Vec<_> = inputs.into_iter().flat_map(|inputs| inputs.keys()).map(|id| number(*id)).collect();
    reads.sort_unstable();
    let with = |wanted: StageState| infos.iter().filter(|info| state_of(info) == wanted).count() as u64;
    let killed = infos.iter().filter(|info| is_killed(&info.task_status)).count() as u64;
    let waiting = if let ExecutionStage::Running(stage) = stage { stage.available_tasks() } else { 0 };
    let count = Tasks {
        total: partitions as u64,
        waiting: waiting as u64,
        running: with(StageState::Running),
        completed: with(StageState::Completed),
        failed: with(StageState::Failed) - killed,
        killed,
    };
    let shown = infos.len().saturating_sub(TASKS_SHOWN);
    let tasks = infos.iter().skip(shown).map(task).collect();
    // Before any task has ended nothing was counted: not zero.
    let operators = operators(plan, Some(metrics.unwrap_or_default()));
    let shuffle_written_bytes = if is_read { infos.iter().map(|info| written(&info.task_status)).sum() } else { 0 };
    Stage { stage: number(id), state, reads, count, shuffle_written_bytes, tasks, operators }
}

/// Whether a task was cancelled, or lost with its executor. Of a try that failed and is made again Ballista says that it was
/// killed, too; it tells it from the others as one that may be made again.
fn is_killed(status: &TaskStatus) -> bool {
    let TaskStatus::Failed(FailedTask { retryable, failed_reason: Some(reason), .. }) = status else { return false };
    match reason {
        FailedReason::TaskKilled(_) => !retryable,
        FailedReason::ResultLost(_) | FailedReason::ExecutorLost(_) => true,
        FailedReason::ExecutionError(_) | FailedReason::FetchPartitionError(_) | FailedReason::IoError(_) => false,
    }
}

/// Bytes that a task wrote, as its executor said when it had ended.
fn written(status: &TaskStatus) -> u64 {
    let TaskStatus::Successful(done) = status else { return 0 };
    done.partitions.iter().map(|partition| partition.num_bytes).sum()
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

#[cfg(test)]
mod tests {
    use ballista_core::serde::protobuf::{
        ExecutorLost, IoError, ResultLost, RunningTask, ShuffleWritePartition, SuccessfulTask, TaskKilled,
    };

    use super::*;

    #[test]
    fn a_try_that_is_made_again_has_failed_and_was_not_killed() {
        let failed = |retryable, failed_reason| {
            let (error, count_to_failures) = (String::new(), false);
            TaskStatus::Failed(FailedTask { error, retryable, count_to_failures, failed_reason })
        };
        let killed = || Some(FailedReason::TaskKilled(TaskKilled {}));
        assert!(is_killed(&failed(false, killed())), "its stage had failed");
        assert!(!is_killed(&failed(true, killed())), "it had failed, and was made ready for another try");
        assert!(is_killed(&failed(true, Some(FailedReason::ResultLost(ResultLost {})))));
        assert!(is_killed(&failed(true, Some(FailedReason::ExecutorLost(ExecutorLost {})))));
        assert!(!is_killed(&failed(true, Some(FailedReason::IoError(IoError {})))));
        assert!(!is_killed(&failed(true, None)));
        assert!(!is_killed(&TaskStatus::Running(RunningTask::default())));
    }

    #[test]
    fn what_was_written_counts_when_its_task_has_ended() {
        let partition = |num_bytes| ShuffleWritePartition { num_bytes, ..ShuffleWritePartition::default() };
        let done = SuccessfulTask { partitions: vec![partition(70), partition(30)], ..SuccessfulTask::default() };
        assert_eq!(written(&TaskStatus::Successful(done)), 100);
        assert_eq!(written(&TaskStatus::Running(RunningTask::default())), 0);
    }
}
