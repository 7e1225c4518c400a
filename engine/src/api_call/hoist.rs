//! Lifts every call of an API function out of its expression into an [`ApiCall`] node below, and puts the answer's
//! column in its place. Early, before optimisation, so that no rule can repeat, move or merge a call.
//!
//! A call under a condition keeps it as the node's guard: only rows that reach the call are called. Identical calls on the
//! same row are one call, within one SELECT list or condition and between the WHERE and the SELECT list above it.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::expr::{Case, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, lit};
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
    let (input, calls) = with_answers(plan.inputs()[0].clone());
    let mut lifter = Lifter { input, lifted, calls };
    let mut expressions = Vec::new();
    for expr in plan.expressions() {
        let name = names.save(&expr);
        expressions.push(name.restore(lifter.lift(expr, &Guard::default())?));
    }
    let is_filter = matches!(plan, LogicalPlan::Filter(_));
    let plan = plan.with_new_exprs(expressions, vec![lifter.input])?;
    if is_filter {
        // A filter passes its input's columns on; the answer it looked at is not one of them.
        let plan = LogicalPlanBuilder::from(plan).project(wanted.into_iter().map(Expr::Column))?.build()?;
        return Ok(Transformed::yes(plan));
    }
    Ok(Transformed::yes(plan))
}

/// Where the input is a filter that called already: the plan with the answers that it looked at, and those calls.
fn with_answers(input: LogicalPlan) -> (LogicalPlan, Vec<Lifted>) {
    if let LogicalPlan::Projection(passed_on) = &input
        && let LogicalPlan::Filter(filter) = passed_on.input.as_ref()
        && passed_on.expr.iter().all(|expr| matches!(expr, Expr::Column(_)))
    {
        let mut calls = Vec::new();
        let mut below = filter.input.as_ref();
        while let LogicalPlan::Extension(node) = below
            && let Some(call) = node.node.as_any().downcast_ref::<ApiCall>()
        {
            calls.push(Lifted {
                caller: Arc::clone(&call.caller),
                arguments: call.arguments.clone(),
                guard: Guard(call.guard.clone()),
                answer: call.answer_column(),
            });
            below = &call.input;
        }
        if !calls.is_empty() {
            return (LogicalPlan::Filter(filter.clone()), calls);
        }
    }
    (input, Vec::new())
}

/// Lifts the calls of the expressions of one node.
struct Lifter<'a> {
    /// What the node will stand on: its input, and a node for each call lifted so far.
    input: LogicalPlan,
    /// How many calls of the whole plan have been lifted.
    lifted: &'a Cell<usize>,
    calls: Vec<Lifted>,
}

/// A call that has its node.
struct Lifted {
    caller: Arc<Caller>,
    arguments: Vec<Expr>,
    guard: Guard,
    answer: Expr,
}

impl Lifter<'_> {
    /// Inner calls first: `f(g(x))` becomes a node for g and above it a node for f. `guard` says which rows reach `expr`.
    fn lift(&mut self, expr: Expr, guard: &Guard) -> Result<Expr> {
        if first_call(&expr)?.is_none() {
            return Ok(expr);
        }
        match expr {
            Expr::Case(case) => self.lift_from_case(case, guard),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches!(op, Operator::And | Operator::Or) => {
                let left = self.lift(*left, guard)?;
                let reached =
                    if op == Operator::And { left.clone().is_not_false() } else { left.clone().is_not_true() };
                let right = self.lift(*right, &guard.and(reached)?)?;
                Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
            }
            Expr::ScalarFunction(call) if call.func.short_circuits() => self.lift_from_coalesce(call, guard),
            Expr::ScalarFunction(call) if caller_of(&call.func).is_some() => {
                let arguments = self.lift_each(call.args, guard)?;
                let caller = caller_of(&call.func).map(Arc::clone);
                caller.map_or_else(
                    || internal_err!("a call lost its caller"),
                    |caller| self.node(caller, arguments, guard),
                )
            }
            other => other.map_children(|expr| self.lift(expr, guard).map(Transformed::yes)).data(),
        }
    }

    fn lift_each(&mut self, exprs: Vec<Expr>, guard: &Guard) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| self.lift(expr, guard)).collect()
    }

    /// A branch is reached where no earlier condition was true.
    fn lift_from_case(&mut self, case: Case, guard: &Guard) -> Result<Expr> {
        let base = case.expr.map(|base| self.lift(*base, guard)).transpose()?;
        let mut guard = guard.clone();
        let mut branches = Vec::with_capacity(case.when_then_expr.len());
        for (when, then) in case.when_then_expr {
            let when = self.lift(*when, &guard)?;
            let condition = base.clone().map_or_else(|| when.clone(), |base| base.eq(when.clone()));
            let then = self.lift(*then, &guard.and(condition.clone().is_true())?)?;
            guard = guard.and(condition.is_not_true())?;
            branches.push((Box::new(when), Box::new(then)));
        }
        let otherwise = case.else_expr.map(|expr| self.lift(*expr, &guard)).transpose()?;
        Ok(Expr::Case(Case::new(base.map(Box::new), branches, otherwise.map(Box::new))))
    }

    /// An argument is reached where all before it are NULL.
    fn lift_from_coalesce(&mut self, call: ScalarFunction, guard: &Guard) -> Result<Expr> {
        if !matches!(call.func.name(), "coalesce" | "nvl" | "ifnull") {
            return plan_err!(
                "an API function is called in '{}', which evaluates some arguments only; use CASE",
                call.func.name()
            );
        }
        let mut guard = guard.clone();
        let mut args = Vec::with_capacity(call.args.len());
        let last_call = last_with_a_call(&call.args)?;
        for (at, argument) in call.args.into_iter().enumerate() {
            let argument = self.lift(argument, &guard)?;
            if Some(at) < last_call {
                guard = guard.and(argument.clone().is_null())?;
            }
            args.push(argument);
        }
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(call.func, args)))
    }

    /// A row whose call was lifted before is not called again: the new node leaves it out, and the answer is taken from
    /// whichever node has it.
    fn node(&mut self, caller: Arc<Caller>, arguments: Vec<Expr>, guard: &Guard) -> Result<Expr> {
        let arguments = as_declared(&caller, &arguments, &self.input)?;
        // An argument such as rand() has another value in each place where it stands.
        let varies = arguments.iter().any(Expr::is_volatile);
        let same = |call: &&Lifted| !varies && Arc::ptr_eq(&call.caller, &caller) && call.arguments == arguments;
        let mut rest = guard.clone();
        let mut answers = Vec::new();
        for call in self.calls.iter().filter(same) {
            if call.guard.0.is_none() || call.guard == *guard {
                return Ok(call.answer.clone());
            }
            let done = call.guard.0.clone().unwrap_or_else(|| lit(true));
            rest = rest.and(done.clone().is_not_true())?;
            answers.push((Box::new(done), Box::new(call.answer.clone())));
        }
        let name = format!("__api_{}_{}", self.lifted.get(), caller.api().name);
        self.lifted.set(self.lifted.get() + 1);
        let below = std::mem::take(&mut self.input);
        let node = ApiCall::try_new(Arc::clone(&caller), arguments.clone(), rest.0.clone(), name, below)?;
        let answer = node.answer_column();
        self.input = node.into_plan();
        self.calls.push(Lifted { caller, arguments, guard: rest, answer: answer.clone() });
        if answers.is_empty() {
            return Ok(answer);
        }
        Ok(Expr::Case(Case::new(None, answers, Some(Box::new(answer)))))
    }
}

/// Which of the expressions is the last one with a call; what comes later needs no guard.
fn last_with_a_call(exprs: &[Expr]) -> Result<Option<usize>> {
    let mut last = None;
    for (at, expr) in exprs.iter().enumerate() {
        if first_call(expr)?.is_some() {
            last = Some(at);
        }
    }
    Ok(last)
}

/// The condition under which a row reaches an expression; `None` is every row.
#[derive(Clone, Default, PartialEq)]
struct Guard(Option<Expr>);

impl Guard {
    fn and(&self, condition: Expr) -> Result<Guard> {
        if condition.is_volatile() {
            return plan_err!(
                "an API function is called under the condition '{condition}', which may differ each time it is looked at; \
                 compute it in a subquery first: SELECT … FROM (SELECT *, {condition} AS chosen FROM …)"
            );
        }
        Ok(Guard(Some(self.0.clone().map_or_else(|| condition.clone(), |guard| guard.and(condition.clone())))))
    }
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
