//! The value of an expression that needs no row.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use datafusion::arrow;
use datafusion::common::DFSchema;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;
use paceline_functions::{Error, Result, Typed};

/// Computes a constant.
pub(crate) fn evaluate(typed: &Typed) -> Result<ScalarValue> {
    if let Some(value) = typed.as_literal() {
        return Ok(value.clone());
    }
    if !typed.foldable {
        return Err(Error::new(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            format!("Cannot resolve \"{}\": the input should be a foldable expression.", typed.name),
        ));
    }
    let schema = arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
        "one row",
        arrow::datatypes::DataType::Int32,
        false,
    )]);
    let physical = create_physical_expr(
        &typed.expr,
        &DFSchema::try_from(schema.clone())?,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int32Array::from(vec![0]))])
        .map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
    Ok(match physical.evaluate(&batch)? {
        ColumnarValue::Scalar(value) => value,
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0)?,
    })
}
