//! Reads what the tasks of an earlier stage wrote: off the disk where their executor is on this machine, as Spark reads
//! blocks of its host, else over the network. However much it is, little of it is in memory at a time (decision 0019).

mod connections;
mod neighbours;
mod spooled;

use std::collections::BTreeMap;
use std::sync::Arc;

use ballista_core::client_pool::BallistaClientPool;
use ballista_core::execution_plans::ShuffleReaderExec;
use ballista_core::serde::scheduler::PartitionLocation;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::{StreamExt, stream};

pub(super) use self::connections::Connections;
pub(super) use self::neighbours::Neighbours;

/// A block of more bytes than this is fetched to disk; smaller ones wait in memory, a few at a time.
const TO_DISK: u64 = 1 << 20;

/// Where the rows of other executors come from.
#[derive(Debug)]
pub(super) struct Sources {
    /// The executors of this machine.
    pub neighbours: Neighbours,
    /// Ways to the others.
    pub connections: Arc<dyn BallistaClientPool>,
}

/// [`ShuffleReaderExec`] in an executor.
#[derive(Debug)]
pub(super) struct FetchExec {
    reader: ShuffleReaderExec,
    sources: Arc<Sources>,
    work_dir: String,
}

impl FetchExec {
    /// Reads what `reader` names. `work_dir` is this executor's own folder.
    pub fn new(reader: ShuffleReaderExec, sources: Arc<Sources>, work_dir: &str) -> Self {
        FetchExec { reader, sources, work_dir: work_dir.to_owned() }
    }

    /// Ballista's reader of some of the blocks.
    fn part(&self, blocks: Vec<PartitionLocation>, work_dir: String) -> Result<ShuffleReaderExec> {
        let (stage, schema) = (self.reader.stage_id, self.reader.schema());
        let part = ShuffleReaderExec::try_new(stage, vec![blocks], schema, Partitioning::UnknownPartitioning(1))?;
        Ok(part.with_work_dir(work_dir).with_client_pool(Arc::clone(&self.sources.connections)))
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
        let (mut near, mut small, mut large) = (BTreeMap::<_, Vec<_>>::new(), Vec::new(), Vec::new());
        for block in blocks.iter().cloned() {
            match self.sources.neighbours.holding(&block, &self.work_dir) {
                Some(folder) => near.entry(folder).or_default().push(block),
                None if block.partition_stats.num_bytes().is_some_and(|bytes| bytes > TO_DISK) => large.push(block),
                None => small.push(block),
            }
        }
        let mut streams = Vec::new();
        for (folder, blocks) in near {
            streams.push(self.part(blocks, folder)?.execute(0, Arc::clone(&context))?);
        }
        if !small.is_empty() {
            streams.push(self.part(small, self.work_dir.clone())?.execute(0, Arc::clone(&context))?);
        }
        for block in large {
            let connections = Arc::clone(&self.sources.connections);
            streams.push(spooled::stream(block, self.schema(), connections, Arc::clone(&context)));
        }
        let rows = stream::iter(streams).flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.reader.metrics()
    }
}

impl DisplayAs for FetchExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reader.fmt_as(format, f)
    }
}
