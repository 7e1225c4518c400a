//! Format `bigquery`: requests and replies as BigQuery has them with a remote function.
//! Source: BigQuery, "Work with remote functions", input format, output format and JSON encoding of types.

use arrow::datatypes::DataType;
use bytes::Bytes;

use super::json::{Members, elements, quoted, text};
use super::positional;
use crate::ApiFunction;
use crate::client::{Outgoing, Reply};

pub(super) fn request(
    api: &ApiFunction,
    user: &str,
    context: &str,
    rows: &[Bytes],
    id: &str,
) -> Result<Outgoing, String> {
    let mut body = format!(
        r#"{{"requestId":{},"caller":{},"sessionUser":{},"userDefinedContext":{context},"calls":"#,
        quoted(id),
        quoted(&format!("//paceline/{}", api.name)),
        quoted(user),
    );
    positional::lists(api, rows, changes, &mut argument, |_| None, &mut body)?;
    body.push('}');
    Ok(Outgoing::json(Bytes::from(body)))
}

pub(super) fn split(reply: &Reply, rows: usize) -> Result<Vec<Bytes>, String> {
    let answer = Members::of_reply(&reply.body)?;
    if let Some(message) = answer.get("errorMessage").and_then(text) {
        return Err(format!("the function failed: {message}"));
    }
    let replies = answer.get("replies").ok_or("the reply has neither 'replies' nor 'errorMessage'")?;
    let replies = elements(replies.get()).map_err(|_| "'replies' in the reply is not an array")?;
    if replies.len() != rows {
        return Err(format!("the reply has {} values for {rows} rows", replies.len()));
    }
    Ok(replies.into_iter().map(|value| reply.body.slice_ref(value.get().as_bytes())).collect())
}

/// From here on a double, which is what many readers of JSON have for all numbers, does not have every whole number.
const EXACT: u128 = 1 << 53;

fn changes(data_type: &DataType) -> bool {
    data_type.is_decimal() || matches!(data_type, DataType::Int64 | DataType::UInt64)
}

/// Whole numbers are numbers where a double has them exactly and strings beyond; decimals likewise, and strings where they
/// are not whole.
fn argument(data_type: &DataType, json: &str, out: &mut String) {
    if !changes(data_type) || json.starts_with('"') {
        return out.push_str(json);
    }
    let (whole, fraction) = json.split_once('.').unwrap_or((json, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    let is_exact = whole.trim_start_matches('-').parse::<u128>().is_ok_and(|number| number <= EXACT);
    if is_whole && is_exact {
        out.push_str(whole);
    } else {
        out.push_str(&quoted(json));
    }
}

#[cfg(test)]
mod tests;
