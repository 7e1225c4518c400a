//! The rule that puts columns in the place of functions of where a row is.

use std::cell::Cell;
use std::collections::BTreeSet;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;
use paceline_functions::{Position, position_of};

use super::Positions;
use super::node::fields;
use super::of_file::{column, sources, with_files};

/// The analyser rule. It stands before calls of API functions are lifted, so that these have plain columns as arguments.
#[derive(Debug, Default)]
pub struct LiftPositions;

impl AnalyzerRule for LiftPositions {
    fn name(&self) -> &str {
        "lift_positions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let lifted = Cell::new(0);
        plan.transform_up_with_subqueries(|plan| lift(plan, &lifted)).data()
    }
}

fn lift(plan: LogicalPlan, lifted: &Cell<u64>) -> Result<Transformed<LogicalPlan>> {
    let asked = asked(&plan)?;
    let Some(first) = asked.iter().next() else { return Ok(Transformed::no(plan)) };
    let inputs = plan.inputs();
    let [input] = inputs.as_slice() else {
        return plan_err!("{}() is called in '{}', which has no rows of its own", first.name(), plan.display());
    };
    let mut input = (*input).clone();
    let (of_files, added): (Vec<_>, Vec<_>) = asked.iter().copied().partition(|position| position.is_of_file());
    if let Some(function) = of_files.first() {
        sources(&input, *function)?;
        input = with_files(&input)?.unwrap_or(input);
    }
    let at = lifted.get() + 1;
    if !added.is_empty() {
        lifted.set(at);
        input = below_correlated(input, &|input| Ok(Positions::try_new(input, at, added.clone())?.into_plan()))?;
    }
    let columns: Vec<_> = fields(at, &added).map(|field| Expr::Column(Column::new_unqualified(field.name()))).collect();
    let place = |position: Position| match added.iter().zip(&columns).find(|(added, _)| **added == position) {
        Some((_, column)) => column.clone(),
        None => column(&input, position),
    };
    let names = NamePreserver::new(&plan);
    let named = !matches!(plan, LogicalPlan::Sort(_));
    let replaced = |expr: Expr| {
        let name = names.save(&expr);
        let expr = each_call(expr, false, &mut |expr, position| *expr = place(position));
        expr.map(|expr| if named { name.restore(expr) } else { expr })
    };
    let exprs = plan.expressions().into_iter().map(replaced).collect::<Result<Vec<_>>>()?;
    let wanted = plan.schema().columns();
    let hides = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
    let plan = plan.with_new_exprs(exprs, vec![input])?;
    if hides {
        return Ok(Transformed::yes(plan));
    }
    // These pass their input's columns on.
    let plan = LogicalPlanBuilder::from(plan).project(wanted.into_iter().map(Expr::Column))?.build()?;
    Ok(Transformed::yes(plan))
}

/// What a node's own expressions ask for.
fn asked(plan: &LogicalPlan) -> Result<BTreeSet<Position>> {
    let mut asked = BTreeSet::new();
    for expr in plan.expressions() {
        each_call(expr, false, &mut |_, position| _ = asked.insert(position))?;
    }
    Ok(asked)
}

/// The expression with each of its calls as `change` leaves it. In a lambda each element has a random number of its own, which
/// no column can be.
fn each_call(expr: Expr, in_lambda: bool, change: &mut dyn FnMut(&mut Expr, Position)) -> Result<Expr> {
    let changed = expr.transform_down(|mut expr| {
        if matches!(expr, Expr::Lambda(_)) && !in_lambda {
            let expr = expr.map_children(|body| each_call(body, true, change).map(Transformed::yes))?;
            return Ok(Transformed::new(expr.data, true, TreeNodeRecursion::Jump));
        }
        let position = match &expr {
            Expr::ScalarFunction(call) => position_of(call).filter(|position| !in_lambda || !position.is_random()),
            _ => None,
        };
        let Some(position) = position else { return Ok(Transformed::no(expr)) };
        change(&mut expr, position);
        Ok(Transformed::yes(expr))
    });
    changed.data()
}

/// What `change` makes of a plan, below the conditions on it that a query around it decides on: these become a join's.
fn below_correlated(plan: LogicalPlan, change: &dyn Fn(LogicalPlan) -> Result<LogicalPlan>) -> Result<LogicalPlan> {
    match &plan {
        LogicalPlan::Filter(filter) if filter.predicate.contains_outer() => {
            let input = below_correlated(filter.input.as_ref().clone(), change)?;
            plan.with_new_exprs(plan.expressions(), vec![input])
        }
        _ => change(plan),
    }
}
