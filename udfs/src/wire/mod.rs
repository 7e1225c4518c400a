//! How rows become requests and replies become rows, one file per wire format.
//!
//! A format lays rows into bodies ([`requests`]) and takes a reply apart into one JSON value per row ([`split`]); what
//! the values become is the same for all ([`decode`]).

mod array;
mod record;
mod values;

use std::ops::Range;

use bytes::Bytes;

use crate::spec::{Format, Options};

pub use values::{BadReply, Decoded, decode, objects};

/// One request and the rows that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which of the rows.
    pub rows: Range<usize>,
    /// Its body.
    pub body: Bytes,
}

/// Lays rows, each as a JSON object (see [`objects`]), into requests, in order.
pub fn requests(options: &Options, rows: &[Bytes]) -> Vec<Request> {
    match options.format {
        Format::Record => record::requests(rows),
        Format::Array => array::requests(rows, options.batch_size.get()),
    }
}

/// Takes the reply to a request of `rows` rows apart into one JSON value per row, not yet checked against a type.
///
/// # Errors
/// The reply as a whole is not what the format says; the message says how.
pub fn split(options: &Options, reply: &Bytes, rows: usize) -> Result<Vec<Bytes>, String> {
    match options.format {
        Format::Record => Ok(vec![reply.clone()]),
        Format::Array => array::split(reply, rows, options.reply_path.as_deref()),
    }
}
