//! The forms of values that Spark's keys take: each reads its text, or tells what it expected.

use std::time::Duration;

use crate::cluster::sizing::byte_size::{self, MIB};

pub(super) fn any(_: &str) -> Result<(), &'static str> {
    Ok(())
}

pub(super) fn flag(text: &str) -> Result<bool, &'static str> {
    text.trim().to_lowercase().parse().map_err(|_| "true or false")
}

pub(super) fn whole(text: &str) -> Result<usize, &'static str> {
    text.trim().parse().map_err(|_| "a whole number, zero or above")
}

pub(super) fn count(text: &str) -> Result<usize, &'static str> {
    text.trim().parse().ok().filter(|number| *number > 0).ok_or("a whole number above zero")
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

pub(super) fn fraction(text: &str) -> Result<f64, &'static str> {
    number(text).filter(|number| *number > 0.0 && *number <= 1.0).ok_or("a number above 0 and at most 1, as 0.6")
}

pub(super) fn share(text: &str) -> Result<f64, &'static str> {
    number(text).filter(|number| (0.0..1.0).contains(number)).ok_or("a number from 0 to below 1, as 0.5")
}

pub(super) fn factor(text: &str) -> Result<f64, &'static str> {
    number(text).filter(|number| *number > 0.0).ok_or("a number above 0, as 0.1")
}

pub(super) fn mebibytes(text: &str) -> Result<u64, &'static str> {
    byte_size::read(text, MIB).ok_or("a size as 10g, 512m or 1024, which counts in MiB")
}

pub(super) fn bytes(text: &str) -> Result<u64, &'static str> {
    byte_size::read(text, 1).ok_or("a size as 10g, 512m or 1024, which counts in bytes")
}

pub(super) fn seconds(text: &str) -> Result<Duration, &'static str> {
    time(text, "s").ok_or("a time as 60s, 2min, 500ms or 60, which counts in seconds")
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, &'static str> {
    time(text, "ms").ok_or("a time as 10s, 2min, 500ms or 60, which counts in milliseconds")
}

/// Reads a time as Spark 3.5 does (`JavaUtils.timeStringAs`), but none below zero.
fn time(text: &str, unit: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match if suffix.is_empty() { unit } else { suffix } {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" | "min" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_spark_reads_them() {
        // Each was tried on Spark 3.5.4, which only takes times below zero too.
        let cases =
            [("60s", 60_000), ("1min", 60_000), ("2m", 120_000), ("100ms", 100), ("60", 60_000), ("1h", 3_600_000)];
        for (text, millis) in cases {
            assert_eq!(seconds(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(milliseconds("60"), Ok(Duration::from_millis(60)));
        for text in ["0.5s", "-1s", "s", "", "1 s", "1 week", "99999999999999999999d", "999999999999999999d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
