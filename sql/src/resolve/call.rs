//! Calls of functions by name.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::grouping::grouping_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr as Plan, cast as plan_cast};
use paceline_functions::{
    Call, DataType, Error, Function, Group, LambdaInput, Resolve, Result, Typed, find, resolve_lambda,
};
use paceline_syntax::tree::{Argument, Expr, ExprKind, FunctionCall, Name, Reference};

use super::determinism::{aggregates_deterministic, filters_deterministic};
use super::null_treatment::with_nulls;
use super::{Names, Resolver, cast, evaluate};

/// Functions that IGNORE NULLS and RESPECT NULLS may stand behind.
const SKIP_NULLS: &[&str] = &["any_value", "first", "first_value", "lag", "last", "last_value", "lead", "nth_value"];

impl Resolver<'_> {
    pub(crate) fn function_call(&mut self, call: &FunctionCall, names: Names<'_>) -> Result<Typed> {
        let name = self.reference(&call.name)?;
        let parts: Vec<&str> = name.parts.iter().map(|part| part.value.as_str()).collect();
        let (Some(written), true) = (parts.last().copied(), parts.len() <= 3) else {
            return Err(unknown_function(&parts));
        };
        let lower = written.to_lowercase();
        if parts.len() > 1 {
            return Err(unknown_function(&parts));
        }
        let declared = self.session.functions.get(&lower);
        let typed = match (lower.as_str(), declared) {
            (_, Some(declared)) => self.call_declared(declared, call, names)?,
            ("grouping" | "grouping_id", _) => self.grouping(&lower, &call.arguments, names)?,
            ("window" | "session_window", _) if self.time_window_named(&lower).is_some() => {
                self.time_window_named(&lower).cloned().ok_or_else(|| unknown_function(&parts))?
            }
            ("struct", _) if call.over.is_none() => self.struct_call(&call.arguments, names)?,
            _ => {
                let function = find(&lower);
                if let Some(typed) = self.call_with_lambdas(&lower, call, names)? {
                    typed
                } else {
                    let Some(function) = function else { return Err(unknown_function(&parts)) };
                    let arguments = self.counted_arguments(&lower, call, names)?;
                    if call.over.is_none() && matches!(function.resolve, Resolve::Window(_)) {
                        return Err(Error::new(
                            "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
                            format!("Window function \"{written}\" requires an OVER clause."),
                        ));
                    }
                    if call.distinct && !matches!(function.resolve, Resolve::Aggregate(_)) {
                        return Err(Error::new(
                            "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                            format!("The function `{lower}` does not support DISTINCT."),
                        ));
                    }
                    if call.filter.is_some() && !matches!(function.resolve, Resolve::Aggregate(_)) {
                        return Err(Error::new(
                            "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                            format!("The function `{lower}` does not support FILTER clause."),
                        ));
                    }
                    self.call(function, written, arguments)?
                }
            }
        };
        let typed = if call.distinct { distinct(typed)? } else { typed };
        let typed = match call.nulls {
            Some(_) if !SKIP_NULLS.contains(&lower.as_str()) => {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_1023",
                    format!("Function {lower} does not support IGNORE NULLS."),
                ));
            }
            Some(nulls) => with_nulls(typed, nulls)?,
            None => typed,
        };
        let typed = self.filtered(typed, call.filter.as_ref(), names)?;
        match &call.over {
            Some(window) => self.over(typed, window, &lower, names),
            None => aggregates_deterministic(typed),
        }
    }

    /// A call of a function of the table.
    pub(crate) fn call(&mut self, function: &'static Function, written: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let settings = std::sync::Arc::clone(&self.settings);
        let call = Call { written, name: function.name, arguments, settings: &settings };
        match function.resolve {
            Resolve::Scalar(resolve) | Resolve::Aggregate(resolve) | Resolve::Window(resolve) => resolve(call),
            Resolve::Generator(_) => Err(Error::new(
                "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                format!("The generator is not supported: outside the SELECT clause, found: {written}."),
            )),
            Resolve::Resolver => self.resolver_call(function.name, call.arguments),
            Resolve::Refused => Err(Error::unsupported(format!("the function {}", function.name))),
        }
    }

    /// Higher-order functions, whose arguments are lambdas.
    fn call_with_lambdas(&mut self, name: &str, call: &FunctionCall, names: Names<'_>) -> Result<Option<Typed>> {
        let Some(function) = find(name).filter(|it| it.group == Group::Lambda) else { return Ok(None) };
        let mut inputs = Vec::new();
        for argument in &call.arguments {
            inputs.push(match &*argument.value.kind {
                ExprKind::Lambda(variables, _) => {
                    LambdaInput::Lambda(variables.iter().map(|it| it.value.clone()).collect())
                }
                _ => LambdaInput::Value(self.expr(&argument.value, names)?),
            });
        }
        let settings = std::sync::Arc::clone(&self.settings);
        let typed = resolve_lambda(function.name, inputs, &settings, &mut |at, variables| {
            let Some(ExprKind::Lambda(written, body)) = call.arguments.get(at).map(|it| &*it.value.kind) else {
                return Err(Error::new("INTERNAL_ERROR", "No lambda is there."));
            };
            let before = self.lambdas.len();
            self.lambdas.extend(written.iter().map(|it| it.value.clone()).zip(variables.iter().cloned()));
            let body = self.expr(body, names);
            self.lambdas.truncate(before);
            body
        })?;
        Ok(Some(typed))
    }

    /// What stands where the table has no such function.
    pub(crate) fn stand_in(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        match name {
            "current_database" | "current_schema" | "current_catalog" => self.resolver_call(name, arguments),
            _ => Err(unknown_function(&[name])),
        }
    }

    /// Arguments of a call, of which `count(*)` counts rows.
    fn counted_arguments(&mut self, function: &str, call: &FunctionCall, names: Names<'_>) -> Result<Vec<Typed>> {
        if ["rank", "dense_rank", "percent_rank"].contains(&function) {
            // What they rank is what the window is ordered by; Spark takes arguments and drops them.
            return Ok(Vec::new());
        }
        let counts_rows = function == "count" && call.arguments.len() == 1 && !call.distinct;
        if let [Argument { value, .. }] = call.arguments.as_slice()
            && let ExprKind::Star(target) = &*value.kind
            && counts_rows
            && !target.is_empty()
            && !self.session.is_on("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount")
        {
            let target: Vec<&str> = target.iter().map(|it| it.value.as_str()).collect();
            let message = format!(
                "count({}.*) is not allowed. Please use count(*) or expand the columns manually, e.g. count(col1, col2).",
                target.join(".")
            );
            return Err(Error::new("_LEGACY_ERROR_TEMP_1021", message));
        }
        self.placed(function, &call.arguments, counts_rows, names)
    }

    /// Arguments in their places; stars are expanded.
    pub(crate) fn arguments(&mut self, function: &str, written: &[Argument], names: Names<'_>) -> Result<Vec<Typed>> {
        self.placed(function, written, false, names)
    }

    fn placed(
        &mut self,
        function: &str,
        written: &[Argument],
        counts_rows: bool,
        names: Names<'_>,
    ) -> Result<Vec<Typed>> {
        let mut arguments = Vec::new();
        let mut named: Vec<(String, Typed)> = Vec::new();
        for argument in written {
            if let Some(name) = &argument.name {
                named.push((name.value.to_lowercase(), self.expr(&argument.value, names)?));
                continue;
            }
            if !named.is_empty() {
                return Err(Error::new(
                    "UNEXPECTED_POSITIONAL_ARGUMENT",
                    format!(
                        "Cannot invoke function `{function}` because it contains positional argument(s) following a named argument."
                    ),
                ));
            }
            if let Some(columns) = self.regex_columns(&argument.value, names.scope)? {
                arguments.extend(columns.into_iter().map(|it| it.column));
                continue;
            }
            match &*argument.value.kind {
                ExprKind::Star(target) if counts_rows && target.is_empty() => {
                    arguments.push(Typed::literal(1i32.into(), DataType::Int, "1"));
                }
                ExprKind::Star(target) => arguments.extend(self.star(target, names.scope)?),
                _ => arguments.push(self.expr(&argument.value, names)?),
            }
        }
        if !named.is_empty() {
            self.place(function, &mut arguments, named)?;
        }
        Ok(arguments)
    }

    fn place(&mut self, function: &str, arguments: &mut Vec<Typed>, named: Vec<(String, Typed)>) -> Result<()> {
        let text = |value: &str| Typed::literal(value.into(), DataType::String, value);
        let parameters: Vec<(&str, Option<Typed>)> = match function {
            "mask" => vec![
                ("str", None),
                ("upperchar", Some(text("X"))),
                ("lowerchar", Some(text("x"))),
                ("digitchar", Some(text("n"))),
                ("otherchar", Some(Typed::literal(datafusion::scalar::ScalarValue::Null, DataType::Void, "NULL"))),
            ],
            "count_min_sketch" => vec![("column", None), ("epsilon", None), ("confidence", None), ("seed", None)],
            "explode" | "explode_outer" => vec![("collection", None)],
            _ => {
                return Err(Error::new(
                    "NAMED_PARAMETERS_NOT_SUPPORTED",
                    format!(
                        "Named parameters are not supported for function `{function}`; please retry the query with positional arguments to the function call instead."
                    ),
                ));
            }
        };
        let mut places: Vec<Option<Typed>> = arguments.drain(..).map(Some).collect();
        places.resize_with(parameters.len().max(places.len()), || None);
        for (name, value) in named {
            let Some(at) = parameters.iter().position(|(parameter, _)| *parameter == name) else {
                return Err(Error::new(
                    "UNRECOGNIZED_PARAMETER_NAME",
                    format!(
                        "Cannot invoke function `{function}` because the function call included a named argument reference for the argument named `{name}`, but this function does not include any signature containing an argument with this name."
                    ),
                ));
            };
            if places[at].is_some() {
                return Err(Error::new(
                    "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED",
                    format!(
                        "Call to function `{function}` is invalid because it includes multiple argument assignments to the same parameter name `{name}`."
                    ),
                ));
            }
            places[at] = Some(value);
        }
        for (at, place) in places.into_iter().enumerate() {
            let value = place.or_else(|| parameters.get(at).and_then(|(_, default)| default.clone()));
            arguments.push(value.ok_or_else(|| {
                Error::new(
                    "REQUIRED_PARAMETER_NOT_FOUND",
                    format!("Cannot invoke function `{function}` because the parameter at position {at} is required, but the function call did not supply it."),
                )
            })?);
        }
        Ok(())
    }

    fn struct_call(&mut self, arguments: &[Argument], names: Names<'_>) -> Result<Typed> {
        let fields: Vec<_> = arguments
            .iter()
            .map(|argument| paceline_syntax::tree::NamedExpr { value: argument.value.clone(), alias: None })
            .collect();
        let kind = ExprKind::Struct(fields);
        self.expr(&Expr { kind: Box::new(kind), span: Default::default() }, names)
    }

    /// `grouping(a)`, which DataFusion makes of the set a row belongs to.
    pub(crate) fn grouping(&mut self, function: &str, arguments: &[Argument], names: Names<'_>) -> Result<Typed> {
        let arguments = self.arguments(function, arguments, names)?;
        let shown: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
        let name = format!("{function}({})", shown.join(", "));
        if function == "grouping" && arguments.len() != 1 {
            return Err(Error::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "The `grouping` requires 1 parameters."));
        }
        let data_type = if function == "grouping" { DataType::Byte } else { DataType::Long };
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        let call = AggregateFunction::new_udf(grouping_udaf(), arguments, false, None, Vec::new(), None);
        let expr = plan_cast(Plan::AggregateFunction(call), data_type.to_arrow());
        Ok(Typed { expr, data_type, nullable: false, name, foldable: false })
    }

    /// `f(…) FILTER (WHERE …)`
    pub(crate) fn filtered(&mut self, typed: Typed, filter: Option<&Expr>, names: Names<'_>) -> Result<Typed> {
        let Some(filter) = filter else { return Ok(typed) };
        let filter = self.expr(filter, names)?;
        let filter = filters_deterministic(super::coerce::condition(filter, &self.settings, "FILTER")?)?;
        let name = format!("{} FILTER (WHERE {})", typed.name, filter.name);
        let expr = each_aggregate(typed.expr, &mut |mut call| {
            call.params.filter = Some(Box::new(filter.expr.clone()));
            call
        })?;
        Ok(Typed { expr, name, ..typed })
    }

    /// The name that is written, or that a constant string says.
    pub(crate) fn reference(&mut self, reference: &Reference) -> Result<Name> {
        match reference {
            Reference::Named(name) => Ok(name.clone()),
            Reference::Computed(expr) => self.identifier(expr),
        }
    }

    /// `IDENTIFIER(expr)`
    pub(crate) fn identifier(&mut self, expr: &Expr) -> Result<Name> {
        let scope = super::Scope::default();
        let typed = self.expr(expr, Names::of(&scope))?;
        let not_constant = |class: &str, why: &str| {
            Error::new(
                format!("NOT_A_CONSTANT_STRING.{class}"),
                format!(
                    "The expression \"{}\" used for the routine or clause IDENTIFIER must be a constant STRING which is NOT NULL. {why}",
                    typed.name
                ),
            )
        };
        if !typed.foldable {
            return Err(not_constant(
                "NOT_CONSTANT",
                "To be considered constant the expression must not depend on any columns, contain a subquery, or invoke a non deterministic function such as rand().",
            ));
        }
        if typed.data_type != DataType::String {
            return Err(not_constant(
                "WRONG_TYPE",
                &format!("The data type of the expression is {}.", typed.data_type.sql()),
            ));
        }
        let value = evaluate(&cast(typed.clone(), &DataType::String, &self.settings)?)?;
        let Some(Some(text)) = value.try_as_str() else {
            return Err(not_constant("NULL", "The expression evaluates to NULL."));
        };
        paceline_syntax::parse_name(text, self.session.grammar())
            .map_err(|error| Error::new(error.class(), error.message()))
    }
}

/// The error of a function that is not there.
pub(crate) fn unknown_function(parts: &[&str]) -> Error {
    Error::new(
        "UNRESOLVED_ROUTINE",
        format!(
            "Cannot resolve function `{}` on search path [`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`].",
            parts.join("`.`")
        ),
    )
}

/// Changes the aggregate functions of an expression, not those within them.
pub(crate) fn each_aggregate(
    expr: Plan,
    change: &mut impl FnMut(AggregateFunction) -> AggregateFunction,
) -> Result<Plan> {
    let changed = expr.transform_down(|expr| {
        Ok(match expr {
            Plan::AggregateFunction(call) => {
                Transformed::new(Plan::AggregateFunction(change(call)), true, TreeNodeRecursion::Jump)
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(changed.data)
}

fn distinct(typed: Typed) -> Result<Typed> {
    let expr = each_aggregate(typed.expr, &mut |mut call| {
        call.params.distinct = true;
        call
    })?;
    let name = match typed.name.split_once('(') {
        Some((function, rest)) => format!("{function}(DISTINCT {rest}"),
        None => typed.name,
    };
    Ok(Typed { expr, name, ..typed })
}
