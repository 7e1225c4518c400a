//! Reads what the tasks of an earlier stage wrote: off the disk where their executor is on this machine, as Spark reads
//! blocks of its host, else over the network. However much it is, little of it is in memory at a time (decision 0019).

mod chain;
mod connections;
mod neighbours;
mod spooled;

use std::sync::Arc;

use ballista_core::client_pool::BallistaClientPool;
use ballista_core::execution_plans::ShuffleReaderExec;
use ballista_core::serde::scheduler::PartitionLocation;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::work::{READ_LOCALLY, READ_REMOTELY};

pub(super) use self::chain::ChainExec;
pub(super) use self::connections::Connections;
pub(super) use self::neighbours::Neighbours;

/// A block of more bytes than this is fetched to disk; smaller ones wait in memory, a few at a time.
const TO_DISK: u64 = 1 << 20;
/// So many blocks are opened before they are read; of other machines' small ones, this much is in memory.
const AHEAD: usize = 4;

/// Where the rows of other executors come from.
#[derive(Debug)]
pub(super) struct Sources {
    /// The executors of this machine.
    pub neighbours: Neighbours,
    /// Ways to the others.
    pub connections: Arc<dyn BallistaClientPool>,
}

/// [`ShuffleReaderExec`] in an executor.
#[derive(Clone, Debug)]
pub(super) struct FetchExec {
    reader: ShuffleReaderExec,
    sources: Arc<Sources>,
    work_dir: String,
    metrics: ExecutionPlanMetricsSet,
}

/// Bytes that were read off this machine's disks, and over the network.
#[derive(Clone)]
struct Read {
    near: Count,
    far: Count,
}

impl FetchExec {
    /// Reads what `reader` names. `work_dir` is this executor's own folder.
    pub fn new(reader: ShuffleReaderExec, sources: Arc<Sources>, work_dir: &str) -> Self {
        FetchExec { reader, sources, work_dir: work_dir.to_owned(), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The rows of a block.
    fn open(
        &self,
        block: PartitionLocation,
        read: &Read,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (stage, schema, context) = (self.reader.stage_id, self.reader.schema(), Arc::clone(context));
        let connections = Arc::clone(&self.sources.connections);
        let near = self.sources.neighbours.holding(&block, &self.work_dir);
        let bytes = block.partition_stats.num_bytes().unwrap_or(0);
        let sum = if near.is_some() { &read.near } else { &read.far };
        sum.add(usize::try_from(bytes).unwrap_or(usize::MAX));
        if near.is_none() && block.partition_stats.num_bytes().is_some_and(|bytes| bytes > TO_DISK) {
            return Ok(spooled::stream(block, schema, connections, context));
        }
        let one = Partitioning::UnknownPartitioning(1);
        let part = ShuffleReaderExec::try_new(stage, vec![vec![block]], schema, one)?;
        let work_dir = near.unwrap_or_else(|| self.work_dir.clone());
        part.with_work_dir(work_dir).with_client_pool(connections).execute(0, context)
    }
}

impl ExecutionPlan for FetchExec {
    fn name(&self) -> &str {
        "FetchExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.reader.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("what reads a shuffle has no children") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partition = if self.reader.broadcast { 0 } else { partition };
        let Some(blocks) = self.reader.partition.get(partition) else {
            return internal_err!("partition {partition} of stage {} was not written", self.reader.stage_id);
        };
        // In the order of the tasks that wrote them: what looks at the first row, or at all in order, gives the same each time.
        let mut blocks = blocks.clone();
        blocks.sort_by_key(|block| block.map_partition_id);
        let this = self.clone();
        let sum = |name: &'static str| MetricBuilder::new(&self.metrics).counter(name, partition);
        let read = Read { near: sum(READ_LOCALLY), far: sum(READ_REMOTELY) };
        let open = move |block: PartitionLocation| std::future::ready(this.open(block, &read, &context));
        let rows = stream::iter(blocks).map(open).buffered(AHEAD).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut all = self.reader.metrics().unwrap_or_default();
        self.metrics.clone_inner().iter().for_each(|metric| all.push(Arc::clone(metric)));
        Some(all)
    }
}

impl DisplayAs for FetchExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reader.fmt_as(format, f)
    }
}
