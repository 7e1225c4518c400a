//! The outer columns that a subquery uses, and what is built over them.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinConstraint, JoinType, NullEquality};
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr as Plan, Filter, Join, LogicalPlan, Projection, lit};
use paceline_functions::Result;

use super::correlation::has_subquery;

/// The outer columns that a subquery uses, and the plan that has them.
pub(super) struct Domain {
    pub(super) outer: LogicalPlan,
    pub(super) names: Vec<String>,
    /// Whether an aggregate without groups has a row where no row is below. Spark's EXISTS and IN have none.
    pub(super) whole: bool,
}

/// A part of a plan that has these columns with all their values, perhaps with more.
pub(super) fn narrowed(plan: &LogicalPlan, names: &[String]) -> Result<LogicalPlan> {
    let has = |plan: &LogicalPlan| names.iter().all(|name| plan.schema().has_column(&Column::new_unqualified(name)));
    match plan {
        LogicalPlan::Join(it) if it.join_type == JoinType::Inner && has(&it.left) => narrowed(&it.left, names),
        LogicalPlan::Join(it) if it.join_type == JoinType::Inner && has(&it.right) => narrowed(&it.right, names),
        LogicalPlan::Join(it) if it.join_type == JoinType::Left && has(&it.left) => narrowed(&it.left, names),
        LogicalPlan::Filter(it) => {
            let below = narrowed(&it.input, names)?;
            let known = |part: &&Plan| part.column_refs().iter().all(|it| below.schema().has_column(it));
            let parts: Vec<Plan> = split_conjunction(&it.predicate)
                .into_iter()
                .filter(known)
                .filter(|it| !has_subquery(it))
                .cloned()
                .collect();
            Ok(match conjunction(parts) {
                Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(below))?),
                None => below,
            })
        }
        _ => Ok(plan.clone()),
    }
}

/// The keys that a plan's rows are in the order of, if its columns still are there.
pub(super) fn order_of(plan: &LogicalPlan) -> Option<&Vec<SortExpr>> {
    match plan {
        LogicalPlan::Sort(sort) => Some(&sort.expr),
        LogicalPlan::Projection(it) => match it.input.as_ref() {
            LogicalPlan::Sort(sort) => {
                let there = |key: &SortExpr| it.expr.contains(&key.expr);
                sort.expr.iter().all(there).then_some(&sort.expr)
            }
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn sort_keys(keys: &[SortExpr], domain: &Domain, ids: &[String]) -> Result<Vec<SortExpr>> {
    keys.iter().map(|key| Ok(SortExpr::new(inward(&key.expr, domain, ids)?, key.asc, key.nulls_first))).collect()
}

pub(super) fn id(name: &str) -> Plan {
    Plan::Column(Column::new_unqualified(name))
}

pub(super) fn projection(exprs: Vec<Plan>, plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut unique: Vec<Plan> = Vec::new();
    for expr in exprs {
        if !unique.contains(&expr) {
            unique.push(expr);
        }
    }
    Ok(LogicalPlan::Projection(Projection::try_new(unique, Arc::new(plan))?))
}

pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    on: Vec<(Plan, Plan)>,
    filter: Option<Plan>,
    kind: JoinType,
    nulls: NullEquality,
) -> Result<LogicalPlan> {
    let (left, right) = (Arc::new(left), Arc::new(right));
    let filter = if on.is_empty() && filter.is_none() && kind != JoinType::Inner { Some(lit(true)) } else { filter };
    Ok(LogicalPlan::Join(Join::try_new(left, right, on, filter, kind, JoinConstraint::On, nulls, false)?))
}

pub(super) fn outer_name(expr: &Plan) -> Option<String> {
    match expr {
        Plan::OuterReferenceColumn(_, column) => Some(column.name.clone()),
        _ => None,
    }
}

/// An expression with the domain's columns in place of the outer ones.
pub(super) fn inward(expr: &Plan, domain: &Domain, ids: &[String]) -> Result<Plan> {
    let changed = expr.clone().transform_up(|node| {
        let at = outer_name(&node).and_then(|name| domain.names.iter().position(|it| *it == name));
        Ok(match at.and_then(|at| ids.get(at)) {
            Some(new) => Transformed::yes(id(new)),
            None => Transformed::no(node),
        })
    })?;
    Ok(changed.data)
}

pub(super) fn refers(plan: &LogicalPlan, domain: &Domain) -> bool {
    plan.exists(|node| {
        let mut found = false;
        node.apply_expressions(|expr| {
            found |= expr.exists(|it| Ok(outer_name(it).is_some_and(|name| domain.names.contains(&name))))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })
    .unwrap_or(true)
}
