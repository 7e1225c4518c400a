//! Lifts every call of an API function out of its expression into an [`ApiCall`] node below, and puts the answer's
//! column in its place. Early, before optimisation, so that no rule can repeat, move or merge a call.
//!
//! A call under a condition keeps it as the node's guard: only rows that reach the call are called. Identical calls on the
//! same row are one call within one query block: its WHERE, GROUP BY, windows, SELECT list and ORDER BY. Those of a
//! function that is DETERMINISTIC are one through subqueries, too.

mod answers;
mod join;
mod lifter;
mod rewrite;
mod top;

use std::cell::Cell;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

use self::answers::open;
use self::lifter::{Guard, Lifter};
use super::function::caller_of;

/// The analyser rule. It stands after type coercion, so that every expression has its final type.
#[derive(Debug, Default)]
pub struct HoistApiCalls;

impl AnalyzerRule for HoistApiCalls {
    fn name(&self) -> &str {
        "hoist_api_calls"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let lifted = Cell::new(0);
        plan.transform_up_with_subqueries(|plan| lift_from_node(plan, &lifted)).data()
    }
}

fn lift_from_node(plan: LogicalPlan, lifted: &Cell<usize>) -> Result<Transformed<LogicalPlan>> {
    let mut called = None;
    plan.apply_expressions(|expr| {
        called = called.take().or(first_call(expr)?);
        Ok(TreeNodeRecursion::Continue)
    })?;
    let Some(function) = called else { return top::call_the_first_rows_only(plan) };
    let wanted = plan.schema().columns();
    let plan = match plan {
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => {
            return lift_each_expression(plan, lifted).map(Transformed::yes);
        }
        LogicalPlan::Window(_) | LogicalPlan::Sort(_) => lift_each_expression(plan, lifted)?,
        LogicalPlan::Filter(filter) => lift_from_filter(filter, lifted)?,
        LogicalPlan::Join(join) => join::lift(join, lifted)?,
        other => return rewrite::refuse(&other, &function),
    };
    // These pass their input's columns on; the answers that they looked at are not among them.
    let plan = LogicalPlanBuilder::from(plan).project(wanted.into_iter().map(Expr::Column))?.build()?;
    Ok(Transformed::yes(plan))
}

fn lift_each_expression(plan: LogicalPlan, lifted: &Cell<usize>) -> Result<LogicalPlan> {
    let names = NamePreserver::new(&plan);
    let named = !matches!(plan, LogicalPlan::Sort(_));
    let input = match (&plan, plan.inputs()[0].clone()) {
        // An ORDER BY belongs to the SELECT list that it stands on.
        (LogicalPlan::Sort(_), LogicalPlan::Projection(list)) => answers::open_select_list(list)?,
        (_, input) => open(input)?,
    };
    let mut lifter = Lifter::new([input], lifted);
    let mut lift = |expr: Expr| {
        let name = names.save(&expr);
        let expr = lifter.lift(expr, &Guard::default())?;
        Ok(if named { name.restore(expr) } else { expr })
    };
    let mut expressions = Vec::new();
    for expr in plan.expressions() {
        expressions.push(match expr {
            // The columns are those within the sets, so each of them keeps its own name.
            Expr::GroupingSet(_) => expr.map_children(|expr| lift(expr).map(Transformed::yes))?.data,
            expr => lift(expr)?,
        });
    }
    plan.with_new_exprs(expressions, lifter.into_inputs())
}

/// Conditions without a call are looked at first, whatever their order: rows that they drop need no call.
fn lift_from_filter(filter: Filter, lifted: &Cell<usize>) -> Result<LogicalPlan> {
    let input = filter.input.as_ref().clone();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for condition in split_conjunction_owned(filter.predicate) {
        let plain = first_call(&condition)?.is_none() && !condition.is_volatile() && !condition.contains_outer();
        if plain { &mut first } else { &mut rest }.push(condition);
    }
    let mut side = open(input)?;
    if let Some(condition) = conjunction(first) {
        side.plan = LogicalPlan::Filter(Filter::try_new(condition, side.plan.into())?);
    }
    let mut lifter = Lifter::new([side], lifted);
    let predicate = lifter.lift_conjunction(rest)?;
    let called = lifter.into_inputs().remove(0);
    Ok(match predicate {
        Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, called.into())?),
        None => called,
    })
}

/// The name of the first API function that `expr` calls.
fn first_call(expr: &Expr) -> Result<Option<String>> {
    let mut found = None;
    expr.apply(|expr| {
        if let Expr::ScalarFunction(call) = expr {
            found = caller_of(&call.func).map(|caller| caller.api().name.clone());
        }
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
