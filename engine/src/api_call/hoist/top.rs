//! `ORDER BY x LIMIT n` above calls that x does not need: the rows are chosen first, and only they are called for.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::{
    Expr, Extension, FetchType, Limit, LogicalPlan, LogicalPlanBuilder, Projection, SkipType, Sort,
};

use super::super::node::ApiCall;

/// Chooses the rows below the calls as well. The order above stays as it is: it sorts the rows that are left.
pub(super) fn call_the_first_rows_only(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Limit(limit) = &plan else { return Ok(Transformed::no(plan)) };
    let Some(rows) = rows_of(limit)? else { return Ok(Transformed::no(plan)) };
    let input = limit.input.as_ref().clone();
    let chosen = match input {
        // The column that the rows are sorted by may not be wanted.
        LogicalPlan::Projection(list) => match chosen_below(&list.input, rows)? {
            Some(sorted) => Some(LogicalPlan::Projection(Projection::try_new(list.expr, sorted.into())?)),
            None => None,
        },
        input => chosen_below(&input, rows)?,
    };
    let Some(chosen) = chosen else { return Ok(Transformed::no(plan)) };
    Ok(Transformed::yes(LogicalPlan::Limit(Limit { input: chosen.into(), ..limit.clone() })))
}

fn rows_of(limit: &Limit) -> Result<Option<usize>> {
    Ok(match (limit.get_skip_type()?, limit.get_fetch_type()?) {
        (SkipType::Literal(skip), FetchType::Literal(Some(fetch))) => skip.checked_add(fetch),
        _ => None,
    })
}

/// A sort over a SELECT list over calls, with the first `rows` rows chosen below the calls.
fn chosen_below(plan: &LogicalPlan, rows: usize) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Sort(sort) = plan else { return Ok(None) };
    let LogicalPlan::Projection(list) = sort.input.as_ref() else { return Ok(None) };
    let Some(keys) = keys_below(sort, list)? else { return Ok(None) };
    let Some(calls) = with_rows_chosen(&list.input, &keys, rows)? else { return Ok(None) };
    let list = LogicalPlan::Projection(Projection::try_new(list.expr.clone(), calls.into())?);
    LogicalPlan::Sort(sort.clone()).with_new_exprs(plan.expressions(), vec![list]).map(Some)
}

/// What the rows are sorted by, in terms of the columns below the SELECT list.
fn keys_below(sort: &Sort, list: &Projection) -> Result<Option<Vec<SortExpr>>> {
    let columns = list.schema.columns();
    let mut keys = Vec::with_capacity(sort.expr.len());
    for key in &sort.expr {
        let expr = key.expr.clone().transform(|expr| match &expr {
            Expr::Column(column) => match columns.iter().position(|made| made == column) {
                Some(at) => Ok(Transformed::yes(list.expr[at].clone().unalias())),
                None => Ok(Transformed::no(expr)),
            },
            _ => Ok(Transformed::no(expr)),
        });
        let expr = expr.data()?;
        if expr.is_volatile() {
            return Ok(None);
        }
        keys.push(SortExpr { expr, ..key.clone() });
    }
    Ok(Some(keys))
}

fn with_rows_chosen(plan: &LogicalPlan, keys: &[SortExpr], rows: usize) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Extension(Extension { node }) = plan else { return Ok(None) };
    let Some(call) = node.as_any().downcast_ref::<ApiCall>() else { return Ok(None) };
    let below = match with_rows_chosen(&call.input, keys, rows)? {
        Some(below) => below,
        None => {
            let schema = call.input.schema();
            let known = |key: &SortExpr| key.expr.column_refs().into_iter().all(|column| schema.has_column(column));
            let first_call = !matches!(&call.input, LogicalPlan::Extension(node) if node.node.as_any().is::<ApiCall>());
            if !first_call || !keys.iter().all(known) {
                return Ok(None);
            }
            LogicalPlanBuilder::from(call.input.clone()).sort_with_limit(keys.to_vec(), Some(rows))?.build()?
        }
    };
    let (arguments, guard) = (call.arguments.clone(), call.guard.clone());
    let node = ApiCall::try_new(call.caller.clone(), arguments, guard, call.answer.clone(), below)?;
    Ok(Some(node.into_plan()))
}
