//! A large block of another machine: fetched to disk, then read from there. What breaks off is fetched again from its start.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::client_pool::BallistaClientPool;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::scheduler::PartitionLocation;
use ballista_core::utils::GrpcClientConfig;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::SpillManager;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

/// So often a block is asked for before its executor counts as lost.
const TRIES: usize = 3;
/// Between two tries.
const WAIT: Duration = Duration::from_millis(500);

/// The rows of a block, which is fetched when the first is asked for.
pub fn stream(
    block: PartitionLocation,
    schema: SchemaRef,
    connections: Arc<dyn BallistaClientPool>,
    context: Arc<TaskContext>,
) -> SendableRecordBatchStream {
    let rows = stream::once(fetch(block, Arc::clone(&schema), connections, context)).try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

async fn fetch(
    block: PartitionLocation,
    schema: SchemaRef,
    connections: Arc<dyn BallistaClientPool>,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    let disk = SpillManager::new(context.runtime_env(), metrics, schema);
    let mut tries = 1;
    loop {
        match to_disk(&block, &disk, connections.as_ref(), &context).await {
            Ok(rows) => return Ok(rows),
            Err(error) if tries == TRIES || !is_of_transport(&error) => return Err(error),
            Err(error) => tracing::debug!(%error, tries, "a block is fetched again"),
        }
        tries += 1;
        tokio::time::sleep(WAIT).await;
    }
}

async fn to_disk(
    block: &PartitionLocation,
    disk: &SpillManager,
    connections: &dyn BallistaClientPool,
    context: &TaskContext,
) -> Result<SendableRecordBatchStream> {
    // This is what makes the scheduler run again the task that wrote it.
    let lost = |error: &dyn std::fmt::Display| {
        let (at, of) = (&block.executor_meta, &block.partition_id);
        BallistaError::FetchFailed(at.id.clone(), of.stage_id, of.partition_id, error.to_string()).into_datafusion()
    };
    let config = context.session_config();
    let endpoint = config.ballista_override_create_grpc_client_endpoint();
    let grpc = GrpcClientConfig::from(&config.ballista_config());
    let (host, port) = (&block.executor_meta.host, block.executor_meta.port);
    let mut client = connections.acquire(host, port, &grpc, endpoint).await.map_err(|error| lost(&error))?;
    let layout = block.layout();
    let fetched =
        client.fetch_partition(&block.executor_meta.id, &block.partition_id, block.file_id, layout, false).await;
    let mut rows = match fetched {
        Ok(rows) => rows,
        Err(error) => {
            client.discard();
            return Err(lost(&error));
        }
    };
    let mut file = disk.create_in_progress_file("rows of a shuffle")?;
    while let Some(batch) = rows.next().await {
        match batch {
            Ok(batch) => file.append_batch(&batch)?,
            Err(error) => {
                client.discard();
                return Err(lost(&error));
            }
        };
    }
    match file.finish()? {
        Some(file) => disk.read_spill_as_stream_unbuffered(file, None),
        None => Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(disk.schema()), stream::empty()))),
    }
}

fn is_of_transport(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::External(inner) => {
            matches!(inner.downcast_ref::<BallistaError>(), Some(BallistaError::FetchFailed(..)))
        }
        _ => false,
    }
}
