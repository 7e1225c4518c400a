//! A client of a cluster: sends a plan to the scheduler, waits for its end, and fetches its rows.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::operator_metric::Metric;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    ExecuteQueryParams, GetJobMetricsParams, GetJobMetricsResult, GetJobStatusParams, KeyValuePair,
    execute_query_result, job_status,
};
use ballista_core::version;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use paceline_udfs::counters::Snapshot;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;

use super::access::WayOut;
use super::address::HostPort;
use super::codec::to_proto;
use super::faults;
use super::fetch::RunningJob;
use super::killed::Killed;
use super::numbering::Numbering;
use super::portable::portable;
use super::reach::Reach;
use super::service::proto::{self, cluster_client::ClusterClient};
use super::{MESSAGE_BYTES, PlanCodec, outer};
use crate::EngineError;
use crate::api_call::ApiCallExec;
use crate::io::sink::WriteFilesExec;
use crate::io::stores::Stores;
use crate::observe::stages::Stage;
use crate::position::PositionsExec;

/// How often a job is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How often the stages of a job are shown.
const SHOW: Duration = Duration::from_millis(500);
/// A job that ends is for a moment neither among those that run nor among those that have ended.
const ENDED_WITHIN: Duration = Duration::from_millis(500);
/// The name of the bytes that operators spilled, among the numbers of a plan.
pub(crate) const SPILLED: &str = "spilled_bytes";
/// How long a scheduler may take to cancel a job, or to have its rows removed.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// A cluster, as a client reaches it.
#[derive(Clone, Debug)]
pub struct Cluster {
    reach: Reach,
    codec: Arc<PlanCodec>,
    /// Jobs that are being cancelled, or whose rows are removed.
    letting_go: TaskTracker,
    ours: Arc<OnceCell<ClusterClient<Channel>>>,
}

/// What a plan that ran has to say.
pub struct Ran {
    /// Its rows, in the order of its partitions. They stay at the executors until they are read, or this is dropped.
    pub rows: SendableRecordBatchStream,
    /// Named numbers of its operators, summed; the rows of its scans are `scanned_rows`.
    pub metrics: Vec<(String, u64)>,
}

/// What a scheduler says of a job.
struct Seen {
    /// Names one start of its process.
    start: String,
    /// Those of the job, if it is known.
    stages: Vec<Stage>,
}

impl Cluster {
    /// The cluster whose scheduler is reached so.
    pub fn new(reach: Reach, stores: Arc<Stores>) -> Self {
        Cluster { reach, codec: Arc::new(PlanCodec::new(stores)), letting_go: TaskTracker::new(), ours: Arc::default() }
    }

    /// Runs a plan, and shows its stages now and then. Given up on the way, it is cancelled.
    ///
    /// # Errors
    /// The plan cannot travel, the cluster cannot be reached, or running it failed.
    pub async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        show: &(dyn Fn(Vec<Stage>) + Sync),
    ) -> Result<Ran> {
        let plan = numbered(portable(plan)?)?;
        let schema = plan.schema();
        let mut bytes = Vec::new();
        to_proto(plan, &self.codec)?.try_encode(&mut bytes)?;
        let entry = |entry: datafusion::config::ConfigEntry| KeyValuePair { key: entry.key, value: entry.value };
        let mut request = tonic::Request::new(ExecuteQueryParams {
            query: Some(Query::PhysicalPlan(bytes)),
            settings: config.options().entries().into_iter().map(entry).collect(),
            session_id: uuid::Uuid::now_v7().to_string(),
            operation_id: uuid::Uuid::now_v7().to_string(),
        });
        version::insert_version_header(request.metadata_mut());
        let mut scheduler = self.scheduler().await?;
        let start = self.stages("").await.map_err(|status| self.said(&status))?.start;
        let accepted = scheduler.execute_query(request).await.map_err(|status| self.said(&status))?.into_inner();
        let id = match accepted.result {
            Some(execute_query_result::Result::Success(accepted)) => accepted.job_id,
            refused => return exec_err!("the scheduler at {} refused the plan: {refused:?}", self.reach.at()),
        };
        let mut job = RunningJob::new(scheduler.clone(), id.clone(), self.letting_go.clone());
        let (mut stages, mut looked, mut killed) = (Vec::new(), Instant::now(), Killed::default());
        let done = loop {
            // Asked for, not pushed: a push says nothing before the end, and by then nobody could cancel any more.
            let status = scheduler.get_job_status(GetJobStatusParams { job_id: id.clone() }).await;
            let status = status.map_err(|status| self.said(&status))?.into_inner().status;
            match status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(done)) => {
                    job.ended();
                    break done;
                }
                Some(job_status::Status::Failed(failed)) => {
                    job.failed();
                    // One that could not be planned has no stages.
                    if failed.started_at > 0 {
                        show(given_up(self.last_stages(&id, stages, &mut killed).await));
                    }
                    return Err(faults::of_job(failed.error));
                }
                _ => tokio::time::sleep(LOOK).await,
            }
            if looked.elapsed() >= SHOW {
                looked = Instant::now();
                match self.stages(&id).await {
                    // It says of a job that it does not know what it says of one that it has just accepted: nothing.
                    Ok(seen) if seen.start != start => {
                        return exec_err!(
                            "the scheduler at {} was started anew, and has forgotten the job",
                            self.reach.at()
                        );
                    }
                    Ok(seen) if !seen.stages.is_empty() => {
                        stages = killed.counted(seen.stages);
                        show(stages.clone());
                    }
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, job = id, "its stages are not known"),
                }
            }
        };
        let counted = scheduler.get_job_metrics(GetJobMetricsParams { job_id: id.clone() });
        let (counted, stages) = tokio::join!(counted, self.last_stages(&id, stages, &mut killed));
        let metrics = match counted {
            Ok(metrics) => metrics.into_inner(),
            Err(error) => {
                tracing::warn!(%error, "how many rows were read is not known");
                GetJobMetricsResult::default()
            }
        };
        show(ended(stages, &metrics));
        let mut sums = Vec::new();
        for operator in metrics.stages.into_iter().flat_map(|stage| stage.operators) {
            let is_scan = operator.operator_type == "DataSourceExec";
            for metric in operator.metrics.into_iter().filter_map(|metric| metric.metric) {
                match metric {
                    Metric::OutputRows(rows) if is_scan => sums.push(("scanned_rows".to_owned(), rows)),
                    Metric::Count(count) => sums.push((count.name, count.value)),
                    Metric::SpilledBytes(bytes) => sums.push((SPILLED.to_owned(), bytes)),
                    _ => {}
                }
            }
        }
        Ok(Ran { rows: self.rows(job, done, schema, config), metrics: sums })
    }

    /// Waits until the scheduler has heard which jobs were given up, or whose rows were read.
    pub async fn let_go(&self) {
        self.letting_go.close();
        if tokio::time::timeout(LET_GO_WITHIN, self.letting_go.wait()).await.is_err() {
            tracing::warn!("the scheduler does not answer; a job that was given up may go on there");
        }
        self.letting_go.reopen();
    }

    pub(super) fn at(&self) -> &HostPort {
        self.reach.at()
    }

    pub(super) async fn way_out(&self) -> Result<Option<&WayOut>, EngineError> {
        self.reach.way_out().await
    }

    /// What the functions of a statement came to so far in one attempt, by name.
    ///
    /// # Errors
    /// The scheduler does not answer.
    pub async fn progress(&self, attempt: &str) -> Result<Vec<(String, Snapshot)>> {
        let mut client = self.ours().await?;
        let request = proto::ProgressRequest { attempt: attempt.to_owned() };
        let functions = client.progress(request).await.map_err(|status| self.said(&status))?.into_inner().functions;
        let read = |numbers: proto::Numbers| {
            let snapshot = serde_json::from_slice(&numbers.snapshot);
            Ok((numbers.function, snapshot.map_err(|error| DataFusionError::External(Box::new(error)))?))
        };
        functions.into_iter().map(read).collect()
    }

    /// What the scheduler says of a job.
    async fn stages(&self, job: &str) -> Result<Seen, tonic::Status> {
        let mut client = self.ours().await.map_err(|error| tonic::Status::unavailable(error.to_string()))?;
        let reply = client.stages(proto::StagesRequest { job: job.to_owned() }).await?.into_inner();
        let stages = reply.stages.iter().filter_map(|stage| serde_json::from_slice(stage).ok()).collect();
        Ok(Seen { start: reply.start, stages })
    }

    /// The stages of a job that has ended: as they are in the end, else as they were `seen` last.
    async fn last_stages(&self, job: &str, seen: Vec<Stage>, killed: &mut Killed) -> Vec<Stage> {
        let until = Instant::now() + ENDED_WITHIN;
        loop {
            match self.stages(job).await {
                Ok(last) if !last.stages.is_empty() => return killed.counted(last.stages),
                Ok(_) if Instant::now() < until => tokio::time::sleep(LOOK).await,
                Ok(_) => return seen,
                Err(error) => {
                    tracing::debug!(%error, job, "its stages in the end are not known");
                    return seen;
                }
            }
        }
    }

    /// What the scheduler's process answers beside Ballista, over one connection.
    pub(super) async fn ours(&self) -> Result<ClusterClient<Channel>> {
        let open = || async { self.reach.channel().await.map(ClusterClient::new) };
        self.ours.get_or_try_init(open).await.cloned().map_err(outer)
    }

    async fn scheduler(&self) -> Result<SchedulerGrpcClient<Channel>> {
        let channel = self.reach.connected().await.map_err(outer)?;
        let bytes = MESSAGE_BYTES as usize;
        Ok(SchedulerGrpcClient::new(channel).max_encoding_message_size(bytes).max_decoding_message_size(bytes))
    }

    fn said(&self, status: &tonic::Status) -> DataFusionError {
        exec_datafusion_err!("the scheduler at {} said: {}", self.reach.at(), status.message())
    }
}

/// The plan, with the numbers of partitions written into the operators that need them.
pub(super) fn numbered(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let numbered = plan.transform_up(|node| {
        if let Some(call) = node.downcast_ref::<ApiCallExec>() {
            let numbering = Numbering::of(call.input())?;
            return Ok(Transformed::yes(Arc::new(call.numbered(numbering)) as _));
        }
        if let Some(write) = node.downcast_ref::<WriteFilesExec>() {
            let numbering = Numbering::of(write.input())?;
            return Ok(Transformed::yes(Arc::new(write.numbered(numbering)) as _));
        }
        if let Some(positions) = node.downcast_ref::<PositionsExec>() {
            let numbering = Numbering::of(positions.input())?;
            return Ok(Transformed::yes(Arc::new(positions.numbered(numbering)) as _));
        }
        Ok(Transformed::no(node))
    });
    Ok(numbered?.data)
}

/// The stages of a job that has failed: what ran is cancelled, also where the scheduler had not yet noted it.
fn given_up(mut stages: Vec<Stage>) -> Vec<Stage> {
    let now = now_ms();
    stages.iter_mut().for_each(|stage| stage.give_up(now));
    stages
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// The stages of a job that has ended well, with what its operators counted in the end.
fn ended(mut stages: Vec<Stage>, metrics: &GetJobMetricsResult) -> Vec<Stage> {
    let now = now_ms();
    for stage in &mut stages {
        stage.complete(now);
        let counted = metrics.stages.iter().find(|counted| counted.stage_id == stage.stage);
        let counted = counted.map_or(&[][..], |counted| &counted.operators);
        for (operator, counted) in stage.operators.iter_mut().zip(counted) {
            let of_partitions = counted.metrics.iter().filter_map(|metric| match metric.metric {
                Some(Metric::OutputRows(rows)) => Some(rows),
                _ => None,
            });
            operator.rows = of_partitions.reduce(|sum, rows| sum + rows).or(operator.rows);
        }
    }
    stages
}
