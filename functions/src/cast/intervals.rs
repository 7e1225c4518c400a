//! Intervals: as numbers of their one field, from such numbers, cut to other fields, and read from text.

use std::sync::Arc;

use arrow::array::types::IntervalMonthDayNano;
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{DataType as Arrow, Decimal128Type, DurationMicrosecondType, Int64Type, IntervalYearMonthType};

use super::columns::{How, failed, narrow, primitives};
use super::numbers::{range, trim, written};
use super::{decimals, problem};
use crate::civil::{DAY, HOUR, MINUTE, SECOND};
use crate::text::{Style, decimal_plain, interval_text};
use crate::{DataType, DayTimeField, Error, Result, YearMonthField};

/// Microseconds of a field.
pub(crate) fn unit(field: DayTimeField) -> i64 {
    match field {
        DayTimeField::Day => DAY,
        DayTimeField::Hour => HOUR,
        DayTimeField::Minute => MINUTE,
        DayTimeField::Second => SECOND,
    }
}

/// Months of a field.
pub(crate) fn months(field: YearMonthField) -> i32 {
    match field {
        YearMonthField::Year => 12,
        YearMonthField::Month => 1,
    }
}

/// An interval as another of its kind, or as a number.
pub(super) fn cast(array: &ArrayRef, from: &DataType, to: &DataType, _how: &How) -> Result<ArrayRef> {
    match (from, to) {
        (DataType::DayTime(..), DataType::DayTime(_, end)) => {
            let values = array.as_primitive::<DurationMicrosecondType>();
            let unit = if *end == DayTimeField::Second { 1 } else { unit(*end) };
            Ok(Arc::new(primitives::<DurationMicrosecondType>(values, |row| {
                let value = values.value(row);
                Ok(Some(value - value % unit))
            })?))
        }
        (DataType::YearMonth(..), DataType::YearMonth(_, end)) => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            let unit = months(*end);
            Ok(Arc::new(primitives::<IntervalYearMonthType>(values, |row| {
                let value = values.value(row);
                Ok(Some(value - value % unit))
            })?))
        }
        (from, to) => to_number(array, from, to),
    }
}

fn to_number(array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    let (values, unit, scale) = match from {
        DataType::DayTime(_, end) => {
            let values = array.as_primitive::<DurationMicrosecondType>();
            (primitives::<Int64Type>(values, |row| Ok(Some(values.value(row))))?, unit(*end), 6)
        }
        DataType::YearMonth(_, end) => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            (primitives::<Int64Type>(values, |row| Ok(Some(i64::from(values.value(row)))))?, i64::from(months(*end)), 0)
        }
        other => return Err(failed(format!("{} is no interval", other.catalog()))),
    };
    let text = |value: i64| interval_text(value, from, Style::cast(true)).unwrap_or_default();
    if let DataType::Decimal(precision, to_scale) = to {
        let values = primitives::<Decimal128Type>(&values, |row| {
            let value = i128::from(values.value(row));
            let own = if unit == SECOND { value } else { value / i128::from(unit) };
            let own_scale = if unit == SECOND { scale } else { 0 };
            match decimals::fit(decimals::rescale(own, own_scale, *to_scale), *precision) {
                Some(value) => Ok(Some(value)),
                // An error in every mode, as for whole numbers.
                None => Err(problem::out_of_range(&decimal_plain(own, own_scale), *precision, *to_scale)),
            }
        })?;
        return Ok(Arc::new(values.with_precision_and_scale(*precision, *to_scale).map_err(failed)?));
    }
    let (low, high) = range(to);
    let values = primitives::<Int64Type>(&values, |row| {
        let value = values.value(row) / unit;
        if (low..=high).contains(&value) {
            Ok(Some(value))
        } else {
            Err(problem::overflow(&text(values.value(row)), from, to))
        }
    })?;
    narrow(values, to)
}

/// A number as an interval of that many of its one field.
pub(super) fn of_number(array: &ArrayRef, from: &DataType, to: &DataType, _how: &How) -> Result<ArrayRef> {
    let factor = match to {
        DataType::DayTime(_, end) => unit(*end),
        DataType::YearMonth(_, end) => i64::from(months(*end)),
        other => return Err(failed(format!("{} is no interval", other.catalog()))),
    };
    let (values, scale) = match from {
        DataType::Decimal(_, scale) => (array.as_primitive::<Decimal128Type>().clone(), *scale),
        _ => {
            let whole = arrow_cast(array, &Arrow::Int64).map_err(failed)?;
            let whole = whole.as_primitive::<Int64Type>();
            (primitives::<Decimal128Type>(whole, |row| Ok(Some(i128::from(whole.value(row)))))?, 0)
        }
    };
    // Parts of a unit count for the least unit of a kind only.
    let least =
        matches!(to, DataType::DayTime(_, DayTimeField::Second) | DataType::YearMonth(_, YearMonthField::Month));
    let total = |row: usize| {
        let value = values.value(row);
        let total = if least {
            value.checked_mul(i128::from(factor)).and_then(|value| decimals::rescale(value, scale, 0))
        } else {
            decimals::whole(value, scale).checked_mul(i128::from(factor))
        };
        total.and_then(|value| i64::try_from(value).ok()).ok_or_else(|| {
            let text = i64::try_from(value).map_or_else(|_| value.to_string(), |value| written(value, from));
            problem::overflow(&if scale == 0 { text } else { decimal_plain(value, scale) }, from, to)
        })
    };
    if matches!(to, DataType::DayTime(..)) {
        return Ok(Arc::new(primitives::<DurationMicrosecondType>(&values, |row| total(row).map(Some))?));
    }
    Ok(Arc::new(primitives::<IntervalYearMonthType>(&values, |row| match i32::try_from(total(row)?) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(problem::overflow(&decimal_plain(values.value(row), scale), from, to)),
    })?))
}

/// `[-]1 02:03:04.5`, as much of it as the fields say, or `INTERVAL '…' DAY TO SECOND`.
pub(crate) fn parse_day_time(text: &str, from: DayTimeField, to: DayTimeField) -> Option<i64> {
    let (negative, body) = body(text, from.name(), to.name())?;
    let mut rest = body.as_str();
    let mut total = 0_i64;
    for field in [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second] {
        if field < from || field > to {
            continue;
        }
        let separator = if field == DayTimeField::Day { ' ' } else { ':' };
        let (part, behind) = if field == to { (rest, "") } else { rest.split_once(separator)? };
        rest = behind;
        let micros = if field == DayTimeField::Second {
            seconds(part, field != from)?
        } else {
            let value = digits(part)?;
            let most = if field == DayTimeField::Hour { 23 } else { 59 };
            if field != from && (value > most || part.len() > 2) {
                return None;
            }
            value.checked_mul(unit(field))?
        };
        total = total.checked_sub(micros)?;
    }
    if negative { Some(total) } else { total.checked_neg() }
}

/// `[-]1-2`, as much of it as the fields say, or `INTERVAL '…' YEAR TO MONTH`.
pub(crate) fn parse_year_month(text: &str, from: YearMonthField, to: YearMonthField) -> Option<i32> {
    let (negative, body) = body(text, from.name(), to.name())?;
    let total = if from == to {
        digits(&body)?.checked_mul(i64::from(months(from)))?
    } else {
        let (years, months) = body.split_once('-')?;
        let months = digits(months).filter(|months| *months < 12)?;
        digits(years)?.checked_mul(12)?.checked_add(months)?
    };
    i32::try_from(if negative { -total } else { total }).ok()
}

/// The sign and what is in quotes, of an interval written in full or without its frame.
fn body(text: &str, from: &str, to: &str) -> Option<(bool, String)> {
    let text = trim(text);
    let lower = text.to_ascii_lowercase();
    let mut negative = false;
    let inner = match lower.strip_prefix("interval") {
        None => lower.as_str(),
        Some(rest) => {
            let rest = rest.trim_start();
            let (rest, minus) = signed(rest);
            negative ^= minus;
            let (inner, fields) = rest.trim_start().strip_prefix('\'')?.split_once('\'')?;
            let fields: Vec<&str> = fields.split_whitespace().collect();
            let wanted = if from == to { vec![from] } else { vec![from, "to", to] };
            if fields != wanted {
                return None;
            }
            inner
        }
    };
    let (inner, minus) = signed(inner);
    Some((negative ^ minus, inner.to_owned()))
}

fn signed(text: &str) -> (&str, bool) {
    match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    }
}

fn digits(text: &str) -> Option<i64> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// `04.5` as microseconds.
fn seconds(text: &str, bounded: bool) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let value = digits(whole)?;
    if bounded && (value > 59 || whole.len() > 2) {
        return None;
    }
    value.checked_mul(SECOND)?.checked_add(micros(fraction)?)
}

/// The digits behind the point of seconds; those beyond microseconds are dropped.
fn micros(fraction: &str) -> Option<i64> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = format!("{fraction:0<6}");
    kept.get(..6)?.parse().ok()
}

/// `[interval] -1 year 2 days 3.5 seconds`
pub(crate) fn parse_calendar_interval(text: &str) -> Option<IntervalMonthDayNano> {
    let lower = trim(text).to_ascii_lowercase();
    let mut rest = lower.as_str();
    if let Some(behind) = rest.strip_prefix("interval") {
        if !behind.starts_with(|c: char| c.is_ascii_whitespace()) {
            return None;
        }
        rest = behind.trim_start();
    }
    if rest.is_empty() {
        return None;
    }
    let (mut months, mut days, mut total) = (0_i64, 0_i64, 0_i64);
    while !rest.is_empty() {
        let (behind, negative) = signed(rest);
        let behind = behind.trim_start();
        let length = behind.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(behind.len());
        let number = behind.get(..length)?;
        let behind = behind.get(length..)?.strip_prefix(|c: char| c.is_ascii_whitespace())?.trim_start();
        let length = behind.find(|c: char| c.is_ascii_whitespace()).unwrap_or(behind.len());
        let name = behind.get(..length)?;
        rest = behind.get(length..)?.trim_start();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let name = name.strip_suffix('s').unwrap_or(name);
        if number.contains('.') && (name != "second" || (whole.is_empty() && fraction.is_empty())) {
            return None;
        }
        let value = if whole.is_empty() && !fraction.is_empty() { 0 } else { digits(whole)? };
        let value = if negative { -value } else { value };
        match name {
            "year" => months = months.checked_add(value.checked_mul(12)?)?,
            "month" => months = months.checked_add(value)?,
            "week" => days = days.checked_add(value.checked_mul(7)?)?,
            "day" => days = days.checked_add(value)?,
            "hour" => total = total.checked_add(value.checked_mul(HOUR)?)?,
            "minute" => total = total.checked_add(value.checked_mul(MINUTE)?)?,
            "second" => {
                let part = micros(fraction)?;
                let part = if negative { -part } else { part };
                total = total.checked_add(value.checked_mul(SECOND)?)?.checked_add(part)?;
            }
            "millisecond" => total = total.checked_add(value.checked_mul(1000)?)?,
            "microsecond" => total = total.checked_add(value)?,
            _ => return None,
        }
    }
    calendar(months, days, total)
}

/// A calendar interval of months, days and microseconds, if they fit.
pub(crate) fn calendar(months: i64, days: i64, micros: i64) -> Option<IntervalMonthDayNano> {
    let (months, days) = (i32::try_from(months).ok()?, i32::try_from(days).ok()?);
    Some(IntervalMonthDayNano::new(months, days, micros.checked_mul(1000)?))
}

/// What an interval's arithmetic says when it is beyond its type.
pub(crate) fn overflow(what: &str) -> Error {
    Error::new("INTERVAL_ARITHMETIC_OVERFLOW", what)
}
