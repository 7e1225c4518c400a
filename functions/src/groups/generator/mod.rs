//! Spark's functions of the group generator.
//!
//! Each resolves to an array of structs that has exactly the rows to be made for a row: one struct a row, one field a column.
//! An `_outer` function's array has one NULL struct where there would be no rows. So the resolver unnests the array, drops rows
//! whose array is NULL or empty, and takes the fields of the structs as columns, all of which may be NULL if the struct may.

mod json;
mod kernels;

use crate::function::Resolve::Generator;
use crate::groups::implicit::{cast, implicit};
use crate::nested::{arity, mismatch, pretty, unexpected_input};
use crate::{Call, DataType, Error, Function, Group, Kernel, Resolve, Result, SparkUdf, StructField, Typed};
use datafusion::scalar::ScalarValue;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Generator, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("explode", Generator(explode), "explode(expr) - A row for each element of an array or entry of a map."),
    row(
        "explode_outer",
        Generator(explode),
        "explode_outer(expr) - As explode, but one row of NULL where there would be none.",
    ),
    row("inline", Generator(inline), "inline(expr) - A row for each struct of an array."),
    row(
        "inline_outer",
        Generator(inline),
        "inline_outer(expr) - As inline, but one row of NULLs where there would be none.",
    ),
    row(
        "json_tuple",
        Generator(json_tuple),
        "json_tuple(jsonStr, p1, p2, ...) - One row of the values of the given keys.",
    ),
    row(
        "posexplode",
        Generator(explode),
        "posexplode(expr) - A row for each element or entry, with its place, from 0.",
    ),
    row(
        "posexplode_outer",
        Generator(explode),
        "posexplode_outer(expr) - As posexplode, but one row of NULLs where there would be none.",
    ),
    row("stack", Generator(stack), "stack(n, expr1, ..., exprk) - The expressions as n rows."),
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[
    &kernels::EXPLODE,
    &kernels::EXPLODE_OUTER,
    &kernels::POSEXPLODE,
    &kernels::POSEXPLODE_OUTER,
    &kernels::INLINE,
    &kernels::INLINE_OUTER,
    &kernels::STACK,
    &json::JSON_TUPLE,
];

/// The columns that a generator makes, of what it resolved to: names, types, and whether they may be NULL.
pub fn generated_columns(typed: &Typed) -> Result<Vec<StructField>> {
    match &typed.data_type {
        DataType::Array(element, contains_null) => match element.as_ref() {
            DataType::Struct(fields) => Ok(fields
                .iter()
                .map(|field| StructField { nullable: field.nullable || *contains_null, ..field.clone() })
                .collect()),
            other => Err(Error::new("INTERNAL_ERROR", format!("a generator makes structs, not {}", other.sql()))),
        },
        other => Err(Error::new("INTERNAL_ERROR", format!("a generator makes an array, not {}", other.sql()))),
    }
}

fn made(kernel: &'static Kernel, call: Call<'_>, fields: Vec<StructField>, null_rows: bool) -> Typed {
    let name = pretty(&call);
    let outer = call.name.ends_with("_outer");
    let nullable = !outer && call.arguments.iter().any(|argument| argument.nullable);
    let data_type = DataType::Array(Box::new(DataType::Struct(fields)), outer || null_rows);
    SparkUdf::call(kernel, call.settings, call.arguments, data_type, nullable, name)
}

fn explode(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let positions = call.name.starts_with("pos");
    let mut fields = if positions { vec![StructField::new("pos", DataType::Int, false)] } else { Vec::new() };
    match call.arguments[0].data_type.clone() {
        DataType::Array(element, contains_null) => fields.push(StructField::new("col", *element, contains_null)),
        DataType::Map(key, value, contains_null) => {
            fields.push(StructField::new("key", *key, false));
            fields.push(StructField::new("value", *value, contains_null));
        }
        _ => return Err(unexpected_input(&call, 0, "the (\"ARRAY\" or \"MAP\") type")),
    }
    let kernel = match (positions, call.name.ends_with("_outer")) {
        (false, false) => &kernels::EXPLODE,
        (false, true) => &kernels::EXPLODE_OUTER,
        (true, false) => &kernels::POSEXPLODE,
        (true, true) => &kernels::POSEXPLODE_OUTER,
    };
    Ok(made(kernel, call, fields, false))
}

fn inline(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let DataType::Array(element, contains_null) = call.arguments[0].data_type.clone() else {
        return Err(unexpected_input(&call, 0, "the \"ARRAY<STRUCT>\" type"));
    };
    let DataType::Struct(fields) = *element else {
        return Err(unexpected_input(&call, 0, "the \"ARRAY<STRUCT>\" type"));
    };
    let kernel = if call.name.ends_with("_outer") { &kernels::INLINE_OUTER } else { &kernels::INLINE };
    Ok(made(kernel, call, fields, contains_null))
}

fn json_tuple(mut call: Call<'_>) -> Result<Typed> {
    if call.arguments.len() < 2 {
        arity(&call, 2..=usize::MAX)?;
    }
    for at in 0..call.arguments.len() {
        if !matches!(call.arguments[at].data_type, DataType::String | DataType::Void) {
            return Err(mismatch(
                &pretty(&call),
                "NON_STRING_TYPE",
                "All arguments of the function `json_tuple` must be strings.",
            ));
        }
        if let Some(text) = implicit(&call.arguments[at], &DataType::String, call.settings)? {
            call.arguments[at] = text;
        }
    }
    let fields =
        (0..call.arguments.len() - 1).map(|at| StructField::new(format!("c{at}"), DataType::String, true)).collect();
    let mut typed = made(&json::JSON_TUPLE, call, fields, false);
    typed.nullable = false;
    Ok(typed)
}

fn stack(mut call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    if call.arguments.len() < 2 {
        return Err(Error::new(
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
            format!(
                "The `stack` requires > 1 parameters but the actual number is {}. Please, refer to \
                 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
                call.arguments.len()
            ),
        ));
    }
    let rows = match call.arguments[0].as_literal() {
        Some(ScalarValue::Int32(Some(rows))) if *rows > 0 => usize::try_from(*rows).unwrap_or(1),
        Some(ScalarValue::Int32(Some(rows))) => {
            let what = format!("The number of rows must be between (0, 2147483647] (current value = {rows}).");
            return Err(mismatch(&name, "VALUE_OUT_OF_RANGE", what));
        }
        _ => return Err(unexpected_input(&call, 0, "the \"INT\" type")),
    };
    let values = call.arguments.split_off(1);
    let width = values.len().div_ceil(rows);
    let mut fields: Vec<StructField> = Vec::with_capacity(width);
    for column in 0..width {
        let cells: Vec<_> = (0..rows).map(|row| values.get(row * width + column)).collect();
        let data_type = cells.iter().flatten().map(|cell| &cell.data_type).find(|of| **of != DataType::Void).cloned();
        let data_type = data_type.unwrap_or(DataType::Void);
        if let Some((row, cell)) = cells.iter().enumerate().find_map(|(row, cell)| {
            cell.filter(|cell| cell.data_type != DataType::Void && cell.data_type != data_type).map(|cell| (row, cell))
        }) {
            let what = format!(
                "The data type of the column ({}) do not have the same type: \"{}\" (1) <> \"{}\" ({}).",
                column,
                data_type.sql(),
                cell.data_type.sql(),
                row * width + column + 1
            );
            return Err(mismatch(&name, "STACK_COLUMN_DIFF_TYPES", what));
        }
        fields.push(StructField::new(format!("col{column}"), data_type, true));
    }
    for (at, value) in values.into_iter().enumerate() {
        call.arguments.push(cast(value, &fields[at % width].data_type, call.settings)?);
    }
    let mut typed = made(&kernels::STACK, call, fields, false);
    (typed.nullable, typed.name) = (false, name);
    Ok(typed)
}
