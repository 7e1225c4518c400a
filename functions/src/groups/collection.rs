//! Spark's functions of the group collection; those of strings too are completed by `string`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericByteArray, Int32Array, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{ByteArrayType, GenericBinaryType, GenericStringType};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::array::{CONCAT, REVERSE};
use super::implicit::{cast, implicit, wider_common_type};
use crate::function::Resolve::Scalar;
use crate::nested::{Lists, arity, array_argument, mismatch, pretty, returned, unexpected_input};
use crate::{Arguments, Call, DataType, Error, Function, Group, Kernel, Resolve, Result, SparkUdf, Typed};

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Collection, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("array_size", Scalar(array_size), "array_size(expr) - How many elements an array has; NULL for NULL."),
    row("cardinality", Scalar(size), "cardinality(expr) - How many elements an array or entries a map has."),
    row("concat", Scalar(concat), "concat(col1, col2, ...) - Texts, bytes or arrays one after the other."),
    row("reverse", Scalar(reverse), "reverse(array) - A text or an array from its end to its beginning."),
    row("size", Scalar(size), "size(expr) - How many elements an array or entries a map has."),
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[&SIZE, &LEGACY_SIZE, &CONCAT_TEXT, &CONCAT_BYTES, &REVERSE_TEXT];

static SIZE: Kernel = Kernel { name: "spark_size", volatile: false, run: |a| run_size(a, false) };
/// -1 for NULL.
static LEGACY_SIZE: Kernel = Kernel { name: "spark_legacy_size", volatile: false, run: |a| run_size(a, true) };

static CONCAT_TEXT: Kernel =
    Kernel { name: "spark_concat", volatile: false, run: |a| concat_values::<GenericStringType<i32>>(a) };
static CONCAT_BYTES: Kernel =
    Kernel { name: "spark_concat_binary", volatile: false, run: |a| concat_values::<GenericBinaryType<i32>>(a) };
static REVERSE_TEXT: Kernel = Kernel { name: "spark_reverse", volatile: false, run: run_reverse_text };

fn size(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    if !matches!(call.arguments[0].data_type, DataType::Array(..) | DataType::Map(..)) {
        if call.arguments[0].data_type != DataType::Void {
            return Err(unexpected_input(&call, 0, "the (\"ARRAY\" or \"MAP\") type"));
        }
        array_argument(&mut call, 0)?;
    }
    let setting =
        call.settings.others.get("spark.sql.legacy.sizeofnull").map(|value| value.eq_ignore_ascii_case("true"));
    let legacy = !call.settings.ansi && setting.unwrap_or(true);
    let name = pretty(&call);
    let nullable = !legacy && call.arguments[0].nullable;
    let kernel = if legacy { &LEGACY_SIZE } else { &SIZE };
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::Int, nullable, name))
}

fn array_size(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    array_argument(&mut call, 0)?;
    let (nullable, name) = (call.arguments[0].nullable, pretty(&call));
    Ok(SparkUdf::call(&SIZE, call.settings, call.arguments, DataType::Int, nullable, name))
}

fn run_size(arguments: &Arguments<'_>, legacy: bool) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let sizes = (0..arguments.rows)
        .map(|row| match lists.range(row) {
            Some(range) => i32::try_from(range.len()).ok(),
            None => legacy.then_some(-1),
        })
        .collect::<Int32Array>();
    returned(arguments, Arc::new(sizes))
}

fn concat(call: Call<'_>) -> Result<Typed> {
    if !call.arguments.iter().any(|argument| matches!(argument.data_type, DataType::Array(..))) {
        return texts(call);
    }
    let name = pretty(&call);
    let types: Vec<_> = call.arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let common = if types.iter().all(|data_type| matches!(data_type, DataType::Array(..))) {
        wider_common_type(&types, call.settings)
    } else {
        None
    };
    let Some(DataType::Array(element, contains_null)) = common else {
        let types: Vec<_> = types
            .iter()
            .map(|data_type| {
                format!("\"{}\"", if *data_type == DataType::Void { "STRING".to_owned() } else { data_type.sql() })
            })
            .collect();
        let what = format!("Input to `concat` should all be the same type, but it's ({}).", types.join(" or "));
        return Err(mismatch(&name, "DATA_DIFF_TYPES", what));
    };
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let data_type = DataType::Array(element, contains_null);
    let arguments =
        call.arguments.into_iter().map(|argument| cast(argument, &data_type, call.settings)).collect::<Result<_>>()?;
    Ok(SparkUdf::call(&CONCAT, call.settings, arguments, data_type, nullable, name))
}

fn reverse(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    if !matches!(call.arguments[0].data_type, DataType::Array(..)) {
        return reverse_text(call);
    }
    let name = pretty(&call);
    let (data_type, nullable) = (call.arguments[0].data_type.clone(), call.arguments[0].nullable);
    Ok(SparkUdf::call(&REVERSE, call.settings, call.arguments, data_type, nullable, name))
}

fn texts(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    let bytes = !call.arguments.is_empty()
        && call.arguments.iter().all(|argument| argument.data_type == DataType::Binary)
        && !call.settings.flag("spark.sql.function.concatbinaryasstring", false);
    let (kernel, to) = if bytes { (&CONCAT_BYTES, DataType::Binary) } else { (&CONCAT_TEXT, DataType::String) };
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let mut arguments = Vec::with_capacity(call.arguments.len());
    for argument in &call.arguments {
        match implicit(argument, &to, call.settings)? {
            Some(argument) => arguments.push(argument),
            None => {
                let types: Vec<_> =
                    call.arguments.iter().map(|argument| format!("\"{}\"", argument.data_type.sql())).collect();
                let what = format!("Input to `concat` should all be the same type, but it's ({}).", types.join(" or "));
                return Err(mismatch(&name, "DATA_DIFF_TYPES", what));
            }
        }
    }
    Ok(SparkUdf::call(kernel, call.settings, arguments, to, nullable, name))
}

fn concat_values<T: ByteArrayType<Offset = i32>>(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let columns = (0..arguments.values.len()).map(|at| arguments.array(at)).collect::<DataFusionResult<Vec<_>>>()?;
    let columns: Vec<_> = columns.iter().filter_map(|column| column.as_bytes_opt::<T>()).collect();
    if columns.len() != arguments.values.len() {
        return datafusion::common::exec_err!("concat has texts or bytes");
    }
    let size: usize = columns.iter().map(|column| column.value_data().len()).fold(0, usize::saturating_add);
    if size.saturating_mul(2) > i32::MAX as usize * 2 {
        return Err(
            Error::new("COLLECTION_SIZE_LIMIT_EXCEEDED", "concat makes more text than one batch can have.").into()
        );
    }
    let mut data = Vec::new();
    let mut lengths = Vec::with_capacity(arguments.rows);
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let begun = data.len();
        let present = columns.iter().all(|column| column.is_valid(row));
        if present {
            columns.iter().for_each(|column| data.extend_from_slice(column.value(row).as_ref()));
        }
        lengths.push(data.len() - begun);
        valid.push(present);
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    let made: ArrayRef = Arc::new(GenericByteArray::<T>::try_new(offsets, data.into(), nulls)?);
    returned(arguments, made)
}

fn reverse_text(mut call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    match implicit(&call.arguments[0], &DataType::String, call.settings)? {
        Some(text) => call.arguments[0] = text,
        None => return Err(unexpected_input(&call, 0, "the (\"STRING\" or \"ARRAY\") type")),
    }
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(&REVERSE_TEXT, call.settings, call.arguments, DataType::String, nullable, name))
}

fn run_reverse_text(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let texts = arguments.array(0)?;
    let Some(texts) = texts.as_string_opt::<i32>() else { return datafusion::common::exec_err!("reverse has texts") };
    let reversed: StringArray =
        texts.iter().map(|text| text.map(|text| text.chars().rev().collect::<String>())).collect();
    returned(arguments, Arc::new(reversed))
}
