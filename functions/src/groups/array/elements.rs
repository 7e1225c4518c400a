//! What is taken out of arrays, and arrays with elements left out.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::making::zero_index;
use crate::groups::implicit::{cast, implicit};
use crate::nested::{ListMaker, Lists, arity, array_argument, pick, pretty, returned, unexpected_input};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

pub(crate) static COMPACT: Kernel = Kernel { name: "spark_array_compact", volatile: false, run: run_compact };
pub(crate) static JOIN: Kernel = Kernel { name: "spark_array_join", volatile: false, run: run_join };
pub(crate) static FLATTEN: Kernel = Kernel { name: "spark_flatten", volatile: false, run: run_flatten };
pub(crate) static SLICE: Kernel = Kernel { name: "spark_slice", volatile: false, run: run_slice };
pub(crate) static REVERSE: Kernel = Kernel { name: "spark_reverse_array", volatile: false, run: run_reverse };
/// The element at a place. Its third argument, a constant, says how places count and what happens outside.
pub(crate) static ELEMENT: Kernel = Kernel { name: "spark_array_element", volatile: false, run: run_element };

/// `array_compact(array)`
pub(crate) fn compact(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (element, _) = array_argument(&mut call, 0)?;
    let (nullable, name) = (call.arguments[0].nullable, pretty(&call));
    let data_type = DataType::Array(Box::new(element), false);
    Ok(SparkUdf::call(&COMPACT, call.settings, call.arguments, data_type, nullable, name))
}

fn run_compact(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let nulls = lists.values().logical_nulls();
    each(arguments, &lists, |maker, range| {
        range.filter(|at| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*at))).for_each(|at| maker.push(at));
        Ok(())
    })
}

/// A list for each list, of the same elements.
pub(super) fn each(
    arguments: &Arguments<'_>,
    lists: &Lists,
    mut fill: impl FnMut(&mut ListMaker, std::ops::Range<usize>) -> DataFusionResult<()>,
) -> DataFusionResult<ColumnarValue> {
    let mut maker = ListMaker::default();
    for row in 0..lists.rows() {
        match lists.range(row) {
            None => maker.close_null(),
            Some(range) => {
                fill(&mut maker, range)?;
                maker.close();
            }
        }
    }
    returned(arguments, maker.finish(lists.values(), arguments.returns.data_type())?)
}

/// `array_join(array, delimiter[, nullReplacement])`
pub(crate) fn join(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=3)?;
    let text = DataType::Array(Box::new(DataType::String), true);
    match &call.arguments[0].data_type {
        DataType::Array(element, _)
            if !matches!(element.as_ref(), DataType::Array(..) | DataType::Map(..) | DataType::Struct(_)) => {}
        DataType::Void => {}
        _ => return Err(unexpected_input(&call, 0, "the \"ARRAY<STRING>\" type")),
    }
    call.arguments[0] = cast(call.arguments[0].clone(), &text, call.settings)?;
    for at in 1..call.arguments.len() {
        let Some(argument) = implicit(&call.arguments[at], &DataType::String, call.settings)? else {
            return Err(unexpected_input(&call, at, "the \"STRING\" type"));
        };
        call.arguments[at] = argument;
    }
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&JOIN, call.settings, call.arguments, DataType::String, nullable, name))
}

fn run_join(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let elements = lists
        .values()
        .as_string_opt::<i32>()
        .cloned()
        .unwrap_or_else(|| arrow::array::StringArray::new_null(lists.values().len()));
    let delimiter = arguments.array(1)?;
    let delimiter = delimiter.as_string::<i32>();
    let replacement = match arguments.values.len() {
        3 => Some(arguments.array(2)?),
        _ => None,
    };
    let replacement = replacement.as_ref().map(|array| array.as_string::<i32>());
    let mut made = StringBuilder::new();
    let mut text = String::new();
    for row in 0..arguments.rows {
        let range = lists.range(row);
        let missing = delimiter.is_null(row) || replacement.is_some_and(|replacement| replacement.is_null(row));
        let (Some(range), false) = (range, missing) else {
            made.append_null();
            continue;
        };
        text.clear();
        let mut first = true;
        for at in range {
            let part = match (elements.is_valid(at), replacement) {
                (true, _) => elements.value(at),
                (false, Some(replacement)) => replacement.value(row),
                (false, None) => continue,
            };
            if !std::mem::take(&mut first) {
                text.push_str(delimiter.value(row));
            }
            text.push_str(part);
        }
        if made.values_slice().len().saturating_add(text.len()) > i32::MAX as usize {
            return Err(Error::new(
                "COLLECTION_SIZE_LIMIT_EXCEEDED",
                "array_join makes more text than one batch can have.",
            )
            .into());
        }
        made.append_value(&text);
    }
    returned(arguments, Arc::new(made.finish()))
}

/// `flatten(arrays)`
pub(crate) fn flatten(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (element, contains_null) = match array_argument(&mut call, 0) {
        Ok((DataType::Array(element, inner), outer)) => (DataType::Array(element, inner), outer),
        _ => return Err(unexpected_input(&call, 0, "the \"ARRAY\" of \"ARRAY\" type")),
    };
    let nullable = call.arguments[0].nullable || contains_null;
    let name = pretty(&call);
    Ok(SparkUdf::call(&FLATTEN, call.settings, call.arguments, element, nullable, name))
}

fn run_flatten(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let outer = Lists::argument(arguments, 0)?;
    let inner = Lists::new(outer.values())?;
    let mut maker = ListMaker::default();
    for row in 0..outer.rows() {
        let ranges = outer.range(row).and_then(|range| range.map(|at| inner.range(at)).collect::<Option<Vec<_>>>());
        match ranges {
            None => maker.close_null(),
            Some(ranges) => {
                ranges.into_iter().flatten().for_each(|at| maker.push(at));
                maker.close();
            }
        }
    }
    returned(arguments, maker.finish(inner.values(), arguments.returns.data_type())?)
}

/// `get(array, index)`, which is `array[index]`.
pub(crate) fn get(call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    crate::groups::subscript::of_array(call, name, crate::groups::subscript::Outside::Null)
}

fn run_element(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let places = arrow::compute::cast(&arguments.array(1)?, &arrow::datatypes::DataType::Int64)?;
    let places = places.as_primitive::<Int64Type>();
    let mode = arguments.array(2)?;
    let mode = mode.as_string_opt::<i32>().filter(|mode| !mode.is_empty()).map_or("", |mode| mode.value(0));
    let from_one = mode.starts_with("element_at");
    let fails = mode.ends_with("!");
    let mut picked = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let (Some(range), true) = (lists.range(row), places.is_valid(row)) else {
            picked.push(None);
            continue;
        };
        let place = places.value(row);
        let length = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let at = match place {
            0 if from_one => return Err(zero_index().into()),
            place if from_one && place > 0 => place - 1,
            place if from_one => place.saturating_add(length),
            place => place,
        };
        if at >= 0 && at < length {
            picked.push(usize::try_from(at).ok().map(|at| range.start + at));
        } else if fails {
            return Err(out_of_bounds(place, length, from_one).into());
        } else {
            picked.push(None);
        }
    }
    returned(arguments, pick(lists.values(), picked)?)
}

fn out_of_bounds(place: i64, length: i64, from_one: bool) -> Error {
    if from_one {
        return Error::new(
            "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
            format!(
                "The index {place} is out of bounds. The array has {length} elements. Use `try_element_at` to tolerate \
                 accessing element at invalid index and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \
                 \"false\" to bypass this error."
            ),
        );
    }
    Error::new(
        "INVALID_ARRAY_INDEX",
        format!(
            "The index {place} is out of bounds. The array has {length} elements. Use the SQL function `get()` to tolerate \
             accessing element at invalid index and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \
             \"false\" to bypass this error."
        ),
    )
}

/// `slice(array, start, length)`
pub(crate) fn slice(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 3..=3)?;
    let (element, contains_null) = array_argument(&mut call, 0)?;
    for at in 1..3 {
        let Some(argument) = implicit(&call.arguments[at], &DataType::Int, call.settings)? else {
            return Err(unexpected_input(&call, at, "the \"INT\" type"));
        };
        call.arguments[at] = argument;
    }
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    let data_type = DataType::Array(Box::new(element), contains_null);
    Ok(SparkUdf::call(&SLICE, call.settings, call.arguments, data_type, nullable, name))
}

fn run_slice(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let (starts, lengths) = (arguments.array(1)?, arguments.array(2)?);
    let (starts, lengths) = (starts.as_primitive::<Int32Type>(), lengths.as_primitive::<Int32Type>());
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        let (Some(range), true, true) = (lists.range(row), starts.is_valid(row), lengths.is_valid(row)) else {
            maker.close_null();
            continue;
        };
        let (start, length) = (i64::from(starts.value(row)), lengths.value(row));
        if start == 0 {
            let what = "Unexpected value for start in function slice: SQL array indices start at 1.";
            return Err(Error::new("_LEGACY_ERROR_TEMP_2157", what).into());
        }
        let Ok(length) = usize::try_from(length) else {
            let what = "Unexpected value for length in function slice: length must be greater than or equal to 0.";
            return Err(Error::new("_LEGACY_ERROR_TEMP_2052", what).into());
        };
        let size = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let begin = if start > 0 { start - 1 } else { size + start };
        if let Ok(begin) = usize::try_from(begin) {
            range.skip(begin).take(length).for_each(|at| maker.push(at));
        }
        maker.close();
    }
    returned(arguments, maker.finish(lists.values(), arguments.returns.data_type())?)
}

fn run_reverse(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    each(arguments, &lists, |maker, range| {
        range.rev().for_each(|at| maker.push(at));
        Ok(())
    })
}
