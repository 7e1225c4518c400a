//! Values as keys that compare and hash as Spark's values do: NaN is equal to itself and above all other numbers, NULL is below
//! all values, arrays and structs compare by their parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

/// What is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Equality {
    /// As `=` and `ORDER BY` have it: -0.0 is 0.0.
    Comparison,
    /// As Spark's sets of numbers have it: -0.0 is not 0.0, unless they are in an array or struct.
    Set,
}

/// Keys of the values of arrays of one type, which can be compared among all of them.
pub(crate) fn keys(arrays: &[&ArrayRef], equality: Equality) -> Result<Vec<Rows>> {
    let Some(first) = arrays.first() else { return Ok(Vec::new()) };
    let plain = plain_type(first.data_type());
    let converter = RowConverter::new(vec![SortField::new(plain.clone())])?;
    arrays
        .iter()
        .map(|array| {
            let array = if array.data_type() == &plain { Arc::clone(array) } else { cast(array, &plain)? };
            let array = normal(&array, equality == Equality::Comparison)?;
            Ok(converter.convert_columns(&[array])?)
        })
        .collect()
}

/// Keys of the values of one array.
pub(crate) fn keys_of(array: &ArrayRef, equality: Equality) -> Result<Rows> {
    let mut all = keys(&[array], equality)?;
    match all.pop() {
        Some(rows) => Ok(rows),
        None => Ok(RowConverter::new(vec![SortField::new(Arrow::Null)])?.empty_rows(0, 0)),
    }
}

/// The type without what differs between arrays of the same values: views and large offsets stay, all fields may be NULL.
fn plain_type(data_type: &Arrow) -> Arrow {
    match data_type {
        Arrow::List(field) => Arrow::new_list(plain_type(field.data_type()), true),
        Arrow::Struct(fields) => Arrow::Struct(
            fields
                .iter()
                .map(|field| Arc::new(arrow::datatypes::Field::new(field.name(), plain_type(field.data_type()), true)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The same values with one NaN, and with one zero if it is asked for.
fn normal(array: &ArrayRef, one_zero: bool) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        Arrow::Float32 => Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| {
            if value.is_nan() {
                f32::NAN
            } else if one_zero && value == 0.0 {
                0.0
            } else {
                value
            }
        })),
        Arrow::Float64 => Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| {
            if value.is_nan() {
                f64::NAN
            } else if one_zero && value == 0.0 {
                0.0
            } else {
                value
            }
        })),
        Arrow::List(field) if has_floats(field.data_type()) => {
            let list = array.as_list::<i32>();
            let values = normal(list.values(), true)?;
            Arc::new(ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?)
        }
        Arrow::Struct(fields) if fields.iter().any(|field| has_floats(field.data_type())) => {
            let parts = array.as_struct();
            let columns = parts.columns().iter().map(|column| normal(column, true)).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, parts.nulls().cloned())?)
        }
        _ => Arc::clone(array),
    })
}

fn has_floats(data_type: &Arrow) -> bool {
    match data_type {
        Arrow::Float32 | Arrow::Float64 => true,
        Arrow::List(field) => has_floats(field.data_type()),
        Arrow::Struct(fields) => fields.iter().any(|field| has_floats(field.data_type())),
        _ => false,
    }
}
