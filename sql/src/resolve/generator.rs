//! Generators: functions that make rows of a row.
//!
//! A generator resolves to an array of structs, one for each row it makes, whose fields are its columns. The array is unnested.

use std::sync::Arc;

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::builder::unnest_with_options;
use datafusion::logical_expr::{Expr as Plan, LogicalPlan, Projection};
use paceline_functions::{Call, DataType, Error, Function, Resolve, Result, Typed, find};
use paceline_syntax::tree::{Argument, Expr, ExprKind, FunctionCall, LateralView, Reference};

use super::call::unknown_function;
use super::scope::{Relation, Scope, ScopeColumn, column};
use super::select::{has_aggregate, has_window};
use super::{Names, Resolver};

impl Resolver<'_> {
    /// The generator that an expression calls.
    pub(crate) fn generator_call<'e>(&mut self, expr: &'e Expr) -> Option<(&'static Function, &'e FunctionCall)> {
        let ExprKind::Call(call) = &*expr.kind else { return None };
        let Reference::Named(name) = &call.name else { return None };
        let [part] = name.parts.as_slice() else { return None };
        let function = find(&part.value)?;
        matches!(function.resolve, Resolve::Generator(_)).then_some((function, call))
    }

    /// `LATERAL VIEW [OUTER] generator(…) t AS a, b`
    pub(crate) fn lateral_view(&mut self, source: Relation, view: &LateralView) -> Result<Relation> {
        let parts: Vec<&str> = view.generator.parts.iter().map(|it| it.value.as_str()).collect();
        let function = match parts.as_slice() {
            [name] => find(name).ok_or_else(|| unknown_function(&parts))?,
            _ => return Err(unknown_function(&parts)),
        };
        let arguments: Vec<Argument> =
            view.arguments.iter().map(|it| Argument { name: None, value: it.clone() }).collect();
        let arguments = self.arguments(function.name, &arguments, Names::of(&source.scope))?;
        let outer = view.outer || function.name.ends_with("_outer");
        let (plan, columns) = self.generate(source.plan, &source.scope, function, arguments, outer)?;
        let names: Vec<String> = view.columns.iter().map(|it| it.value.clone()).collect();
        let made = Self::scope_of(columns);
        if !names.is_empty() && names.len() != made.columns.len() {
            return Err(Error::new(
                "UDTF_ALIAS_NUMBER_MISMATCH",
                format!(
                    "The number of aliases supplied in the AS clause does not match the number of columns output by the UDTF. Expected {} aliases, but got {}.",
                    made.columns.len(),
                    names.join(",")
                ),
            ));
        }
        let made = made.renamed(std::slice::from_ref(&view.table.value), &names)?;
        let columns = source.scope.columns.into_iter().chain(made.columns).collect();
        Ok(Relation { plan, scope: Scope { columns } })
    }

    /// The plan with the columns that a generator makes beside its own.
    pub(crate) fn generate(
        &mut self,
        plan: LogicalPlan,
        _scope: &Scope,
        function: &'static Function,
        arguments: Vec<Typed>,
        outer: bool,
    ) -> Result<(LogicalPlan, Vec<Typed>)> {
        let Resolve::Generator(resolve) = function.resolve else {
            return Err(Error::new(
                "UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                format!(
                    "The generator is not supported: `{}` is expected to be a generator. However, its class is not a generator.",
                    function.name
                ),
            ));
        };
        if arguments.iter().any(|it| has_aggregate(&it.expr) || has_window(&it.expr)) {
            return Err(Error::unsupported("a generator of aggregate or window functions"));
        }
        let settings = Arc::clone(&self.settings);
        let call = Call { written: function.name, name: function.name, arguments, settings: &settings };
        let made = resolve(call)?;
        let DataType::Array(element, contains_null) = made.data_type.clone() else {
            return Err(Error::new("INTERNAL_ERROR", format!("The generator {} makes no rows.", function.name)));
        };
        let DataType::Struct(fields) = *element else {
            return Err(Error::new("INTERNAL_ERROR", format!("The generator {} makes no columns.", function.name)));
        };
        let own: Vec<Plan> = plan.schema().columns().into_iter().map(Plan::Column).collect();
        let (plan, id) = self.unnested(plan, made.expr, outer)?;
        let mut exprs = own;
        let mut columns = Vec::new();
        for field in fields {
            let name = self.id();
            let base = Plan::Column(Column::new_unqualified(id.clone()));
            let value = get_field(base.clone(), field.name.as_str());
            // The fields of a struct that is NULL may hold anything.
            let value = datafusion::logical_expr::when(base.is_not_null(), value).end()?;
            exprs.push(value.alias(name.clone()));
            let nullable = field.nullable || contains_null || outer;
            columns.push(column(&name, field.data_type, nullable, field.name));
        }
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?);
        Ok((plan, columns))
    }

    /// The plan with a row for each element of an array, and the column that the elements are.
    pub(crate) fn unnested(&mut self, plan: LogicalPlan, array: Plan, outer: bool) -> Result<(LogicalPlan, String)> {
        let id = self.id();
        let own = plan.schema().columns().into_iter().map(Plan::Column);
        let with = own.chain([array.alias(id.clone())]).collect();
        let plan = LogicalPlan::Projection(Projection::try_new(with, Arc::new(plan))?);
        let plan = unnest_with_options(plan, vec![Column::new_unqualified(id.clone())], unnest_options(outer))?;
        Ok((plan, id))
    }

    /// `LATERAL explode(left.column)`: a generator in FROM, of the rows left of it.
    pub(crate) fn lateral_function(
        &mut self,
        left: &Relation,
        name: &Reference,
        arguments: &[paceline_syntax::tree::TableArgument],
        alias: &paceline_syntax::tree::TableAlias,
        left_outer: bool,
    ) -> Result<Option<Relation>> {
        let Reference::Named(name) = name else { return Ok(None) };
        let Some(function) = name.parts.last().and_then(|it| find(&it.value)) else { return Ok(None) };
        if !matches!(function.resolve, Resolve::Generator(_)) {
            return Ok(None);
        }
        let arguments = plain_arguments(arguments)?;
        let arguments = self.arguments(function.name, &arguments, Names::of(&left.scope))?;
        let outer = left_outer || function.name.ends_with("_outer");
        let (plan, columns) = self.generate(left.plan.clone(), &left.scope, function, arguments, outer)?;
        let names: Vec<String> = alias.columns.iter().map(|it| it.value.clone()).collect();
        let qualifier: Vec<String> = alias.name.iter().map(|it| it.value.clone()).collect();
        let made = Self::scope_of(columns).renamed(&qualifier, &names)?;
        let columns: Vec<ScopeColumn> = left.scope.columns.iter().cloned().chain(made.columns).collect();
        Ok(Some(Relation { plan, scope: Scope { columns } }))
    }
}

/// Arguments that are expressions.
pub(crate) fn plain_arguments(arguments: &[paceline_syntax::tree::TableArgument]) -> Result<Vec<Argument>> {
    let plain = |it: &paceline_syntax::tree::TableArgument| match it {
        paceline_syntax::tree::TableArgument::Expr(argument) => Ok(argument.clone()),
        _ => Err(Error::unsupported("tables as arguments of functions")),
    };
    arguments.iter().map(plain).collect()
}

fn unnest_options(outer: bool) -> UnnestOptions {
    UnnestOptions::new().with_null_handling(if outer {
        NullHandling::PreserveAndExpandEmpty
    } else {
        NullHandling::Drop
    })
}
