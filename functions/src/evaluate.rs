//! Computes constant expressions while a call is resolved.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;

use crate::{Error, Result, Typed};

/// The value of an expression that is foldable.
///
/// # Errors
/// It is not, or it has no value.
pub(crate) fn constant(value: &Typed) -> Result<ScalarValue> {
    if let Some(literal) = value.as_literal() {
        return Ok(literal.clone());
    }
    if !value.foldable {
        return Err(Error::new("INTERNAL_ERROR", format!("\"{}\" is not foldable.", value.name)));
    }
    let array = row(value)?;
    Ok(ScalarValue::try_from_array(&array, 0)?)
}

/// The value of an expression without columns, as an array of one row.
pub(crate) fn row(value: &Typed) -> Result<arrow::array::ArrayRef> {
    let props = ExecutionProps::new();
    let physical = create_physical_expr(&value.expr, &DFSchema::empty(), &props, &PhysicalPlanningContext::default())?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
    Ok(match physical.evaluate(&batch)? {
        ColumnarValue::Array(array) => array,
        ColumnarValue::Scalar(scalar) => scalar.to_array()?,
    })
}
