//! Format `record`: one JSON object per request, keyed by argument name; the reply's JSON value is the row's value.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bytes::Bytes;

use super::Request;
use super::values::objects;

pub(super) fn requests(arguments: &RecordBatch) -> Result<Vec<Request>, ArrowError> {
    let bodies: Vec<Bytes> = objects(arguments)?;
    Ok(bodies.into_iter().enumerate().map(|(row, body)| Request { rows: row..row + 1, body }).collect())
}
