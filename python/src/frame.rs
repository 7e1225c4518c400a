//! Frames of other libraries as rows of the engine.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use paceline_engine::Handed;
use pyo3::prelude::*;

use crate::capsule;

/// A frame: each call of `open` gives an object with `__arrow_c_stream__`, whose rows begin with the first.
pub struct Frame {
    open: Py<PyAny>,
    schema: SchemaRef,
}

impl Frame {
    /// Looks at its columns.
    pub fn new(open: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let schema = capsule::rows_of(&open.call0()?)?.schema();
        Ok(Arc::new(Frame { open: open.clone().unbind(), schema }))
    }
}

impl Handed for Frame {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn read(&self) -> Result<Box<dyn RecordBatchReader + Send>, ArrowError> {
        let read = Python::attach(|py| capsule::rows_of(&self.open.bind(py).call0()?));
        Ok(Box::new(read.map_err(|error| ArrowError::ExternalError(Box::new(error)))?))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("schema", &self.schema).finish_non_exhaustive()
    }
}
