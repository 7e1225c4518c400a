//! What a plan must be before Ballista may cut it: some operators that are right in one process say a row once for each task.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result, not_impl_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::{CastExpr, Column, TryCastExpr};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::limit::LocalLimitExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, InputOrderMode, Partitioning,
    ReplaceChildrenOptions, StatisticsArgs, StatisticsContext,
};

/// Ballista hands the left side of a join to every task below so many bytes (`ballista.optimizer.broadcast_join_threshold_bytes`).
const HANDED_OUT: usize = 10 * 1024 * 1024;

/// The plan in a form that says the same when its tasks run in many processes.
///
/// # Errors
/// It has an operator for which there is no such form.
pub(super) fn portable(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let portable = plan.transform_up(|node| {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            return whole_right_side(&node, join);
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            return both_sides_spread(&node, join);
        }
        if node.is::<UnionExec>() {
            return parts_of_their_own(&node);
        }
        if let Some(spread) = node.downcast_ref::<RepartitionExec>() {
            return spread_by_columns(&node, spread);
        }
        if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>()
            && window.input_order_mode == InputOrderMode::Sorted
        {
            return sorted_for_windows(&node, window.window_expr(), window.input());
        }
        if let Some(window) = node.downcast_ref::<WindowAggExec>() {
            return sorted_for_windows(&node, window.window_expr(), window.input());
        }
        // Ballista forgets the limit of rows in memory when it deals their partitions out.
        if let Some(scan) = node.downcast_ref::<DataSourceExec>()
            && scan.data_source().downcast_ref::<MemorySourceConfig>().is_some()
            && let Some(fetch) = scan.fetch()
        {
            return Ok(Transformed::yes(Arc::new(LocalLimitExec::new(node, fetch))));
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

/// A join that says rows of a collected left side says them once for each task. Ballista spreads both sides of such a join instead,
/// over as many partitions as its scheduler has by default, whatever stands above expects: so it is done here, over as many as
/// there were. What knows NULLs of the whole right side it makes one task. A left side that may be too large to be handed to every
/// task is treated so too.
fn both_sides_spread(
    node: &Arc<dyn ExecutionPlan>,
    join: &HashJoinExec,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    use JoinType::{Full, Left, LeftAnti, LeftMark, LeftSemi};
    let says_left = matches!(join.join_type(), Full | Left | LeftAnti | LeftMark | LeftSemi);
    let partitions = join.right().output_partitioning().partition_count();
    let is_changed = says_left || partitions == 1 && !is_small(join.left())?;
    if *join.partition_mode() != PartitionMode::CollectLeft || join.null_aware || !is_changed {
        return Ok(Transformed::no(Arc::clone(node)));
    }
    let (left, right): (Vec<_>, Vec<_>) = join.on().iter().cloned().unzip();
    let spread = |input: &Arc<dyn ExecutionPlan>, keys| -> Result<Arc<dyn ExecutionPlan>> {
        let spread: Arc<dyn ExecutionPlan> =
            Arc::new(RepartitionExec::try_new(Arc::clone(input), Partitioning::Hash(keys, partitions))?);
        match spread.downcast_ref::<RepartitionExec>() {
            Some(exec) => Ok(spread_by_columns(&spread, exec)?.data),
            None => Ok(spread),
        }
    };
    let sides = vec![spread(join.left(), left)?, spread(join.right(), right)?];
    let join = join.builder().with_partition_mode(PartitionMode::Partitioned).with_new_children(sides)?;
    Ok(Transformed::yes(join.build_exec()?))
}

/// Whether Ballista hands it to every task.
fn is_small(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())?;
    Ok(known.total_byte_size.get_value().is_some_and(|bytes| *bytes < HANDED_OUT))
}

/// A part of a union that joins everything with everything is a stage of its own: tasks of the other parts would say its rows too.
fn parts_of_their_own(node: &Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let mut changed = false;
    let mut parts = Vec::new();
    for part in node.children() {
        let (part, widened) = as_null_as_the_union(part)?;
        changed |= widened;
        let crosses = part.exists(|node| Ok(node.is::<CrossJoinExec>() || node.is::<NestedLoopJoinExec>()))?;
        let schema = part.schema();
        parts.push(match schema.fields().first() {
            Some(field) if crosses => {
                changed = true;
                let key = Arc::new(Column::new(field.name(), 0));
                let count = part.output_partitioning().partition_count();
                Arc::new(RepartitionExec::try_new(part, Partitioning::Hash(vec![key], count))?)
            }
            _ => part,
        });
    }
    if !changed {
        return Ok(Transformed::no(Arc::clone(node)));
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Transformed::yes(Arc::clone(node).replace_children(parts, options)?))
}

/// DataFusion casts columns of a part that are never NULL to their own type, as those of the union may be. The way to another process loses
/// what a cast makes of NULL, whereupon they are cast once more, and Ballista finds more operators in tasks than in their stage and counts no
/// rows. What TRY_CAST makes may always be NULL.
fn as_null_as_the_union(part: &Arc<dyn ExecutionPlan>) -> Result<(Arc<dyn ExecutionPlan>, bool)> {
    let Some(projection) = part.downcast_ref::<ProjectionExec>() else { return Ok((Arc::clone(part), false)) };
    let (input, mut changed) = (projection.input().schema(), false);
    let mut columns = Vec::new();
    for column in projection.expr() {
        let mut column = column.clone();
        if let Some(cast) = column.expr.downcast_ref::<CastExpr>()
            && !cast.expr().nullable(&input)?
            && cast.nullable(&input)?
        {
            column.expr = Arc::new(TryCastExpr::new(Arc::clone(cast.expr()), cast.cast_type().clone()));
            changed = true;
        }
        columns.push(column);
    }
    Ok((Arc::new(ProjectionExec::try_new(columns, Arc::clone(projection.input()))?), changed))
}

/// A column that has one value only is left out of a sort. Beyond a shuffle nobody knows of that any more, and windows look for
/// their partitions in what is sorted.
fn sorted_for_windows(
    node: &Arc<dyn ExecutionPlan>,
    windows: &[Arc<dyn WindowExpr>],
    input: &Arc<dyn ExecutionPlan>,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(window) = windows.first() else { return Ok(Transformed::no(Arc::clone(node))) };
    let partition_by = window.partition_by();
    let sorted = input.output_ordering().map_or(&[][..], |ordering| ordering.as_ref());
    let is_sorted = |key: &Arc<dyn PhysicalExpr>| sorted.iter().take(partition_by.len()).any(|by| by.expr.eq(key));
    let by_partition = partition_by.iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key)));
    let Some(ordering) = LexOrdering::new(by_partition.chain(window.order_by().iter().cloned())) else {
        return Ok(Transformed::no(Arc::clone(node)));
    };
    if partition_by.iter().all(is_sorted) {
        return Ok(Transformed::no(Arc::clone(node)));
    }
    let sort = SortExec::new(ordering, Arc::clone(input)).with_preserve_partitioning(true);
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Transformed::yes(Arc::clone(node).replace_children(vec![Arc::new(sort)], options)?))
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
