//! Reads from a reply's headers how many calls the API says are left. Pure; the wall clock comes in as an argument.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// A larger reset is a moment in Unix time, not a number of seconds to wait (which would be over thirty years).
const UNIX_SECONDS_FROM: f64 = 1e9;
/// A larger one still is Unix time in milliseconds.
const UNIX_MILLIS_FROM: f64 = 1e11;
/// A longer wait is a mistake of the API; it is cut, and still longer than any job waits.
const LONGEST: f64 = 366.0 * 86_400.0;

/// What is left of one limit, as the API counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    remaining: u64,
    /// From now on.
    reset: Duration,
}

/// How long nothing more may be sent, where a reply says that no calls are left beyond the `in_flight` that may not have
/// been counted yet. The longest wait wins, where several limits are spent.
///
/// Read are `RateLimit-Remaining` with `RateLimit-Reset` (IETF draft-ietf-httpapi-ratelimit-headers, up to 06),
/// `RateLimit` with members `remaining` and `reset` (07) or a list of policies with `r` and `t` (from 08), and
/// `X-RateLimit-Remaining` with `X-RateLimit-Reset`. What cannot be read, or has no reset, says nothing.
pub fn pause(headers: &HeaderMap, in_flight: u64, wall: SystemTime) -> Option<Duration> {
    let spent = |allowance: &Allowance| allowance.remaining == 0 || allowance.remaining < in_flight;
    let resets = allowances(headers, wall).into_iter().filter(spent).map(|allowance| allowance.reset);
    resets.max().filter(|reset| !reset.is_zero())
}

fn allowances(headers: &HeaderMap, wall: SystemTime) -> Vec<Allowance> {
    let text = |name| headers.get(name)?.to_str().ok();
    let separate = [("ratelimit-remaining", "ratelimit-reset"), ("x-ratelimit-remaining", "x-ratelimit-reset")]
        .into_iter()
        .filter_map(|(remaining, reset)| allowance(text(remaining)?, text(reset)?, wall));
    let lines = headers.get_all("ratelimit").iter().filter_map(|line| line.to_str().ok());
    separate.chain(lines.flat_map(|line| combined(line, wall))).collect()
}

/// `limit=100, remaining=50, reset=5`, or a list such as `"default";r=50;t=30, "daily";r=9;t=600`.
fn combined(line: &str, wall: SystemTime) -> Vec<Allowance> {
    let member = |parts: &str, separator: char, key: &str| {
        let mut pairs = parts.split(separator).filter_map(|part| part.split_once('='));
        pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim().to_owned())
    };
    let read = |parts: &str, separator, remaining, reset| {
        allowance(&member(parts, separator, remaining)?, &member(parts, separator, reset)?, wall)
    };
    let whole = read(line, ',', "remaining", "reset");
    whole.into_iter().chain(line.split(',').filter_map(|policy| read(policy, ';', "r", "t"))).collect()
}

fn allowance(remaining: &str, reset: &str, wall: SystemTime) -> Option<Allowance> {
    let reset: f64 = reset.trim().parse().ok().filter(|reset: &f64| reset.is_finite())?;
    let since_1970 = wall.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    let seconds = if reset > UNIX_MILLIS_FROM {
        reset / 1000.0 - since_1970
    } else if reset > UNIX_SECONDS_FROM {
        reset - since_1970
    } else {
        reset
    };
    let reset = Duration::from_secs_f64(seconds.clamp(0.0, LONGEST));
    Some(Allowance { remaining: remaining.trim().parse().ok()?, reset })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::{HeaderName, HeaderValue};

    use super::*;

    const WALL: u64 = 1_800_000_000;

    /// How long is waited at a reply with these headers while `in_flight` requests are on their way.
    fn wait(in_flight: u64, headers: &[(&'static str, &'static str)]) -> Option<f64> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(header) {
            map.append(name, value);
        }
        pause(&map, in_flight, UNIX_EPOCH + Duration::from_secs(WALL)).map(|pause| pause.as_secs_f64())
    }

    #[test]
    fn a_spent_limit_waits_for_its_reset() {
        assert_eq!(wait(0, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]), Some(30.0));
        assert_eq!(wait(0, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1.5")]), Some(1.5));
        assert_eq!(wait(0, &[("ratelimit", "limit=100, remaining=0, reset=5")]), Some(5.0));
        assert_eq!(wait(0, &[("ratelimit", r#""default";r=0;t=7"#)]), Some(7.0));
    }

    #[test]
    fn what_is_in_flight_may_not_be_counted_yet() {
        let left = |remaining| [("ratelimit-remaining", remaining), ("ratelimit-reset", "30")];
        assert_eq!(wait(0, &left("1")), None);
        assert_eq!(wait(5, &left("5")), None);
        assert_eq!(wait(6, &left("5")), Some(30.0));
    }

    #[test]
    fn a_reset_is_seconds_or_a_moment_by_its_size() {
        let reset = |reset| [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)];
        assert_eq!(wait(0, &reset("1800000042")), Some(42.0));
        assert_eq!(wait(0, &reset("1800000042500")), Some(42.5));
        assert_eq!(wait(0, &reset("1799999999")), None, "it has passed");
        assert_eq!(wait(0, &reset("999999999")), Some(LONGEST));
    }

    #[test]
    fn of_several_limits_the_longest_wait_wins_and_only_spent_ones_count() {
        assert_eq!(wait(0, &[("ratelimit", r#""burst";r=0;t=2, "daily";r=9;t=600"#)]), Some(2.0));
        assert_eq!(wait(0, &[("ratelimit", r#""burst";r=0;t=2, "daily";r=0;t=600"#)]), Some(600.0));
        assert_eq!(wait(0, &[("ratelimit", r#""a";r=0;t=2"#), ("ratelimit", r#""b";r=0;t=3"#)]), Some(3.0));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        assert_eq!(wait(9, &[]), None);
        assert_eq!(wait(9, &[("ratelimit-remaining", "0")]), None);
        assert_eq!(wait(9, &[("ratelimit-remaining", "none"), ("ratelimit-reset", "3")]), None);
        assert_eq!(wait(9, &[("ratelimit-remaining", "-1"), ("ratelimit-reset", "3")]), None);
        assert_eq!(wait(9, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "NaN")]), None);
        assert_eq!(wait(9, &[("ratelimit", "limit=100;w=60")]), None);
    }
}
