//! Lifts every call of an API function out of its expression into an [`ApiCall`] node below, and puts the answer's
//! column in its place. Early, before optimisation, so that no rule can repeat, move or merge a call.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator};
use datafusion::optimizer::AnalyzerRule;
use paceline_udfs::Caller;

use super::function::caller_of;
use super::node::ApiCall;

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
    let Some(function) = called else { return Ok(Transformed::no(plan)) };
    if !matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Filter(_)) {
        return plan_err!(
            "the API function '{function}' is called in '{}', which is not supported; call it in the SELECT list of a \
             subquery and use its column: SELECT … FROM (SELECT *, {function}(…) AS answer FROM …)",
            plan.display()
        );
    }

    let wanted = plan.schema().columns();
    let names = NamePreserver::new(&plan);
    let mut input = plan.inputs()[0].clone();
    let mut expressions = Vec::new();
    for expr in plan.expressions() {
        let name = names.save(&expr);
        expressions.push(name.restore(lift_from_expr(expr, &mut input, lifted)?));
    }
    let is_filter = matches!(plan, LogicalPlan::Filter(_));
    let plan = plan.with_new_exprs(expressions, vec![input])?;
    if is_filter {
        // A filter passes its input's columns on; the answer it looked at is not one of them.
        let plan = LogicalPlanBuilder::from(plan).project(wanted.into_iter().map(Expr::Column))?.build()?;
        return Ok(Transformed::yes(plan));
    }
    Ok(Transformed::yes(plan))
}

/// Inner calls first: `f(g(x))` becomes a node for g and above it a node for f. Identical calls of one node's
/// expressions are one call.
fn lift_from_expr(expr: Expr, input: &mut LogicalPlan, lifted: &Cell<usize>) -> Result<Expr> {
    refuse_conditional_calls(&expr)?;
    let replaced = expr.transform_up(|expr| {
        let Some((caller, arguments)) = as_call(&expr) else { return Ok(Transformed::no(expr)) };
        let arguments = as_declared(caller, arguments, input)?;
        let below = std::mem::take(input);
        if let Some(answer) = same_call(&below, caller, &arguments) {
            *input = below;
            return Ok(Transformed::yes(answer));
        }
        let answer = format!("__api_{}_{}", lifted.get(), caller.api().name);
        lifted.set(lifted.get() + 1);
        let node = ApiCall::try_new(Arc::clone(caller), arguments, answer, below)?;
        let answer = node.answer_column();
        *input = node.into_plan();
        Ok(Transformed::yes(answer))
    })?;
    Ok(replaced.data)
}

/// The arguments, cast to the declared types where they have others.
fn as_declared(caller: &Caller, given: &[Expr], input: &LogicalPlan) -> Result<Vec<Expr>> {
    let api = caller.api();
    let declaration = || {
        let arguments = api.arguments.iter().map(|argument| format!("{} {}", argument.name(), argument.data_type()));
        format!("the API function {}({})", api.name, arguments.collect::<Vec<_>>().join(", "))
    };
    if given.len() != api.arguments.len() {
        return plan_err!("{} takes {} arguments, {} are given", declaration(), api.arguments.len(), given.len());
    }
    let cast = |(expr, argument): (&Expr, &FieldRef)| {
        let (from, to) = (expr.get_type(input.schema())?, argument.data_type());
        if !can_cast_types(&from, to) {
            return plan_err!("{}: '{}' cannot be made of {expr}, which is {from}", declaration(), argument.name());
        }
        expr.clone().cast_to(to, input.schema().as_ref())
    };
    given.iter().zip(api.arguments.iter()).map(cast).collect()
}

fn same_call(plan: &LogicalPlan, caller: &Arc<Caller>, arguments: &[Expr]) -> Option<Expr> {
    let LogicalPlan::Extension(extension) = plan else { return None };
    let call = extension.node.as_any().downcast_ref::<ApiCall>()?;
    if Arc::ptr_eq(&call.caller, caller) && call.arguments == arguments {
        return Some(call.answer_column());
    }
    same_call(&call.input, caller, arguments)
}

fn as_call(expr: &Expr) -> Option<(&Arc<Caller>, &[Expr])> {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => Some((caller_of(func)?, args)),
        _ => None,
    }
}

/// The name of the first API function that `expr` calls.
fn first_call(expr: &Expr) -> Result<Option<String>> {
    let mut found = None;
    expr.apply(|expr| {
        found = as_call(expr).map(|(caller, _)| caller.api().name.clone());
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A call that only some rows reach would be made for all of them.
fn refuse_conditional_calls(expr: &Expr) -> Result<()> {
    expr.apply(|expr| {
        let conditional: Vec<&Expr> = match expr {
            Expr::Case(case) => {
                let branches = case.when_then_expr.iter().flat_map(|(when, then)| [when, then]);
                branches.map(AsRef::as_ref).skip(1).chain(case.else_expr.as_deref()).collect()
            }
            Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => vec![&binary.right],
            Expr::ScalarFunction(call) if call.func.short_circuits() => call.args.iter().skip(1).collect(),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        for part in conditional {
            if let Some(function) = first_call(part)? {
                return plan_err!(
                    "the API function '{function}' is called under a condition in '{expr}', which is not supported: \
                     filter the rows first, as in SELECT {function}(…) FROM (SELECT * FROM … WHERE condition)"
                );
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
