//! Numbers and truth values as other numbers, truth values and timestamps; and numbers read from text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType,
};

use super::columns::{How, failed, narrow, primitives};
use super::{decimals, problem};
use crate::civil::SECOND;
use crate::text::{decimal_plain, java_double};
use crate::{DataType, Result};

enum Source {
    Whole(Int64Array),
    Floating(Float64Array),
    Decimal(Decimal128Array, i8),
}

/// Casts a column of numbers or truth values.
pub(super) fn cast(array: &ArrayRef, from: &DataType, to: &DataType, how: &How) -> Result<ArrayRef> {
    let source = match from {
        DataType::Float | DataType::Double => {
            Source::Floating(arrow_cast(array, &Arrow::Float64).map_err(failed)?.as_primitive::<Float64Type>().clone())
        }
        DataType::Decimal(_, scale) => Source::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale),
        _ => Source::Whole(arrow_cast(array, &Arrow::Int64).map_err(failed)?.as_primitive::<Int64Type>().clone()),
    };
    match to {
        DataType::Boolean => {
            let truth: BooleanArray = match &source {
                Source::Whole(values) => values.iter().map(|value| value.map(|value| value != 0)).collect(),
                Source::Floating(values) => values.iter().map(|value| value.map(|value| value != 0.0)).collect(),
                Source::Decimal(values, _) => values.iter().map(|value| value.map(|value| value != 0)).collect(),
            };
            Ok(Arc::new(truth))
        }
        DataType::Float => Ok(Arc::new(match &source {
            Source::Whole(values) => primitives::<Float32Type>(values, |row| Ok(Some(values.value(row) as f32)))?,
            Source::Floating(values) => primitives::<Float32Type>(values, |row| Ok(Some(values.value(row) as f32)))?,
            Source::Decimal(values, scale) => {
                primitives::<Float32Type>(values, |row| Ok(decimal_plain(values.value(row), *scale).parse().ok()))?
            }
        })),
        DataType::Double => Ok(Arc::new(match &source {
            Source::Whole(values) => primitives::<Float64Type>(values, |row| Ok(Some(values.value(row) as f64)))?,
            Source::Floating(values) => values.clone(),
            Source::Decimal(values, scale) => {
                primitives::<Float64Type>(values, |row| Ok(Some(decimals::to_double(values.value(row), *scale))))?
            }
        })),
        DataType::Decimal(precision, scale) => decimal(&source, *precision, *scale, how),
        DataType::Timestamp => timestamp(&source, from, how),
        to => whole(&source, from, to, how),
    }
}

/// The least and the greatest value of a whole number type.
pub(super) fn range(to: &DataType) -> (i64, i64) {
    match to {
        DataType::Byte => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DataType::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DataType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// The low bits.
pub(crate) fn wrap(value: i64, to: &DataType) -> i64 {
    match to {
        DataType::Byte => i64::from(value as i8),
        DataType::Short => i64::from(value as i16),
        DataType::Int => i64::from(value as i32),
        _ => value,
    }
}

/// A whole number as Spark's SQL writes it.
pub(super) fn written(value: i64, of: &DataType) -> String {
    match of {
        DataType::Byte => format!("{value}Y"),
        DataType::Short => format!("{value}S"),
        DataType::Long => format!("{value}L"),
        _ => value.to_string(),
    }
}

fn whole(source: &Source, from: &DataType, to: &DataType, how: &How) -> Result<ArrayRef> {
    let (low, high) = range(to);
    let small = matches!(to, DataType::Byte | DataType::Short);
    let values = match source {
        Source::Whole(values) => primitives::<Int64Type>(values, |row| {
            let value = values.value(row);
            if how.strict() && !(low..=high).contains(&value) {
                return how.refuse(|| problem::overflow(&written(value, from), from, to));
            }
            Ok(Some(wrap(value, to)))
        })?,
        Source::Floating(values) => primitives::<Int64Type>(values, |row| {
            let value = values.value(row);
            if how.strict() && !(value.floor() <= high as f64 && value.ceil() >= low as f64) {
                let suffix = if *from == DataType::Double && value.is_finite() { "D" } else { "" };
                return how.refuse(|| problem::overflow(&format!("{}{suffix}", java_double(value)), from, to));
            }
            Ok(Some(match to {
                DataType::Long => value as i64,
                _ if small => wrap(i64::from(value as i32), to),
                _ => i64::from(value as i32),
            }))
        })?,
        Source::Decimal(values, scale) => primitives::<Int64Type>(values, |row| {
            let value = decimals::whole(values.value(row), *scale);
            match i64::try_from(value) {
                Ok(value) if !how.strict() || (low..=high).contains(&value) => Ok(Some(wrap(value, to))),
                _ if how.strict() => how
                    .refuse(|| problem::overflow(&format!("{}BD", decimal_plain(values.value(row), *scale)), from, to)),
                _ => Ok(Some(wrap(value as i64, to))),
            }
        })?,
    };
    narrow(values, to)
}

fn decimal(source: &Source, precision: u8, scale: i8, how: &How) -> Result<ArrayRef> {
    let fit = |value: Option<i128>, text: &dyn Fn() -> String| match decimals::fit(value, precision) {
        Some(value) => Ok(Some(value)),
        None => how.refuse(|| problem::out_of_range(&text(), precision, scale)),
    };
    let values = match source {
        Source::Whole(values) => primitives::<Decimal128Type>(values, |row| {
            let value = i128::from(values.value(row));
            fit(decimals::rescale(value, 0, scale), &|| value.to_string())
        })?,
        Source::Floating(values) => primitives::<Decimal128Type>(values, |row| {
            let value = values.value(row);
            if !value.is_finite() {
                return Ok(None);
            }
            fit(decimals::of_double(value, scale), &|| decimals::double_plain(value))
        })?,
        Source::Decimal(values, from) => primitives::<Decimal128Type>(values, |row| {
            let value = values.value(row);
            fit(decimals::rescale(value, *from, scale), &|| decimal_plain(value, *from))
        })?,
    };
    Ok(Arc::new(values.with_precision_and_scale(precision, scale).map_err(failed)?))
}

fn timestamp(source: &Source, from: &DataType, how: &How) -> Result<ArrayRef> {
    let values = match source {
        Source::Whole(values) if *from == DataType::Boolean => {
            primitives::<TimestampMicrosecondType>(values, |row| Ok(Some(values.value(row))))?
        }
        Source::Whole(values) => {
            primitives::<TimestampMicrosecondType>(values, |row| Ok(Some(values.value(row).saturating_mul(SECOND))))?
        }
        Source::Floating(values) => primitives::<TimestampMicrosecondType>(values, |row| {
            let value = values.value(row);
            let micros = value * SECOND as f64;
            if !value.is_finite() {
                return how.refuse(|| problem::overflow(&java_double(value), from, &DataType::Timestamp));
            }
            if how.strict() && !(micros.floor() <= i64::MAX as f64 && micros.ceil() >= i64::MIN as f64) {
                let value = format!("{}D", java_double(value));
                return how.refuse(|| problem::overflow(&value, from, &DataType::Timestamp));
            }
            Ok(Some(micros as i64))
        })?,
        Source::Decimal(values, scale) => primitives::<TimestampMicrosecondType>(values, |row| {
            let value = values.value(row);
            let shift = 6 - i32::from(*scale);
            let factor = 10_i128.checked_pow(shift.unsigned_abs()).unwrap_or(i128::MAX);
            Ok(Some(if shift >= 0 { value.wrapping_mul(factor) as i64 } else { (value / factor) as i64 }))
        })?,
    };
    Ok(Arc::new(values.with_timezone("UTC")))
}

/// Text as a whole number: blanks around it, a sign, digits, and where `fraction` allows it a point and digits that are dropped.
pub(crate) fn parse_integer(text: &str, fraction: bool) -> Option<i64> {
    let text = trim(text);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (digits, rest) = match digits.split_once('.') {
        Some((digits, rest)) if fraction => (digits, rest),
        Some(_) => return None,
        None if digits.is_empty() => return None,
        None => (digits, ""),
    };
    if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(byte - b'0'))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// Text as a floating-point number: what Java reads, and `inf`, `infinity` and `nan` in any case.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, text.get(1..)?),
        b'+' => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    match rest.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" if rest.len() == text.len() || rest == "NaN" => return Some(f64::NAN),
        _ => {}
    }
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        return Some(sign * parse_hex(hex)?);
    }
    let digits = rest.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(rest);
    let first = *digits.as_bytes().first()?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    digits.parse::<f64>().ok().map(|value| sign * value)
}

/// `1.8p3`, of which the `p` is needed.
fn parse_hex(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).filter(|text| text.contains(['p', 'P'])).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(part.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent: i32 = exponent.parse().ok()?;
    Some(value * 2_f64.powi(exponent.saturating_sub(i32::try_from(part.len()).ok()?.saturating_mul(4))))
}

/// Without the blanks and control characters around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}
