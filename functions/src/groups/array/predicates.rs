//! Whether and where a value is in an array.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow::row::Rows;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::sets::same_arrays;
use crate::nested::{
    Equality, ListMaker, Lists, arity, diff_types, keys, mismatch, orderable, pretty, returned, wider_element,
};
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

pub(crate) static CONTAINS: Kernel = Kernel { name: "spark_array_contains", volatile: false, run: run_contains };
pub(crate) static POSITION: Kernel = Kernel { name: "spark_array_position", volatile: false, run: run_position };
pub(crate) static REMOVE: Kernel = Kernel { name: "spark_array_remove", volatile: false, run: run_remove };
pub(crate) static OVERLAP: Kernel = Kernel { name: "spark_arrays_overlap", volatile: false, run: run_overlap };

/// An array and a value that can be compared with its elements.
fn value_in_array(call: &mut Call<'_>) -> Result<(DataType, bool)> {
    arity(call, 2..=2)?;
    if call.name == "array_contains" && call.arguments.iter().any(|argument| argument.data_type == DataType::Void) {
        let what = format!("Null typed values cannot be used as arguments of `{}`.", call.name);
        return Err(mismatch(&pretty(call), "NULL_TYPE", what));
    }
    if !matches!(call.arguments[0].data_type, DataType::Array(..)) {
        return Err(diff_types(
            call,
            "ARRAY_FUNCTION_DIFF_TYPES",
            "\"ARRAY\" followed by a value with same element type",
            1,
        ));
    }
    let (element, contains_null) = wider_element(call, 1)?;
    orderable(call, &element)?;
    Ok((element, contains_null))
}

/// `array_contains(array, value)`
pub(crate) fn contains(mut call: Call<'_>) -> Result<Typed> {
    let (_, contains_null) = value_in_array(&mut call)?;
    let nullable = contains_null || call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&CONTAINS, call.settings, call.arguments, DataType::Boolean, nullable, name))
}

/// `array_position(array, element)`
pub(crate) fn position(mut call: Call<'_>) -> Result<Typed> {
    value_in_array(&mut call)?;
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&POSITION, call.settings, call.arguments, DataType::Long, nullable, name))
}

/// `array_remove(array, element)`
pub(crate) fn remove(mut call: Call<'_>) -> Result<Typed> {
    let (element, contains_null) = value_in_array(&mut call)?;
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    let data_type = DataType::Array(Box::new(element), contains_null);
    Ok(SparkUdf::call(&REMOVE, call.settings, call.arguments, data_type, nullable, name))
}

/// The lists, their elements' keys, the values and their keys.
fn compared(arguments: &Arguments<'_>) -> DataFusionResult<(Lists, Rows, ArrayRef, Rows)> {
    let lists = Lists::argument(arguments, 0)?;
    let values = crate::nested::retype(&arguments.array(1)?, lists.values().data_type())?;
    let mut both = keys(&[lists.values(), &values], Equality::Comparison)?.into_iter();
    match (both.next(), both.next()) {
        (Some(elements), Some(keys)) => Ok((lists, elements, values, keys)),
        _ => datafusion::common::exec_err!("no keys of two columns"),
    }
}

fn run_contains(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (lists, elements, values, keys) = compared(arguments)?;
    let nulls = lists.values().logical_nulls();
    let null = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
    let found = (0..arguments.rows)
        .map(|row| {
            let range = lists.range(row)?;
            if values.is_null(row) {
                return None;
            }
            if range.clone().any(|at| !null(at) && elements.row(at) == keys.row(row)) {
                return Some(true);
            }
            (!range.clone().any(null)).then_some(false)
        })
        .collect::<BooleanArray>();
    returned(arguments, Arc::new(found))
}

fn run_position(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (lists, elements, values, keys) = compared(arguments)?;
    let nulls = lists.values().logical_nulls();
    let valid = |at: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
    let found = (0..arguments.rows)
        .map(|row| {
            let mut range = lists.range(row)?;
            if values.is_null(row) {
                return None;
            }
            let at = range.position(|at| valid(at) && elements.row(at) == keys.row(row));
            Some(at.map_or(0, |at| i64::try_from(at + 1).unwrap_or(i64::MAX)))
        })
        .collect::<Int64Array>();
    returned(arguments, Arc::new(found))
}

fn run_remove(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (lists, elements, values, keys) = compared(arguments)?;
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        let (Some(range), true) = (lists.range(row), values.is_valid(row)) else {
            maker.close_null();
            continue;
        };
        range.filter(|at| elements.row(*at) != keys.row(row)).for_each(|at| maker.push(at));
        maker.close();
    }
    returned(arguments, maker.finish(lists.values(), arguments.returns.data_type())?)
}

/// `arrays_overlap(a, b)`
pub(crate) fn overlap(mut call: Call<'_>) -> Result<Typed> {
    let (element, left, right) = same_arrays(&mut call)?;
    orderable(&call, &element)?;
    let nullable = left || right || call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&OVERLAP, call.settings, call.arguments, DataType::Boolean, nullable, name))
}

fn run_overlap(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (left, right) = (Lists::argument(arguments, 0)?, Lists::argument(arguments, 1)?);
    let right_values = crate::nested::retype(right.values(), left.values().data_type())?;
    let both = keys(&[left.values(), &right_values], Equality::Comparison)?;
    let [left_keys, right_keys] = both.as_slice() else {
        return datafusion::common::exec_err!("no keys of two columns");
    };
    let (left_nulls, right_nulls) = (left.values().logical_nulls(), right_values.logical_nulls());
    let overlap = (0..arguments.rows)
        .map(|row| {
            let (ours, theirs) = (left.range(row)?, right.range(row)?);
            let null = |at: usize| left_nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
            let right_null = |at: usize| right_nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
            let set: std::collections::HashSet<_> =
                ours.clone().filter(|at| !null(*at)).map(|at| left_keys.row(at)).collect();
            if theirs.clone().any(|at| !right_null(at) && set.contains(&right_keys.row(at))) {
                return Some(true);
            }
            let unknown =
                !ours.is_empty() && !theirs.is_empty() && (ours.clone().any(null) || theirs.clone().any(right_null));
            (!unknown).then_some(false)
        })
        .collect::<BooleanArray>();
    returned(arguments, Arc::new(overlap))
}
