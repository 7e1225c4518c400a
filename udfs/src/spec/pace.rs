//! Options of the pace: how often the API may be called, and how many calls at once.

use std::num::{NonZeroU32, NonZeroUsize};

use super::values::{OptionRow, Values, duration, flag, number, row};
use crate::limiter::Rate;

pub(super) const ROWS: &[OptionRow] = &[
    row("rate_limit_calls", None, "calls allowed per rate_limit_period, or 'unlimited' (required)"),
    row("rate_limit_period", Some("1 second"), "length of the window that rate_limit_calls counts in"),
    row("quota", None, "name of the limit; functions that name the same quota share it (default: the function's name)"),
    row("max_in_flight", None, "most requests in flight at once (default: limit × p99 latency × 1.5, at most 10000)"),
    row("preserve_order", Some("true"), "false: rows do not wait for slower ones before them in their partition"),
];

/// How often the API may be called, and how many calls at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// The limit.
    pub rate: Rate,
    /// Functions with the same quota name share one limit.
    pub quota: String,
    /// Most requests in flight at once in one process; without it the number follows limit and latency.
    pub max_in_flight: Option<NonZeroUsize>,
    /// Whether answers come out in the order of the rows.
    pub preserve_order: bool,
}

pub(super) fn read(function: &str, values: &Values<'_>) -> Result<Pace, String> {
    Ok(Pace {
        rate: rate(values)?,
        quota: values.text("quota").unwrap_or(function).to_owned(),
        max_in_flight: values.read_if_given("max_in_flight", number)?,
        preserve_order: values.read("preserve_order", flag)?,
    })
}

fn rate(values: &Values<'_>) -> Result<Rate, String> {
    if values.text("rate_limit_calls").is_some_and(|text| text.eq_ignore_ascii_case("unlimited")) {
        return Ok(Rate::Unlimited);
    }
    let calls: NonZeroU32 = values.read("rate_limit_calls", |text| {
        number(text).map_err(|_| "a whole number above zero, or 'unlimited' to call without a limit")
    })?;
    Ok(Rate::Limited { calls, period: values.read("rate_limit_period", duration)? })
}
