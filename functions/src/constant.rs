//! Values of expressions that are the same for every row, for functions that must know one before they run.

use datafusion::common::DFSchema;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use crate::Typed;
use crate::error::{Error, Result};

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

/// As [`value`].
///
/// # Errors
/// It is not foldable, or computing it fails.
pub(crate) fn constant(typed: &Typed) -> Result<ScalarValue> {
    value(typed)
}
