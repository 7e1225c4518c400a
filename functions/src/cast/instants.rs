//! Dates and timestamps: as each other, as numbers, and read from text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use super::columns::{How, failed, narrow, primitives};
use super::numbers::{range, trim, wrap};
use super::{decimals, problem};
use crate::civil::{self, DAY, HOUR, MINUTE, SECOND};
use crate::text::{Years, timestamp_text};
use crate::zone::Zone;
use crate::{DataType, Result};

/// A date or timestamp as another.
pub(super) fn cast(array: &ArrayRef, from: &DataType, to: &DataType, how: &How) -> Result<ArrayRef> {
    let zone = how.zone;
    if *from == DataType::Date {
        let dates = array.as_primitive::<Date32Type>();
        let values = primitives::<TimestampMicrosecondType>(dates, |row| {
            let local = i64::from(dates.value(row)).checked_mul(DAY);
            Ok(if *to == DataType::Timestamp { local.and_then(|local| zone.instant(local)) } else { local })
        })?;
        return Ok(Arc::new(values.with_timezone_opt((*to == DataType::Timestamp).then_some("UTC"))));
    }
    let stamps = array.as_primitive::<TimestampMicrosecondType>();
    let local = |row: usize| {
        let micros = stamps.value(row);
        if *from == DataType::Timestamp { zone.local(micros) } else { micros }
    };
    Ok(match to {
        DataType::Date => {
            Arc::new(primitives::<Date32Type>(stamps, |row| Ok(i32::try_from(local(row).div_euclid(DAY)).ok()))?)
        }
        DataType::Timestamp => {
            let values = primitives::<TimestampMicrosecondType>(stamps, |row| Ok(zone.instant(stamps.value(row))))?;
            Arc::new(values.with_timezone("UTC"))
        }
        _ => Arc::new(primitives::<TimestampMicrosecondType>(stamps, |row| Ok(Some(local(row))))?),
    })
}

/// A timestamp as seconds of the epoch, or as a truth value.
pub(super) fn to_number(array: &ArrayRef, to: &DataType, how: &How) -> Result<ArrayRef> {
    let stamps = array.as_primitive::<TimestampMicrosecondType>();
    let seconds = |row: usize| stamps.value(row) as f64 / SECOND as f64;
    Ok(match to {
        DataType::Boolean => {
            let truth: BooleanArray = stamps.iter().map(|value| value.map(|value| value != 0)).collect();
            Arc::new(truth)
        }
        DataType::Float => Arc::new(primitives::<Float32Type>(stamps, |row| Ok(Some(seconds(row) as f32)))?),
        DataType::Double => Arc::new(primitives::<Float64Type>(stamps, |row| Ok(Some(seconds(row))))?),
        DataType::Decimal(precision, scale) => {
            let values = primitives::<Decimal128Type>(stamps, |row| {
                let value = decimals::of_double(seconds(row), *scale);
                match decimals::fit(value, *precision) {
                    Some(value) => Ok(Some(value)),
                    None => {
                        how.refuse(|| problem::out_of_range(&decimals::double_plain(seconds(row)), *precision, *scale))
                    }
                }
            })?;
            Arc::new(values.with_precision_and_scale(*precision, *scale).map_err(failed)?)
        }
        to => {
            let (low, high) = range(to);
            let values = primitives::<Int64Type>(stamps, |row| {
                let value = stamps.value(row).div_euclid(SECOND);
                if how.strict() && !(low..=high).contains(&value) {
                    let text = timestamp_text(how.zone.local(stamps.value(row)), Years::Signed);
                    return how.refuse(|| problem::overflow(&format!("TIMESTAMP '{text}'"), &DataType::Timestamp, to));
                }
                Ok(Some(wrap(value, to)))
            })?;
            narrow(values, to)?
        }
    })
}

/// Days of the epoch from `[+-]y…y`, `y-m`, `y-m-d`, and after a blank or `T` anything.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let text = trim(text);
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let mut parts = rest.splitn(3, '-');
    let year = digits(parts.next()?, 4, 7)?;
    let month = parts.next().map_or(Some(1), |month| digits(month, 1, 2))?;
    let day = match parts.next() {
        None => 1,
        Some(day) => digits(day.split([' ', 'T']).next()?, 1, 2)?,
    };
    i32::try_from(civil::days(sign * year, month, day)?).ok()
}

/// Microseconds of the epoch from a date, `y-m-d h:m:s.f` and its beginnings, a time alone, and a zone behind it. Without a zone
/// of its own the time is in `zone`; if that is `None` as well, zones in the text are passed over and the time is local.
pub(crate) fn parse_timestamp(text: &str, zone: Option<Zone>) -> Option<i64> {
    let text = trim(text);
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let first = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let signed = rest.len() != text.len();
    if !signed && (rest.starts_with('T') || rest.get(first..)?.starts_with(':')) {
        // A time alone is one of today.
        let zone = zone?;
        let (time, own) = parse_time(rest.strip_prefix('T').unwrap_or(rest))?;
        let zone = own.unwrap_or(zone);
        let today = zone.local(chrono::Utc::now().timestamp_micros()).div_euclid(DAY);
        return zone.instant(today.checked_mul(DAY)?.checked_add(time)?);
    }
    let mut parts = rest.splitn(3, '-');
    let year = digits(parts.next()?, 4, 6)?;
    let month = parts.next().map_or(Some(1), |month| digits(month, 1, 2))?;
    let (day, time) = match parts.next() {
        None => (1, None),
        Some(rest) => match rest.split_once([' ', 'T']) {
            None => (digits(rest, 1, 2)?, None),
            Some((day, time)) => (digits(day, 1, 2)?, Some(time)),
        },
    };
    let (time, own) = time.map_or(Some((0, None)), parse_time)?;
    let local = civil::days(sign * year, month, day)?.checked_mul(DAY)?.checked_add(time)?;
    match zone {
        None => Some(local),
        Some(zone) => own.unwrap_or(zone).instant(local),
    }
}

/// `h`, `h:m`, `h:m:s`, `h:m:s.f` and a zone behind seconds, as microseconds of the day.
fn parse_time(text: &str) -> Option<(i64, Option<Zone>)> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, rest) = part(rest)?;
    let has_seconds = rest.starts_with(':');
    let (second, rest) = part(rest)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) if has_seconds => {
            let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let kept = rest.get(..length.min(6))?;
            let value: i64 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
            (value * 10_i64.pow(6 - u32::try_from(kept.len()).ok()?), rest.get(length..)?)
        }
        _ => (0, rest),
    };
    let zone = match rest {
        "" => None,
        zone if has_seconds => Some(Zone::parse(zone)?),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((hour * HOUR + minute * MINUTE + second * SECOND + fraction, zone))
}

/// `:` and up to two digits, or nothing.
fn part(text: &str) -> Option<(i64, &str)> {
    match text.strip_prefix(':') {
        Some(rest) => number(rest, 1, 2),
        None => Some((0, text)),
    }
}

fn number(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((digits(text.get(..length)?, least, most)?, text.get(length..)?))
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
