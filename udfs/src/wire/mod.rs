//! How rows become requests and replies become rows, one file per wire format.
//!
//! A row is a JSON object of its arguments ([`objects`]). A format lays several into one request ([`encode`]) and takes a
//! reply apart into one JSON value per row ([`split`]); what the values become is the same for all ([`decode`]).

mod array;
mod record;
mod values;

use std::ops::Range;

use bytes::Bytes;

use crate::ApiFunction;
use crate::client::{Outgoing, Reply};
use crate::spec::Format;

pub use values::{BadReply, Decoded, decode, objects};

/// Shares `rows` out over requests of at most as many as the format and `batch_size` allow, as evenly as that allows: 8,192
/// rows in requests of at most 1,000 are nine requests of 910 or 911, not eight and a remainder.
pub fn shares(api: &ApiFunction, rows: usize) -> Vec<Range<usize>> {
    let most = match api.options.wire.format {
        Format::Record => 1,
        Format::Array => api.options.wire.batch_size.get(),
    };
    let count = rows.div_ceil(most);
    (0..count).map(|at| at * rows / count..(at + 1) * rows / count).collect()
}

/// The request that carries these rows. `id` is the same whenever these rows are asked for.
///
/// # Errors
/// A row cannot be put into a request of this format; the message says why.
pub fn encode(api: &ApiFunction, rows: &[Bytes], id: &str) -> Result<Outgoing, String> {
    let _ = id;
    match api.options.wire.format {
        Format::Record => Ok(record::request(rows)),
        Format::Array => Ok(array::request(rows)),
    }
}

/// Takes the reply to a request of `rows` rows apart into one JSON value per row, not yet checked against a type.
///
/// # Errors
/// The reply as a whole is not what the format says; the message says how.
pub fn split(api: &ApiFunction, reply: &Reply, rows: usize) -> Result<Vec<Bytes>, String> {
    match api.options.wire.format {
        Format::Record => Ok(vec![reply.body.clone()]),
        Format::Array => array::split(&reply.body, rows, api.options.wire.reply_path.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Fields};

    use super::*;

    #[test]
    fn rows_are_spread_evenly() {
        let options = [("endpoint", "http://a/"), ("rate_limit_calls", "1"), ("format", "array"), ("batch_size", "3")];
        let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let api = ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &options).unwrap();
        assert!(shares(&api, 0).is_empty());
        assert_eq!(shares(&api, 2), Vec::from_iter(std::iter::once(0..2)));
        assert_eq!(shares(&api, 4), [0..2, 2..4]);
    }
}
