//! Options of the request: where it goes and how rows are laid into it.

use std::num::NonZeroUsize;

use url::Url;

use super::values::{OptionRow, Values, number, row};

pub(super) const ROWS: &[OptionRow] = &[
    row("endpoint", None, "URL that requests are sent to, http or https (required)"),
    row(
        "format",
        Some("record"),
        "how rows are laid into requests: record (one JSON object) or array (an array of them)",
    ),
    row("batch_size", Some("1000"), "most rows in one request of format array"),
    row("reply_path", None, "JSON pointer to the array in a reply (default: the reply itself, or its key results)"),
];

/// Where requests go and how rows are laid into them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wire {
    /// Where requests go.
    pub endpoint: Url,
    /// How rows are laid into requests.
    pub format: Format,
    /// Most rows in one request, where a format has several.
    pub batch_size: NonZeroUsize,
    /// JSON pointer to the array in a reply.
    pub reply_path: Option<String>,
}

/// How rows are laid into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per request, one reply object per row.
    Record,
    /// A JSON array of up to `batch_size` objects per request, and one of as many values per reply.
    Array,
}

pub(super) fn read(values: &Values<'_>) -> Result<Wire, String> {
    Ok(Wire {
        endpoint: values.read("endpoint", endpoint)?,
        format: values.read("format", format)?,
        batch_size: values.read("batch_size", number)?,
        reply_path: values.read_if_given("reply_path", pointer)?,
    })
}

fn pointer(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer such as /data/results") }
}

pub(super) fn endpoint(text: &str) -> Result<Url, &'static str> {
    let expected = "an http:// or https:// URL with a host";
    let url = Url::parse(text).map_err(|_| expected)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(expected);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL without user and password: credentials do not belong in a statement");
    }
    Ok(url)
}

fn format(text: &str) -> Result<Format, &'static str> {
    match text.to_lowercase().as_str() {
        "record" => Ok(Format::Record),
        "array" => Ok(Format::Array),
        _ => Err("record or array"),
    }
}
