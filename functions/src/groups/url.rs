//! Spark's functions of the group url.

use arrow::array::StringArray;
use percent_encoding::percent_decode_str;

use crate::checks::{In, cast_call, count, plain, scalar};
use crate::columns::{Column, each, kernels, of_text, some};
use crate::error::{Error, Result};
use crate::{Call, DataType, Function, Group, Typed};

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(name, Group::Url, usage, resolve)
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("parse_url", "parse_url(url, part[, key]) - A part of a URL, or a value of its query.", |call| {
        count(&call, &[2, 3])?;
        cast_call(call, &PARSE_URL, &[In::Text], DataType::String)
    }),
    row("url_decode", "url_decode(text) - A text without percent signs.", |call| {
        plain(call, &URL_DECODE, &[In::Text], DataType::String)
    }),
    row("url_encode", "url_encode(text) - A text as forms send it.", |call| {
        plain(call, &URL_ENCODE, &[In::Text], DataType::String)
    }),
];

kernels! {
    PARSE_URL = "spark_parse_url", |a| {
        let (url, part) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let key = if a.values.len() > 2 { Some(Column::<StringArray>::of(a, 2)?) } else { None };
        each::<StringArray, String>(a, |row| {
            let (url, part) = (some!(url.get(row)), some!(part.get(row)));
            let Some(parts) = Parts::of(url) else {
                if a.settings.ansi {
                    return Err(Error::new("INVALID_URL", format!("The url is invalid: {url}. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.")).into());
                }
                return Ok(None);
            };
            let Some(key) = &key else { return Ok(parts.get(part)) };
            let key = some!(key.get(row));
            if part != "QUERY" {
                return Ok(None);
            }
            let pairs = some!(parts.query).split('&').filter_map(|pair| pair.split_once('='));
            Ok(pairs.filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).next())
        })
    };
    URL_ENCODE = "spark_url_encode", |a| of_text::<StringArray, _>(a, |text| {
        let mut to = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => to.push(char::from(byte)),
                b' ' => to.push('+'),
                byte => to.push_str(&format!("%{byte:02X}")),
            }
        }
        Some(to)
    });
    URL_DECODE = "spark_url_decode", |a| {
        let text = Column::<StringArray>::of(a, 0)?;
        each::<StringArray, String>(a, |row| {
            let text = some!(text.get(row));
            let mut rest = text;
            while let Some((_, after)) = rest.split_once('%') {
                if !after.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                    return Err(Error::new("CANNOT_DECODE_URL", format!("The provided URL cannot be decoded: {text}. Please ensure that the URL is properly formatted and try again.")).into());
                }
                rest = after;
            }
            let spaced = text.replace('+', " ");
            Ok(Some(percent_decode_str(&spaced).decode_utf8_lossy().into_owned()))
        })
    };
}

/// As Java's URI has them: nothing is decoded.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let refused = |c: char| c.is_ascii_control() || " \"<>\\^`{|}".contains(c);
        if url.is_empty() || url.contains(refused) {
            return None;
        }
        let mut rest = url;
        while let Some((_, after)) = rest.split_once('%') {
            after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            rest = after;
        }
        let (rest, fragment) = match url.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (url, None),
        };
        let scheme_end = rest.find([':', '/', '?']).filter(|at| rest[*at..].starts_with(':'));
        let (scheme, rest) = match scheme_end {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        if let Some(scheme) = scheme {
            let first = scheme.chars().next()?;
            let known = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            if !first.is_ascii_alphabetic() || !scheme.chars().all(known) || rest.is_empty() {
                return None;
            }
            if !rest.starts_with('/') {
                return Some(Parts { scheme: Some(scheme), authority: None, path: None, query: None, fragment });
            }
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(after) => {
                let end = after.find('/').unwrap_or(after.len());
                let (authority, path) = after.split_at(end);
                (Some(authority).filter(|authority| !authority.is_empty()), path)
            }
            None => (None, rest),
        };
        Some(Parts { scheme, authority, path: Some(path), query, fragment })
    }

    fn user_info(&self) -> Option<&'a str> {
        self.server()?;
        self.authority?.rsplit_once('@').map(|(user, _)| user)
    }

    /// The host, if the authority is that of a server at all.
    fn server(&self) -> Option<&'a str> {
        let authority = self.authority?;
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host_and_port.starts_with('[') {
            let end = host_and_port.find(']')?;
            return host_and_port.get(..=end);
        }
        let (host, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
        let is_address = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
        let last_begins_with_letter =
            labels.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
        let fits = labels.iter().all(|each| label(each)) && (is_address || last_begins_with_letter);
        (fits && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
    }

    fn get(&self, part: &str) -> Option<String> {
        match part {
            "HOST" => self.server().map(str::to_owned),
            "PATH" => self.path.map(str::to_owned),
            "QUERY" => self.query.map(str::to_owned),
            "REF" => self.fragment.map(str::to_owned),
            "PROTOCOL" => self.scheme.map(str::to_owned),
            "FILE" => match (self.path, self.query) {
                (Some(path), Some(query)) => Some(format!("{path}?{query}")),
                (path, _) => path.map(str::to_owned),
            },
            "AUTHORITY" => self.authority.map(str::to_owned),
            "USERINFO" => self.user_info().map(str::to_owned),
            _ => None,
        }
    }
}
