//! Statements that ask about the session and its plans, a file per group.

pub(crate) mod estimate;
pub(crate) mod explain;
pub(crate) mod functions;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::DataFusionError;

use crate::{EngineError, Outcome};

/// Lines as rows of one column, as Spark answers such statements.
fn rows_of_text(column: &str, rows: Vec<String>) -> Result<Outcome, EngineError> {
    let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8, false)]));
    let rows: ArrayRef = Arc::new(StringArray::from(rows));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![rows]).map_err(DataFusionError::from)?;
    Ok(Outcome::Rows { schema, batches: vec![batch] })
}
