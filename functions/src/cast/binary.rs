//! Whole numbers as bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryBuilder, Int64Array};
use arrow::datatypes::Int64Type;

use crate::Result;

/// The bytes of each, the highest first.
pub(super) fn of_integers(values: &ArrayRef, width: usize) -> Result<ArrayRef> {
    let values: &Int64Array = values.as_primitive::<Int64Type>();
    let mut builder = BinaryBuilder::with_capacity(values.len(), values.len() * width);
    for value in values {
        match value {
            Some(value) => builder.append_value(&value.to_be_bytes()[8 - width.min(8)..]),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}
