//! The operator `WriteFiles`: each partition writes its files, and one file of dead letters if there are any.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::StreamExt;
use tokio::sync::Mutex;

use super::files::Files;
use super::in_order::{in_order, is_in_order};
use super::letters::{Letters, taking_letters};
use super::node::{Target, WriteFiles};
use super::staged::{SCHEMA, StagedFile};
use crate::EngineError;
use crate::api_call::{ApiCallExec, Outbox};
use crate::cluster::Numbering;
use crate::io::job_folder::JobFolder;

/// Writes its input to staged files.
#[derive(Debug)]
pub struct WriteFilesExec {
    target: Target,
    input: Arc<dyn ExecutionPlan>,
    numbering: Numbering,
    properties: Arc<PlanProperties>,
}

impl WriteFilesExec {
    /// One task for each partition of the input.
    pub fn new(target: Target, input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&SCHEMA)),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        WriteFilesExec { target, input, numbering: Numbering::default(), properties }
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn with_numbering(self, numbering: Numbering) -> Self {
        WriteFilesExec { numbering, ..self }
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn numbered(&self, numbering: Numbering) -> Self {
        WriteFilesExec::new(self.target.clone(), Arc::clone(&self.input)).with_numbering(numbering)
    }

    /// The same, writing to this folder.
    ///
    /// # Errors
    /// As [`Target::new`].
    pub fn writing_to(&self, folder: JobFolder) -> std::result::Result<Self, EngineError> {
        let (format, options) = self.target.given();
        let target = Target::new(folder, format, options)?;
        Ok(WriteFilesExec::new(target, Arc::clone(&self.input)).with_numbering(self.numbering.clone()))
    }

    /// What is written.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// Where to and how.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How the partitions of the whole plan are numbered.
    pub fn numbering(&self) -> &Numbering {
        &self.numbering
    }
}

impl DisplayAs for WriteFilesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteFilesExec: {}{}", self.target.folder.url(), self.target.layout)
    }
}

impl ExecutionPlan for WriteFilesExec {
    fn name(&self) -> &str {
        "WriteFilesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Rows are written in the order in which they come, so an ORDER BY below is not in vain.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("WriteFilesExec has one child");
        };
        Ok(Arc::new(WriteFilesExec::new(self.target.clone(), input).with_numbering(self.numbering.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let mut outboxes = Vec::new();
        find_outboxes(&self.input, &mut outboxes);
        let partitions = self.input.output_partitioning().partition_count();
        let number = self.numbering.number(&self.input, partition)?;
        let letters = Arc::new(Mutex::new(Letters::new(self.target.folder.clone(), number, outboxes)));
        let mut input = taking_letters(input, Arc::clone(&letters));
        let columns = self.target.layout.columns(&self.input.schema())?;
        if !columns.is_empty() && !is_in_order(&self.input, &columns)? {
            input = in_order(input, columns, partitions, Arc::clone(&context));
        }
        let written = write_partition(self.target.clone(), number, partitions, input, letters);
        let stream = futures::stream::once(async move { StagedFile::to_batch(&written.await?) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&SCHEMA), stream)))
    }
}

/// The outboxes of every call below. Whichever partition finds a letter takes it: all are full by the time the last
/// partition ends, so none is left behind and none is written twice.
fn find_outboxes(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<Arc<Outbox>>) {
    let node: &dyn std::any::Any = plan.as_ref();
    found.extend(node.downcast_ref::<ApiCallExec>().and_then(ApiCallExec::outbox).cloned());
    for child in plan.children() {
        find_outboxes(child, found);
    }
}

async fn write_partition(
    target: Target,
    partition: usize,
    partitions: usize,
    mut input: SendableRecordBatchStream,
    letters: Arc<Mutex<Letters>>,
) -> Result<Vec<StagedFile>> {
    let mut files = Files::new(&target, partition, partitions, &input.schema())?;
    if partition == 0 && !target.folder.appends && target.layout.partition_by.is_empty() {
        // An empty result has one file too, which holds its schema; as in Spark not so where there would be no folder for it.
        files.write(&RecordBatch::new_empty(input.schema())).await?;
    }
    while let Some(batch) = input.next().await {
        files.write(&batch?).await?;
    }
    let mut staged = files.finish().await?;
    staged.extend(letters.lock().await.finish().await?);
    Ok(staged)
}

/// Plans [`WriteFiles`].
#[derive(Debug)]
pub struct PlanWriteFiles;

#[async_trait]
impl ExtensionPlanner for PlanWriteFiles {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(write), [input]) = (node.as_any().downcast_ref::<WriteFiles>(), inputs) else { return Ok(None) };
        Ok(Some(Arc::new(WriteFilesExec::new(write.target.clone(), Arc::clone(input)))))
    }
}
