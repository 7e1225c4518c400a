//! Format `record`: one JSON object per request, keyed by argument name; the reply's JSON value is the row's value.

use bytes::Bytes;

use super::Request;

pub(super) fn requests(rows: &[Bytes]) -> Vec<Request> {
    rows.iter().enumerate().map(|(row, object)| Request { rows: row..row + 1, body: object.clone() }).collect()
}
