//! Options of the request: where it goes and how rows are laid into it.

use std::num::NonZeroUsize;
use std::time::Duration;

use arrow::datatypes::Fields;
use http::{HeaderName, HeaderValue};
use url::Url;

use super::template::{self, Template};
use super::values::{OptionRow, Values, duration, number, row};
use crate::compression::Compression;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        "endpoint",
        None,
        "URL that requests are sent to, http or https (required, except by format template where url is given)",
    ),
    row(
        "format",
        Some("record"),
        "how rows are laid into requests: record (one JSON object), array (an array of them), template (what method, url, \
         query, headers and body say), or as for another system: snowflake (an external function), bigquery (a remote \
         function), redshift (a Lambda UDF)",
    ),
    row(
        "batch_size",
        Some("1000"),
        "array, snowflake, bigquery, redshift: most rows in one request; others have one row",
    ),
    row(
        "reply_path",
        None,
        "array: JSON pointer to the array in a reply (default: the reply itself, or its key results); template: JSON \
         pointer to the value in a reply, which must be there (default: the reply itself)",
    ),
    row("compression", Some("none"), "how the body of a request is compressed: none, gzip or deflate"),
    row("custom_headers", None, "snowflake: JSON object of strings, each sent as a header sf-custom-<name>"),
    row(
        "poll_timeout",
        Some("600 seconds"),
        "snowflake: longest time that a reply with status 202 is asked for again, from the first such reply",
    ),
    row(
        "session_user",
        Some("paceline"),
        "bigquery, redshift: the user that the function is told, as sessionUser or user",
    ),
    row(
        "user_defined_context",
        None,
        "bigquery: JSON object of strings that the function is told as userDefinedContext (default: an empty one)",
    ),
];

/// The formats that an option is for, where it is not for all.
const FOR: &[(&str, &[&str])] = &[
    ("reply_path", &["array", "template"]),
    ("method", &["template"]),
    ("url", &["template"]),
    ("query", &["template"]),
    ("headers", &["template"]),
    ("body", &["template"]),
    ("custom_headers", &["snowflake"]),
    ("poll_timeout", &["snowflake"]),
    ("session_user", &["bigquery", "redshift"]),
    ("user_defined_context", &["bigquery"]),
];

/// Where requests go and how rows are laid into them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wire {
    /// Where requests go; where a template has a URL, that URL's scheme and host.
    pub endpoint: Url,
    /// How rows are laid into requests.
    pub format: Format,
    /// Most rows in one request, where a format has several.
    pub batch_size: NonZeroUsize,
    /// How the bodies of requests are compressed.
    pub compression: Option<Compression>,
    /// Longest time that a request is polled for, where a format has that.
    pub poll_timeout: Duration,
}

/// How rows are laid into requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per request, one reply object per row.
    Record,
    /// A JSON array of up to `batch_size` objects per request, and one of as many values per reply.
    Array {
        /// JSON pointer to the array in a reply.
        reply_path: Option<String>,
    },
    /// One row per request, laid out as the declaration says.
    Template(Template),
    /// As Snowflake calls an external function.
    Snowflake {
        /// Headers beside Snowflake's own, with their `sf-custom-`.
        custom_headers: Vec<(HeaderName, HeaderValue)>,
    },
    /// As BigQuery calls a remote function.
    Bigquery {
        /// What the function is told as `sessionUser`.
        session_user: String,
        /// A JSON object, what the function is told as `userDefinedContext`.
        user_defined_context: String,
    },
    /// As Redshift calls a Lambda UDF.
    Redshift {
        /// What the function is told as `user`.
        session_user: String,
    },
}

pub(super) fn read(values: &Values<'_>, arguments: &Fields) -> Result<Wire, String> {
    let name = values.read("format", format)?;
    let misplaced = |(key, formats): &&(&str, &[&str])| values.is_given(key) && !formats.contains(&name);
    if let Some((key, formats)) = FOR.iter().find(misplaced) {
        let (plural, formats) = (if formats.len() > 1 { "s" } else { "" }, formats.join(" and "));
        return Err(format!("option '{key}' is for the format{plural} {formats}, and this function has format {name}"));
    }
    let reply_path = values.read_if_given("reply_path", pointer)?;
    let session_user = values.text("session_user").unwrap_or_default().to_owned();
    let mut endpoint_of_url = None;
    let format = match name {
        "array" => Format::Array { reply_path },
        "template" => {
            let (template, endpoint) = template::read(values, arguments, reply_path)?;
            endpoint_of_url = endpoint;
            Format::Template(template)
        }
        "snowflake" => Format::Snowflake { custom_headers: custom_headers(values)? },
        "bigquery" => {
            let context = template::strings(values, "user_defined_context")?;
            let context: serde_json::Map<_, _> = context.into_iter().map(|(key, text)| (key, text.into())).collect();
            Format::Bigquery { session_user, user_defined_context: serde_json::Value::from(context).to_string() }
        }
        "redshift" => Format::Redshift { session_user },
        _ => Format::Record,
    };
    let compression = values.read("compression", compression)?;
    if let (Some(_), Format::Template(Template { body: None, .. })) = (compression, &format) {
        return Err("option 'compression' is for requests with a body, and option 'body' is not given".to_owned());
    }
    let endpoint = match endpoint_of_url {
        Some(_) if values.is_given("endpoint") => {
            return Err("options 'endpoint' and 'url' both say where requests go: give one of them".to_owned());
        }
        Some(endpoint) => endpoint,
        None if name == "template" && values.text("endpoint").is_some_and(|text| text.contains('{')) => {
            return Err("option 'endpoint' has no placeholders: give the URL as option 'url' instead".to_owned());
        }
        None => values.read("endpoint", http_url)?,
    };
    Ok(Wire {
        endpoint,
        format,
        batch_size: values.read("batch_size", number)?,
        compression,
        poll_timeout: values.read("poll_timeout", duration)?,
    })
}

fn custom_headers(values: &Values<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let header = |(name, text): (String, String)| {
        let header = template::header_name("custom_headers", &format!("sf-custom-{name}"))?;
        let value = HeaderValue::from_str(&text)
            .map_err(|_| format!("option 'custom_headers' has a value of '{name}' that cannot stand in a header"))?;
        Ok((header, value))
    };
    template::strings(values, "custom_headers")?.into_iter().map(header).collect()
}

fn pointer(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer such as /data/results") }
}

pub(super) fn http_url(text: &str) -> Result<Url, &'static str> {
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

fn format(text: &str) -> Result<&'static str, &'static str> {
    ["record", "array", "template", "snowflake", "bigquery", "redshift"]
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(text))
        .ok_or("record, array, template, snowflake, bigquery or redshift")
}

fn compression(text: &str) -> Result<Option<Compression>, &'static str> {
    match text.to_lowercase().as_str() {
        "none" => Ok(None),
        "gzip" => Ok(Some(Compression::Gzip)),
        "deflate" => Ok(Some(Compression::Deflate)),
        _ => Err("none, gzip or deflate"),
    }
}
