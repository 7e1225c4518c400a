//! `json_tuple`: the values of keys of a JSON object.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::buffer::OffsetBuffer;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use serde_json::Value;

use super::kernels::{shape, structs};
use crate::nested::{list_of, returned};
use crate::{Arguments, Kernel};

pub(super) static JSON_TUPLE: Kernel = Kernel { name: "spark_json_tuple", volatile: false, run };

fn run(arguments: &Arguments<'_>) -> Result<ColumnarValue> {
    let fields = shape(arguments)?;
    let texts = arguments.array(0)?;
    let texts = texts.as_string::<i32>();
    let keys = (1..arguments.values.len()).map(|at| arguments.array(at)).collect::<Result<Vec<_>>>()?;
    let keys: Vec<_> = keys.iter().map(|key| key.as_string::<i32>()).collect();
    let mut columns: Vec<StringBuilder> = keys.iter().map(|_| StringBuilder::new()).collect();
    for row in 0..arguments.rows {
        let parsed = if texts.is_valid(row) { serde_json::from_str::<Value>(texts.value(row)).ok() } else { None };
        let object = parsed.as_ref().and_then(Value::as_object);
        for (key, column) in keys.iter().zip(&mut columns) {
            let value = object.filter(|_| key.is_valid(row)).and_then(|object| object.get(key.value(row)));
            match value {
                None | Some(Value::Null) => column.append_null(),
                Some(Value::String(text)) => column.append_value(text),
                Some(other) => column.append_value(other.to_string()),
            }
        }
    }
    let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    let structs = structs(fields, columns, None)?;
    let offsets = OffsetBuffer::from_repeated_length(1, arguments.rows);
    returned(arguments, list_of(structs, offsets, None, arguments.returns.data_type())?)
}
