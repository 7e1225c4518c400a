//! Rows given up, with the reason, as lines of JSON.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::key::Key;
use crate::retry::Failure;

/// What kind of failure; dead letters, counters and reports use these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection, or it broke.
    Connection,
    /// No full reply in time.
    Timeout,
    /// A status of 400 to 499, except 429.
    Http4xx,
    /// A status of 500 to 599.
    Http5xx,
    /// Status 429.
    RateLimited,
    /// Not sent: the breaker was open.
    BreakerOpen,
    /// A reply that is not what the function declares.
    BadReply,
    /// A reply over `max_reply_bytes`.
    TooLarge,
    /// Not sent: the row could not be put into a request.
    Serialization,
}

impl FailureKind {
    /// Every kind, in the order in which reports list them.
    pub const ALL: [FailureKind; 9] = [
        FailureKind::Connection,
        FailureKind::Timeout,
        FailureKind::Http4xx,
        FailureKind::Http5xx,
        FailureKind::RateLimited,
        FailureKind::BreakerOpen,
        FailureKind::BadReply,
        FailureKind::TooLarge,
        FailureKind::Serialization,
    ];

    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Connection => "connection",
            FailureKind::Timeout => "timeout",
            FailureKind::Http4xx => "http_4xx",
            FailureKind::Http5xx => "http_5xx",
            FailureKind::RateLimited => "rate_limited",
            FailureKind::BreakerOpen => "breaker_open",
            FailureKind::BadReply => "bad_reply",
            FailureKind::TooLarge => "too_large",
            FailureKind::Serialization => "serialization",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A call that was given up: the last failure and what led to it.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// The last failure.
    pub failure: Failure,
    /// How often the request was sent.
    pub attempts: u32,
    /// When it was given up.
    pub at: SystemTime,
}

/// Whose row it was.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The function that was called.
    pub function: &'a str,
    /// The call's name in the plan.
    pub site: &'a str,
    /// What identifies the row's call.
    pub key: Option<Key>,
}

/// How much of the reply's end a dead letter keeps.
const BODY_BYTES: usize = 1024;

impl GivenUp {
    /// One line of the dead-letter file: `function`, `call` (its name in the plan), `key` (what identifies the row's call; its
    /// idempotency key where it was sent alone), `row` (the input row), `error_kind`, `error`, `status`, `attempts`, `body`
    /// (its last 1,024 bytes) and `time` (RFC 3339).
    pub fn to_json(&self, call: &Call<'_>, row: &RawValue) -> String {
        let body = &self.failure.body;
        let letter = Letter {
            function: call.function,
            call: call.site,
            key: call.key.map(|key| key.to_string()),
            row,
            error_kind: self.failure.kind.name(),
            error: &self.failure.message,
            status: self.failure.status,
            attempts: self.attempts,
            body: String::from_utf8_lossy(&body[body.len().saturating_sub(BODY_BYTES)..]),
            time: humantime::format_rfc3339_millis(self.at).to_string(),
        };
        serde_json::to_string(&letter).unwrap_or_default() // text and numbers only, which cannot fail
    }
}

#[derive(Serialize)]
struct Letter<'a> {
    function: &'a str,
    call: &'a str,
    key: Option<String>,
    /// As it was written, so that no digit is lost.
    row: &'a RawValue,
    error_kind: &'a str,
    error: &'a str,
    status: Option<u16>,
    attempts: u32,
    body: Cow<'a, str>,
    time: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_says_what_happened_to_which_row() {
        let given_up = GivenUp {
            failure: Failure {
                kind: FailureKind::Http4xx,
                message: "refused".into(),
                status: Some(422),
                body: format!("{}end", "x".repeat(2000)).into(),
            },
            attempts: 1,
            at: SystemTime::UNIX_EPOCH,
        };
        let line = {
            let row = RawValue::from_string(r#"{"id":12345678901234567890.10}"#.to_owned()).unwrap();
            given_up.to_json(&Call { function: "enrich", site: "__api_0_enrich", key: None }, &row)
        };
        assert!(line.contains(r#""row":{"id":12345678901234567890.10}"#), "{line}");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["error_kind"], "http_4xx");
        assert_eq!(line["status"], 422);
        assert_eq!(line["time"], "1970-01-01T00:00:00.000Z");
        let body = line["body"].as_str().unwrap();
        assert_eq!((body.len(), body.ends_with("xend")), (1024, true));
    }
}
