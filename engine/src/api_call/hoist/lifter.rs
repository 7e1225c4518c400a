//! Lifts the calls of one node's expressions, and knows which rows reach each.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, Result, internal_err, plan_err};
use datafusion::logical_expr::expr::{AggregateFunction, Case, ScalarFunction, Sort, WindowFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Operator, lit,
};
use paceline_udfs::Caller;

use super::super::function::caller_of;
use super::super::node::ApiCall;
use super::{first_call, rewrite};

/// One input of a node: the plan so far, and the calls whose answers are among its columns.
pub(super) struct Side {
    pub plan: LogicalPlan,
    pub calls: Vec<Lifted>,
}

/// A call that has its node.
#[derive(Clone)]
pub(super) struct Lifted {
    pub caller: Arc<Caller>,
    pub arguments: Vec<Expr>,
    pub guard: Guard,
    pub answer: Expr,
}

/// The condition under which a row reaches an expression; `None` is every row.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Guard(pub Option<Expr>);

impl Guard {
    pub fn and(&self, condition: Expr) -> Result<Guard> {
        if condition.is_volatile() {
            return plan_err!(
                "an API function is called under the condition '{condition}', which may differ each time it is looked at; \
                 compute it in a subquery first: SELECT … FROM (SELECT *, {condition} AS chosen FROM …)"
            );
        }
        Ok(Guard(Some(self.0.clone().map_or_else(|| condition.clone(), |guard| guard.and(condition.clone())))))
    }

    /// Whether every row of this one is one of the other.
    fn implies(&self, other: &Guard) -> bool {
        let conditions = |guard: &Guard| guard.0.clone().map(split_conjunction_owned).unwrap_or_default();
        let own = conditions(self);
        conditions(other).iter().all(|condition| own.contains(condition))
    }
}

/// Lifts the calls of the expressions of one node.
pub(super) struct Lifter<'a> {
    /// What the node will stand on: its inputs, and a node for each call lifted so far.
    sides: Vec<Side>,
    /// How many calls of the whole plan have been lifted.
    lifted: &'a Cell<usize>,
}

impl<'a> Lifter<'a> {
    pub fn new(sides: impl IntoIterator<Item = Side>, lifted: &'a Cell<usize>) -> Self {
        Lifter { sides: sides.into_iter().collect(), lifted }
    }

    pub fn into_inputs(self) -> Vec<LogicalPlan> {
        self.sides.into_iter().map(|side| side.plan).collect()
    }

    /// Conditions that must all hold. A call is made for the rows for which none before it is false, as far as that can be
    /// told from the rows of the input that is called for.
    pub fn lift_conjunction(&mut self, conditions: Vec<Expr>) -> Result<Option<Expr>> {
        let last_call = last_with_a_call(&conditions)?;
        let mut looked_at: Vec<Expr> = Vec::new();
        for (at, condition) in conditions.into_iter().enumerate() {
            let mut guard = Guard::default();
            if Some(at) <= last_call {
                let side = self.side_of(&condition);
                let tells = |before: &&Expr| side.is_some_and(|side| self.tells(side, before));
                for before in looked_at.iter().filter(tells) {
                    guard = guard.and(before.clone().is_not_false())?;
                }
            }
            looked_at.push(self.lift(condition, &guard)?);
        }
        Ok(conjunction(looked_at))
    }

    /// Whether a condition can be looked at for the rows of one side alone.
    fn tells(&self, side: usize, condition: &Expr) -> bool {
        let schema = self.sides[side].plan.schema();
        let subquery = |expr: &Expr| Ok(is_subquery(expr));
        !condition.contains_outer()
            && !condition.exists(subquery).unwrap_or(true)
            && condition.column_refs().into_iter().all(|column| schema.has_column(column))
    }

    /// Inner calls first: `f(g(x))` becomes a node for g and above it a node for f. `guard` says which rows reach `expr`.
    pub fn lift(&mut self, expr: Expr, guard: &Guard) -> Result<Expr> {
        if first_call(&expr)?.is_none() {
            return Ok(expr);
        }
        match expr {
            Expr::Case(case) => self.lift_from_case(case, guard),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches!(op, Operator::And | Operator::Or) => {
                let left = self.lift(*left, guard)?;
                let mut reached = guard.clone();
                if first_call(&right)?.is_some() {
                    let decides =
                        if op == Operator::And { left.clone().is_not_false() } else { left.clone().is_not_true() };
                    reached = guard.and(decides)?;
                }
                let right = self.lift(*right, &reached)?;
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
            Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
                let (filter, reached) = self.lift_from_filter_clause(params.filter, guard)?;
                params.filter = filter;
                params.args = self.lift_each(params.args, &reached)?;
                params.order_by = self.lift_from_order(params.order_by, &reached)?;
                Ok(Expr::AggregateFunction(AggregateFunction { func, params }))
            }
            Expr::WindowFunction(window) => {
                let WindowFunction { fun, mut params } = *window;
                let (filter, reached) = self.lift_from_filter_clause(params.filter, guard)?;
                params.filter = filter;
                params.args = self.lift_each(params.args, &reached)?;
                params.partition_by = self.lift_each(params.partition_by, guard)?;
                params.order_by = self.lift_from_order(params.order_by, guard)?;
                Ok(Expr::WindowFunction(Box::new(WindowFunction { fun, params })))
            }
            other => other.map_children(|expr| self.lift(expr, guard).map(Transformed::yes)).data(),
        }
    }

    fn lift_each(&mut self, exprs: Vec<Expr>, guard: &Guard) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| self.lift(expr, guard)).collect()
    }

    fn lift_from_order(&mut self, order: Vec<Sort>, guard: &Guard) -> Result<Vec<Sort>> {
        order.into_iter().map(|sort| Ok(Sort { expr: self.lift(sort.expr, guard)?, ..sort })).collect()
    }

    /// `FILTER (WHERE …)` of an aggregate, and which rows it lets through to the arguments.
    fn lift_from_filter_clause(
        &mut self,
        filter: Option<Box<Expr>>,
        guard: &Guard,
    ) -> Result<(Option<Box<Expr>>, Guard)> {
        let Some(filter) = filter else { return Ok((None, guard.clone())) };
        let filter = self.lift(*filter, guard)?;
        let reached = guard.and(filter.clone().is_true())?;
        Ok((Some(Box::new(filter)), reached))
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
        let function = &caller.api().name;
        let looked_at = || arguments.iter().chain(&guard.0);
        if looked_at().any(Expr::contains_outer) {
            return rewrite::refuse_correlated(function);
        }
        let Some(at) = self.side_of_all(looked_at()) else { return rewrite::refuse_in_join(function) };
        let arguments = as_declared(&caller, &arguments, &self.sides[at].plan)?;
        let arguments = self.computed(at, &caller, arguments)?;
        let guard = Guard(self.computed(at, &caller, guard.0.clone().into_iter().collect())?.pop());
        let side = &mut self.sides[at];
        // An argument such as rand() has another value in each place where it stands.
        let varies = arguments.iter().any(Expr::is_volatile);
        let same = |call: &&Lifted| !varies && Arc::ptr_eq(&call.caller, &caller) && call.arguments == arguments;
        let mut rest = guard.clone();
        let mut answers = Vec::new();
        for call in side.calls.iter().filter(same) {
            if guard.implies(&call.guard) {
                return Ok(call.answer.clone());
            }
            let done = call.guard.0.clone().unwrap_or_else(|| lit(true));
            rest = rest.and(done.clone().is_not_true())?;
            answers.push((Box::new(done), Box::new(call.answer.clone())));
        }
        let name = format!("{ANSWER}{}_{}", self.lifted.get(), caller.api().name);
        self.lifted.set(self.lifted.get() + 1);
        let answer = Expr::Column(Column::new_unqualified(&name));
        side.plan = below_correlation(std::mem::take(&mut side.plan), |below| {
            let (caller, arguments, guard) = (Arc::clone(&caller), arguments.clone(), rest.0.clone());
            ApiCall::try_new(caller, arguments, guard, name, below).map(ApiCall::into_plan)
        })?;
        side.calls.push(Lifted { caller, arguments, guard: rest, answer: answer.clone() });
        if answers.is_empty() {
            return Ok(answer);
        }
        Ok(Expr::Case(Case::new(None, answers, Some(Box::new(answer)))))
    }

    /// The optimizer finds subqueries in projections, not in our nodes: what has one is a column of its own.
    fn computed(&mut self, at: usize, caller: &Caller, exprs: Vec<Expr>) -> Result<Vec<Expr>> {
        let mut plain = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if !expr.exists(|expr| Ok(is_subquery(expr)))? {
                plain.push(expr);
                continue;
            }
            if expr.exists(|expr| Ok(is_subquery(expr) && !matches!(expr, Expr::ScalarSubquery(_))))? {
                return rewrite::refuse_subquery(&caller.api().name);
            }
            let name = format!("{ANSWER}{}_value", self.lifted.get());
            self.lifted.set(self.lifted.get() + 1);
            let side = &mut self.sides[at];
            let columns = side.plan.schema().columns().into_iter().map(Expr::Column);
            let with_value = columns.chain([expr.alias(&name)]).collect::<Vec<_>>();
            side.plan = LogicalPlanBuilder::from(std::mem::take(&mut side.plan)).project(with_value)?.build()?;
            plain.push(Expr::Column(Column::new_unqualified(name)));
        }
        Ok(plain)
    }

    /// The input that an expression with a call takes its columns from, if it is one.
    fn side_of(&self, expr: &Expr) -> Option<usize> {
        self.side_of_all([expr])
    }

    fn side_of_all<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<usize> {
        if self.sides.len() == 1 {
            return Some(0);
        }
        let columns: Vec<_> = exprs.into_iter().flat_map(Expr::column_refs).collect();
        let of_side = |side: &Side| columns.iter().all(|column| side.plan.schema().has_column(column));
        self.sides.iter().position(of_side).filter(|_| !columns.is_empty())
    }
}

/// DataFusion joins a correlated subquery with the query around it by the filters that it finds above every other node, so
/// a call goes below them.
fn below_correlation(plan: LogicalPlan, call: impl FnOnce(LogicalPlan) -> Result<LogicalPlan>) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(filter) if filter.predicate.contains_outer() => {
            let below = below_correlation(filter.input.as_ref().clone(), call)?;
            Ok(LogicalPlan::Filter(Filter::try_new(filter.predicate, below.into())?))
        }
        other => call(other),
    }
}

/// What the names of columns with answers begin with.
pub(super) const ANSWER: &str = "__api_";

fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_))
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
