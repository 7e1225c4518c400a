//! Format `template`: one row per request, laid out as the declaration says, for any HTTP API.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;
use url::Url;

use super::json::{Members, at_pointer, quoted, text};
use crate::client::Outgoing;
use crate::spec::{BodyPart, Part, Template, Text};

pub(super) fn request(template: &Template, endpoint: &Url, row: &[u8]) -> Result<Outgoing, String> {
    let row = std::str::from_utf8(row).map_err(|error| format!("the row is not text: {error}"))?;
    let row = Members::of(row).map_err(|error| format!("the row is not a JSON object: {error}"))?;
    let mut url = template.url.as_ref().map(|url| url_of(url, &row)).transpose()?;
    for (name, value) in &template.query {
        if let Some(value) = text_of(value, &row)? {
            url.get_or_insert_with(|| endpoint.clone()).query_pairs_mut().append_pair(name, &value);
        }
    }
    let mut headers = HeaderMap::new();
    if template.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &template.headers {
        if let Some(value) = text_of(value, &row)? {
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
                format!("the value of header '{name}' has a line end or another character that no header may have")
            })?;
            headers.insert(name, value);
        }
    }
    let body = template.body.as_ref().map(|body| body_of(body, &row)).transpose()?.unwrap_or_default();
    Ok(Outgoing { method: template.method.clone(), url, headers, body: Bytes::from(body) })
}

pub(super) fn split(reply: &Bytes, reply_path: Option<&str>) -> Result<Vec<Bytes>, String> {
    // A 204 has no body, and a DELETE often answers with one.
    if reply.is_empty() {
        return Ok(vec![Bytes::from_static(b"null")]);
    }
    let Some(path) = reply_path else { return Ok(vec![reply.clone()]) };
    let whole: &RawValue = serde_json::from_slice(reply).map_err(|error| format!("the reply is not JSON: {error}"))?;
    let value = at_pointer(whole, path).ok_or_else(|| format!("the reply has nothing at '{path}'"))?;
    Ok(vec![reply.slice_ref(value.get().as_bytes())])
}

fn value<'a>(name: &str, row: &Members<'a>) -> Result<&'a RawValue, String> {
    row.get(name).ok_or_else(|| format!("the row has no argument '{name}'"))
}

/// `None` where a value is NULL.
fn text_of(template: &Text, row: &Members<'_>) -> Result<Option<String>, String> {
    let mut whole = String::new();
    for part in &template.0 {
        match part {
            Part::Literal(literal) => whole += literal,
            Part::Argument(name) => match text(value(name, row)?) {
                Some(text) => whole += &text,
                None => return Ok(None),
            },
        }
    }
    Ok(Some(whole))
}

fn url_of(template: &Text, row: &Members<'_>) -> Result<Url, String> {
    let (mut whole, mut sample) = (String::new(), String::new());
    for part in &template.0 {
        match part {
            Part::Literal(literal) => {
                whole += literal;
                sample += literal;
            }
            Part::Argument(name) => {
                let text = text(value(name, row)?)
                    .ok_or_else(|| format!("argument '{name}' is NULL, which cannot stand in a URL"))?;
                percent_encode(&text, &mut whole);
                sample.push('x');
            }
        }
    }
    let parse = |text: &str| Url::parse(text).map_err(|error| format!("the URL of this row is not one: {error}"));
    let (url, sample) = (parse(&whole)?, parse(&sample)?);
    // A segment '..' takes the one before it away, and an empty one asks for the whole collection: with another shape the
    // URL is another resource's.
    let shape = |url: &Url| -> Vec<bool> {
        url.path_segments().map(|segments| segments.map(str::is_empty).collect()).unwrap_or_default()
    };
    if shape(&url) != shape(&sample) {
        return Err(
            "an argument in the path of the URL is empty, '.' or '..', which would make it another URL".to_owned()
        );
    }
    Ok(url)
}

/// Everything that RFC 3986 (2.3) does not call unreserved is encoded, so that a value never ends its segment.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => *out += &format!("%{byte:02X}"),
        }
    }
}

fn body_of(template: &[BodyPart], row: &Members<'_>) -> Result<String, String> {
    let mut body = String::new();
    for part in template {
        match part {
            BodyPart::Literal(json) => body += json,
            BodyPart::Value(name) => body += value(name, row)?.get(),
            BodyPart::String(template) => {
                let mut whole = String::new();
                for part in &template.0 {
                    match part {
                        Part::Literal(literal) => whole += literal,
                        Part::Argument(name) => whole += &text(value(name, row)?).unwrap_or_default(),
                    }
                }
                body += &quoted(&whole);
            }
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
