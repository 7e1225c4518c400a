//! What of a subquery refers to the query around it.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr as Plan, LogicalPlan, Operator};

pub(crate) fn is_volatile(plan: &LogicalPlan) -> bool {
    plan.exists(|node| {
        let mut found = false;
        node.apply_expressions(|expr| {
            found |= expr.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })
    .unwrap_or(true)
}

pub(crate) fn has_outer(expr: &Plan) -> bool {
    expr.exists(|it| Ok(matches!(it, Plan::OuterReferenceColumn(..)))).unwrap_or(true)
}

fn any_outer(plan: &LogicalPlan) -> bool {
    plan.exists(|node| {
        let mut found = false;
        node.apply_expressions(|expr| {
            found |= has_outer(expr);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })
    .unwrap_or(true)
}

/// Aggregates that are NULL where there are no rows.
const NULL_OF_NOTHING: &[&str] = &["max", "min", "sum", "avg"];

/// Whether an expression has a query within it.
pub(crate) fn has_subquery(expr: &Plan) -> bool {
    let query = |it: &Plan| matches!(it, Plan::ScalarSubquery(_) | Plan::Exists(_) | Plan::InSubquery(_));
    expr.exists(|it| Ok(query(it))).unwrap_or(true)
}

/// Whether DataFusion's own rules make the right join: filters over what does not refer outwards, below one aggregate at most that is NULL
/// where there are no rows. An aggregate is grouped by what the filters find equal, so there they may not compare otherwise.
pub(crate) fn is_simple(plan: &LogicalPlan, scalar: bool) -> bool {
    match plan {
        LogicalPlan::Projection(it) if scalar => !it.expr.iter().any(has_outer) && is_simple(&it.input, scalar),
        LogicalPlan::Aggregate(it) if scalar => {
            let is_null = |name: &str| NULL_OF_NOTHING.contains(&name.strip_prefix("spark_").unwrap_or(name));
            let counts = it.aggr_expr.iter().any(|expr| {
                expr.exists(|it| Ok(matches!(it, Plan::AggregateFunction(call) if !is_null(call.func.name()))))
                    .unwrap_or(true)
            });
            !counts
                && it.group_expr.is_empty()
                && !it.aggr_expr.iter().any(has_outer)
                && is_filtered(&it.input, &[Operator::Eq])
        }
        other if scalar => !any_outer(other),
        other => is_filtered(other, COMPARISONS),
    }
}

const COMPARISONS: &[Operator] =
    &[Operator::Eq, Operator::NotEq, Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq];

/// Whether only filters refer outwards, each by an equality at least, and otherwise by these operators.
fn is_filtered(plan: &LogicalPlan, operators: &[Operator]) -> bool {
    match plan {
        LogicalPlan::Projection(it) => !it.expr.iter().any(has_outer) && is_filtered(&it.input, operators),
        LogicalPlan::Filter(it) => {
            let parts = split_conjunction(&it.predicate).into_iter().filter(|part| has_outer(part));
            let compared: Option<Vec<Operator>> = parts.map(compared).collect();
            let is_joined = compared.is_some_and(|compared| {
                compared.is_empty()
                    || compared.contains(&Operator::Eq) && compared.iter().all(|it| operators.contains(it))
            });
            is_joined && is_filtered(&it.input, operators)
        }
        other => !any_outer(other),
    }
}

/// How a condition compares what refers outwards with what does not.
fn compared(condition: &Plan) -> Option<Operator> {
    match condition {
        Plan::BinaryExpr(it) if has_outer(&it.left) != has_outer(&it.right) => Some(it.op),
        Plan::Not(it) => compared(it).and_then(|it| it.negate()),
        _ => None,
    }
}
