//! Format `snowflake`: requests and replies as Snowflake has them with an external function.
//! Source: Snowflake, "Remote service input and output data formats" and "asynchronous remote services".

use std::time::Duration;

use arrow::datatypes::DataType;
use base64::Engine;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method};
use md5::{Digest, Md5};
use serde_json::value::RawValue;

use super::json::{Members, elements, quoted, text};
use super::positional;
use super::rewrite::{has, rewrite};
use super::types::{BASE64, is_binary};
use crate::ApiFunction;
use crate::client::{Outgoing, Reply};

/// The status that says: not done yet, ask again.
const ACCEPTED: u16 = 202;

pub(super) fn request(
    api: &ApiFunction,
    custom_headers: &[(HeaderName, HeaderValue)],
    rows: &[Bytes],
    id: &str,
) -> Result<Outgoing, String> {
    let mut body = r#"{"data":"#.to_owned();
    positional::lists(api, rows, is_binary, &mut hex_of_base64, |number| Some(number.to_string()), &mut body)?;
    body.push('}');
    let mut request = Outgoing::json(Bytes::from(body));

    let arguments = api.arguments.iter();
    let arguments: Vec<_> =
        arguments.map(|field| format!("{} {}", field.name(), type_name(field.data_type()))).collect();
    let signature = format!("({})", arguments.join(", ")).to_uppercase();
    let id = HeaderValue::from_str(id).map_err(|_| format!("the batch id '{id}' cannot stand in a header"))?;
    let mut set = |name: &str, value: HeaderValue| -> Result<(), String> {
        let name = format!("sf-external-function-{name}");
        let name: HeaderName = name.parse().map_err(|_| format!("'{name}' is not the name of a header"))?;
        request.headers.insert(name, value);
        Ok(())
    };
    set("format", HeaderValue::from_static("json"))?;
    set("format-version", HeaderValue::from_static("1.0"))?;
    set("current-query-id", id.clone())?;
    set("query-batch-id", id)?;
    let named = [("name", api.name.to_uppercase()), ("signature", signature), ("return-type", type_name(&api.returns))];
    for (name, value) in named {
        let wrong = |_| format!("'{value}' cannot stand in a header");
        // A header is ASCII; the twin in base64 has the whole name.
        let ascii = value.replace(|letter: char| !matches!(letter, ' '..='~'), "?");
        set(name, HeaderValue::from_str(&ascii).map_err(wrong)?)?;
        set(&format!("{name}-base64"), HeaderValue::from_str(&BASE64.encode(&value)).map_err(wrong)?)?;
    }
    request.headers.extend(custom_headers.iter().cloned());
    Ok(request)
}

/// The request that asks again for the reply to `sent`, where `reply` says that it is not done.
pub(super) fn poll(sent: &Outgoing, reply: &Reply) -> Option<Outgoing> {
    if reply.status != ACCEPTED {
        return None;
    }
    let mut headers = sent.headers.clone();
    // They speak of a body, and there is none.
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    Some(Outgoing { method: Method::GET, url: sent.url.clone(), headers, body: Bytes::new() })
}

/// How long to wait before poll number `polls`, counted from 0: half a second, half as much again each time, at most 10
/// seconds.
pub fn poll_wait(polls: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(10);
    FIRST.mul_f64(1.5_f64.powi(polls.min(20).cast_signed())).min(LONGEST)
}

pub(super) fn split(api: &ApiFunction, reply: &Reply, rows: usize) -> Result<Vec<Bytes>, String> {
    if reply.status == ACCEPTED {
        return Err("the function still works on the request (status 202) when poll_timeout has passed".to_owned());
    }
    check_md5(reply)?;
    let answer = Members::of_reply(&reply.body)?;
    let data = answer.get("data").ok_or("the reply has no 'data'")?;
    let data = elements(data.get()).map_err(|_| "'data' in the reply is not an array")?;
    if data.len() != rows {
        return Err(format!("the reply has {} values for {rows} rows", data.len()));
    }
    let has_bytes = has(&api.returns, is_binary);
    let value = |(row, pair): (usize, &RawValue)| {
        let columns = elements(pair.get()).unwrap_or_default();
        let [number, value] = columns.as_slice() else {
            return Err(format!("row {row} of the reply is not an array of a row number and a value"));
        };
        if text(number).and_then(|number| number.parse().ok()) != Some(row) {
            return Err(format!("row {row} of the reply has the row number {}", number.get()));
        }
        if !has_bytes {
            return Ok(reply.body.slice_ref(value.get().as_bytes()));
        }
        let mut ours = String::with_capacity(value.get().len());
        rewrite(&api.returns, value.get(), &mut base64_of_hex, &mut ours);
        Ok(Bytes::from(ours))
    };
    data.into_iter().enumerate().map(value).collect()
}

fn check_md5(reply: &Reply) -> Result<(), String> {
    let Some(said) = reply.header("content-md5") else { return Ok(()) };
    // It is the digest of the bytes as they came. Those of a compressed reply are gone, and were checked by a sum of their own.
    if reply.headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let found = BASE64.encode(Md5::digest(&reply.body));
    if said.trim() == found {
        return Ok(());
    }
    Err(format!("the reply was damaged on its way: its Content-MD5 is {said}, and its body's is {found}"))
}

/// Snowflake writes bytes as hexadecimal digits.
fn hex_of_base64(data_type: &DataType, json: &str, out: &mut String) {
    let bytes = if is_binary(data_type) { BASE64.decode(json.trim_matches('"')).ok() } else { None };
    let Some(bytes) = bytes else { return out.push_str(json) };
    out.push('"');
    bytes.iter().for_each(|byte| *out += &format!("{byte:02X}"));
    out.push('"');
}

fn base64_of_hex(data_type: &DataType, json: &str, out: &mut String) {
    if !is_binary(data_type) || !json.starts_with('"') {
        return out.push_str(json);
    }
    let digits = json.trim_matches('"');
    match from_hex(digits) {
        Some(bytes) => *out += &quoted(&BASE64.encode(bytes)),
        // No base64 has a space, so this row's value is refused, with these words.
        None => *out += &quoted(&format!("{digits} is not hexadecimal")),
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(high)? << 4 | nibble(low)?)).collect()
}

/// The Snowflake name of a type.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Float32 | DataType::Float64 => "FLOAT".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP_LTZ".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP_NTZ".to_owned(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "ARRAY".to_owned(),
        DataType::Struct(_) | DataType::Map(..) => "OBJECT".to_owned(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("NUMBER({precision},{scale})"),
        _ if data_type.is_integer() => "NUMBER".to_owned(),
        _ if is_binary(data_type) => "BINARY".to_owned(),
        _ => "VARCHAR".to_owned(),
    }
}

#[cfg(test)]
mod tests;
