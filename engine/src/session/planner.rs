//! DataFusion's planner with Paceline's nodes, and with joins on a cluster that fit into the memory of a task.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session as DataFusionSession;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, StatisticsArgs, StatisticsContext};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionConfig;
use paceline_functions::Error;

use crate::api_call::PlanApiCalls;
use crate::cluster::{Cluster, hashing};
use crate::io::sink::PlanWriteFiles;
use crate::position::PlanPositions;

/// What a value of no fixed width is taken for, in bytes.
const WIDTH: usize = 32;

/// The planner of a session.
#[derive(Debug)]
pub(crate) struct Planner {
    /// Where plans run; `None` for this process.
    pub cluster: Option<Cluster>,
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn DataFusionSession,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        refuse_correlated(plan)?;
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(PlanApiCalls),
            Arc::new(PlanPositions),
            Arc::new(PlanWriteFiles),
        ]);
        let state = session.as_any().downcast_ref::<SessionState>();
        let (Some(cluster), Some(state)) = (&self.cluster, state) else {
            return planner.create_physical_plan(plan, session).await;
        };
        let hashed = cluster.hashed().await;
        let planned = planner.create_physical_plan(plan, &with(state, |config| hashing(config, hashed))).await?;
        if !planned.exists(|node| Ok(is_larger(node, hashed)))? {
            return Ok(planned);
        }
        // Sides are sorted and merged instead, which spills.
        let merging = |config| hashing(config, hashed).set_bool("datafusion.optimizer.prefer_hash_join", false);
        planner.create_physical_plan(plan, &with(state, merging)).await
    }
}

/// A subquery that looks at the query around it is a join by now, or nobody can run it.
fn refuse_correlated(plan: &LogicalPlan) -> Result<()> {
    let correlated = |expr: &Expr| match expr {
        Expr::ScalarSubquery(it) | Expr::Exists(Exists { subquery: it, .. }) => !it.outer_ref_columns.is_empty(),
        Expr::InSubquery(it) => !it.subquery.outer_ref_columns.is_empty(),
        _ => false,
    };
    let left = plan.exists(|node| {
        let mut found = false;
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(correlated(expr)))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })?;
    if left { Err(Error::unsupported("this correlated subquery").into()) } else { Ok(()) }
}

/// The session under another configuration.
fn with(state: &SessionState, config: impl FnOnce(SessionConfig) -> SessionConfig) -> SessionState {
    let mut state = state.clone();
    *state.config_mut() = config(state.config().clone());
    state
}

/// Whether it is a join that is expected to keep more bytes of a partition in memory.
fn is_larger(node: &Arc<dyn ExecutionPlan>, hashed: usize) -> bool {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else { return false };
    let partitions = join.left().output_partitioning().partition_count().max(1);
    *join.partition_mode() == PartitionMode::Partitioned && bytes(join.left()) / partitions > hashed
}

/// How many bytes a plan's rows are expected to be; where nothing is known of them, as many as it reads.
fn bytes(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).ok();
    let rows = known.and_then(|known| known.num_rows.get_value().copied());
    if let Some(rows) = rows {
        let width = |field: &Arc<datafusion::arrow::datatypes::Field>| field.data_type().primitive_width();
        let row: usize = plan.schema().fields().iter().map(|field| width(field).unwrap_or(WIDTH)).sum();
        return rows.saturating_mul(row);
    }
    let files = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>())
        .map(|files| files.file_groups.iter().flat_map(|group| group.files()));
    match files {
        Some(files) => files.map(|file| usize::try_from(file.effective_size()).unwrap_or(usize::MAX)).sum(),
        None => plan.children().into_iter().map(bytes).fold(0, usize::saturating_add),
    }
}
