//! The operator `PositionsExec`: rows with what depends on where they are. As in Spark, the numbers of a partition's rows begin at
//! its own number shifted by 33 bits, and its random numbers are those of the seed and its number together.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{Fields, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::StreamExt;
use paceline_functions::{Position, Random};

use super::node::fields;
use crate::cluster::Numbering;

/// The bits of a row's number within its partition.
const ROW_BITS: u32 = 33;

/// Numbers the rows of its input.
#[derive(Debug)]
pub struct PositionsExec {
    input: Arc<dyn ExecutionPlan>,
    at: u64,
    added: Arc<[Position]>,
    schema: SchemaRef,
    numbering: Numbering,
    properties: Arc<PlanProperties>,
}

impl PositionsExec {
    /// The `at`-th of a plan, over `input`.
    pub fn new(input: Arc<dyn ExecutionPlan>, at: u64, added: impl Into<Arc<[Position]>>) -> Self {
        let added = added.into();
        let columns = input.schema();
        let fields = columns.fields().iter().cloned().chain(fields(at, &added)).collect::<Fields>();
        let schema = Arc::new(Schema::new_with_metadata(fields, columns.metadata().clone()));
        let known = EquivalenceProperties::new(Arc::clone(&schema));
        let known = known.clone().extend(input.equivalence_properties().clone()).unwrap_or(known);
        let properties = PlanProperties::new(
            known,
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        PositionsExec { input, at, added, schema, numbering: Numbering::default(), properties: Arc::new(properties) }
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn with_numbering(self, numbering: Numbering) -> Self {
        PositionsExec { numbering, ..self }
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn numbered(&self, numbering: Numbering) -> Self {
        Self::new(Arc::clone(&self.input), self.at, Arc::clone(&self.added)).with_numbering(numbering)
    }

    /// The rows that are numbered.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// Which of its plan's it is.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What it adds.
    pub fn added(&self) -> &[Position] {
        &self.added
    }

    /// How the partitions of the whole plan are numbered.
    pub fn numbering(&self) -> &Numbering {
        &self.numbering
    }
}

impl DisplayAs for PositionsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.added.iter().map(|position| position.name()).collect();
        write!(f, "PositionsExec: {}", names.join(", "))
    }
}

impl ExecutionPlan for PositionsExec {
    fn name(&self) -> &str {
        "PositionsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
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
            return internal_err!("PositionsExec has one child");
        };
        Ok(Arc::new(Self::new(input, self.at, Arc::clone(&self.added)).with_numbering(self.numbering.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let number = self.numbering.number(&self.input, partition)?;
        let number = i32::try_from(number).map_err(|_| exec_datafusion_err!("there are too many partitions"))?;
        let mut added = self.added.iter().map(|position| Values::of(*position, number)).collect::<Result<Vec<_>>>()?;
        let schema = Arc::clone(&self.schema);
        let rows = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let columns = batch.columns().iter().cloned();
            let columns = columns.chain(added.iter_mut().map(|values| values.next(batch.num_rows())));
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}

/// The values of one column in a partition, so far.
enum Values {
    Partition(i32),
    Row(i64),
    Uniform(Random),
    Normal(Random),
}

impl Values {
    fn of(position: Position, partition: i32) -> Result<Self> {
        let random = |seed: i64| Random::new(seed.wrapping_add(i64::from(partition)));
        Ok(match position {
            Position::Partition => Values::Partition(partition),
            Position::Row => Values::Row(i64::from(partition) << ROW_BITS),
            Position::Uniform(seed) => Values::Uniform(random(seed)),
            Position::Normal(seed) => Values::Normal(random(seed)),
            _ => return internal_err!("{} is a column of the scan", position.name()),
        })
    }

    fn next(&mut self, rows: usize) -> ArrayRef {
        let random = |next: &mut dyn FnMut() -> f64| Float64Array::from_iter_values((0..rows).map(|_| next()));
        match self {
            Values::Partition(partition) => Arc::new(Int32Array::from_value(*partition, rows)),
            Values::Row(row) => {
                let first = *row;
                *row += rows as i64;
                Arc::new(Int64Array::from_iter_values(first..*row))
            }
            Values::Uniform(generator) => Arc::new(random(&mut || generator.uniform())),
            Values::Normal(generator) => Arc::new(random(&mut || generator.normal())),
        }
    }
}
