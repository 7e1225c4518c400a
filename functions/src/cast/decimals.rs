//! Decimals: unscaled values, rounded half up.

use crate::text::{decimal_plain, java_double};

/// A value of one scale in another, rounded half up; `None` if it is beyond 128 bits.
pub(crate) fn rescale(value: i128, from: i8, to: i8) -> Option<i128> {
    let shift = i32::from(to) - i32::from(from);
    let Some(factor) = 10_i128.checked_pow(shift.unsigned_abs()) else {
        return if shift < 0 || value == 0 { Some(0) } else { None };
    };
    if shift >= 0 { value.checked_mul(factor) } else { Some(divide_half_up(value, factor)) }
}

/// A quotient rounded half away from zero.
pub(crate) fn divide_half_up(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    if rest.unsigned_abs() >= by.unsigned_abs() - rest.unsigned_abs() {
        quotient + if (value < 0) == (by < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

/// The value if it has no more digits than the precision.
pub(crate) fn fit(value: Option<i128>, precision: u8) -> Option<i128> {
    let limit = 10_u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
    value.filter(|value| value.unsigned_abs() < limit)
}

/// What is before the point.
pub(crate) fn whole(value: i128, scale: i8) -> i128 {
    let Some(factor) = 10_i128.checked_pow(i32::from(scale).unsigned_abs()) else { return 0 };
    if scale >= 0 { value / factor } else { value.wrapping_mul(factor) }
}

/// The nearest floating-point number.
pub(crate) fn to_double(value: i128, scale: i8) -> f64 {
    if value.unsigned_abs() < 1 << 53 && (0..=22).contains(&scale) {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    decimal_plain(value, scale).parse().unwrap_or(f64::NAN)
}

/// The decimal that Java writes of this number, in a scale; `None` if it is not finite or beyond 128 bits.
pub(crate) fn of_double(value: f64, scale: i8) -> Option<i128> {
    parse(&java_double(value), scale)?
}

/// A finite number in full, without an exponent.
pub(crate) fn double_plain(value: f64) -> String {
    format!("{value}")
}

/// Text as a decimal of a scale, rounded half up: `None` if it is no number, `Some(None)` if it is beyond 128 bits.
#[expect(clippy::option_option, reason = "no number, and a number too large, are two answers")]
pub(crate) fn parse(text: &str, scale: i8) -> Option<Option<i128>> {
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if before.is_empty() && after.is_empty() {
        return None;
    }
    let mut digits = Vec::new();
    for byte in before.bytes().chain(after.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        if byte != b'0' || !digits.is_empty() {
            digits.push(byte - b'0');
        }
    }
    if digits.is_empty() {
        return Some(Some(0));
    }
    // The value is `digits` with the point `shift` places further right than the wanted scale has it.
    let shift = exponent - i64::try_from(after.len()).ok()? + i64::from(scale);
    let kept = i64::try_from(digits.len()).ok()? + shift;
    if kept > 39 {
        return Some(None);
    }
    if kept < 0 {
        return Some(Some(0));
    }
    let kept = usize::try_from(kept).ok()?;
    let mut value = Some(0_i128);
    for at in 0..kept {
        let digit = i128::from(digits.get(at).copied().unwrap_or(0));
        value = value.and_then(|value| value.checked_mul(10)?.checked_add(digit));
    }
    let up = i128::from(digits.get(kept).is_some_and(|digit| *digit >= 5));
    let value = value.and_then(|value| value.checked_add(up));
    Some(value.map(|value| if negative { -value } else { value }))
}
