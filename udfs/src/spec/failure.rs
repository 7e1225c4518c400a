//! Options of failure: how long is waited, how often tried again, when left alone, and what becomes of the row.

use std::time::Duration;

use std::num::NonZeroUsize;

use super::values::{OptionRow, Values, count, duration, number, percent, percent_above_zero, row};
use crate::breaker::{self, Opens};
use crate::retry::Policy;

pub(super) const ROWS: &[OptionRow] = &[
    row("timeout", Some("30 seconds"), "longest time one attempt may take, from connecting to the last byte"),
    row("retry_max_attempts", Some("4"), "how often a request is sent at most, the first time included"),
    row("retry_delay", Some("1 second"), "upper bound of the first random wait before a retry; it doubles each time"),
    row("retry_max_delay", Some("30 seconds"), "largest upper bound of the wait before a retry"),
    row("max_retry_after", Some("15 minutes"), "a Retry-After that is longer ends the job"),
    row("breaker", Some("share"), "what stops calls to a failing API: share, consecutive or off"),
    row("breaker_failed_percent", Some("50"), "share: percent of the recent attempts that failed (429 never counts)"),
    row("breaker_window", Some("10 seconds"), "share: how far back attempts are recent"),
    row("breaker_min_attempts", Some("100"), "share: fewer attempts say nothing"),
    row("breaker_failures", Some("5"), "consecutive: failed attempts one after the other"),
    row("breaker_open_for", Some("60 seconds"), "how long calls stop before one is tried"),
    row("breaker_when_open", Some("wait"), "what calls do meanwhile: wait or give_up"),
    row(
        "max_split_requests",
        Some("200"),
        "a request of several rows that fails as a whole is halved until the bad row stands alone, by at most so many \
         further requests; then its rows are given up together",
    ),
    row("max_failed_percent", Some("10"), "the job ends when more of its rows are given up, after 1000 rows"),
    row("max_failed_records", None, "the job ends when more rows are given up (default: no such bound)"),
    row("max_reply_bytes", Some("1048576"), "largest reply that is read, in bytes"),
    row("on_error", Some("dead_letter"), "a row whose attempts all failed: dead_letter, null or fail"),
];

/// What happens when a request fails.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OnFailure {
    /// Longest time one attempt may take.
    pub timeout: Duration,
    /// When and how often a failed request is sent again.
    pub retry: Policy,
    /// When a failing API is left alone.
    pub breaker: breaker::Policy,
    /// What a call does meanwhile.
    pub when_open: WhenOpen,
    /// How many further requests may be made of one that failed as a whole.
    pub max_split_requests: u64,
    /// How many rows may be given up before the job ends.
    pub budget: Budget,
    /// Largest reply that is read.
    pub max_reply_bytes: usize,
    /// What becomes of a row whose calls all failed.
    pub on_error: OnError,
}

/// What a call does while the breaker is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhenOpen {
    /// It waits.
    Wait,
    /// Its row is given up.
    GiveUp,
}

/// How many rows may be given up before the job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Percent of the rows, once there are enough to tell.
    pub percent: u8,
    /// Rows.
    pub records: Option<u64>,
}

/// What becomes of a row that is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnError {
    /// The row leaves the output and goes to the dead letters with its reason.
    DeadLetter,
    /// The row stays, with NULL for the answer.
    Null,
    /// The query fails.
    Fail,
}

pub(super) fn read(values: &Values<'_>) -> Result<OnFailure, String> {
    Ok(OnFailure {
        timeout: values.read("timeout", duration)?,
        retry: Policy {
            max_attempts: values.read("retry_max_attempts", number)?,
            delay: values.read("retry_delay", duration)?,
            max_delay: values.read("retry_max_delay", duration)?,
            max_retry_after: values.read("max_retry_after", duration)?,
        },
        breaker: breaker::Policy { opens: opens(values)?, open_for: values.read("breaker_open_for", duration)? },
        when_open: values.read("breaker_when_open", when_open)?,
        max_split_requests: values.read("max_split_requests", count)?,
        budget: Budget {
            percent: values.read("max_failed_percent", percent)?,
            records: values.read_if_given("max_failed_records", count)?,
        },
        max_reply_bytes: values.read::<NonZeroUsize>("max_reply_bytes", number)?.get(),
        on_error: values.read("on_error", on_error)?,
    })
}

fn opens(values: &Values<'_>) -> Result<Opens, String> {
    let share = Opens::OnShare {
        percent: values.read("breaker_failed_percent", percent_above_zero)?,
        window: values.read("breaker_window", duration)?,
        attempts: values.read("breaker_min_attempts", number)?,
    };
    let run = Opens::OnRun { failures: values.read("breaker_failures", number)? };
    match values.read("breaker", |text| Ok(text.to_lowercase()))?.as_str() {
        "share" => Ok(share),
        "consecutive" => Ok(run),
        "off" => Ok(Opens::Never),
        other => Err(format!("option 'breaker' is '{other}', expected share, consecutive or off")),
    }
}

fn when_open(text: &str) -> Result<WhenOpen, &'static str> {
    match text.to_lowercase().as_str() {
        "wait" => Ok(WhenOpen::Wait),
        "give_up" => Ok(WhenOpen::GiveUp),
        _ => Err("wait or give_up"),
    }
}

fn on_error(text: &str) -> Result<OnError, &'static str> {
    match text.to_lowercase().as_str() {
        "dead_letter" => Ok(OnError::DeadLetter),
        "null" => Ok(OnError::Null),
        "fail" => Ok(OnError::Fail),
        _ => Err("dead_letter, null or fail"),
    }
}
