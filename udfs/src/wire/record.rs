//! Format `record`: one JSON object per request, keyed by argument name; the reply's JSON value is the row's value.

use bytes::Bytes;

use crate::client::Outgoing;

pub(super) fn request(rows: &[Bytes]) -> Outgoing {
    Outgoing::json(rows.first().cloned().unwrap_or_default())
}
