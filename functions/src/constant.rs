//! The value of a constant expression, computed now.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

use crate::{Error, Result, Typed};

/// The value of an expression that is foldable.
///
/// # Errors
/// It looks at a column, or fails.
pub(crate) fn constant(typed: &Typed) -> Result<ScalarValue> {
    if let Some(value) = typed.as_literal() {
        return Ok(value.clone());
    }
    let schema = DFSchema::empty();
    let planning = PhysicalPlanningContext::default();
    let expr = create_physical_expr(&typed.expr, &schema, &ExecutionProps::new(), &planning).map_err(Error::from)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        .map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
    let value = expr.evaluate(&row).and_then(|value| value.to_array(1)).map_err(Error::from)?;
    Ok(ScalarValue::try_from_array(&value, 0).map_err(Error::from)?)
}
