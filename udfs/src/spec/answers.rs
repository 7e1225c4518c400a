//! Options of answers: how long one holds for the same question, and how the API recognises a question asked again.

use std::time::Duration;

use http::HeaderName;

use super::values::{OptionRow, Values, count, duration, row};

pub(super) const ROWS: &[OptionRow] = &[
    row(
        "cache_size",
        Some("100000"),
        "DETERMINISTIC: recent answers that are kept for rows with the same arguments, 0 for none",
    ),
    row("cache_ttl", Some("1 hour"), "DETERMINISTIC: how long an answer is kept for them"),
    row(
        "idempotency_header",
        Some("Idempotency-Key"),
        "header with a key that is equal on every attempt of a request, and after a resume where it carries one row; 'none' for no header",
    ),
];

/// Options that have no meaning where every row is asked for.
pub(super) const DETERMINISTIC_ONLY: &[&str] = &["cache_size", "cache_ttl"];

/// How long an answer holds, and how the API recognises a question asked again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answers {
    /// Recent answers that are kept, where the function is deterministic.
    pub cache_size: usize,
    /// How long they are kept.
    pub cache_ttl: Duration,
    /// The header with the idempotency key.
    pub idempotency_header: Option<HeaderName>,
}

pub(super) fn read(deterministic: bool, values: &Values<'_>) -> Result<Answers, String> {
    if let Some(key) = DETERMINISTIC_ONLY.iter().find(|key| !deterministic && values.is_given(key)) {
        return Err(format!(
            "option '{key}' is for functions that are declared DETERMINISTIC: only there may an answer serve two rows"
        ));
    }
    Ok(Answers {
        cache_size: usize::try_from(values.read("cache_size", count)?).unwrap_or(usize::MAX),
        cache_ttl: values.read("cache_ttl", duration)?,
        idempotency_header: values.read("idempotency_header", header)?,
    })
}

fn header(text: &str) -> Result<Option<HeaderName>, &'static str> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "the name of an HTTP header, or none")
}
