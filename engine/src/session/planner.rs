//! DataFusion's planner with Paceline's nodes, and with joins on a cluster that fit into the memory of a task.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session as DataFusionSession;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, StatisticsArgs, StatisticsContext};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::api_call::PlanApiCalls;
use crate::io::sink::PlanWriteFiles;

/// A hash join keeps one side of each partition in memory and cannot spill it. Where more than this is expected, sides are
/// sorted and merged instead, which spills. In bytes.
const HASHED: usize = 128 << 20;
/// What a value of no fixed width is taken for, in bytes.
const WIDTH: usize = 32;

/// The planner of a session.
#[derive(Debug)]
pub(super) struct Planner {
    /// Whether plans run on a cluster.
    pub on_cluster: bool,
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn DataFusionSession,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner =
            DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(PlanApiCalls), Arc::new(PlanWriteFiles)]);
        let planned = planner.create_physical_plan(plan, session).await?;
        let state = session.as_any().downcast_ref::<SessionState>().filter(|_| self.on_cluster);
        match state {
            Some(state) if planned.exists(|node| Ok(is_too_large(node)))? => {
                planner.create_physical_plan(plan, &merging(state)).await
            }
            _ => Ok(planned),
        }
    }
}

/// The session, with joins that spill.
fn merging(state: &SessionState) -> SessionState {
    let mut config = state.config().clone();
    config.options_mut().optimizer.prefer_hash_join = false;
    SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build()
}

fn is_too_large(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else { return false };
    let partitions = join.left().output_partitioning().partition_count().max(1);
    *join.partition_mode() == PartitionMode::Partitioned && bytes(join.left()) / partitions > HASHED
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
