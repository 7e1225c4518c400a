//! Year-month and day-time intervals of text: `1-2`, `-1 02:03:04.5`, and the same as a literal, `INTERVAL '1-2' YEAR TO MONTH`.

use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::error::{Error, Result};
use crate::{DayTimeField, YearMonthField};

/// Months of `[+|-]y-m`, `[+|-]y` or `[+|-]m`, as the fields ask, or of a literal of just these fields.
///
/// # Errors
/// It is none, or it does not fit.
pub fn year_month_of_text(text: &str, from: YearMonthField, to: YearMonthField) -> Result<i32> {
    let fields = span(from.name(), to.name());
    let mismatch = || mismatch(text, "year-month", &fields);
    let (negative, body) = body(text, &fields).ok_or_else(mismatch)?;
    let months = match (from, to) {
        (YearMonthField::Year, YearMonthField::Month) => {
            let (years, months) = body.split_once('-').ok_or_else(mismatch)?;
            let months = number(months).ok_or_else(mismatch)?;
            if months > 11 {
                return Err(out_of_range(format!("requirement failed: month {months} outside range [0, 11]"), text));
            }
            number(years).ok_or_else(mismatch)?.saturating_mul(12).saturating_add(months)
        }
        (YearMonthField::Year, _) => number(body).ok_or_else(mismatch)?.saturating_mul(12),
        _ => number(body).ok_or_else(mismatch)?,
    };
    let signed = if negative { -months } else { months };
    i32::try_from(signed).map_err(|_| out_of_range("integer overflow".to_owned(), text))
}

/// Microseconds of `[+|-]d h:m:s.n` and the shorter forms that the fields ask for, or of a literal of just these fields.
///
/// # Errors
/// It is none, or it does not fit.
pub fn day_time_of_text(text: &str, from: DayTimeField, to: DayTimeField) -> Result<i64> {
    let fields = span(from.name(), to.name());
    let mismatch = || mismatch(text, "day-time", &fields);
    let (negative, mut rest) = body(text, &fields).ok_or_else(mismatch)?;
    let mut sum = 0_i128;
    for (field, unit, first_max) in [
        (DayTimeField::Day, MICROS_PER_DAY, 106_751_991),
        (DayTimeField::Hour, MICROS_PER_HOUR, 2_562_047_788),
        (DayTimeField::Minute, MICROS_PER_MINUTE, 153_722_867_280),
        (DayTimeField::Second, MICROS_PER_SECOND, 9_223_372_036_854),
    ] {
        if field < from || field > to {
            continue;
        }
        let end = if field == to { rest.len() } else { rest.find([' ', ':']).ok_or_else(mismatch)? };
        let part = &rest[..end];
        if field != to {
            let separator = if field == DayTimeField::Day { " " } else { ":" };
            rest = rest[end..].strip_prefix(separator).ok_or_else(mismatch)?;
        }
        let (whole, nanos) = match part.split_once('.') {
            Some((whole, fraction)) if field == DayTimeField::Second => {
                if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(mismatch());
                }
                (whole, number(&format!("{fraction:0<9}")).ok_or_else(mismatch)?)
            }
            _ => (part, 0),
        };
        let value = number(whole).ok_or_else(mismatch)?;
        let max = match field {
            _ if field == from => first_max,
            DayTimeField::Hour => 23,
            _ => 59,
        };
        if field != from && whole.len() > 2 {
            return Err(mismatch());
        }
        if value > max {
            let message = format!("requirement failed: {} {value} outside range [0, {max}]", field.name());
            return Err(out_of_range(message, text));
        }
        sum += i128::from(value) * i128::from(unit) + i128::from(nanos / 1000);
    }
    let signed = if negative { -sum } else { sum };
    i64::try_from(signed).map_err(|_| out_of_range("long overflow".to_owned(), text))
}

fn span(from: &str, to: &str) -> String {
    if from == to { from.to_uppercase() } else { format!("{from} to {to}").to_uppercase() }
}

/// Whether it is negative, and what follows the sign; a literal's words have to be those of the fields.
fn body<'a>(text: &'a str, fields: &str) -> Option<(bool, &'a str)> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let is_literal = text.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("interval"));
    if !is_literal {
        return Some(signed(text));
    }
    let after = &text[8..];
    let inner = after.trim_start();
    if inner.len() == after.len() {
        return None;
    }
    let (outer, quoted) = signed(inner);
    let (value, unit) = quoted.strip_prefix('\'')?.split_once('\'')?;
    let spaced = unit.starts_with(char::is_whitespace);
    let words: Vec<_> = unit.split_whitespace().map(str::to_uppercase).collect();
    if !spaced || words.join(" ") != fields {
        return None;
    }
    let (own, value) = signed(value);
    Some((outer != own, value))
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(['+', '|']).unwrap_or(text)),
    }
}

fn number(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn mismatch(text: &str, kind: &str, fields: &str) -> Error {
    let form = match fields {
        "YEAR TO MONTH" => "[+|-]y-m",
        "YEAR" => "[+|-]y",
        "MONTH" => "[+|-]m",
        "DAY TO HOUR" => "[+|-]d h",
        "DAY TO MINUTE" => "[+|-]d h:m",
        "DAY TO SECOND" => "[+|-]d h:m:s.n",
        "HOUR TO MINUTE" => "[+|-]h:m",
        "HOUR TO SECOND" => "[+|-]h:m:s.n",
        "MINUTE TO SECOND" => "[+|-]m:s.n",
        "DAY" => "[+|-]d",
        "HOUR" => "[+|-]h",
        "MINUTE" => "[+|-]m",
        _ => "[+|-]s.n",
    };
    Error::new(
        "INVALID_INTERVAL_FORMAT",
        format!(
            "Interval string does not match {kind} format of `{form}`, `INTERVAL [+|-]'{form}' {fields}` when cast to \
             interval {}: {text}",
            fields.to_lowercase()
        ),
    )
}

fn out_of_range(why: String, text: &str) -> Error {
    Error::new("INVALID_INTERVAL_FORMAT", format!("Error parsing '{text}' to interval, {why}"))
}
