//! Numbers as Java writes them.

/// A double: with an exponent below 1.0E-3 and from 1.0E7 on.
pub(crate) fn java_double(value: f64) -> String {
    // Java has two digits at least, and of the least number they are these.
    if value.abs() == f64::from_bits(1) {
        return if value < 0.0 { "-4.9E-324".to_owned() } else { "4.9E-324".to_owned() };
    }
    if value.is_finite() { java(&format!("{value:e}")) } else { not_finite(value) }
}

/// A float, as [`java_double`].
pub(crate) fn java_float(value: f32) -> String {
    if value.abs() == f32::from_bits(1) {
        return if value < 0.0 { "-1.4E-45".to_owned() } else { "1.4E-45".to_owned() };
    }
    if value.is_finite() { java(&format!("{value:e}")) } else { not_finite(f64::from(value)) }
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

/// From Rust's `1.5e-7`, whose digits are the fewest that are read back.
fn java(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction_or_zero = if fraction.is_empty() { "0" } else { fraction };
    match exponent.parse::<i32>().unwrap_or(0) {
        0 => format!("{sign}{whole}.{fraction_or_zero}"),
        exponent @ -3..0 => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("{sign}0.{zeros}{whole}{fraction}")
        }
        exponent @ 1..7 => {
            let digits = format!("{fraction:0<width$}", width = exponent as usize + 1);
            let (before, after) = digits.split_at(exponent as usize);
            let after = match after.trim_end_matches('0') {
                "" => "0",
                after => after,
            };
            format!("{sign}{whole}{before}.{after}")
        }
        exponent => format!("{sign}{whole}.{fraction_or_zero}E{exponent}"),
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
