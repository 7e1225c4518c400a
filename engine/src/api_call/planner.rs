//! From the logical node to the operator, and the rule that says which rows may leave.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::column_names::ColumnNames;
use super::exec::{ApiCallExec, Asked};
use super::node::{ApiCall, rows_may_leave};
use crate::io::sink::WriteFiles;

/// Plans [`ApiCall`].
#[derive(Debug)]
pub struct PlanApiCalls;

#[async_trait]
impl ExtensionPlanner for PlanApiCalls {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(call), [input]) = (node.as_any().downcast_ref::<ApiCall>(), inputs) else { return Ok(None) };
        let schema = call.input.schema();
        let physical = |expr| planner.create_physical_expr(expr, schema, session, context);
        let asked = Asked {
            caller: Arc::clone(&call.caller).into(),
            arguments: call.arguments.iter().map(physical).collect::<Result<_>>()?,
            guard: call.guard.as_ref().map(physical).transpose()?,
            site: call.answer.as_str().into(),
        };
        let schema = Arc::clone(UserDefinedLogicalNode::schema(call).inner());
        let input = cut_files(Arc::clone(input), session.config_options())?;
        let names = session.config().get_extension::<ColumnNames>().unwrap_or_default();
        let columns = names.of(&input.schema());
        Ok(Some(Arc::new(ApiCallExec::new(asked, input, schema, call.dead_letters).with_columns(columns))))
    }
}

/// A row costs a call, so even a small file is worth cutting into all partitions. Where it cannot be cut, DataFusion
/// hands its batches round.
fn cut_files(plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.is::<DataSourceExec>() {
        let mut config = config.clone();
        config.optimizer.repartition_file_min_size = 0;
        let cut = plan.repartitioned(config.execution.target_partitions, &config)?;
        return Ok(cut.unwrap_or(plan));
    }
    // These take rows one by one, whatever partition they are in.
    if plan.is::<FilterExec>() || plan.is::<ProjectionExec>() || plan.is::<ApiCallExec>() {
        let children: Vec<_> = plan.children().into_iter().cloned().collect();
        let children = children.into_iter().map(|child| cut_files(child, config)).collect::<Result<_>>()?;
        return plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute));
    }
    Ok(plan)
}

/// Lets rows that are given up leave a result that is written, where that is safe. It stands after
/// [`super::HoistApiCalls`].
#[derive(Debug)]
pub struct SetRowsAside;

impl AnalyzerRule for SetRowsAside {
    fn name(&self) -> &str {
        "set_rows_aside"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let writes = matches!(&plan, LogicalPlan::Extension(node) if node.node.as_any().is::<WriteFiles>());
        if !writes {
            return Ok(plan);
        }
        Ok(plan.map_children(|input| rows_may_leave(input).map(Transformed::yes))?.data)
    }
}
