//! Finds the answers that a plan has already, so that an identical call above it needs no second request.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias};

use super::super::node::ApiCall;
use super::lifter::{ANSWER, Guard, Lifted, Side};

/// The plan with the answers below it among its columns, and their calls.
pub(super) fn open(plan: LogicalPlan) -> Result<Side> {
    let opened = match &plan {
        LogicalPlan::Extension(node) => match node.node.as_any().downcast_ref::<ApiCall>() {
            Some(call) => Some(open_call(call)?),
            None => None,
        },
        LogicalPlan::Filter(_) | LogicalPlan::Window(_) | LogicalPlan::Sort(_) => {
            let side = open(plan.inputs()[0].clone())?;
            let opened = plan.with_new_exprs(plan.expressions(), vec![side.plan])?;
            Some(Side { plan: opened, calls: side.calls })
        }
        LogicalPlan::Projection(list) if hides_answers(list) => Some(open(list.input.as_ref().clone())?),
        LogicalPlan::Projection(list) => Some(deterministic(open_select_list(list.clone())?)),
        LogicalPlan::SubqueryAlias(alias) => Some(open_alias(alias)?),
        _ => None,
    };
    match opened {
        Some(side) if !side.calls.is_empty() => Ok(side),
        _ => Ok(Side { plan, calls: Vec::new() }),
    }
}

fn open_call(call: &ApiCall) -> Result<Side> {
    let Side { plan, mut calls } = open(call.input.clone())?;
    calls.push(Lifted {
        caller: Arc::clone(&call.caller),
        arguments: call.arguments.clone(),
        guard: Guard(call.guard.clone()),
        answer: call.answer_column(),
    });
    let (arguments, guard) = (call.arguments.clone(), call.guard.clone());
    let node = ApiCall::try_new(Arc::clone(&call.caller), arguments, guard, call.answer.clone(), plan)?;
    Ok(Side { plan: node.into_plan(), calls })
}

/// Whether this is the projection that takes answers away again above a node that looked at them.
fn hides_answers(list: &Projection) -> bool {
    if !matches!(list.input.as_ref(), LogicalPlan::Filter(_) | LogicalPlan::Window(_) | LogicalPlan::Sort(_)) {
        return false;
    }
    let below = list.input.schema().columns();
    let mut left = below.iter().filter(|column| !column.name.starts_with(ANSWER));
    list.expr.iter().all(|expr| matches!(expr, Expr::Column(column) if Some(column) == left.next()))
        && left.next().is_none()
}

/// A SELECT list with the answers that it was made from behind its own columns.
pub(super) fn open_select_list(list: Projection) -> Result<Side> {
    let below = open(list.input.as_ref().clone())?;
    if below.calls.is_empty() {
        return Ok(Side { plan: LogicalPlan::Projection(list), calls: Vec::new() });
    }
    let mut table: Vec<_> = list.expr.iter().cloned().zip(list.schema.columns()).collect();
    let mut exprs = list.expr;
    for call in &below.calls {
        if !table.iter().any(|(from, _)| same(from, &call.answer)) {
            // An unqualified name beside the same one with the alias of a subquery would be ambiguous.
            let column = match &call.answer {
                Expr::Column(Column { relation: Some(relation), name, .. }) => {
                    Column::new_unqualified(format!("{name}_of_{}", relation.table()))
                }
                other => Column::new_unqualified(other.schema_name().to_string()),
            };
            let made = Expr::Column(column.clone());
            exprs.push(if made == call.answer { made } else { call.answer.clone().alias(&column.name) });
            table.push((call.answer.clone(), column));
        }
    }
    let mut calls = Vec::new();
    for call in below.calls {
        calls.extend(in_terms_of(&table, call)?);
    }
    let plan = LogicalPlanBuilder::from(below.plan).project(exprs)?.build()?;
    Ok(Side { plan, calls })
}

fn open_alias(alias: &SubqueryAlias) -> Result<Side> {
    let below = deterministic(open(alias.input.as_ref().clone())?);
    if below.calls.is_empty() {
        return Ok(below);
    }
    let from: Vec<_> = below.plan.schema().columns().into_iter().map(Expr::Column).collect();
    let plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(below.plan), alias.alias.clone())?);
    let table: Vec<_> = from.into_iter().zip(plan.schema().columns()).collect();
    let mut calls = Vec::new();
    for call in below.calls {
        calls.extend(in_terms_of(&table, call)?);
    }
    Ok(Side { plan, calls })
}

/// Only what is deterministic may serve a query around the one that called it.
fn deterministic(side: Side) -> Side {
    let Side { plan, calls } = side;
    Side { plan, calls: calls.into_iter().filter(|call| call.caller.api().deterministic).collect() }
}

/// A call in terms of the columns that a node makes of expressions over its input; `None` where one of the columns that the
/// call looked at is not among them.
fn in_terms_of(table: &[(Expr, Column)], call: Lifted) -> Result<Option<Lifted>> {
    let mut lost = false;
    let mut put = |expr: Expr| {
        expr.transform_down(|expr| {
            let column = table.iter().find(|(from, _)| same(from, &expr)).map(|(_, column)| column.clone());
            if let Some(column) = column {
                return Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump));
            }
            lost |= matches!(expr, Expr::Column(_));
            Ok(Transformed::no(expr))
        })
        .data()
    };
    let arguments = call.arguments.into_iter().map(&mut put).collect::<Result<_>>()?;
    let guard = Guard(call.guard.0.map(&mut put).transpose()?);
    let answer = put(call.answer)?;
    Ok((!lost).then_some(Lifted { caller: call.caller, arguments, guard, answer }))
}

fn same(from: &Expr, expr: &Expr) -> bool {
    match from {
        Expr::Alias(alias) => alias.expr.as_ref() == expr,
        from => from == expr && !from.is_volatile(),
    }
}
