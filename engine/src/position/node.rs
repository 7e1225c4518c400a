//! The logical node `Positions`: its input's columns, and behind them what depends on where the row is.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use paceline_functions::Position;

use super::PositionsExec;

/// The columns that the `at`-th node of a plan adds.
pub(super) fn fields(at: u64, added: &[Position]) -> impl Iterator<Item = FieldRef> {
    let field = move |(index, position): (usize, &Position)| {
        Arc::new(Field::new(format!("__position_{at}_{index}"), position.data_type().to_arrow(), false))
    };
    added.iter().enumerate().map(field)
}

/// Adds to its input's rows what depends on where they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Positions {
    /// Where the rows come from.
    pub input: LogicalPlan,
    at: u64,
    added: Vec<Position>,
    schema: DFSchemaRef,
}

impl Positions {
    /// The `at`-th node of a plan over `input`.
    ///
    /// # Errors
    /// The input has such columns already.
    pub(super) fn try_new(input: LogicalPlan, at: u64, added: Vec<Position>) -> Result<Self> {
        let columns = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let columns = columns.chain(fields(at, &added).map(|field| (None, field))).collect();
        let schema = DFSchema::new_with_metadata(columns, input.schema().metadata().clone())?;
        Ok(Positions { input, at, added, schema: Arc::new(schema) })
    }

    pub(super) fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

impl PartialOrd for Positions {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for Positions {
    fn name(&self) -> &str {
        "Positions"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// All of them: which rows there are decides on their numbers.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.added.iter().map(|position| position.name()).collect();
        write!(f, "Positions: {}", names.join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return plan_err!("Positions has one input");
        };
        Self::try_new(input, self.at, self.added.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output_columns.iter().copied().filter(|column| *column < width).collect()])
    }
}

/// Plans [`Positions`].
#[derive(Debug)]
pub struct PlanPositions;

#[async_trait]
impl ExtensionPlanner for PlanPositions {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(positions), [input]) = (node.as_any().downcast_ref::<Positions>(), inputs) else { return Ok(None) };
        Ok(Some(Arc::new(PositionsExec::new(Arc::clone(input), positions.at, positions.added.clone()))))
    }
}
