//! Text as values of other types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanBuilder};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, IntervalMonthDayNanoType,
    IntervalYearMonthType, TimestampMicrosecondType,
};

use super::columns::{How, failed, narrow, primitives};
use super::numbers::{parse_double, parse_integer, range, trim};
use super::{decimals, instants, intervals, problem};
use crate::{DataType, Error, Result};

/// Casts a column of strings.
pub(super) fn cast(array: &ArrayRef, to: &DataType, how: &How) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    let text = |row: usize| texts.value(row);
    let or_malformed = |row: usize| move || problem::malformed(texts.value(row), to);
    Ok(match to {
        DataType::Binary => Arc::new(BinaryArray::from(texts.clone())),
        DataType::Boolean => {
            let mut builder = BooleanBuilder::with_capacity(texts.len());
            for text in texts {
                builder.append_option(match text {
                    None => None,
                    Some(text) => match boolean(text) {
                        Some(value) => Some(value),
                        None => how.refuse(|| problem::malformed(text, to))?,
                    },
                });
            }
            Arc::new(builder.finish())
        }
        DataType::Byte | DataType::Short | DataType::Int | DataType::Long => {
            let (low, high) = range(to);
            let values = primitives::<Int64Type>(texts, |row| {
                match parse_integer(text(row), !how.strict()).filter(|value| (low..=high).contains(value)) {
                    Some(value) => Ok(Some(value)),
                    None => how.refuse(or_malformed(row)),
                }
            })?;
            narrow(values, to)?
        }
        DataType::Float => Arc::new(primitives::<Float32Type>(texts, |row| {
            // Reading it as the wider type first would round twice.
            let value =
                text(row).trim_matches(|c: char| c <= ' ').parse::<f32>().ok().filter(|value| value.is_finite());
            match value
                .filter(|_| parse_double(text(row)).is_some())
                .or_else(|| parse_double(text(row)).map(|v| v as f32))
            {
                Some(value) => Ok(Some(value)),
                None => how.refuse(or_malformed(row)),
            }
        })?),
        DataType::Double => Arc::new(primitives::<Float64Type>(texts, |row| match parse_double(text(row)) {
            Some(value) => Ok(Some(value)),
            None => how.refuse(or_malformed(row)),
        })?),
        DataType::Decimal(precision, scale) => {
            let values = primitives::<Decimal128Type>(texts, |row| match decimals::parse(trim(text(row)), *scale) {
                None => how.refuse(or_malformed(row)),
                Some(value) => match decimals::fit(value, *precision) {
                    Some(value) => Ok(Some(value)),
                    None => how.refuse(|| problem::out_of_range(trim(text(row)), *precision, *scale)),
                },
            })?;
            Arc::new(values.with_precision_and_scale(*precision, *scale).map_err(failed)?)
        }
        DataType::Date => Arc::new(primitives::<Date32Type>(texts, |row| match instants::parse_date(text(row)) {
            Some(value) => Ok(Some(value)),
            None => how.refuse(or_malformed(row)),
        })?),
        DataType::Timestamp | DataType::TimestampNtz => {
            let zone = (*to == DataType::Timestamp).then_some(how.zone);
            let values = primitives::<TimestampMicrosecondType>(texts, |row| {
                match instants::parse_timestamp(text(row), zone) {
                    Some(value) => Ok(Some(value)),
                    None => how.refuse(or_malformed(row)),
                }
            })?;
            Arc::new(values.with_timezone_opt(zone.map(|_| "UTC")))
        }
        DataType::CalendarInterval => Arc::new(primitives::<IntervalMonthDayNanoType>(texts, |row| {
            match intervals::parse_calendar_interval(text(row)) {
                Some(value) => Ok(Some(value)),
                None => how.refuse(or_malformed(row)),
            }
        })?),
        DataType::DayTime(from, end) => Arc::new(primitives::<DurationMicrosecondType>(texts, |row| {
            interval(intervals::parse_day_time(text(row), *from, *end), text(row), to)
        })?),
        DataType::YearMonth(from, end) => Arc::new(primitives::<IntervalYearMonthType>(texts, |row| {
            interval(intervals::parse_year_month(text(row), *from, *end), text(row), to)
        })?),
        other => return Err(Error::unsupported(format!("a cast of STRING to {}", other.sql()))),
    })
}

/// Text that is no interval is an error in every mode.
fn interval<T>(value: Option<T>, text: &str, to: &DataType) -> Result<Option<T>> {
    match value {
        Some(value) => Ok(Some(value)),
        None => Err(Error::new(
            "INVALID_INTERVAL_FORMAT",
            format!("Interval string does not match {} format: {text}.", to.catalog()),
        )),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match trim(text).to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}
