//! Options of the pace: how often the API may be called, and how many calls at once.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use super::values::{OptionRow, Values, duration, flag, number, row};
use crate::limiter::{Limit, Limits, Rate};

pub(super) const ROWS: &[OptionRow] = &[
    row(
        "rate_limit_calls",
        None,
        "calls allowed per rate_limit_period; 'unlimited'; or 'adaptive' for an API that states no limit: the rate grows \
         while answers are good and falls on a 429 or 503 (required, unless rate_limits is given)",
    ),
    row(
        "rate_limit_period",
        Some("1 second"),
        "length of the window that rate_limit_calls and adaptive_limit count in",
    ),
    row(
        "rate_limits",
        None,
        "in place of rate_limit_calls: several limits that hold together, as '100 per second, 3000 per minute, 5 per 10 \
         hours' (units second, minute, hour, day). Calls are spaced evenly by the limit of the shortest period; the \
         others are budgets that no sliding window of their period exceeds",
    ),
    row("adaptive_floor", Some("1"), "adaptive: calls per rate_limit_period that it begins with and never falls below"),
    row(
        "adaptive_limit",
        None,
        "adaptive: calls that no window of rate_limit_period ever exceeds (required with rate_limit_calls 'adaptive')",
    ),
    row(
        "rate_limit_headers",
        Some("false"),
        "true: a reply's RateLimit or X-RateLimit headers pause the quota until the reset they name, when no calls remain, \
         or fewer than are in flight; longer than max_retry_after ends the job. They never raise the rate",
    ),
    row(
        "quota",
        None,
        "name of the limits; functions that name the same quota share them (default: the function's name). What was sent \
         under several limits, or one over a minute or more, is remembered after the job",
    ),
    row("max_in_flight", None, "most requests in flight at once (default: limit × p99 latency × 1.5, at most 10000)"),
    row(
        "max_in_flight_per_host",
        None,
        "most requests in flight at once to the host and port of the endpoint, by all functions of the process that call \
         it; the smallest number that one of them gives holds for all (default: no bound)",
    ),
    row("preserve_order", Some("true"), "false: rows do not wait for slower ones before them in their partition"),
];

/// How often the API may be called, and how many calls at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// The limits.
    pub limits: Limits,
    /// Functions with the same quota name share their limits.
    pub quota: String,
    /// Whether what replies say of calls that remain pauses the quota.
    pub rate_limit_headers: bool,
    /// Most requests in flight at once in one process; without it the number follows limit and latency.
    pub max_in_flight: Option<NonZeroUsize>,
    /// Most requests in flight at once to the endpoint's host, of all functions in one process.
    pub max_in_flight_per_host: Option<NonZeroUsize>,
    /// Whether answers come out in the order of the rows.
    pub preserve_order: bool,
}

pub(super) fn read(function: &str, values: &Values<'_>) -> Result<Pace, String> {
    Ok(Pace {
        limits: limits(values)?,
        quota: values.text("quota").unwrap_or(function).to_owned(),
        rate_limit_headers: values.read("rate_limit_headers", flag)?,
        max_in_flight: values.read_if_given("max_in_flight", number)?,
        max_in_flight_per_host: values.read_if_given("max_in_flight_per_host", number)?,
        preserve_order: values.read("preserve_order", flag)?,
    })
}

fn limits(values: &Values<'_>) -> Result<Limits, String> {
    let calls = values.text("rate_limit_calls");
    let says = |word: &str| calls.is_some_and(|text| text.eq_ignore_ascii_case(word));
    let adaptive = ["adaptive_floor", "adaptive_limit"].into_iter().find(|key| values.is_given(key));
    if let Some(key) = adaptive.filter(|_| !says("adaptive")) {
        return Err(format!("option '{key}' is of use only with rate_limit_calls 'adaptive'"));
    }
    if let Some(text) = values.text("rate_limits") {
        let other = ["rate_limit_calls", "rate_limit_period"].into_iter().find(|key| values.is_given(key));
        return match other {
            Some(other) => Err(format!(
                "options 'rate_limits' and '{other}' are both given: write every limit into rate_limits, or give one by \
                 rate_limit_calls and rate_limit_period"
            )),
            None => several(text).map_err(|reason| format!("option 'rate_limits' is '{text}': {reason}")),
        };
    }
    if says("unlimited") {
        return Ok(Limits::UNLIMITED);
    }
    let period = values.read("rate_limit_period", duration)?;
    if says("adaptive") {
        let ceiling = Limit { calls: values.read("adaptive_limit", number)?, period };
        let floor = values.read("adaptive_floor", number)?;
        return Limits::adaptive(floor, ceiling).map_err(|error| format!("option 'adaptive_floor': {error}"));
    }
    let calls: NonZeroU32 = values.read("rate_limit_calls", |text| {
        number(text).map_err(
            |_| "a whole number above zero, 'unlimited' to call without a limit, or 'adaptive' to find the API's",
        )
    })?;
    Ok(Rate::Limited { calls, period }.into())
}

/// Limits such as `100 per second, 3000 per 2 minutes`.
fn several(text: &str) -> Result<Limits, String> {
    let limits: Option<Vec<_>> = text.split(',').map(limit).collect();
    let limits = limits.ok_or("expected limits such as '100 per second, 3000 per minute, 5 per 10 hours'")?;
    Limits::new(limits).map_err(|error| error.to_string())
}

fn limit(text: &str) -> Option<Limit> {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (calls, count, unit) = match words.as_slice() {
        [calls, "per", unit] => (*calls, NonZeroU32::MIN, *unit),
        [calls, "per", count, unit] => (*calls, count.parse().ok()?, *unit),
        _ => return None,
    };
    let seconds = match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    Some(Limit { calls: calls.parse().ok()?, period: Duration::from_secs(seconds) * count.get() })
}
