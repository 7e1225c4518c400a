//! Calls in join conditions: those with columns of one side alone are made for each row of that side, below the join.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Join, LogicalPlan};

use super::lifter::{Guard, Lifter, Side};

pub(super) fn lift(join: Join, lifted: &Cell<usize>) -> Result<LogicalPlan> {
    let side = |plan: &LogicalPlan| Side { plan: plan.clone(), calls: Vec::new() };
    let mut lifter = Lifter::new([side(&join.left), side(&join.right)], lifted);
    let every = Guard::default();
    let mut on = Vec::with_capacity(join.on.len());
    for (left, right) in join.on {
        on.push((lifter.lift(left, &every)?, lifter.lift(right, &every)?));
    }
    let conditions = join.filter.map_or(Vec::new(), split_conjunction_owned);
    let filter = lifter.lift_conjunction(conditions)?;
    let mut inputs = lifter.into_inputs();
    let (right, left) = (inputs.pop().unwrap_or_default(), inputs.pop().unwrap_or_default());
    Ok(LogicalPlan::Join(Join::try_new(
        Arc::new(left),
        Arc::new(right),
        on,
        filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?))
}
