//! What the scheduler's process answers beside Ballista: leases of the pace, numbers of statements, who is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ballista_scheduler::state::SchedulerState;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use paceline_udfs::counters::Snapshot;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::describe;

pub(super) use proto::cluster_server::ClusterServer;

/// What `proto/cluster.proto` says.
pub(super) mod proto {
    tonic::include_proto!("paceline.cluster.v1");
}

/// Numbers of a statement are kept for so long after the last came.
const KEPT: Duration = Duration::from_secs(600);

/// The service.
pub(super) struct Service {
    scheduler: Option<Arc<SchedulerState<LogicalPlanNode, PhysicalPlanNode>>>,
    numbers: Mutex<HashMap<Function, Known>>,
}

/// A function of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Function {
    scope: String,
    name: String,
}

/// What each process said last; a process that died did what it said.
struct Known {
    by_process: HashMap<String, Snapshot>,
    at: Instant,
}

impl Service {
    /// The service in a scheduler's process, or, without one, of the pace alone.
    pub fn new(scheduler: Option<Arc<SchedulerState<LogicalPlanNode, PhysicalPlanNode>>>) -> Self {
        Service { scheduler, numbers: Mutex::default() }
    }

    fn learn(&self, process: &str, numbers: Vec<proto::Numbers>) -> Result<(), Status> {
        let now = Instant::now();
        let mut known = self.numbers();
        for proto::Numbers { scope, function, snapshot } in numbers {
            let snapshot = serde_json::from_slice(&snapshot).map_err(|error| not_understood("numbers", &error))?;
            let known = known.entry(Function { scope, name: function });
            let known = known.or_insert_with(|| Known { by_process: HashMap::new(), at: now });
            known.at = now;
            known.by_process.insert(process.to_owned(), snapshot);
        }
        known.retain(|_, known| now.saturating_duration_since(known.at) < KEPT);
        Ok(())
    }

    fn numbers(&self) -> MutexGuard<'_, HashMap<Function, Known>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl proto::cluster_server::Cluster for Service {
    async fn lease(&self, request: Request<proto::LeaseRequest>) -> Result<Response<proto::LeaseReply>, Status> {
        let proto::LeaseRequest { process, numbers, .. } = request.into_inner();
        self.learn(&process, numbers)?;
        Ok(Response::new(proto::LeaseReply { answers: Vec::new() }))
    }

    async fn progress(
        &self,
        request: Request<proto::ProgressRequest>,
    ) -> Result<Response<proto::ProgressReply>, Status> {
        let scope = request.into_inner().scope;
        let known = self.numbers();
        let functions = known.iter().filter(|(function, _)| function.scope == scope).map(|(function, known)| {
            let mut sum = Snapshot::default();
            known.by_process.values().for_each(|snapshot| sum.add(snapshot));
            let snapshot = serde_json::to_vec(&sum).map_err(|error| Status::internal(error.to_string()))?;
            Ok(proto::Numbers { scope: scope.clone(), function: function.name.clone(), snapshot })
        });
        Ok(Response::new(proto::ProgressReply { functions: functions.collect::<Result<_, Status>>()? }))
    }

    async fn describe(&self, _: Request<proto::DescribeRequest>) -> Result<Response<proto::DescribeReply>, Status> {
        let Some(scheduler) = &self.scheduler else {
            return Err(Status::unimplemented("there is no scheduler here, only the pace"));
        };
        describe::look(scheduler).await.map(Response::new)
    }
}

pub(super) fn not_understood(what: &str, error: &dyn std::fmt::Display) -> Status {
    Status::invalid_argument(format!("the {what} cannot be understood: {error}; are all processes of one version?"))
}
