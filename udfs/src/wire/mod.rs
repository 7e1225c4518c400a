//! How rows become requests and replies become rows, one file per wire format.
//!
//! A row is a JSON object of its arguments ([`objects`]). A format lays several into one request ([`encode`]) and takes a
//! reply apart into one JSON value per row ([`split`]), after asking for it again where it is not done ([`poll`]); what the
//! values become is the same for all ([`decode`]).

#[cfg(test)]
mod any_array;
mod array;
mod bigquery;
mod json;
mod positional;
mod record;
mod redshift;
mod rewrite;
mod rows;
mod snowflake;
mod template;
mod types;
mod values;

#[cfg(test)]
mod echoes;

use std::ops::Range;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_ENCODING;

use crate::ApiFunction;
use crate::client::{Outgoing, Reply};
use crate::compression::Compression;
use crate::spec::Format;

pub use rows::objects;
pub use snowflake::poll_wait;
pub use types::carries;
pub use values::{BadReply, Decoded, decode};

/// Shares `rows` out over requests of at most as many as the format and `batch_size` allow, as evenly as that allows: 8,192
/// rows in requests of at most 1,000 are nine requests of 910 or 911, not eight and a remainder.
pub fn shares(api: &ApiFunction, rows: usize) -> Vec<Range<usize>> {
    let most = match api.options.wire.format {
        Format::Record | Format::Template(_) => 1,
        Format::Array { .. } | Format::Snowflake { .. } | Format::Bigquery { .. } | Format::Redshift { .. } => {
            api.options.wire.batch_size.get()
        }
    };
    let count = rows.div_ceil(most);
    (0..count).map(|at| at * rows / count..(at + 1) * rows / count).collect()
}

/// The request that carries these rows, each of which is what [`objects`] made of it. `id` is the same whenever these rows
/// are asked for.
///
/// # Errors
/// A row cannot be put into a request of this format; the message says why.
pub fn encode(api: &ApiFunction, rows: &[Bytes], id: &str) -> Result<Outgoing, String> {
    let wire = &api.options.wire;
    let request = match (&wire.format, rows) {
        (Format::Record, _) => record::request(rows),
        (Format::Array { .. }, _) => array::request(rows),
        (Format::Template(template), [row]) => template::request(template, &wire.endpoint, row)?,
        (Format::Template(_), _) => {
            return Err(format!("a request of format template has one row, not {}", rows.len()));
        }
        (Format::Snowflake { custom_headers }, _) => snowflake::request(api, custom_headers, rows, id)?,
        (Format::Bigquery { session_user, user_defined_context }, _) => {
            bigquery::request(api, session_user, user_defined_context, rows, id)?
        }
        (Format::Redshift { session_user }, _) => redshift::request(api, session_user, rows, id)?,
    };
    match wire.compression {
        Some(compression) => compressed(request, compression),
        None => Ok(request),
    }
}

fn compressed(mut request: Outgoing, compression: Compression) -> Result<Outgoing, String> {
    request.body =
        compression.compress(&request.body).map_err(|error| format!("the request cannot be compressed: {error}"))?;
    request.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(compression.name()));
    Ok(request)
}

/// The request that asks again for the reply to `sent`, where `reply` is one that says that it is not done yet; `None`
/// where `reply` is the one to [`split`]. Wait [`poll_wait`] before it, and ask no longer than `poll_timeout`.
pub fn poll(api: &ApiFunction, sent: &Outgoing, reply: &Reply) -> Option<Outgoing> {
    match api.options.wire.format {
        Format::Snowflake { .. } => snowflake::poll(sent, reply),
        Format::Record
        | Format::Array { .. }
        | Format::Template(_)
        | Format::Bigquery { .. }
        | Format::Redshift { .. } => None,
    }
}

/// Takes the reply to a request of `rows` rows apart into one JSON value per row, not yet checked against a type.
///
/// # Errors
/// The reply as a whole is not what the format says, or says that the whole request failed; the message says how.
pub fn split(api: &ApiFunction, reply: &Reply, rows: usize) -> Result<Vec<Bytes>, String> {
    match &api.options.wire.format {
        Format::Record => Ok(vec![reply.body.clone()]),
        Format::Array { reply_path } => array::split(&reply.body, rows, reply_path.as_deref()),
        Format::Template(template) => template::split(&reply.body, template.reply_path.as_deref()),
        Format::Snowflake { .. } => snowflake::split(api, reply, rows),
        Format::Bigquery { .. } => bigquery::split(reply, rows),
        Format::Redshift { .. } => redshift::split(reply, rows),
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
        for (rows, expected) in [(0, &[] as &[_]), (2, &[(0, 2)]), (4, &[(0, 2), (2, 4)])] {
            let shares: Vec<_> = shares(&api, rows).into_iter().map(|share| (share.start, share.end)).collect();
            assert_eq!(shares, expected);
        }
    }
}
