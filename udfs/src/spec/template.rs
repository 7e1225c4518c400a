//! Options of format `template`: a request in parts, with placeholders for the arguments.

use arrow::datatypes::Fields;
use http::{HeaderName, Method, header};
use serde_json::Value;
use url::Url;

use super::values::{OptionRow, Values, row};

pub(super) const ROWS: &[OptionRow] = &[
    row("method", None, "template: GET, POST, PUT, PATCH or DELETE (default: POST with a body, GET without)"),
    row(
        "url",
        None,
        "template: URL instead of endpoint; {argument} in its path or query becomes the value, percent-encoded. A row where \
         such a value is NULL fails, and so does one where a value in the path is empty, '.' or '..'. '{{' is a brace",
    ),
    row(
        "query",
        None,
        "template: JSON object of strings that are added to the URL's query, with {argument} for the value; one with a NULL \
         value is left out",
    ),
    row(
        "headers",
        None,
        "template: JSON object of strings that are sent as headers, with {argument} for the value; one with a NULL value is \
         left out",
    ),
    row(
        "body",
        None,
        "template: JSON that is sent; a string \"{argument}\" becomes the value as JSON, and {argument} within a longer \
         string its text (nothing for NULL). Names of members stay as they are (default: no body)",
    ),
];

/// A request with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// The HTTP method.
    pub method: Method,
    /// The URL, where it is not the function's endpoint.
    pub url: Option<Text>,
    /// What is added to the URL's query.
    pub query: Vec<(String, Text)>,
    /// Headers.
    pub headers: Vec<(HeaderName, Text)>,
    /// The parts of a JSON body.
    pub body: Option<Vec<BodyPart>>,
    /// JSON pointer to the value in a reply; without it the reply itself is the value.
    pub reply_path: Option<String>,
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(pub Vec<Part>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// It stands as it is.
    Literal(String),
    /// The value of the argument of this name.
    Argument(String),
}

/// A part of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyPart {
    /// JSON that stands as it is.
    Literal(String),
    /// The JSON value of the argument of this name.
    Value(String),
    /// A JSON string with placeholders.
    String(Text),
}

/// Reads the options of a template, and its endpoint where `url` says it.
pub(super) fn read(
    values: &Values<'_>,
    arguments: &Fields,
    reply_path: Option<String>,
) -> Result<(Template, Option<Url>), String> {
    let text = |key: &str| values.text(key).map(|text| parts(key, text, arguments)).transpose();
    let url = text("url")?;
    let endpoint = url.as_ref().map(base).transpose()?;
    let body = values.text("body").map(|text| body(text, arguments)).transpose()?;
    let method = match values.read_if_given("method", method)? {
        Some(Method::GET) if body.is_some() => {
            return Err("option 'body' is for the methods POST, PUT, PATCH and DELETE, and 'method' is GET".to_owned());
        }
        Some(method) => method,
        None if body.is_some() => Method::POST,
        None => Method::GET,
    };
    let mut headers = Vec::new();
    for (name, text) in strings(values, "headers")? {
        headers.push((header_name("headers", &name)?, parts("headers", &text, arguments)?));
    }
    let query = strings(values, "query")?.into_iter();
    let query = query.map(|(name, text)| Ok((name, parts("query", &text, arguments)?)));
    let query = query.collect::<Result<_, String>>()?;
    Ok((Template { method, url, query, headers, body, reply_path }, endpoint))
}

fn method(text: &str) -> Result<Method, &'static str> {
    match text.to_uppercase().as_str() {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        _ => Err("GET, POST, PUT, PATCH or DELETE"),
    }
}

/// The members of an option that is a JSON object of strings.
pub(super) fn strings(values: &Values<'_>, key: &str) -> Result<Vec<(String, String)>, String> {
    let Some(text) = values.text(key) else { return Ok(Vec::new()) };
    let wrong = || format!("option '{key}' is not a JSON object of strings, such as {{\"name\":\"value\"}}");
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return Err(wrong()) };
    let string = |(name, value)| if let Value::String(value) = value { Ok((name, value)) } else { Err(wrong()) };
    members.into_iter().map(string).collect()
}

/// A header that a declaration may set.
pub(super) fn header_name(key: &str, name: &str) -> Result<HeaderName, String> {
    let parsed: HeaderName =
        name.parse().map_err(|_| format!("option '{key}' has '{name}', which is not the name of an HTTP header"))?;
    let refused = |why| Err(format!("option '{key}' has the header '{parsed}': {why}"));
    match parsed {
        header::AUTHORIZATION | header::PROXY_AUTHORIZATION | header::COOKIE => {
            refused("credentials do not belong in a statement")
        }
        header::HOST
        | header::CONTENT_LENGTH
        | header::CONTENT_ENCODING
        | header::TRANSFER_ENCODING
        | header::CONNECTION => refused("it follows from the request and cannot be set"),
        _ => Ok(parsed),
    }
}

/// Takes a text with `{argument}` apart; `{{` and `}}` are braces.
fn parts(key: &str, text: &str, arguments: &Fields) -> Result<Text, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal += &rest[..at];
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            literal += brace;
            rest = after;
        } else if brace == "}" {
            literal += brace;
        } else {
            let end =
                rest.find('}').ok_or_else(|| format!("option '{key}' has a '{{' without a '}}'; '{{{{' is a brace"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Argument(argument(key, &rest[..end], arguments)?));
            rest = &rest[end + 1..];
        }
    }
    literal += rest;
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(Text(parts))
}

fn argument(key: &str, name: &str, arguments: &Fields) -> Result<String, String> {
    if let Some(field) = arguments.iter().find(|field| field.name().eq_ignore_ascii_case(name.trim())) {
        return Ok(field.name().clone());
    }
    let names: Vec<_> = arguments.iter().map(|field| field.name().as_str()).collect();
    let names = if names.is_empty() { "(none)".to_owned() } else { names.join(", ") };
    Err(format!("option '{key}' has the placeholder '{{{name}}}', and the arguments are {names}; '{{{{' is a brace"))
}

/// The scheme and host of a URL with placeholders.
fn base(url: &Text) -> Result<Url, String> {
    // The text itself is not shown: what stands before an @ may be a password.
    let wrong = |expected: &str| format!("option 'url' must be {expected}");
    let prefix = match url.0.first() {
        Some(Part::Literal(prefix)) => prefix.as_str(),
        _ => "",
    };
    let has_host = prefix.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']) || url.0.len() == 1);
    if !has_host {
        return Err(wrong("an http:// or https:// URL with placeholders in its path or query only"));
    }
    let sample: String =
        url.0.iter().map(|part| if let Part::Literal(text) = part { text.as_str() } else { "x" }).collect();
    if sample.contains('#') {
        return Err(wrong("a URL without a '#': what follows it is never sent"));
    }
    super::wire::http_url(&sample).and_then(|url| url.join("/").map_err(|_| "a URL with a path")).map_err(wrong)
}

/// Takes a JSON body apart at its strings with placeholders; everything else keeps its text.
fn body(json: &str, arguments: &Fields) -> Result<Vec<BodyPart>, String> {
    serde_json::from_str::<&serde_json::value::RawValue>(json)
        .map_err(|error| format!("option 'body' is not JSON: {error}"))?;
    let mut body = Vec::new();
    let mut literal = String::new();
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let end = start + 2 + end_of_string(&rest[start + 1..]);
        let (string, after) = (&rest[start..end], &rest[end..]);
        literal += &rest[..start];
        rest = after;
        let is_name = after.trim_start().starts_with(':');
        let text: String =
            serde_json::from_str(string).map_err(|error| format!("option 'body' is not JSON: {error}"))?;
        if is_name || !text.contains(['{', '}']) {
            literal += string;
            continue;
        }
        body.push(BodyPart::Literal(std::mem::take(&mut literal)));
        let text = parts("body", &text, arguments)?;
        body.push(match text.0.as_slice() {
            [Part::Argument(name)] => BodyPart::Value(name.clone()),
            _ => BodyPart::String(text),
        });
    }
    body.push(BodyPart::Literal(literal + rest));
    Ok(body)
}

/// Where the quote stands that ends a JSON string, of which the first quote is taken.
fn end_of_string(json: &str) -> usize {
    let mut escaped = false;
    let is_end = |byte: &u8| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    };
    json.as_bytes().iter().position(is_end).unwrap_or(json.len())
}

#[cfg(test)]
mod tests;
