//! The rows of a job that has ended, fetched from the executors that have them, partition after partition.

use std::sync::Arc;

use ballista_core::client::BallistaClient;
use ballista_core::error::BallistaError;
use ballista_core::extension::{BallistaConfigGrpcEndpoint, SessionConfigExt};
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{CancelJobParams, CleanJobDataParams, PartitionLocation, SuccessfulJob};
use ballista_core::utils::GrpcClientConfig;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;

use super::access::WayOut;
use super::client::Cluster;
use super::{MESSAGE_BYTES, outer};

/// A job that nobody waits for any more when this is dropped: then it is cancelled, or, where it has ended, its rows are removed.
pub(super) struct RunningJob {
    scheduler: SchedulerGrpcClient<Channel>,
    id: Option<String>,
    ended: bool,
    letting_go: TaskTracker,
}

impl RunningJob {
    /// A job that runs. `letting_go` is where it is let go of.
    pub fn new(scheduler: SchedulerGrpcClient<Channel>, id: String, letting_go: TaskTracker) -> Self {
        RunningJob { scheduler, id: Some(id), ended: false, letting_go }
    }

    /// It failed: there is nothing to let go of.
    pub fn failed(&mut self) {
        self.id = None;
    }

    /// It has ended, and has rows.
    pub fn ended(&mut self) {
        self.ended = true;
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (mut scheduler, ended) = (self.scheduler.clone(), self.ended);
        self.letting_go.spawn(async move {
            if ended {
                let params = CleanJobDataParams { job_id: id.clone(), remove_stage_ids: Vec::new() };
                if let Err(error) = scheduler.clean_job_data(params).await {
                    tracing::warn!(%error, job = id, "the result of a query stays at its executors for a while");
                }
            } else if let Err(error) = scheduler.cancel_job(CancelJobParams { job_id: id.clone() }).await {
                tracing::warn!(%error, job = id, "the job could not be cancelled");
            }
        });
    }
}

impl Cluster {
    /// The rows of a job, in the order of its partitions.
    pub(super) fn rows(
        &self,
        job: RunningJob,
        done: SuccessfulJob,
        schema: SchemaRef,
        config: &SessionConfig,
    ) -> SendableRecordBatchStream {
        let mut places = done.partition_location;
        places.sort_by_key(|place| place.partition_id.as_ref().map(|id| id.partition_id));
        let (cluster, config) = (self.clone(), Arc::new(config.clone()));
        let partitions = stream::iter(places).then(move |place| {
            let (cluster, config) = (cluster.clone(), Arc::clone(&config));
            async move { cluster.partition(place, &config).await }
        });
        // The job goes with the stream, wherever that ends.
        let rows = partitions.try_flatten().map(move |batch| {
            let _of = &job;
            batch
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    async fn partition(&self, place: PartitionLocation, config: &SessionConfig) -> Result<SendableRecordBatchStream> {
        let incomplete = || exec_datafusion_err!("the scheduler at {} named no place of a result", self.at());
        let layout = place.layout();
        let (executor, partition) = place.executor_meta.zip(place.partition_id).ok_or_else(incomplete)?;
        let port = u16::try_from(executor.port).map_err(|_| incomplete())?;
        let ballista = config.ballista_config();
        let client = GrpcClientConfig::from(&ballista);
        let over = self.way_out().await.map_err(outer)?.map(WayOut::endpoint_override);
        let over = over.map(|over| Arc::new(BallistaConfigGrpcEndpoint::new(over)));
        let mut client = BallistaClient::try_new(
            &executor.host,
            port,
            MESSAGE_BYTES as usize,
            false,
            over,
            client.io_retries_times,
            client.io_retry_wait_time_ms,
            0,
            0,
        )
        .await
        .map_err(BallistaError::into_datafusion)?;
        let id = partition.into();
        let rows = client.fetch_partition_proxied(&executor.id, &id, place.file_id, layout, &executor.host, port, true);
        rows.await.map_err(BallistaError::into_datafusion)
    }
}
