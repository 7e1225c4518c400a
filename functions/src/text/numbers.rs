//! Numbers as Java writes them.

use super::digits::Binary;

/// A double: with an exponent below 1.0E-3 and from 1.0E7 on.
pub(crate) fn java_double(value: f64) -> String {
    match () {
        () if !value.is_finite() => not_finite(value),
        () if value == 0.0 => zero(value.is_sign_negative()),
        () => java(value < 0.0, &Binary::of_double(value)),
    }
}

/// The digits of a double that is not negative, and where the point stands among them; none of zero, and of what is not finite.
pub(crate) fn java_digits(value: f64) -> (Vec<u8>, i32) {
    if value.is_finite() && value != 0.0 { Binary::of_double(value).digits() } else { (Vec::new(), 0) }
}

/// A float, as [`java_double`].
pub(crate) fn java_float(value: f32) -> String {
    match () {
        () if !value.is_finite() => not_finite(f64::from(value)),
        () if value == 0.0 => zero(value.is_sign_negative()),
        () => java(value < 0.0, &Binary::of_float(value)),
    }
}

fn zero(negative: bool) -> String {
    if negative { "-0.0" } else { "0.0" }.to_owned()
}

fn not_finite(value: f64) -> String {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    text.to_owned()
}

fn java(negative: bool, value: &Binary) -> String {
    let (digits, point) = value.digits();
    let sign = if negative { "-" } else { "" };
    let digits: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let or_zero = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    match point {
        1..8 => {
            let width = point.unsigned_abs() as usize;
            let whole = digits.get(..width.min(digits.len())).unwrap_or_default();
            format!("{sign}{whole:0<width$}.{}", or_zero(digits.get(width..).unwrap_or_default()))
        }
        -2..1 => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = digits.split_at(digits.len().min(1));
            format!("{sign}{first}.{}E{}", or_zero(rest), point - 1)
        }
    }
}

/// A decimal with all digits of its scale.
pub(crate) fn decimal_plain(value: i128, scale: i8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    if scale <= 0 {
        let zeros = if value == 0 { 0 } else { usize::from(scale.unsigned_abs()) };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let scale = usize::from(scale.unsigned_abs());
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// A decimal as Java's `BigDecimal.toString` has it: with an exponent if there would be more than five zeros behind the point.
pub(crate) fn decimal_java(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let exponent = i32::try_from(digits.len()).unwrap_or(39) - 1 - i32::from(scale);
    if scale >= 0 && exponent >= -6 {
        return decimal_plain(value, scale);
    }
    let sign = if value < 0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let plus = if exponent > 0 { "+" } else { "" };
    if exponent == 0 {
        format!("{sign}{first}{point}{rest}")
    } else {
        format!("{sign}{first}{point}{rest}E{plus}{exponent}")
    }
}
