//! How a call with lambdas becomes an expression: the arguments say the variables' types, and then the caller resolves bodies.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::{Expr, HigherOrderUDF};

use super::udf::{LambdaKernel, SparkLambda};
use super::{arrays, maps, sorting};
use crate::groups::array::sort_without_comparator;
use crate::groups::implicit::{cast, wider_common_type, wider_type};
use crate::nested::{mismatch, unexpected_input};
use crate::{Call, DataType, Error, Result, Settings, StructField, Typed};

/// An argument of a function with lambdas.
pub enum LambdaInput {
    /// An expression.
    Value(Typed),
    /// A lambda, with the names of its variables.
    Lambda(Vec<String>),
}

/// Resolves the body of the lambda that is the argument of that number; its variables are these, in order.
type Bodies<'a> = &'a mut dyn FnMut(usize, &[Typed]) -> Result<Typed>;

/// Resolves a call of a function of the group lambda. `body` is called for each lambda, when the types of its variables are
/// known: it gets the argument's number and an expression for each variable, and returns the body.
///
/// # Errors
/// Arguments, bodies or the number of variables are not as the function wants them; or a body cannot be resolved.
pub fn resolve_lambda(
    name: &'static str,
    arguments: Vec<LambdaInput>,
    settings: &Arc<Settings>,
    body: &mut dyn FnMut(usize, &[Typed]) -> Result<Typed>,
) -> Result<Typed> {
    let resolving =
        Resolving { name, arguments, settings, body, shown: Vec::new(), lambdas: Vec::new(), values: Vec::new() };
    match name {
        "transform" => resolving.transform(),
        "filter" => resolving.filter(),
        "exists" => resolving.quantified(&arrays::EXISTS),
        "forall" => resolving.quantified(&arrays::FORALL),
        "aggregate" | "reduce" => resolving.aggregate(),
        "zip_with" => resolving.zip_with(),
        "array_sort" => resolving.array_sort(),
        "transform_keys" => resolving.transform_keys(),
        "transform_values" => resolving.transform_values(),
        "map_filter" => resolving.map_filter(),
        "map_zip_with" => resolving.map_zip_with(),
        _ => Err(Error::unsupported(format!("the function {name}"))),
    }
}

struct Resolving<'a> {
    name: &'static str,
    arguments: Vec<LambdaInput>,
    settings: &'a Arc<Settings>,
    body: Bodies<'a>,
    shown: Vec<Typed>,
    values: Vec<Typed>,
    lambdas: Vec<(Vec<FieldRef>, Expr)>,
}

/// A variable's type and whether it may be NULL.
type Variable = (DataType, bool);

impl Resolving<'_> {
    fn arity(&self, low: usize, high: usize) -> Result<()> {
        let actual = self.arguments.len();
        if (low..=high).contains(&actual) {
            return Ok(());
        }
        let expected = if low == high { low.to_string() } else { format!("[{low}, {high}]") };
        Err(Error::new(
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
            format!(
                "The `{}` requires {expected} parameters but the actual number is {actual}. Please, refer to \
                 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
                self.name
            ),
        ))
    }

    fn call(&self) -> Call<'_> {
        Call { written: self.name, name: self.name, arguments: self.shown.clone(), settings: self.settings }
    }

    /// The next argument, which is an expression.
    fn value(&mut self, at: usize) -> Result<Typed> {
        match self.arguments.get(at) {
            Some(LambdaInput::Value(value)) => {
                self.shown.push(value.clone());
                self.values.push(value.clone());
                Ok(value.clone())
            }
            _ => Err(Error::new(
                "UNEXPECTED_LAMBDA",
                format!(
                    "A lambda function should only be used in a higher order function, not as argument {} of {}.",
                    at + 1,
                    self.name
                ),
            )),
        }
    }

    fn array(&mut self, at: usize) -> Result<(DataType, bool)> {
        match self.value(at)?.data_type {
            DataType::Array(element, contains_null) => Ok((*element, contains_null)),
            _ => Err(unexpected_input(&self.call(), at, "the \"ARRAY\" type")),
        }
    }

    fn map(&mut self, at: usize) -> Result<(DataType, DataType, bool)> {
        match self.value(at)?.data_type {
            DataType::Map(key, value, contains_null) => Ok((*key, *value, contains_null)),
            _ => Err(unexpected_input(&self.call(), at, "the \"MAP\" type")),
        }
    }

    /// The body of a lambda. The last `optional` variables need not be there.
    fn lambda(&mut self, at: usize, variables: &[Variable], optional: usize) -> Result<Typed> {
        let (names, given) = match self.arguments.get(at) {
            Some(LambdaInput::Lambda(names)) => (names.clone(), None),
            Some(LambdaInput::Value(value)) => {
                let count = variables.len() - optional;
                ((0..count).map(|at| format!("col{at}")).collect(), Some(value.clone()))
            }
            None => return Err(Error::new("INTERNAL_ERROR", "a lambda is missing")),
        };
        if !(variables.len() - optional..=variables.len()).contains(&names.len()) {
            return Err(Error::new(
                "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                format!(
                    "Invalid lambda function call. A higher order function expects {} arguments, but got {}.",
                    names.len(),
                    variables.len() - optional
                ),
            ));
        }
        // No column has such a name, so that DataFusion does not take one for the other.
        let names: Vec<String> = names.iter().map(|name| format!("lambda {}", name.to_lowercase())).collect();
        if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
            return Err(Error::new(
                "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES",
                "Invalid lambda function call. The lambda function has duplicate arguments.",
            ));
        }
        let fields: Vec<FieldRef> =
            names.iter().zip(variables).map(|(name, (of, nullable))| Arc::new(of.to_field(name, *nullable))).collect();
        let typed: Vec<Typed> = fields
            .iter()
            .zip(variables)
            .map(|(field, (of, nullable))| Typed {
                expr: Expr::LambdaVariable(LambdaVariable::new(field.name().clone(), Some(Arc::clone(field)))),
                data_type: of.clone(),
                nullable: *nullable,
                name: "namedlambdavariable()".to_owned(),
                foldable: false,
            })
            .collect();
        let body = match given {
            Some(body) => body,
            None => (self.body)(at, &typed)?,
        };
        self.lambdas.push((fields, Expr::Lambda(Lambda::new(names, body.expr.clone()))));
        let variables = typed.iter().map(|variable| variable.name.as_str());
        let shown = std::iter::once(body.name.as_str()).chain(variables).collect::<Vec<_>>().join(", ");
        self.shown.push(Typed { name: format!("lambdafunction({shown})"), ..body.clone() });
        Ok(body)
    }

    /// A lambda of which a certain type is wanted.
    fn typed_lambda(&mut self, at: usize, variables: &[Variable], optional: usize, wanted: &DataType) -> Result<Typed> {
        let body = self.lambda(at, variables, optional)?;
        if &body.data_type == wanted {
            return Ok(body);
        }
        if body.data_type != DataType::Void {
            return Err(unexpected_input(&self.call(), at, &format!("the \"{}\" type", wanted.sql())));
        }
        let body = cast(body, wanted, self.settings)?;
        if let Some((fields, expr)) = self.lambdas.last_mut() {
            let names = fields.iter().map(|field| field.name().clone()).collect();
            *expr = Expr::Lambda(Lambda::new(names, body.expr.clone()));
        }
        Ok(body)
    }

    fn done(self, kernel: &'static LambdaKernel, data_type: DataType, nullable: bool) -> Typed {
        let name = crate::nested::named(self.name, &self.shown);
        let foldable = self.values.iter().all(|value| value.foldable);
        let returns = Arc::new(data_type.to_field(kernel.name, nullable));
        let (parameters, bodies): (Vec<_>, Vec<_>) = self.lambdas.into_iter().unzip();
        let udf = SparkLambda::new(kernel, parameters, returns, Arc::clone(self.settings));
        let arguments = self.values.into_iter().map(|value| value.expr).chain(bodies).collect();
        let udf = Arc::new(HigherOrderUDF::new_from_impl(udf));
        let expr = Expr::HigherOrderFunction(HigherOrderFunction::new(udf, arguments));
        // A body may look at columns, which makes it not foldable.
        let foldable = foldable && !expr.any_column_refs();
        Typed { expr, data_type, nullable, name, foldable }
    }

    fn nullable(&self, at: usize) -> bool {
        self.values.get(at).is_none_or(|value| value.nullable)
    }

    fn transform(mut self) -> Result<Typed> {
        self.arity(2, 2)?;
        let element = self.array(0)?;
        let body = self.lambda(1, &[element, (DataType::Int, false)], 1)?;
        let nullable = self.nullable(0);
        Ok(self.done(&arrays::TRANSFORM, DataType::Array(Box::new(body.data_type), body.nullable), nullable))
    }

    fn filter(mut self) -> Result<Typed> {
        self.arity(2, 2)?;
        let (element, contains_null) = self.array(0)?;
        self.typed_lambda(1, &[(element.clone(), contains_null), (DataType::Int, false)], 1, &DataType::Boolean)?;
        let nullable = self.nullable(0);
        Ok(self.done(&arrays::FILTER, DataType::Array(Box::new(element), contains_null), nullable))
    }

    fn quantified(mut self, kernel: &'static LambdaKernel) -> Result<Typed> {
        self.arity(2, 2)?;
        let element = self.array(0)?;
        let body = self.typed_lambda(1, &[element], 0, &DataType::Boolean)?;
        let nullable = self.nullable(0) || body.nullable;
        Ok(self.done(kernel, DataType::Boolean, nullable))
    }

    fn aggregate(mut self) -> Result<Typed> {
        self.arity(3, 4)?;
        let (element, contains_null) = self.array(0)?;
        let start = self.value(1)?;
        // What the merge gives may be NULL where the start is not.
        let state = nullable_parts(&start.data_type);
        if let Some(value) = self.values.get_mut(1) {
            *value = cast(start, &state, self.settings)?;
        }
        let merged = self.lambda(2, &[(state.clone(), true), (element, contains_null)], 0)?;
        if nullable_parts(&merged.data_type) != state && merged.data_type != DataType::Void {
            return Err(unexpected_input(&self.call(), 2, &format!("the \"{}\" type", state.sql())));
        }
        let finished = if self.arguments.len() == 4 {
            self.lambda(3, &[(state, true)], 0)?
        } else {
            let variable = "namedlambdavariable()";
            self.shown.push(Typed { name: format!("lambdafunction({variable}, {variable})"), ..merged });
            Typed { data_type: state, nullable: true, ..self.values[1].clone() }
        };
        let nullable = self.nullable(0) || finished.nullable;
        Ok(self.done(&arrays::AGGREGATE, finished.data_type, nullable))
    }

    fn zip_with(mut self) -> Result<Typed> {
        self.arity(3, 3)?;
        let (left, right) = (self.array(0)?.0, self.array(1)?.0);
        let body = self.lambda(2, &[(left, true), (right, true)], 0)?;
        let nullable = self.nullable(0) || self.nullable(1);
        Ok(self.done(&arrays::ZIP_WITH, DataType::Array(Box::new(body.data_type), body.nullable), nullable))
    }

    fn array_sort(mut self) -> Result<Typed> {
        self.arity(1, 2)?;
        let (element, contains_null) = self.array(0)?;
        if self.arguments.len() == 1 {
            let v = "namedlambdavariable()";
            let name = format!(
                "array_sort({}, lambdafunction((IF((({v} IS NULL) AND ({v} IS NULL)), 0, (IF(({v} IS NULL), 1, (IF(({v} IS NULL), \
                 -1, (IF(({v} < {v}), -1, (IF(({v} > {v}), 1, 0)))))))))), {v}, {v}))",
                self.values[0].name
            );
            return sort_without_comparator(self.call(), name);
        }
        let variable = (element.clone(), contains_null);
        let body = self.lambda(1, &[variable.clone(), variable], 0)?;
        if body.data_type != DataType::Int {
            let shown = crate::nested::named(self.name, &self.shown);
            let what = format!(
                "The `lambdafunction` requires return \"INT\" type, but the actual is \"{}\" type.",
                body.data_type.sql()
            );
            return Err(mismatch(&shown, "UNEXPECTED_RETURN_TYPE", what));
        }
        let nullable = self.nullable(0);
        Ok(self.done(&sorting::SORT, DataType::Array(Box::new(element), contains_null), nullable))
    }

    fn transform_keys(mut self) -> Result<Typed> {
        self.arity(2, 2)?;
        let (key, value, contains_null) = self.map(0)?;
        let body = self.lambda(1, &[(key, false), (value.clone(), contains_null)], 0)?;
        crate::groups::map::valid_key(&crate::nested::named(self.name, &self.shown), &body.data_type)?;
        let nullable = self.nullable(0);
        Ok(self.done(
            &maps::TRANSFORM_KEYS,
            DataType::Map(Box::new(body.data_type), Box::new(value), contains_null),
            nullable,
        ))
    }

    fn transform_values(mut self) -> Result<Typed> {
        self.arity(2, 2)?;
        let (key, value, contains_null) = self.map(0)?;
        let body = self.lambda(1, &[(key.clone(), false), (value, contains_null)], 0)?;
        let nullable = self.nullable(0);
        let data_type = DataType::Map(Box::new(key), Box::new(body.data_type), body.nullable);
        Ok(self.done(&maps::TRANSFORM_VALUES, data_type, nullable))
    }

    fn map_filter(mut self) -> Result<Typed> {
        self.arity(2, 2)?;
        let (key, value, contains_null) = self.map(0)?;
        let variables = [(key.clone(), false), (value.clone(), contains_null)];
        self.typed_lambda(1, &variables, 0, &DataType::Boolean)?;
        let nullable = self.nullable(0);
        Ok(self.done(&maps::FILTER, DataType::Map(Box::new(key), Box::new(value), contains_null), nullable))
    }

    fn map_zip_with(mut self) -> Result<Typed> {
        self.arity(3, 3)?;
        let (left_key, left, left_null) = self.map(0)?;
        let (right_key, right, right_null) = self.map(1)?;
        let key = wider_type(&left_key, &right_key, self.settings)
            .or_else(|| wider_common_type(&[left_key.clone(), right_key.clone()], self.settings));
        let Some(key) = key else {
            let what = format!(
                "Input to the `map_zip_with` should have been two \"MAP\"s with compatible key types, but it's [\"{}\", \"{}\"].",
                left_key.sql(),
                right_key.sql()
            );
            return Err(mismatch(&crate::nested::named(self.name, &self.shown), "MAP_ZIP_WITH_DIFF_TYPES", what));
        };
        for (at, value, null) in [(0, left.clone(), left_null), (1, right.clone(), right_null)] {
            let map = DataType::Map(Box::new(key.clone()), Box::new(value), null);
            self.values[at] = cast(self.values[at].clone(), &map, self.settings)?;
        }
        let body = self.lambda(2, &[(key.clone(), false), (left, true), (right, true)], 0)?;
        let nullable = self.nullable(0) || self.nullable(1);
        let data_type = DataType::Map(Box::new(key), Box::new(body.data_type), body.nullable);
        Ok(self.done(&maps::ZIP_WITH, data_type, nullable))
    }
}

/// The type whose parts may all be NULL.
fn nullable_parts(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array(element, _) => DataType::Array(Box::new(nullable_parts(element)), true),
        DataType::Map(key, value, _) => DataType::Map(key.clone(), Box::new(nullable_parts(value)), true),
        DataType::Struct(fields) => DataType::Struct(
            fields.iter().map(|field| StructField::new(&field.name, nullable_parts(&field.data_type), true)).collect(),
        ),
        other => other.clone(),
    }
}
