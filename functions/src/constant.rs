//! Values of expressions that are the same for every row, for functions that must know one before they run.

use datafusion::common::DFSchema;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;

use arrow::array::{Array, MapArray, RecordBatchOptions, StringArray};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};
use crate::{DataType, Typed};

/// Its value.
///
/// # Errors
/// It is not foldable, or computing it fails.
pub(crate) fn value(typed: &Typed) -> Result<ScalarValue> {
    if let Some(value) = typed.as_literal() {
        return Ok(value.clone());
    }
    if !typed.foldable {
        return Err(Error::new(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            format!("\"{}\" should be a constant.", typed.name),
        ));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(std::sync::Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
    let planning = PhysicalPlanningContext::default();
    let physical = create_physical_expr(&typed.expr, &DFSchema::empty(), &ExecutionProps::new(), &planning)?;
    Ok(match physical.evaluate(&row)? {
        ColumnarValue::Scalar(value) => value,
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0)?,
    })
}

/// The pairs of a map of strings, keys in lower case: how functions are given options.
///
/// # Errors
/// It is not such a map.
pub(crate) fn options(typed: &Typed) -> Result<Vec<(String, String)>> {
    let wrong = || {
        Error::new(
            "INVALID_OPTIONS.NON_STRING_TYPE",
            format!(
                "Invalid options: A type of keys and values in `map()` must be string, but got \"{}\".",
                typed.data_type.sql()
            ),
        )
    };
    match &typed.data_type {
        DataType::Map(key, value, _) if **key == DataType::String && **value == DataType::String => {}
        DataType::Map(..) => return Err(wrong()),
        _ => {
            return Err(Error::new(
                "INVALID_OPTIONS.NON_MAP_FUNCTION",
                "Invalid options: Must use the `map()` function for options.",
            ));
        }
    }
    let array = value(typed)?.to_array()?;
    let map = array.as_any().downcast_ref::<MapArray>().ok_or_else(wrong)?;
    let text = |array: &dyn Array| array.as_any().downcast_ref::<StringArray>().cloned();
    let (keys, values) = (text(map.keys()).ok_or_else(wrong)?, text(map.values()).ok_or_else(wrong)?);
    let pairs = keys.iter().zip(values.iter());
    Ok(pairs.filter_map(|(key, value)| Some((key?.to_lowercase(), value?.to_owned()))).collect())
}

/// As [`value`].
///
/// # Errors
/// It is not foldable, or computing it fails.
pub(crate) fn constant(typed: &Typed) -> Result<ScalarValue> {
    value(typed)
}
