//! `window` and `session_window` in a query: the rows below a SELECT or a WHERE get the window as a column.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    AggregateUDF, Expr as Plan, Filter, LogicalPlan, Projection, Window, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowFunctionDefinition, lit, when,
};
use datafusion::scalar::ScalarValue;
use paceline_functions::{Call, DataType, Error, Result, TimeWindow, Typed, structure, time_window};
use paceline_syntax::tree::{Expr, ExprKind, FunctionCall, GroupBy, Grouping, Reference, Select, SortItem};

use super::grouping::Groups;
use super::scope::{Relation, Scope, ScopeColumn, column};
use super::{Names, Resolver};

const SESSION: &str = "session_window";

impl Resolver<'_> {
    /// The rows of a SELECT with the window that it asks for.
    pub(crate) fn windows_of_select(
        &mut self,
        plan: LogicalPlan,
        scope: &Scope,
        select: &Select,
        order_by: &[SortItem],
    ) -> Result<LogicalPlan> {
        let mut exprs: Vec<&Expr> = select.items.iter().map(|it| &it.value).collect();
        exprs.extend(select.group_by.iter().flat_map(keys));
        exprs.extend(&select.having);
        exprs.extend(order_by.iter().map(|it| &it.value));
        self.with_time_window(plan, scope, &exprs)
    }

    /// The rows of a WHERE with the window that it asks for; it is a column like the others from there on.
    pub(crate) fn windows_of_filter(&mut self, source: Relation, filter: &Expr) -> Result<Relation> {
        let Relation { plan, mut scope } = source;
        let plan = self.with_time_window(plan, &scope, &[filter])?;
        if let Some(window) = &self.time_window {
            scope.columns.insert(0, ScopeColumn::new(&[], window.clone()));
        }
        Ok(Relation { plan, scope })
    }

    /// The window of the query around, by its function.
    pub(crate) fn time_window_named(&self, name: &str) -> Option<&Typed> {
        self.time_window.as_ref().filter(|window| self.same(&window.name, name))
    }

    fn with_time_window(&mut self, plan: LogicalPlan, scope: &Scope, exprs: &[&Expr]) -> Result<LogicalPlan> {
        self.time_window = None;
        let mut calls = Vec::new();
        for expr in exprs {
            expr.walk(&mut |it| calls.extend(time_window_call(it)));
        }
        let mut found: Option<(&str, TimeWindow)> = None;
        for (name, call) in calls {
            if self.session.functions.contains_key(name) {
                continue;
            }
            let arguments = self.arguments(name, &call.arguments, Names::of(scope))?;
            let settings = Arc::clone(&self.settings);
            let window = time_window(Call { written: name, name, arguments, settings: &settings })?;
            match &found {
                Some(known) if *known != (name, window.clone()) => {
                    return Err(Error::new(
                        "_LEGACY_ERROR_TEMP_1039",
                        "Multiple time/session window expressions would result in a cartesian product of rows, therefore they are currently not supported.",
                    ));
                }
                _ => found = Some((name, window)),
            }
        }
        let Some((name, window)) = found else { return Ok(plan) };
        let (plan, id, data_type) = match window {
            TimeWindow::One { window, condition } => {
                let plan = LogicalPlan::Filter(Filter::try_new(condition.expr, Arc::new(plan))?);
                let id = self.id();
                let own = plan.schema().columns().into_iter().map(Plan::Column);
                let exprs = own.chain([window.expr.alias(id.clone())]).collect();
                (LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?), id, window.data_type)
            }
            TimeWindow::Many(windows) => {
                let DataType::Array(data_type, _) = windows.data_type else {
                    return Err(Error::new("INTERNAL_ERROR", format!("{name} makes no windows.")));
                };
                let (plan, id) = self.unnested(plan, windows.expr, false)?;
                (plan, id, *data_type)
            }
        };
        self.time_window = Some(column(&id, data_type, false, name));
        Ok(plan)
    }

    /// Sessions of the same keys that touch become one, where rows are grouped by them.
    pub(crate) fn merged_sessions(&mut self, plan: LogicalPlan, groups: &Groups) -> Result<LogicalPlan> {
        let Some(session) = self.time_window_named(SESSION).cloned() else { return Ok(plan) };
        if !groups.keys.iter().any(|key| key.expr == session.expr) {
            return Ok(plan);
        }
        if groups.sets.is_some() {
            return Err(Error::unsupported("session_window in grouping sets"));
        }
        let keys: Vec<Plan> =
            groups.keys.iter().filter(|key| key.expr != session.expr).map(|key| key.expr.clone()).collect();
        let own: Vec<Plan> = plan.schema().columns().into_iter().map(Plan::Column).collect();
        let bound = |name: &str| get_field(session.expr.clone(), name);
        let (plan, start) = self.beside(plan, bound("start"))?;
        let (plan, end) = self.beside(plan, bound("end"))?;
        let in_order = vec![Sort::new(start.clone(), true, true), Sort::new(end.clone(), true, true)];
        let (unbounded, current) = (WindowFrameBound::Preceding(ScalarValue::Null), WindowFrameBound::CurrentRow);
        let rows = |from: &WindowFrameBound, to: WindowFrameBound| {
            WindowFrame::new_bounds(WindowFrameUnits::Rows, from.clone(), to)
        };
        // A session begins where all before it, of the same keys, have ended.
        let one_before = rows(&unbounded, WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))));
        let ended = over(max_udaf(), &end, &keys, &in_order, one_before);
        let (plan, ended) = self.window_beside(plan, ended)?;
        let first = when(ended.gt_eq(start.clone()), lit(0i64)).otherwise(lit(1i64))?;
        let (plan, first) = self.beside(plan, first)?;
        let number = over(sum_udaf(), &first, &keys, &in_order, rows(&unbounded, current));
        let (plan, number) = self.window_beside(plan, number)?;
        let same: Vec<Plan> = keys.into_iter().chain([number]).collect();
        let whole = || rows(&unbounded, WindowFrameBound::Following(ScalarValue::Null));
        let (plan, least) = self.window_beside(plan, over(min_udaf(), &start, &same, &[], whole()))?;
        let (plan, most) = self.window_beside(plan, over(max_udaf(), &end, &same, &[], whole()))?;
        let DataType::Struct(fields) = &session.data_type else { return Ok(plan) };
        let bounds = [least, most].into_iter().zip(fields).map(|(expr, field)| Typed {
            expr,
            data_type: field.data_type.clone(),
            nullable: field.nullable,
            name: field.name.clone(),
            foldable: false,
        });
        let names = [Some("start".to_owned()), Some("end".to_owned())];
        let merged = structure(bounds.collect(), &names, &self.settings)?;
        let of = |expr: Plan| match &expr {
            Plan::Column(column) if expr == session.expr => merged.expr.clone().alias(column.name.clone()),
            _ => expr,
        };
        let exprs = own.into_iter().map(of).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
    }

    /// The plan with an expression as a column beside its own.
    fn beside(&mut self, plan: LogicalPlan, expr: Plan) -> Result<(LogicalPlan, Plan)> {
        let id = self.id();
        let own = plan.schema().columns().into_iter().map(Plan::Column);
        let exprs = own.chain([expr.alias(id.clone())]).collect();
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?);
        Ok((plan, Plan::Column(Column::new_unqualified(id))))
    }

    /// The same of a window function.
    fn window_beside(&mut self, plan: LogicalPlan, expr: Plan) -> Result<(LogicalPlan, Plan)> {
        let id = self.id();
        let plan = LogicalPlan::Window(Window::try_new(vec![expr.alias(id.clone())], Arc::new(plan))?);
        Ok((plan, Plan::Column(Column::new_unqualified(id))))
    }
}

fn over(function: Arc<AggregateUDF>, of: &Plan, keys: &[Plan], order: &[Sort], window_frame: WindowFrame) -> Plan {
    Plan::WindowFunction(Box::new(WindowFunction {
        fun: WindowFunctionDefinition::AggregateUDF(function),
        params: WindowFunctionParams {
            args: vec![of.clone()],
            partition_by: keys.to_vec(),
            order_by: order.to_vec(),
            window_frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    }))
}

/// A call of `window` or `session_window`.
fn time_window_call(expr: &Expr) -> Option<(&'static str, &FunctionCall)> {
    let ExprKind::Call(call) = &*expr.kind else { return None };
    let Reference::Named(name) = &call.name else { return None };
    let [part] = name.parts.as_slice() else { return None };
    let name = ["window", SESSION].into_iter().find(|name| part.value.eq_ignore_ascii_case(name))?;
    Some((name, call))
}

fn keys(group_by: &GroupBy) -> Vec<&Expr> {
    match group_by {
        GroupBy::Elements(elements) => elements.iter().flat_map(of_element).collect(),
        GroupBy::WithCube(keys) | GroupBy::WithRollup(keys) | GroupBy::WithSets(keys, _) => keys.iter().collect(),
    }
}

fn of_element(element: &Grouping) -> Vec<&Expr> {
    match element {
        Grouping::Expr(key) => vec![key],
        Grouping::Set(keys) => keys.iter().collect(),
        Grouping::Cube(lists) | Grouping::Rollup(lists) => lists.iter().flatten().collect(),
        Grouping::Sets(elements) => elements.iter().flat_map(of_element).collect(),
    }
}
