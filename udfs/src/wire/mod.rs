//! How rows become requests and replies become rows, one file per wire format.

mod record;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use bytes::Bytes;

use crate::spec::Format;

/// The values of the rows of one batch of arguments.
#[derive(Debug)]
pub struct Decoded {
    /// One value per row, NULL where there was no reply or a bad one.
    pub values: ArrayRef,
    /// Rows whose reply is not what the function declares, in order.
    pub bad: Vec<BadReply>,
}

/// A reply that is not what the function declares.
#[derive(Debug, PartialEq, Eq)]
pub struct BadReply {
    /// Which row of the batch.
    pub row: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Lays the rows of `arguments` (one column per argument, named like it) into request bodies.
///
/// # Errors
/// A column has a type that the format cannot carry.
pub fn encode(format: Format, arguments: &RecordBatch) -> Result<Vec<Bytes>, ArrowError> {
    match format {
        Format::Record => record::encode(arguments),
    }
}

/// Reads the replies to the requests that [`encode`] made, in the same order.
///
/// # Errors
/// The declared type is one that the format cannot carry; what is wrong with a reply is in [`Decoded::bad`].
pub fn decode(format: Format, returns: &DataType, replies: &[Option<Bytes>]) -> Result<Decoded, ArrowError> {
    match format {
        Format::Record => record::decode(returns, replies),
    }
}
