//! Who is in a cluster, what runs there and what waits: read off Ballista's state in the scheduler, asked for by others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ballista_core::serde::protobuf::task_status::Status as TaskStatus;
use ballista_scheduler::state::SchedulerState;
use ballista_scheduler::state::execution_stage::ExecutionStage;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tonic::Status;

use super::Cluster;
use super::service::proto;
use super::sizing::{Pace, Stage};
use super::usage::Leased;
use super::watch::MemorySaid;
use crate::api_call::ApiCallExec;

/// What is seen of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Its executors.
    pub executors: Vec<Member>,
    /// Stages that have tasks without a slot.
    pub waiting: Vec<Stage>,
    /// Jobs that run.
    pub jobs: usize,
    /// Quotas under which calls are made, as the scheduler keeps them.
    pub quotas: Vec<QuotaSeen>,
    /// How busy the executors' machines are on average, in thousandths.
    pub cpu_permille: Option<u32>,
    /// Bytes that executors got from S3 since the scheduler knows them; those that are gone, too.
    pub s3_received: u64,
    /// Those that they sent there.
    pub s3_sent: u64,
}

/// A quota of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuotaSeen {
    /// Its name.
    pub name: String,
    /// Calls a second that are allowed to all processes together.
    pub allowed: f64,
    /// Those that they make.
    pub reached: f64,
    /// Processes that have a lease.
    pub leases: usize,
    /// Calls per period that the leases come to.
    pub leased: u64,
}

/// An executor of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Tasks that it can run at once.
    pub slots: usize,
    /// Tasks that it runs.
    pub running: usize,
    /// Whether a job that is not done may still read what its tasks wrote.
    pub holds_shuffle: bool,
    /// Memory that a task has for itself, in bytes, if it has said so.
    pub share: Option<u64>,
    /// Of the memory that its process may have, how much it has, in thousandths.
    pub memory_permille: Option<u32>,
}

/// Stands in an executor's id between what its process was told and what tells apart its starts within that.
const OF_PROCESS: char = '.';

impl Member {
    /// The id that its process was started with, if it was given one.
    pub fn process(&self) -> &str {
        self.id.split_once(OF_PROCESS).map_or(self.id.as_str(), |(process, _)| process)
    }
}

/// A new id for an executor of a process that was given one.
pub(super) fn executor_id(process: Option<&str>) -> String {
    let own = uuid::Uuid::now_v7();
    process.map_or_else(|| own.to_string(), |process| format!("{process}{OF_PROCESS}{own}"))
}

impl Cluster {
    /// Asks the scheduler.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn describe(&self) -> Result<Description> {
        let reply = self.ours().await?.describe(proto::DescribeRequest {}).await;
        let reply = reply.map_err(|status| exec_datafusion_err!("the scheduler said: {}", status.message()))?;
        let proto::DescribeReply { executors, waiting, running_jobs, quotas, cpu_permille, s3_received, s3_sent } =
            reply.into_inner();
        let member = |executor: proto::Executor| Member {
            id: executor.id,
            slots: executor.slots as usize,
            running: executor.running as usize,
            holds_shuffle: executor.holds_shuffle,
            share: executor.share,
            memory_permille: executor.memory_permille,
        };
        let quota = |proto::Quota { name, allowed, reached, leases, leased }| QuotaSeen {
            name,
            allowed,
            reached,
            leases: leases as usize,
            leased,
        };
        Ok(Description {
            executors: executors.into_iter().map(member).collect(),
            waiting: waiting.into_iter().map(stage).collect(),
            jobs: running_jobs as usize,
            quotas: quotas.into_iter().map(quota).collect(),
            cpu_permille,
            s3_received,
            s3_sent,
        })
    }
}

/// What a scheduler's own state says.
pub(super) async fn look(
    scheduler: &SchedulerState<LogicalPlanNode, PhysicalPlanNode>,
    pace: &(dyn Fn(&str) -> Option<Pace> + Sync),
    memory: &(dyn Fn(&str) -> Option<MemorySaid> + Sync),
) -> Result<proto::DescribeReply, Status> {
    let states = scheduler.executor_manager.get_executors_state().await;
    let states = states.map_err(|error| Status::internal(error.to_string()))?;
    let jobs = scheduler.task_manager.get_running_job_cache();
    let (mut running, mut holders, mut waiting) = (HashMap::new(), HashSet::new(), Vec::new());
    for job in jobs.values() {
        let graph = job.execution_graph.read().await;
        for stage in graph.stages().values() {
            if let ExecutionStage::Running(stage) = stage
                && stage.available_tasks() > 0
            {
                let pace = pace_of(&stage.plan, pace).map(|pace| proto::Pace {
                    allowed: pace.allowed,
                    reached: pace.reached,
                    used_up_for_ms: u64::try_from(pace.used_up_for.as_millis()).unwrap_or(u64::MAX),
                });
                waiting.push(proto::Stage { tasks: counted(stage.available_tasks()), pace });
            }
            for task in stage.task_infos().unwrap_or_default() {
                match &task.task_status {
                    TaskStatus::Running(task) => *running.entry(task.executor_id.clone()).or_insert(0) += 1,
                    TaskStatus::Successful(task) => drop(holders.insert(task.executor_id.clone())),
                    TaskStatus::Failed(_) => {}
                }
            }
        }
    }
    let executors = states.into_iter().map(|(executor, ..)| {
        let (id, slots) = (executor.id.to_string(), executor.specification.vcores);
        let running = running.get(&id).copied().unwrap_or(0);
        let holds_shuffle = holders.contains(&id);
        let memory = memory(&id);
        let (share, memory_permille) = (memory.map(|memory| memory.share), memory.and_then(|memory| memory.permille));
        proto::Executor { id, slots, running, holds_shuffle, share, memory_permille }
    });
    Ok(proto::DescribeReply {
        executors: executors.collect(),
        running_jobs: counted(jobs.len()),
        waiting,
        ..proto::DescribeReply::default()
    })
}

/// A quota, as it travels.
pub(super) fn quota(Leased { quota: name, pace, leases, calls: leased }: Leased) -> proto::Quota {
    proto::Quota { name, allowed: pace.allowed, reached: pace.reached, leases: counted(leases), leased }
}

/// Of the APIs that a stage calls, the pace that is used most.
fn pace_of(plan: &Arc<dyn ExecutionPlan>, pace: &(dyn Fn(&str) -> Option<Pace> + Sync)) -> Option<Pace> {
    let own = plan.downcast_ref::<ApiCallExec>().and_then(|call| pace(&call.asked().caller.api().options.pace.quota));
    let below = plan.children().into_iter().filter_map(|child| pace_of(child, pace));
    let share = |pace: &Pace| pace.reached / pace.allowed;
    below.chain(own).max_by(|one, other| share(one).total_cmp(&share(other)))
}

fn stage(proto::Stage { tasks, pace }: proto::Stage) -> Stage {
    let pace = pace.map(|pace| Pace {
        allowed: pace.allowed,
        reached: pace.reached,
        used_up_for: Duration::from_millis(pace.used_up_for_ms),
    });
    Stage { waiting: tasks as usize, pace }
}

fn counted(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
