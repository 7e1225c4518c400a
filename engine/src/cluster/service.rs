//! What the scheduler's process answers beside Ballista: leases of the pace, numbers of statements, who is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ballista_scheduler::cluster::JobState;
use ballista_scheduler::state::SchedulerState;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use paceline_udfs::counters::Snapshot;
use paceline_udfs::lease::{Ask, Keeper};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::describe;
use super::loads::{Load, Loads};
use super::running::TaskId;
use super::usage::Usage;
use super::watch::{MemorySaid, Watch};
use proto::answer::Answer;

pub(super) use proto::cluster_server::ClusterServer;

/// What `proto/cluster.proto` says.
#[expect(clippy::allow_attributes, reason = "made by a program")]
pub(super) mod proto {
    tonic::include_proto!("paceline.cluster.v1");
}

/// Numbers of a statement are kept for so long after the last came.
const KEPT: Duration = Duration::from_secs(600);

/// What Ballista's scheduler knows.
pub(super) type State = SchedulerState<LogicalPlanNode, PhysicalPlanNode>;

/// A scheduler, as the service asks it.
pub(super) struct Asked {
    /// What it knows.
    pub state: Arc<State>,
    /// The jobs that have ended, for a while.
    pub ended: Arc<dyn JobState>,
}

/// The service.
pub(super) struct Service {
    scheduler: Option<Asked>,
    keeper: Mutex<Keeper>,
    start: String,
    numbers: Mutex<HashMap<Function, Known>>,
    usage: Mutex<Usage>,
    loads: Mutex<Loads>,
    watch: Arc<Mutex<Watch>>,
}

/// A function of an attempt at a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Function {
    attempt: String,
    name: String,
}

/// What each process said last; a process that died did what it said.
struct Known {
    by_process: HashMap<String, Snapshot>,
    at: Instant,
}

impl Service {
    /// The service in a scheduler's process, or, without one, of the pace alone. What executors run is told to `watch`.
    pub fn new(scheduler: Option<Asked>, keeper: Keeper, watch: Arc<Mutex<Watch>>) -> Self {
        Service {
            scheduler,
            keeper: Mutex::new(keeper),
            start: uuid::Uuid::now_v7().to_string(),
            numbers: Mutex::default(),
            usage: Mutex::default(),
            loads: Mutex::default(),
            watch,
        }
    }

    fn grant(&self, asks: &[Vec<u8>]) -> Result<Vec<proto::Answer>, Status> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, wall) = (Instant::now(), SystemTime::now());
        let answer = |ask: &Vec<u8>| {
            let ask: Ask = serde_json::from_slice(ask).map_err(|error| not_understood("asks", &error))?;
            self.usage().hear(&ask, now);
            let answer = match keeper.ask(&ask, now, wall) {
                Ok(grant) => {
                    let calls = grant.shares.iter().map(|share| share.units).min().unwrap_or(0);
                    self.usage().granted(&ask.quota, ask.holder, calls);
                    serde_json::to_vec(&grant).map(Answer::Grant)
                }
                Err(refused) => serde_json::to_vec(&refused).map(Answer::Refused),
            };
            Ok(proto::Answer { answer: Some(answer.map_err(|error| Status::internal(error.to_string()))?) })
        };
        asks.iter().map(answer).collect()
    }

    fn learn(&self, process: &str, numbers: Vec<proto::Numbers>) -> Result<(), Status> {
        let now = Instant::now();
        let mut known = self.numbers();
        for proto::Numbers { attempt, function, snapshot } in numbers {
            let snapshot = serde_json::from_slice(&snapshot).map_err(|error| not_understood("numbers", &error))?;
            let known = known.entry(Function { attempt, name: function });
            let known = known.or_insert_with(|| Known { by_process: HashMap::new(), at: now });
            known.at = now;
            known.by_process.insert(process.to_owned(), snapshot);
        }
        known.retain(|_, known| now.saturating_duration_since(known.at) < KEPT);
        Ok(())
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loads(&self) -> MutexGuard<'_, Loads> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn numbers(&self) -> MutexGuard<'_, HashMap<Function, Known>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl proto::cluster_server::Cluster for Service {
    async fn lease(&self, request: Request<proto::LeaseRequest>) -> Result<Response<proto::LeaseReply>, Status> {
        let proto::LeaseRequest { process, asks, numbers, running } = request.into_inner();
        let answers = self.grant(&asks)?; // first: what is asked for waits
        if let Some(running) = running {
            let proto::RunningTasks { tasks, share, memory_permille: permille, cpu_permille, s3_received, s3_sent } =
                running;
            self.loads().hear(&process, Load { cpu_permille, s3_received, s3_sent }, Instant::now());
            let task = |proto::Task { job, stage, task }| TaskId { job, stage: stage as usize, task: task as usize };
            let runs = tasks.into_iter().map(task).collect();
            self.watch.lock().unwrap_or_else(PoisonError::into_inner).hear(
                &process,
                runs,
                MemorySaid { share, permille },
                Instant::now(),
            );
        }
        self.learn(&process, numbers)?;
        Ok(Response::new(proto::LeaseReply { answers, start: self.start.clone() }))
    }

    async fn progress(
        &self,
        request: Request<proto::ProgressRequest>,
    ) -> Result<Response<proto::ProgressReply>, Status> {
        let attempt = request.into_inner().attempt;
        let known = self.numbers();
        let functions = known.iter().filter(|(function, _)| function.attempt == attempt).map(|(function, known)| {
            let mut sum = Snapshot::default();
            known.by_process.values().for_each(|snapshot| sum.add(snapshot));
            let snapshot = serde_json::to_vec(&sum).map_err(|error| Status::internal(error.to_string()))?;
            Ok(proto::Numbers { attempt: attempt.clone(), function: function.name.clone(), snapshot })
        });
        Ok(Response::new(proto::ProgressReply { functions: functions.collect::<Result<_, Status>>()? }))
    }

    async fn stages(&self, request: Request<proto::StagesRequest>) -> Result<Response<proto::StagesReply>, Status> {
        let Some(Asked { state, ended }) = &self.scheduler else {
            return Err(Status::unimplemented("there is no scheduler here, only the pace"));
        };
        let stages = super::stages::of_job(state, ended.as_ref(), &request.into_inner().job).await;
        let stages = stages.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let stages = stages.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(proto::StagesReply { stages, start: self.start.clone() }))
    }

    async fn describe(&self, _: Request<proto::DescribeRequest>) -> Result<Response<proto::DescribeReply>, Status> {
        let Some(scheduler) = &self.scheduler else {
            return Err(Status::unimplemented("there is no scheduler here, only the pace"));
        };
        let pace = |quota: &str| self.usage().of(quota, Instant::now());
        let memory = |executor: &str| self.watch.lock().unwrap_or_else(PoisonError::into_inner).memory(executor);
        let mut reply = describe::look(&scheduler.state, &pace, &memory).await?;
        reply.quotas = self.usage().all(Instant::now()).into_iter().map(describe::quota).collect();
        let load = self.loads().all(Instant::now());
        (reply.cpu_permille, reply.s3_received, reply.s3_sent) = (load.cpu_permille, load.s3_received, load.s3_sent);
        Ok(Response::new(reply))
    }
}

pub(super) fn not_understood(what: &str, error: &dyn std::fmt::Display) -> Status {
    Status::invalid_argument(format!("the {what} cannot be understood: {error}; are all processes of one version?"))
}
