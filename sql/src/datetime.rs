//! Strings to dates and timestamps, as Spark casts them.
//! Source: Spark 3.5, `SparkDateTimeUtils.stringToDate` and `stringToTimestamp`, and what Spark 3.5.4 answers.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::temporal_conversions::UNIX_EPOCH_DAY;

/// Days since 1970-01-01 of `[+-]y…y[-[m]m[-[d]d[( |T)…]]]`; a year has four to seven digits.
pub fn date(text: &str) -> Option<i32> {
    let (sign, text) = signed(trim(text));
    let mut parts = [0_i32, 1, 1];
    let mut rest = text;
    for (at, part) in parts.iter_mut().enumerate() {
        let digits;
        (digits, rest) = split_digits(rest);
        *part = number(digits, if at == 0 { 4..=7 } else { 1..=2 })?;
        match rest.bytes().next() {
            None => break,
            Some(b'-') if at < 2 => rest = &rest[1..],
            Some(b' ' | b'T') if at == 2 => break,
            Some(_) => return None,
        }
    }
    Some(days(NaiveDate::from_ymd_opt(sign * parts[0], u32::try_from(parts[1]).ok()?, u32::try_from(parts[2]).ok()?)?))
}

/// Days since 1970-01-01 of `yyyy-MM-dd`, nothing else.
pub fn strict_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let fits = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if fits { date(text) } else { None }
}

/// Microseconds since 1970-01-01 00:00 UTC of a date, a time (of today), or both, with a zone or in `zone`.
pub fn timestamp(text: &str, zone: Tz) -> Option<i64> {
    let parsed = parse(text)?;
    let zone = match parsed.zone {
        Some(name) => parse_zone(name)?,
        None => zone,
    };
    let today = || Utc::now().with_timezone(&zone).date_naive();
    instant(parsed.date.unwrap_or_else(today).and_time(parsed.time), zone)
}

/// Microseconds since 1970-01-01 00:00 of a date, or a date and a time, without a zone.
pub fn timestamp_ntz(text: &str) -> Option<i64> {
    let parsed = parse(text).filter(|parsed| parsed.zone.is_none())?;
    Some(parsed.date?.and_time(parsed.time).and_utc().timestamp_micros())
}

/// A zone by what Java's `ZoneId` takes: `Z`, `+5`, `+05:30`, `GMT+1`, `Europe/Berlin`.
pub fn parse_zone(name: &str) -> Option<Tz> {
    let name = name.trim();
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if offset.is_empty() || offset == "Z" {
        return "+00:00".parse().ok().filter(|_| !name.is_empty());
    }
    let Some(sign @ ('+' | '-')) = offset.chars().next() else {
        return name.parse().ok();
    };
    // `+h`, `+hh`, `+hh:mm`, `+hh:mm:00`, and the last two without colons; arrow's zones have no seconds.
    let digits = &offset[1..];
    let parts: Vec<&str> = match digits.len() {
        4 if digits.is_ascii() && !digits.contains(':') => vec![&digits[..2], &digits[2..]],
        6 if digits.is_ascii() && !digits.contains(':') => vec![&digits[..2], &digits[2..4], &digits[4..]],
        _ => digits.split(':').collect(),
    };
    let part = |at: usize| parts.get(at).map_or(Some(0), |part| number(part, 1..=2));
    let (hours, minutes, seconds) = (part(0)?, part(1)?, part(2)?);
    let exists = parts.len() <= 3 && seconds == 0 && minutes < 60 && hours * 60 + minutes <= 18 * 60;
    if exists { format!("{sign}{hours:02}:{minutes:02}").parse().ok() } else { None }
}

struct Parsed<'a> {
    /// Absent where there is a time only.
    date: Option<NaiveDate>,
    time: NaiveTime,
    zone: Option<&'a str>,
}

fn parse(text: &str) -> Option<Parsed<'_>> {
    let text = trim(text);
    let (digits, rest) = split_digits(text);
    if rest.starts_with(':') && digits.len() <= 2 || text.starts_with('T') {
        let (time, zone) = parse_time(text.strip_prefix('T').unwrap_or(text))?;
        return Some(Parsed { date: None, time, zone });
    }
    let (sign, unsigned) = signed(text);
    let end = unsigned.find([' ', 'T']).unwrap_or(unsigned.len());
    let (day, clock) = unsigned.split_at(end);
    let parts: Vec<_> = day.split('-').collect();
    let part = |at: usize| parts.get(at).map_or(Some(1), |part| number(part, 1..=2));
    // A time needs a whole date before it.
    if parts.len() > 3 || !clock.is_empty() && parts.len() < 3 {
        return None;
    }
    let year = sign * number(parts.first()?, 4..=6)?;
    let date = NaiveDate::from_ymd_opt(year, u32::try_from(part(1)?).ok()?, u32::try_from(part(2)?).ok()?)?;
    let (time, zone) = if clock.is_empty() { (NaiveTime::MIN, None) } else { parse_time(&clock[1..])? };
    Some(Parsed { date: Some(date), time, zone })
}

/// `[h]h[:[m]m[:[s]s[.f…][zone]]]`; digits after the sixth of a fraction are cut off.
fn parse_time(text: &str) -> Option<(NaiveTime, Option<&str>)> {
    let mut parts = [0_u32; 3];
    let mut rest = text;
    for (at, part) in parts.iter_mut().enumerate() {
        let digits;
        (digits, rest) = split_digits(rest);
        *part = u32::try_from(number(digits, 1..=2)?).ok()?;
        match rest.strip_prefix(':') {
            Some(after) if at < 2 => rest = after,
            _ if rest.is_empty() || at == 2 => break,
            _ => return None,
        }
    }
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits;
        (digits, rest) = split_digits(fraction);
        let six: String = digits.chars().chain("000000".chars()).take(6).collect();
        micros = six.parse().ok()?;
    }
    let time = NaiveTime::from_hms_micro_opt(parts[0], parts[1], parts[2], micros)?;
    Some((time, Some(rest).filter(|zone| !zone.is_empty())))
}

/// The instant at which clocks in `zone` show this; the earlier one where they do so twice, and as if the gap were not there
/// where they never do.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    let earliest = zone.from_local_datetime(&local).earliest().map(|there| there.timestamp_micros());
    earliest.or_else(|| {
        let day_before = local.checked_sub_signed(chrono::Duration::days(1))?;
        let before = zone.offset_from_utc_datetime(&day_before).fix().local_minus_utc();
        Some(local.and_utc().timestamp_micros() - i64::from(before) * 1_000_000)
    })
}

fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - UNIX_EPOCH_DAY as i32
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

fn signed(text: &str) -> (i32, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn number(digits: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let fits = lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(show: impl Fn(&str) -> String, texts: &[&str], expected: Expect) {
        let shown: Vec<_> = texts.iter().map(|text| format!("{text} = {}\n", show(text))).collect();
        expected.assert_eq(&shown.concat());
    }

    fn shown(value: Option<impl std::fmt::Display>) -> String {
        value.map_or("NULL".to_owned(), |value| value.to_string())
    }

    /// Each answer is Spark 3.5.4's.
    #[test]
    fn dates_are_read_as_spark_reads_them() {
        let show = |text: &str| shown(date(text).and_then(NaiveDate::from_epoch_days));
        let texts = [
            "2020-01-31",
            "2020-1-1",
            "2020-01",
            "2020",
            " 2020-01-01 ",
            "2020-01-01T00:00:00",
            "2020-01-01 x",
            "20200101",
            "2020/01/01",
            "2020-13-01",
            "2020-02-30",
            "202",
            "2020-",
            "2020-01-",
            "x",
            "",
            "+2020-01-01",
            "-0001-01-01",
            "2020-001-01",
        ];
        check(
            show,
            &texts,
            expect![[r#"
            2020-01-31 = 2020-01-31
            2020-1-1 = 2020-01-01
            2020-01 = 2020-01-01
            2020 = 2020-01-01
             2020-01-01  = 2020-01-01
            2020-01-01T00:00:00 = 2020-01-01
            2020-01-01 x = 2020-01-01
            20200101 = NULL
            2020/01/01 = NULL
            2020-13-01 = NULL
            2020-02-30 = NULL
            202 = NULL
            2020- = NULL
            2020-01- = NULL
            x = NULL
             = NULL
            +2020-01-01 = 2020-01-01
            -0001-01-01 = -0001-01-01
            2020-001-01 = NULL
        "#]],
        );
    }

    #[test]
    fn timestamps_are_read_as_spark_reads_them() {
        let show = |text: &str| {
            let micros = timestamp(text, "UTC".parse().unwrap());
            shown(micros.and_then(chrono::DateTime::from_timestamp_micros).map(|at| at.naive_utc()))
        };
        let texts = [
            "2020-01-01",
            "2020-01-01 10",
            "2020-01-01T10:00",
            "2020-01-01 1:2:3",
            "2020-01-01 10:00:00.123456789",
            "2020-01-01 10:00:00.",
            "2020-01-01T10:00:00+05:30",
            "2020-01-01T10:00:00Z",
            "2020-01-01 10:00:00 Europe/Berlin",
            "2020-01-01 10:00:00 GMT+1",
            "2020-01-01 10:00:00+1",
            "2020-01-01 10:00:00+0130",
            "2020-01-01 10:00:00+18:30",
            "2020-01-01 10:00Z",
            "2020-01",
            "2020",
            "1577836800",
            "2020-01 10:00",
            "2020-01-01 24:00:00",
            "2020-01-01 ",
            "2020-01-01 10:00:00 Nowhere/At",
            "",
            "10",
        ];
        check(
            show,
            &texts,
            expect![[r#"
                2020-01-01 = 2020-01-01 00:00:00
                2020-01-01 10 = 2020-01-01 10:00:00
                2020-01-01T10:00 = 2020-01-01 10:00:00
                2020-01-01 1:2:3 = 2020-01-01 01:02:03
                2020-01-01 10:00:00.123456789 = 2020-01-01 10:00:00.123456
                2020-01-01 10:00:00. = 2020-01-01 10:00:00
                2020-01-01T10:00:00+05:30 = 2020-01-01 04:30:00
                2020-01-01T10:00:00Z = 2020-01-01 10:00:00
                2020-01-01 10:00:00 Europe/Berlin = 2020-01-01 09:00:00
                2020-01-01 10:00:00 GMT+1 = 2020-01-01 09:00:00
                2020-01-01 10:00:00+1 = 2020-01-01 09:00:00
                2020-01-01 10:00:00+0130 = 2020-01-01 08:30:00
                2020-01-01 10:00:00+18:30 = NULL
                2020-01-01 10:00Z = NULL
                2020-01 = 2020-01-01 00:00:00
                2020 = 2020-01-01 00:00:00
                1577836800 = NULL
                2020-01 10:00 = NULL
                2020-01-01 24:00:00 = NULL
                2020-01-01  = 2020-01-01 00:00:00
                2020-01-01 10:00:00 Nowhere/At = NULL
                 = NULL
                10 = NULL
            "#]],
        );
        // Before the first day that chrono has; Spark goes back somewhat further.
        assert_eq!(timestamp("-262143-01-01 00:00:00+05:00", "UTC".parse().unwrap()), None);
        let midnight = timestamp("00:00", "UTC".parse().unwrap()).unwrap();
        assert_eq!(midnight % 86_400_000_000, 0);
        assert_eq!(timestamp("T00:00:00", "UTC".parse().unwrap()), Some(midnight));
    }

    #[test]
    fn a_timestamp_without_zone_takes_none() {
        let show = |text: &str| shown(timestamp_ntz(text));
        check(
            show,
            &["1970-01-01 00:00:01", "1970-01-01 00:00:01Z", "10:00"],
            expect![[r#"
            1970-01-01 00:00:01 = 1000000
            1970-01-01 00:00:01Z = NULL
            10:00 = NULL
        "#]],
        );
    }

    #[test]
    fn clocks_that_are_set_forward_or_back_still_show_an_instant() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let show = |text: &str| shown(timestamp(text, berlin).and_then(chrono::DateTime::from_timestamp_micros));
        check(
            show,
            &["2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-07-01 12:00:00"],
            expect![[r#"
            2024-03-31 02:30:00 = 2024-03-31 01:30:00 UTC
            2024-10-27 02:30:00 = 2024-10-27 00:30:00 UTC
            2024-07-01 12:00:00 = 2024-07-01 10:00:00 UTC
        "#]],
        );
    }
}
