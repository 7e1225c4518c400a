//! Arrays made of elements and of other arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType as Arrow, Int32Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use crate::groups::implicit::{cast, implicit, wider_common_type};
use crate::nested::{
    ListMaker, Lists, arity, array_argument, list_of, mismatch, pick, pretty, returned, retype, unexpected_input,
    wider_element, with_nulls,
};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, StructField, Typed};

pub(crate) static ARRAY: Kernel = Kernel { name: "spark_array", volatile: false, run: run_array };
pub(crate) static APPEND: Kernel = Kernel { name: "spark_array_append", volatile: false, run: |a| added(a, false) };
pub(crate) static PREPEND: Kernel = Kernel { name: "spark_array_prepend", volatile: false, run: |a| added(a, true) };
pub(crate) static INSERT: Kernel = Kernel { name: "spark_array_insert", volatile: false, run: run_insert };
pub(crate) static REPEAT: Kernel = Kernel { name: "spark_array_repeat", volatile: false, run: run_repeat };
pub(crate) static ZIP: Kernel = Kernel { name: "spark_arrays_zip", volatile: false, run: run_zip };
pub(crate) static CONCAT: Kernel = Kernel { name: "spark_concat_arrays", volatile: false, run: run_concat };

/// `array(a, b)`
pub(crate) fn array(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    let types: Vec<_> = call.arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let Some(element) = wider_common_type(&types, call.settings) else {
        let types: Vec<_> = types.iter().map(|data_type| format!("\"{}\"", data_type.sql())).collect();
        let what = format!("Input to `array` should all be the same type, but it's ({}).", types.join(" or "));
        return Err(mismatch(&name, "DATA_DIFF_TYPES", what));
    };
    let contains_null = call.arguments.iter().any(|argument| argument.nullable);
    let arguments =
        call.arguments.into_iter().map(|argument| cast(argument, &element, call.settings)).collect::<Result<_>>()?;
    let data_type = DataType::Array(Box::new(element), contains_null);
    Ok(SparkUdf::call(&ARRAY, call.settings, arguments, data_type, false, name))
}

fn run_array(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::List(field) = arguments.returns.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "array returns an array").into());
    };
    let width = arguments.values.len();
    let offsets = OffsetBuffer::from_repeated_length(width, arguments.rows);
    if width == 0 {
        let values = arrow::array::new_empty_array(field.data_type());
        return returned(arguments, list_of(values, offsets, None, arguments.returns.data_type())?);
    }
    let columns =
        (0..width).map(|at| retype(&arguments.array(at)?, field.data_type())).collect::<DataFusionResult<Vec<_>>>()?;
    let columns: Vec<&dyn Array> = columns.iter().map(|column| column.as_ref()).collect();
    let all = concat(&columns)?;
    let order = (0..arguments.rows).flat_map(|row| (0..width).map(move |at| Some(at * arguments.rows + row))).collect();
    let values = pick(&all, order)?;
    returned(arguments, list_of(values, offsets, None, arguments.returns.data_type())?)
}

/// `array_append(array, element)`
pub(crate) fn append(call: Call<'_>) -> Result<Typed> {
    add(call, &APPEND)
}

/// `array_prepend(array, element)`
pub(crate) fn prepend(call: Call<'_>) -> Result<Typed> {
    add(call, &PREPEND)
}

fn add(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    arity(&call, 2..=2)?;
    if !matches!(call.arguments[0].data_type, DataType::Array(..)) {
        return Err(unexpected_input(&call, 0, "the \"ARRAY\" type"));
    }
    let (element, contains_null) = wider_element(&mut call, 1)?;
    let data_type = DataType::Array(Box::new(element), contains_null || call.arguments[1].nullable);
    let (nullable, name) = (call.arguments[0].nullable, pretty(&call));
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, data_type, nullable, name))
}

/// The elements of the lists and, after them, the values of other columns.
fn together(lists: &Lists, others: &[&ArrayRef]) -> DataFusionResult<ArrayRef> {
    let target = lists.values().data_type();
    let others = others.iter().map(|other| retype(other, target)).collect::<DataFusionResult<Vec<_>>>()?;
    let mut all: Vec<&dyn Array> = vec![lists.values().as_ref()];
    all.extend(others.iter().map(|other| other.as_ref()));
    Ok(concat(&all)?)
}

fn added(arguments: &Arguments<'_>, before: bool) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let all = together(&lists, &[&arguments.array(1)?])?;
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        let Some(range) = lists.range(row) else {
            maker.close_null();
            continue;
        };
        let element = lists.values().len() + row;
        if before {
            maker.push(element);
        }
        range.for_each(|at| maker.push(at));
        if !before {
            maker.push(element);
        }
        maker.close();
    }
    returned(arguments, maker.finish(&all, arguments.returns.data_type())?)
}

/// `array_insert(array, position, value)`
pub(crate) fn insert(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 3..=3)?;
    if !matches!(call.arguments[0].data_type, DataType::Array(..)) {
        return Err(unexpected_input(&call, 0, "the \"ARRAY\" type"));
    }
    match &call.arguments[1].data_type {
        DataType::Byte | DataType::Short | DataType::Int => {
            call.arguments[1] = cast(call.arguments[1].clone(), &DataType::Int, call.settings)?;
        }
        _ => return Err(unexpected_input(&call, 1, "the \"INT\" type")),
    }
    let (element, _) = wider_element(&mut call, 2)?;
    let nullable = call.arguments[0].nullable || call.arguments[1].nullable;
    let name = pretty(&call);
    Ok(SparkUdf::call(&INSERT, call.settings, call.arguments, DataType::Array(Box::new(element), true), nullable, name))
}

fn run_insert(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let positions = arguments.array(1)?;
    let positions = positions.as_primitive::<Int32Type>();
    let all = together(&lists, &[&arguments.array(2)?])?;
    let legacy =
        arguments.settings.others.get("spark.sql.legacy.negativeindexinarrayinsert").is_some_and(|on| on == "true");
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        let (Some(range), true) = (lists.range(row), positions.is_valid(row)) else {
            maker.close_null();
            continue;
        };
        let element = lists.values().len() + row;
        let length = range.len();
        let position = i64::from(positions.value(row));
        if position == 0 {
            return Err(zero_index().into());
        }
        let begin = range.start;
        if position > 0 {
            let before = usize::try_from(position - 1).unwrap_or(usize::MAX);
            maker.room_for(length.max(before).saturating_add(1))?;
            (0..before).for_each(|at| if at < length { maker.push(begin + at) } else { maker.push_null() });
            maker.push(element);
            (before.min(length)..length).for_each(|at| maker.push(begin + at));
        } else {
            // -1 is behind the last element; the legacy setting has it before the last.
            let after = usize::try_from(-position - i64::from(!legacy)).unwrap_or(usize::MAX);
            maker.room_for(length.max(after).saturating_add(1))?;
            if after > length {
                maker.push(element);
                (length..after).for_each(|_| maker.push_null());
                range.for_each(|at| maker.push(at));
            } else {
                (0..length - after).for_each(|at| maker.push(begin + at));
                maker.push(element);
                (length - after..length).for_each(|at| maker.push(begin + at));
            }
        }
        maker.close();
    }
    returned(arguments, maker.finish(&all, arguments.returns.data_type())?)
}

pub(crate) fn zero_index() -> Error {
    Error::new(
        "INVALID_INDEX_OF_ZERO",
        "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).",
    )
}

/// `array_repeat(element, count)`
pub(crate) fn repeat(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let Some(count) = implicit(&call.arguments[1], &DataType::Int, call.settings)? else {
        return Err(unexpected_input(&call, 1, "the \"INT\" type"));
    };
    call.arguments[1] = count;
    let element = &call.arguments[0];
    let data_type = DataType::Array(Box::new(element.data_type.clone()), element.nullable);
    let (nullable, name) = (call.arguments[1].nullable, pretty(&call));
    Ok(SparkUdf::call(&REPEAT, call.settings, call.arguments, data_type, nullable, name))
}

fn run_repeat(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let elements = arguments.array(0)?;
    let counts = arguments.array(1)?;
    let counts = counts.as_primitive::<Int32Type>();
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        if counts.is_null(row) {
            maker.close_null();
            continue;
        }
        let count = usize::try_from(counts.value(row)).unwrap_or(0);
        maker.room_for(count)?;
        (0..count).for_each(|_| maker.push(row));
        maker.close();
    }
    returned(arguments, maker.finish(&elements, arguments.returns.data_type())?)
}

/// `arrays_zip(a, b)`; the fields are called as the columns they come from, or by their number.
pub(crate) fn zip(mut call: Call<'_>) -> Result<Typed> {
    let mut fields = Vec::with_capacity(call.arguments.len());
    for at in 0..call.arguments.len() {
        let (element, _) = array_argument(&mut call, at)?;
        let name = crate::groups::structs::own_name(&call.arguments[at]).unwrap_or_else(|| at.to_string());
        fields.push(StructField::new(name, element, true));
    }
    let data_type = DataType::Array(Box::new(DataType::Struct(fields)), false);
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&ZIP, call.settings, call.arguments, data_type, nullable, name))
}

fn run_zip(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists =
        (0..arguments.values.len()).map(|at| Lists::argument(arguments, at)).collect::<DataFusionResult<Vec<_>>>()?;
    let mut picked: Vec<Vec<Option<usize>>> = vec![Vec::new(); lists.len()];
    let mut lengths = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let ranges: Option<Vec<_>> = lists.iter().map(|list| list.range(row)).collect();
        let ranges = ranges.unwrap_or_default();
        let length = ranges.iter().map(|range| range.len()).max().unwrap_or(0);
        for (picked, range) in picked.iter_mut().zip(&ranges) {
            picked.extend((0..length).map(|at| (at < range.len()).then_some(range.start + at)));
        }
        lengths.push(length);
    }
    let columns =
        arguments.values.iter().enumerate().map(|(at, _)| arguments.array(at)).collect::<DataFusionResult<Vec<_>>>()?;
    let nulls = with_nulls(&columns.iter().collect::<Vec<_>>());
    let Arrow::List(item) = arguments.returns.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "arrays_zip returns an array").into());
    };
    let Arrow::Struct(fields) = item.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "arrays_zip returns an array of structs").into());
    };
    let total = lengths.iter().sum();
    let parts: ArrayRef = if fields.is_empty() {
        Arc::new(StructArray::new_empty_fields(total, None))
    } else {
        let columns = lists
            .iter()
            .zip(picked)
            .zip(fields)
            .map(|((list, picked), field)| retype(&pick(list.values(), picked)?, field.data_type()))
            .collect::<DataFusionResult<Vec<_>>>()?;
        Arc::new(StructArray::try_new(fields.clone(), columns, None)?)
    };
    returned(arguments, list_of(parts, OffsetBuffer::from_lengths(lengths), nulls, arguments.returns.data_type())?)
}

fn run_concat(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::List(field) = arguments.returns.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "concat returns an array").into());
    };
    let lists =
        (0..arguments.values.len()).map(|at| Lists::argument(arguments, at)).collect::<DataFusionResult<Vec<_>>>()?;
    let values =
        lists.iter().map(|list| retype(list.values(), field.data_type())).collect::<DataFusionResult<Vec<_>>>()?;
    let all = concat(&values.iter().map(|values| values.as_ref()).collect::<Vec<&dyn Array>>())?;
    let mut maker = ListMaker::default();
    for row in 0..arguments.rows {
        let Some(ranges) = lists.iter().map(|list| list.range(row)).collect::<Option<Vec<_>>>() else {
            maker.close_null();
            continue;
        };
        let mut base = 0;
        for (range, list) in ranges.into_iter().zip(&lists) {
            range.for_each(|at| maker.push(base + at));
            base += list.values().len();
        }
        maker.close();
    }
    returned(arguments, maker.finish(&all, arguments.returns.data_type())?)
}
