//! Tells the scheduler of tasks that are lost, as their executors would, so that they are run again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc;
use ballista_core::serde::protobuf::task_status::Status as Ended;
use ballista_core::serde::protobuf::{FailedTask, IoError, TaskStatus, UpdateTaskStatusParams};
use ballista_scheduler::scheduler_server::SchedulerServer;
use ballista_scheduler::state::execution_stage::ExecutionStage;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::time::Instant;
use tonic::Request;

use super::running::TaskId;
use super::service::State;
use super::watch::Watch;

/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(2);

/// A task that is taken for running.
struct Taken {
    executor: String,
    task: TaskId,
    attempt: usize,
}

/// Looks for them all the time.
pub async fn look_after(scheduler: Arc<SchedulerServer<LogicalPlanNode, PhysicalPlanNode>>, watch: Arc<Mutex<Watch>>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let taken = taken_for_running(&scheduler.state).await;
        let running = taken.iter().map(|taken| (taken.executor.clone(), taken.task.clone())).collect();
        let lost = watch.lock().unwrap_or_else(PoisonError::into_inner).lost(running, Instant::now());
        for taken in taken.into_iter().filter(|taken| lost.iter().any(|(_, task)| *task == taken.task)) {
            let TaskId { job, stage, task } = &taken.task;
            tracing::warn!(%job, stage, task, executor = %taken.executor, "a task is lost; it is run again");
            let told =
                UpdateTaskStatusParams { executor_id: taken.executor.clone(), task_status: vec![failed(&taken)] };
            if let Err(status) = scheduler.update_task_status(Request::new(told)).await {
                tracing::warn!(error = status.message(), "the scheduler cannot be told of it");
            }
        }
    }
}

async fn taken_for_running(scheduler: &State) -> Vec<Taken> {
    let mut taken = Vec::new();
    for (job, running) in scheduler.task_manager.get_running_job_cache().iter() {
        let graph = running.execution_graph.read().await;
        for stage in graph.stages().values() {
            let ExecutionStage::Running(stage) = stage else { continue };
            let tasks = stage.task_infos.iter().filter_map(|info| match &info.task_status {
                Ended::Running(task) => Some(Taken {
                    executor: task.executor_id.clone(),
                    task: TaskId { job: job.to_string(), stage: stage.stage_id, task: info.task_id },
                    attempt: stage.stage_attempt_num,
                }),
                _ => None,
            });
            taken.extend(tasks);
        }
    }
    taken
}

fn failed(taken: &Taken) -> TaskStatus {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let failed = FailedTask {
        error: format!("executor {} does not have the task, and its end was not heard of", taken.executor),
        retryable: true,
        count_to_failures: true,
        failed_reason: Some(FailedReason::IoError(IoError {})),
    };
    TaskStatus {
        task_id: number(taken.task.task),
        job_id: taken.task.job.clone(),
        stage_id: number(taken.task.stage),
        stage_attempt_num: number(taken.attempt),
        status: Some(Ended::Failed(failed)),
        ..TaskStatus::default()
    }
}
