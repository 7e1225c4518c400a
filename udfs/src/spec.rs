//! What an API function declares, parsed once.
//!
//! [`OPTIONS`] is the one table of options: parsing, error messages and the printed help are made from it.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use arrow::datatypes::{DataType, Fields};
use url::Url;

use crate::breaker::{self, Opens};
use crate::limiter::Rate;
use crate::retry::Policy;

/// A declared API function: its types, where it is called and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiFunction {
    /// Name in SQL, lower case.
    pub name: String,
    /// Arguments; their names are the keys of the request.
    pub arguments: Fields,
    /// Type of the value.
    pub returns: DataType,
    /// How and where it is called.
    pub options: Options,
}

impl ApiFunction {
    /// Checks a declaration. Options are matched without regard to case.
    ///
    /// # Errors
    /// An option is unknown, given twice, missing or malformed; the message names it and what is expected.
    pub fn declare(
        name: &str,
        arguments: Fields,
        returns: DataType,
        options: &[(String, String)],
    ) -> Result<Self, SpecError> {
        let name = name.to_lowercase();
        let options = Options::parse(&name, options).map_err(|reason| SpecError { function: name.clone(), reason })?;
        Ok(ApiFunction { name, arguments, returns, options })
    }
}

/// A declaration that cannot be right.
#[derive(Debug, thiserror::Error)]
#[error("API function '{function}': {reason}")]
pub struct SpecError {
    function: String,
    reason: String,
}

/// The options of an API function, checked and with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Where requests go.
    pub endpoint: Url,
    /// How rows are laid into requests.
    pub format: Format,
    /// Most rows in one request, where a format has several.
    pub batch_size: NonZeroUsize,
    /// JSON pointer to the array in a reply.
    pub reply_path: Option<String>,
    /// The limit.
    pub rate: Rate,
    /// Functions with the same quota name share one limit.
    pub quota: String,
    /// Most requests in flight at once in one process; without it the number follows limit and latency.
    pub max_in_flight: Option<NonZeroUsize>,
    /// Whether answers come out in the order of the rows.
    pub preserve_order: bool,
    /// Longest time one attempt may take.
    pub timeout: Duration,
    /// When and how often a failed request is sent again.
    pub retry: Policy,
    /// When a failing API is left alone.
    pub breaker: breaker::Policy,
    /// What a call does meanwhile.
    pub when_open: WhenOpen,
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

/// How rows are laid into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per request, one reply object per row.
    Record,
    /// A JSON array of up to `batch_size` objects per request, and one of as many values per reply.
    Array,
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

/// One row of the table of options.
#[derive(Debug)]
pub struct OptionRow {
    /// Its name in `OPTIONS (...)`.
    pub key: &'static str,
    /// What is taken when it is not given; `None` where it must be given, or where `meaning` says what holds.
    pub default: Option<&'static str>,
    /// What it does, with its unit.
    pub meaning: &'static str,
}

const fn row(key: &'static str, default: Option<&'static str>, meaning: &'static str) -> OptionRow {
    OptionRow { key, default, meaning }
}

/// Every option that `CREATE FUNCTION ... USING API OPTIONS (...)` takes.
pub const OPTIONS: &[OptionRow] = &[
    row("endpoint", None, "URL that requests are sent to, http or https (required)"),
    row(
        "format",
        Some("record"),
        "how rows are laid into requests: record (one JSON object) or array (an array of them)",
    ),
    row("batch_size", Some("1000"), "most rows in one request of format array"),
    row("reply_path", None, "JSON pointer to the array in a reply (default: the reply itself, or its key results)"),
    row("rate_limit_calls", None, "calls allowed per rate_limit_period, or 'unlimited' (required)"),
    row("rate_limit_period", Some("1 second"), "length of the window that rate_limit_calls counts in"),
    row("quota", None, "name of the limit; functions that name the same quota share it (default: the function's name)"),
    row("max_in_flight", None, "most requests in flight at once (default: limit × p99 latency × 1.5, at most 10000)"),
    row("preserve_order", Some("true"), "false: rows do not wait for slower ones before them in their partition"),
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
    row("max_failed_percent", Some("10"), "the job ends when more of its rows are given up, after 1000 rows"),
    row("max_failed_records", None, "the job ends when more rows are given up (default: no such bound)"),
    row("max_reply_bytes", Some("1048576"), "largest reply that is read, in bytes"),
    row("on_error", Some("dead_letter"), "a row whose attempts all failed: dead_letter, null or fail"),
];

impl Options {
    fn parse(function: &str, given: &[(String, String)]) -> Result<Self, String> {
        let mut values: BTreeMap<&str, &str> = OPTIONS.iter().filter_map(|row| Some((row.key, row.default?))).collect();
        let mut seen = Vec::new();
        for (key, value) in given {
            let Some(row) = OPTIONS.iter().find(|row| row.key.eq_ignore_ascii_case(key)) else {
                let valid: Vec<_> = OPTIONS.iter().map(|row| row.key).collect();
                return Err(format!("unknown option '{key}'; the options are {}", valid.join(", ")));
            };
            if seen.contains(&row.key) {
                return Err(format!("option '{}' is given twice", row.key));
            }
            seen.push(row.key);
            values.insert(row.key, value.trim());
        }
        let values = Values(values);
        Ok(Options {
            endpoint: values.read("endpoint", endpoint)?,
            format: values.read("format", format)?,
            batch_size: values.read("batch_size", number)?,
            reply_path: values.read_if_given("reply_path", pointer)?,
            rate: rate(&values)?,
            quota: values.0.get("quota").map_or_else(|| function.to_owned(), |name| (*name).to_owned()),
            max_in_flight: values.read_if_given("max_in_flight", number)?,
            preserve_order: values.read("preserve_order", flag)?,
            timeout: values.read("timeout", duration)?,
            retry: Policy {
                max_attempts: values.read("retry_max_attempts", number)?,
                delay: values.read("retry_delay", duration)?,
                max_delay: values.read("retry_max_delay", duration)?,
                max_retry_after: values.read("max_retry_after", duration)?,
            },
            breaker: breaker::Policy { opens: opens(&values)?, open_for: values.read("breaker_open_for", duration)? },
            when_open: values.read("breaker_when_open", when_open)?,
            budget: Budget {
                percent: values.read("max_failed_percent", percent)?,
                records: values.read_if_given("max_failed_records", count)?,
            },
            max_reply_bytes: values.read::<NonZeroUsize>("max_reply_bytes", number)?.get(),
            on_error: values.read("on_error", on_error)?,
        })
    }
}

struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl Values<'_> {
    /// Reads a required option. The reader returns what it expected when the text is not that.
    fn read<T>(&self, key: &str, reader: fn(&str) -> Result<T, &'static str>) -> Result<T, String> {
        let value = self.read_if_given(key, reader)?;
        value.ok_or_else(|| format!("option '{key}' is missing; it must be given"))
    }

    fn read_if_given<T>(&self, key: &str, reader: fn(&str) -> Result<T, &'static str>) -> Result<Option<T>, String> {
        let Some(text) = self.0.get(key) else { return Ok(None) };
        // What stands before an @ in a URL may be a password, and errors go to logs and reports.
        let shown = if key == "endpoint" && text.contains('@') { "(not shown)" } else { text };
        reader(text).map(Some).map_err(|expected| format!("option '{key}' is '{shown}', expected {expected}"))
    }
}

fn pointer(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("a JSON pointer such as /data/results") }
}

fn rate(values: &Values<'_>) -> Result<Rate, String> {
    if values.0.get("rate_limit_calls").is_some_and(|text| text.eq_ignore_ascii_case("unlimited")) {
        return Ok(Rate::Unlimited);
    }
    let calls: NonZeroU32 = values.read("rate_limit_calls", |text| {
        number(text).map_err(|_| "a whole number above zero, or 'unlimited' to call without a limit")
    })?;
    Ok(Rate::Limited { calls, period: values.read("rate_limit_period", duration)? })
}

fn endpoint(text: &str) -> Result<Url, &'static str> {
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

fn flag(text: &str) -> Result<bool, &'static str> {
    text.to_lowercase().parse().map_err(|_| "true or false")
}

fn percent(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|percent| *percent <= 100).ok_or("a whole number from 0 to 100")
}

fn percent_above_zero(text: &str) -> Result<u8, &'static str> {
    percent(text).ok().filter(|percent| *percent > 0).ok_or("a whole number from 1 to 100")
}

fn count(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a whole number")
}

fn on_error(text: &str) -> Result<OnError, &'static str> {
    match text.to_lowercase().as_str() {
        "dead_letter" => Ok(OnError::DeadLetter),
        "null" => Ok(OnError::Null),
        "fail" => Ok(OnError::Fail),
        _ => Err("dead_letter, null or fail"),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a whole number above zero")
}

/// A time such as `500 ms`, `1 second` or `2 minutes`; a bare number is seconds, as Spark's settings have it.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let expected = "a time above zero such as '500 ms', '1 second' or '2 minutes'";
    let bare = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = bare.map_or_else(|| humantime::parse_duration(text).map_err(|_| expected), Ok)?;
    if time.is_zero() { Err(expected) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Declares a function with a valid endpoint and limit, and `change` on top; an empty value takes the option away.
    fn check(change: &[(&str, &str)], expected: Expect) {
        let mut options = BTreeMap::from([("endpoint", "http://api.example/x"), ("rate_limit_calls", "10")]);
        options.extend(change.iter().copied());
        let given: Vec<_> = options
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let shown = match ApiFunction::declare("Enrich", Fields::empty(), DataType::Utf8, &given) {
            Ok(api) => format!("{} {:?} {}", api.options.rate, api.options.timeout, api.options.quota),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_is_not_given_has_a_default() {
        check(&[], expect!["10 calls per 1s 30s enrich"]);
    }

    #[test]
    fn times_have_units() {
        check(&[("rate_limit_period", "1 minute"), ("timeout", "500 ms")], expect!["10 calls per 1m 500ms enrich"]);
        check(&[("timeout", "1.5")], expect!["10 calls per 1s 1.5s enrich"]);
        check(
            &[("timeout", "soon")],
            expect![[
                "API function 'enrich': option 'timeout' is 'soon', expected a time above zero such as '500 ms', '1 second' or '2 minutes'"
            ]],
        );
    }

    #[test]
    fn no_limit_must_be_said() {
        check(&[("rate_limit_calls", "Unlimited")], expect!["unlimited 30s enrich"]);
        check(
            &[("rate_limit_calls", "")],
            expect!["API function 'enrich': option 'rate_limit_calls' is missing; it must be given"],
        );
        check(
            &[("rate_limit_calls", "0")],
            expect![[
                "API function 'enrich': option 'rate_limit_calls' is '0', expected a whole number above zero, or 'unlimited' to call without a limit"
            ]],
        );
    }

    #[test]
    fn mistakes_are_named() {
        check(
            &[("endpoint", "ftp://x/")],
            expect![[
                "API function 'enrich': option 'endpoint' is 'ftp://x/', expected an http:// or https:// URL with a host"
            ]],
        );
        check(&[("Quota", "a"), ("quota", "b")], expect!["API function 'enrich': option 'quota' is given twice"]);
        check(
            &[("retries", "3")],
            expect![
                "API function 'enrich': unknown option 'retries'; the options are endpoint, format, batch_size, reply_path, rate_limit_calls, rate_limit_period, quota, max_in_flight, preserve_order, timeout, retry_max_attempts, retry_delay, retry_max_delay, max_retry_after, breaker, breaker_failed_percent, breaker_window, breaker_min_attempts, breaker_failures, breaker_open_for, breaker_when_open, max_failed_percent, max_failed_records, max_reply_bytes, on_error"
            ],
        );
    }
}
