//! Capsules: how Arrow's rows, and tables of DataFusion, cross to other libraries of Python and back without a copy.
//!
//! The only file with unsafe code. The name of a capsule says what its pointer is; that is the protocol, on both sides.
#![expect(unsafe_code, reason = "a capsule holds a pointer, whose type only its name says")]

use std::ffi::CStr;

use arrow::array::RecordBatchReader;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use datafusion_ffi::proto::logical_extension_codec::FFI_LogicalExtensionCodec;
use datafusion_ffi::table_provider::FFI_TableProvider;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const CODEC: &CStr = c"datafusion_logical_extension_codec";
const TABLE: &CStr = c"datafusion_table_provider";

/// A schema, as `__arrow_c_schema__` gives it.
pub fn schema<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowSchema::try_from(schema).map_err(broken)?, SCHEMA)
}

/// Rows, as `__arrow_c_stream__` gives them.
pub fn stream<'py>(py: Python<'py>, rows: Box<dyn RecordBatchReader + Send>) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(rows), STREAM)
}

/// The rows of an object that has `__arrow_c_stream__`.
pub fn rows_of(object: &Bound<'_, PyAny>) -> PyResult<ArrowArrayStreamReader> {
    let capsule = object.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds such a stream, which we move out: `from_raw` leaves an empty, released one behind.
    unsafe { ArrowArrayStreamReader::from_raw(stream.as_ptr()) }.map_err(broken)
}

/// A table for the DataFusion of Python. `context` is the SessionContext that asks for it.
pub fn table<'py>(
    context: &Bound<'py, PyAny>,
    make: impl FnOnce(FFI_LogicalExtensionCodec) -> FFI_TableProvider,
) -> PyResult<Bound<'py, PyCapsule>> {
    let capsule = context.call_method0("__datafusion_logical_extension_codec__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let codec = capsule.pointer_checked(Some(CODEC))?.cast::<FFI_LogicalExtensionCodec>();
    // SAFETY: a capsule of this name holds a codec, of the version that we asked for below.
    let codec = unsafe { codec.as_ref() };
    // SAFETY: the function takes nothing and returns a number; it is in the same place in all versions that have it.
    let (theirs, ours) = (unsafe { (codec.version)() }, datafusion_ffi::version());
    if theirs != ours {
        let why =
            format!("this is for datafusion {ours}, and {theirs} is installed: pip install 'datafusion=={ours}.*'");
        return Err(PyTypeError::new_err(why));
    }
    PyCapsule::new_with_value(context.py(), make(codec.clone()), TABLE)
}

fn broken(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("Arrow's rows cannot be handed over: {error}"))
}
