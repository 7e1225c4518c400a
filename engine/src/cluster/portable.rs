//! What a plan must be before Ballista may cut it: some operators that are right in one process say a row once for each task.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result, not_impl_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, Partitioning, ReplaceChildrenOptions,
};

/// The plan in a form that says the same when its tasks run in many processes.
///
/// # Errors
/// It has an operator for which there is no such form.
pub(super) fn portable(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let portable = plan.transform_up(|node| {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            return whole_right_side(&node, join);
        }
        if let Some(spread) = node.downcast_ref::<RepartitionExec>() {
            return spread_by_columns(&node, spread);
        }
        // Tasks that have no part in a branch get rows in memory in its place, whose numbers Ballista counts otherwise.
        if node.is::<PlaceholderRowExec>() {
            // Nobody looks at the values of its row, which are NULL whatever its columns may be.
            let nullable = |field: &FieldRef| field.as_ref().clone().with_nullable(true);
            let fields: Vec<_> = node.schema().fields().iter().map(nullable).collect();
            return Ok(Transformed::yes(in_memory(Arc::new(Schema::new(fields)), 1)?));
        }
        if node.is::<EmptyExec>() {
            return Ok(Transformed::yes(in_memory(node.schema(), 0)?));
        }
        Ok(Transformed::no(node))
    });
    Ok(portable?.data)
}

/// Rows of the left side that have no match are known when all of the right side was seen, which one task must do then.
fn whole_right_side(
    node: &Arc<dyn ExecutionPlan>,
    join: &NestedLoopJoinExec,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    use JoinType::{Full, Left, LeftAnti, LeftMark, LeftSemi};
    let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
    let is_spread = right.output_partitioning().partition_count() > 1;
    if !is_spread || !matches!(join.join_type(), Full | Left | LeftAnti | LeftMark | LeftSemi) {
        return Ok(Transformed::no(Arc::clone(node)));
    }
    let schema = right.schema();
    let Some(field) = schema.fields().first() else {
        return not_impl_err!("a join whose right side has no column cannot run on a cluster yet");
    };
    // Merely collected, its partitions would be handed out again.
    let key = Arc::new(Column::new(field.name(), 0));
    let right = Arc::new(RepartitionExec::try_new(right, Partitioning::Hash(vec![key], 1))?);
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Transformed::yes(Arc::clone(node).replace_children(vec![left, right], options)?))
}

/// Ballista carries the keys of a shuffle by itself, and knows no function of ours: they are computed before.
fn spread_by_columns(
    node: &Arc<dyn ExecutionPlan>,
    spread: &RepartitionExec,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Partitioning::Hash(keys, partitions) = spread.partitioning() else {
        return Ok(Transformed::no(Arc::clone(node)));
    };
    if keys.iter().all(|key| key.is::<Column>()) {
        return Ok(Transformed::no(Arc::clone(node)));
    }
    let schema = node.schema();
    let column = |(at, field): (usize, &FieldRef)| ProjectionExpr {
        expr: Arc::new(Column::new(field.name(), at)),
        alias: field.name().clone(),
    };
    let columns: Vec<_> = schema.fields().iter().enumerate().map(column).collect();
    let (mut wide, mut by): (_, Vec<Arc<dyn PhysicalExpr>>) = (columns.clone(), Vec::new());
    for key in keys {
        if key.is::<Column>() {
            by.push(Arc::clone(key));
            continue;
        }
        let alias = format!("spread by {}", by.len());
        by.push(Arc::new(Column::new(&alias, wide.len())));
        wide.push(ProjectionExpr { expr: Arc::clone(key), alias });
    }
    let wide = Arc::new(ProjectionExec::try_new(wide, Arc::clone(spread.input()))?);
    let spread = Arc::new(RepartitionExec::try_new(wide, Partitioning::Hash(by, *partitions))?);
    Ok(Transformed::yes(Arc::new(ProjectionExec::try_new(columns, spread)?)))
}

fn in_memory(schema: SchemaRef, rows: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), rows)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?;
    Ok(DataSourceExec::from_data_source(MemorySourceConfig::try_new(&[vec![batch]], schema, None)?))
}
