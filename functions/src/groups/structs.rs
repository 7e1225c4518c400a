//! Spark's functions of the group struct, and the fields of structs in arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType as Arrow;
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::scalar::ScalarValue;

use crate::function::Resolve::Scalar;
use crate::nested::{ListMaker, Lists, mismatch, named, pretty, returned, retype};
use crate::{
    Arguments, Call, DataType, Error, Function, Group, Kernel, Result, Settings, SparkUdf, StructField, Typed,
};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    Function {
        name: "named_struct",
        group: Group::Struct,
        usage: "named_struct(name1, val1, name2, val2, ...) - A struct with fields of the given names and values.",
        resolve: Scalar(named_struct),
    },
    Function {
        name: "struct",
        group: Group::Struct,
        usage: "struct(col1, col2, ...) - A struct of the given values, named as they are.",
        resolve: Scalar(|call| {
            let names = vec![None; call.arguments.len()];
            structure(call.arguments, &names, call.settings)
        }),
    },
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[&STRUCT, &FIELD_OF_ARRAY];

pub(crate) static STRUCT: Kernel = Kernel { name: "spark_struct", volatile: false, run: run_struct };
pub(crate) static FIELD_OF_ARRAY: Kernel = Kernel { name: "spark_array_struct_field", volatile: false, run: run_field };

fn named_struct(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    if !call.arguments.len().is_multiple_of(2) || call.arguments.is_empty() {
        return Err(Error::new(
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
            format!(
                "The `named_struct` requires 2n (n > 0) parameters but the actual number is {}. Please, refer to \
                 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
                call.arguments.len()
            ),
        ));
    }
    let mut names = Vec::new();
    let mut values = Vec::new();
    let mut wrong = Vec::new();
    for (at, argument) in call.arguments.into_iter().enumerate() {
        if at % 2 == 1 {
            values.push(argument);
            continue;
        }
        match argument.as_literal() {
            Some(ScalarValue::Utf8(Some(field))) => names.push(field.clone()),
            _ => wrong.push(format!("\"{}\"", argument.name)),
        }
    }
    if !wrong.is_empty() {
        let what = format!(
            "Only foldable `STRING` expressions are allowed to appear at odd position, but they are [{}].",
            wrong.join(", ")
        );
        return Err(mismatch(&name, "CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", what));
    }
    Ok(made(values, names, name, call.settings))
}

/// A struct of values; those that were given a name (`struct(a AS b)`, `(1 AS b, 2)`) have it, the others have their own.
///
/// # Errors
/// None yet.
pub fn structure(values: Vec<Typed>, aliases: &[Option<String>], settings: &Arc<Settings>) -> Result<Typed> {
    let alias = |at: usize| aliases.get(at).cloned().flatten();
    let shown: Vec<Typed> = values
        .iter()
        .enumerate()
        .map(|(at, value)| match alias(at) {
            Some(alias) => Typed { name: format!("{} AS {alias}", value.name), ..value.clone() },
            None => value.clone(),
        })
        .collect();
    let names = values
        .iter()
        .enumerate()
        .map(|(at, value)| alias(at).or_else(|| own_name(value)).unwrap_or_else(|| format!("col{}", at + 1)))
        .collect();
    let name = named("struct", &shown);
    Ok(made(values, names, name, settings))
}

fn made(values: Vec<Typed>, names: Vec<String>, name: String, settings: &Arc<Settings>) -> Typed {
    let fields = names
        .into_iter()
        .zip(&values)
        .map(|(name, value)| StructField::new(name, value.data_type.clone(), value.nullable))
        .collect();
    SparkUdf::call(&STRUCT, settings, values, DataType::Struct(fields), false, name)
}

/// The name that an expression has of itself: of a column, or of a field of one.
pub(crate) fn own_name(value: &Typed) -> Option<String> {
    match &value.expr {
        Expr::Column(column) => Some(if value.name.is_empty() { column.name.clone() } else { last_part(&value.name) }),
        Expr::Alias(alias) => Some(alias.name.clone()),
        Expr::ScalarFunction(function) if function.name() == "get_field" => match function.args.last() {
            Some(Expr::Literal(ScalarValue::Utf8(Some(name)), _)) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

fn run_struct(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::Struct(fields) = arguments.returns.data_type() else {
        return exec_err!("a struct was expected instead of {}", arguments.returns.data_type());
    };
    if fields.is_empty() {
        return Ok(ColumnarValue::Array(Arc::new(StructArray::new_empty_fields(arguments.rows, None))));
    }
    let columns = fields
        .iter()
        .enumerate()
        .map(|(at, field)| retype(&arguments.array(at)?, field.data_type()))
        .collect::<DataFusionResult<Vec<ArrayRef>>>()?;
    Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)))
}

fn run_field(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let name = arguments.array(1)?;
    let name = name.as_string_opt::<i32>().filter(|name| !name.is_empty()).map_or("", |name| name.value(0));
    let Some(structs) = lists.values().as_struct_opt() else {
        return exec_err!("structs were expected instead of {}", lists.values().data_type());
    };
    let Some(column) = structs.column_by_name(name) else {
        return exec_err!("there is no field {name}");
    };
    let nulls = NullBuffer::union(structs.nulls(), column.logical_nulls().as_ref());
    let mut maker = ListMaker::default();
    for row in 0..lists.rows() {
        match lists.range(row) {
            None => maker.close_null(),
            Some(range) => {
                for at in range {
                    if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                        maker.push_null()
                    } else {
                        maker.push(at)
                    }
                }
                maker.close();
            }
        }
    }
    returned(arguments, maker.finish(column, arguments.returns.data_type())?)
}
