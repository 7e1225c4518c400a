//! `format_string`: Java's formats.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType as Arrow;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::digits::{Digits, grouped};
use crate::columns::{Budget, Column, each, kernels, some};
use crate::error::Error;

kernels! {
    FORMAT_STRING = "spark_format_string", |a| {
        let format = Column::<StringArray>::of(a, 0)?;
        let arrays = a.values.iter().skip(1).map(|value| Ok(match value {
            ColumnarValue::Array(array) => (array.clone(), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        })).collect::<Result<Vec<(ArrayRef, bool)>>>()?;
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let format = some!(format.get(row));
            let values = arrays.iter().map(|(array, constant)| Value::of(array, if *constant { 0 } else { row }))
                .collect::<Result<Vec<_>>>()?;
            let text = formatted(format, &values)?;
            budget.take(text.len())?;
            Ok(Some(text))
        })
    };
}

/// Widths beyond this would only fill memory.
const MOST_WIDTH: usize = 1 << 24;

/// As Spark hands it to Java: dates and timestamps are plain integers.
enum Value {
    Null,
    /// With the bits of its type.
    Int(i64, u32),
    Double(f64),
    Bool(bool),
    /// With Java's name of its class.
    Text(String, &'static str),
}

impl Value {
    fn of(array: &ArrayRef, row: usize) -> Result<Value> {
        if row >= array.len() || array.is_null(row) || *array.data_type() == Arrow::Null {
            return Ok(Value::Null);
        }
        let one = array.slice(row, 1);
        let number = |bits| -> Result<Value> {
            let array = match one.data_type() {
                Arrow::Int8 | Arrow::Int16 | Arrow::Int32 | Arrow::Int64 => arrow::compute::cast(&one, &Arrow::Int64)?,
                Arrow::Date32 | Arrow::Interval(_) => {
                    arrow::compute::cast(&arrow::compute::cast(&one, &Arrow::Int32)?, &Arrow::Int64)?
                }
                _ => arrow::compute::cast(&one, &Arrow::Int64)?,
            };
            let text = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?.value(0).to_string();
            Ok(Value::Int(text.parse().unwrap_or(0), bits))
        };
        let shown = || -> Result<String> {
            Ok(ArrayFormatter::try_new(one.as_ref(), &FormatOptions::default())?.value(0).to_string())
        };
        match array.data_type() {
            Arrow::Int8 => number(8),
            Arrow::Int16 => number(16),
            Arrow::Int32 | Arrow::Date32 => number(32),
            Arrow::Int64 | Arrow::Timestamp(..) | Arrow::Duration(_) => number(64),
            Arrow::Float32 | Arrow::Float64 => {
                let wide = arrow::compute::cast(&one, &Arrow::Float64)?;
                let double = wide.as_any().downcast_ref::<arrow::array::Float64Array>().map(|array| array.value(0));
                Ok(double.map_or(Value::Null, Value::Double))
            }
            Arrow::Boolean => Ok(Value::Bool(shown()? == "true")),
            Arrow::Utf8 => Ok(Value::Text(shown()?, "org.apache.spark.unsafe.types.UTF8String")),
            Arrow::Decimal128(..) => Ok(Value::Text(shown()?, "org.apache.spark.sql.types.Decimal")),
            other => Err(Error::unsupported(format!("format_string of values that are {other}")).into()),
        }
    }
}

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    comma: bool,
    paren: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn problem(class: &str, message: impl Into<String>) -> Error {
    Error::new(format!("java.util.{class}"), message)
}

fn formatted(format: &str, values: &[Value]) -> Result<String, Error> {
    let mut to = String::new();
    let mut rest = format.chars().peekable();
    let (mut next, mut last) = (0, 0);
    while let Some(c) = rest.next() {
        if c != '%' {
            to.push(c);
            continue;
        }
        let mut text = String::from("%");
        let mut digits = String::new();
        let mut spec = Spec::default();
        let mut at = None;
        if rest.peek() == Some(&'<') {
            rest.next();
            at = Some(last);
        }
        while let Some(digit) = rest.next_if(|c| c.is_ascii_digit() && (*c != '0' || !digits.is_empty())) {
            digits.push(digit);
        }
        let number = |digits: &str| digits.parse::<usize>().ok().filter(|number| *number <= MOST_WIDTH);
        let mut width = None;
        if !digits.is_empty() {
            let value = number(&digits).ok_or_else(|| problem("IllegalFormatWidthException", digits.clone()))?;
            if rest.next_if_eq(&'$').is_some() { at = Some(value.saturating_sub(1)) } else { width = Some(value) }
        }
        if width.is_none() {
            while let Some(flag) = rest.next_if(|c| "-+ 0,(#".contains(*c)) {
                text.push(flag);
                match flag {
                    '-' => spec.left = true,
                    '+' => spec.plus = true,
                    ' ' => spec.space = true,
                    '0' => spec.zero = true,
                    ',' => spec.comma = true,
                    '(' => spec.paren = true,
                    _ => spec.alternate = true,
                }
            }
            digits = std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).collect();
            if !digits.is_empty() {
                width = Some(number(&digits).ok_or_else(|| problem("IllegalFormatWidthException", digits.clone()))?);
            }
        }
        spec.width = width.unwrap_or(0);
        text.push_str(&digits);
        if rest.next_if_eq(&'.').is_some() {
            let digits: String = std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).collect();
            let value =
                number(&digits).ok_or_else(|| problem("UnknownFormatConversionException", "Conversion = '.'"))?;
            text.push_str(&format!(".{digits}"));
            spec.precision = Some(value);
        }
        let conversion = rest.next().ok_or_else(|| problem("UnknownFormatConversionException", "Conversion = '%'"))?;
        text.push(conversion);
        match conversion {
            '%' => to.push_str(&padded("%".to_owned(), &spec)),
            'n' => to.push('\n'),
            _ => {
                let place = at.unwrap_or_else(|| {
                    next += 1;
                    next - 1
                });
                last = place;
                let value = values
                    .get(place)
                    .ok_or_else(|| problem("MissingFormatArgumentException", format!("Format specifier '{text}'")))?;
                to.push_str(&one(conversion, &spec, value)?);
            }
        }
    }
    Ok(to)
}

fn one(conversion: char, spec: &Spec, value: &Value) -> Result<String, Error> {
    let lower = conversion.to_ascii_lowercase();
    let mismatch = || {
        let class = match value {
            Value::Int(_, 8) => "java.lang.Byte",
            Value::Int(_, 16) => "java.lang.Short",
            Value::Int(_, 32) => "java.lang.Integer",
            Value::Int(..) => "java.lang.Long",
            Value::Double(_) => "java.lang.Double",
            Value::Bool(_) => "java.lang.Boolean",
            Value::Text(_, class) => class,
            Value::Null => "null",
        };
        problem("IllegalFormatConversionException", format!("{conversion} != {class}"))
    };
    if let (Some(precision), 'd' | 'x' | 'o' | 'c') = (spec.precision, lower) {
        return Err(problem("IllegalFormatPrecisionException", precision.to_string()));
    }
    let text = match (lower, value) {
        ('b', Value::Bool(value)) => cut(&value.to_string(), spec),
        ('b', value) => cut(if matches!(value, Value::Null) { "false" } else { "true" }, spec),
        ('s', value) => cut(&plain(value), spec),
        ('d' | 'x' | 'o' | 'c' | 'f' | 'e' | 'g', Value::Null) => cut("null", spec),
        ('d', Value::Int(value, _)) => {
            let digits = value.unsigned_abs().to_string();
            return Ok(signed(*value < 0, &if spec.comma { grouped(&digits, 3) } else { digits }, spec));
        }
        ('x' | 'o', Value::Int(value, bits)) => {
            let bits = u64::from_ne_bytes(value.to_ne_bytes()) & (u64::MAX >> (64 - bits));
            let mut text = if lower == 'x' { format!("{bits:x}") } else { format!("{bits:o}") };
            if spec.alternate {
                text.insert_str(0, if lower == 'x' { "0x" } else { "0" });
            }
            if spec.zero { format!("{text:0>width$}", width = spec.width) } else { text }
        }
        ('c', Value::Int(value, _)) => {
            let c = u32::try_from(*value).ok().and_then(char::from_u32);
            c.ok_or_else(|| problem("IllegalFormatCodePointException", format!("Code point = 0x{value:x}")))?
                .to_string()
        }
        ('f' | 'e' | 'g', Value::Double(value)) if value.is_nan() => "NaN".to_owned(),
        ('f' | 'e' | 'g', Value::Double(value)) if value.is_infinite() => {
            return Ok(signed(
                *value < 0.0,
                "Infinity",
                &Spec {
                    zero: false,
                    left: spec.left,
                    plus: spec.plus,
                    space: spec.space,
                    paren: spec.paren,
                    width: spec.width,
                    ..Spec::default()
                },
            ));
        }
        ('f' | 'e' | 'g', Value::Double(value)) => {
            let text = float(lower, *value, spec);
            let text = signed(value.is_sign_negative(), &text, spec);
            return Ok(if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text });
        }
        ('d' | 'x' | 'o' | 'c' | 'f' | 'e' | 'g', _) => return Err(mismatch()),
        ('h' | 'a' | 't', _) => return Err(Error::unsupported(format!("%{conversion} in format_string"))),
        _ => return Err(problem("UnknownFormatConversionException", format!("Conversion = '{conversion}'"))),
    };
    let text = if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text };
    Ok(padded(text, spec))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(value, _) => value.to_string(),
        Value::Double(value) => crate::text::java_double(*value),
        Value::Bool(value) => value.to_string(),
        Value::Text(text, _) => text.clone(),
    }
}

fn cut(text: &str, spec: &Spec) -> String {
    text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect()
}

fn padded(text: String, spec: &Spec) -> String {
    let missing = " ".repeat(spec.width.saturating_sub(text.chars().count()));
    if spec.left { text + &missing } else { missing + &text }
}

fn signed(negative: bool, digits: &str, spec: &Spec) -> String {
    let (before, after) = match (negative, spec) {
        (true, Spec { paren: true, .. }) => ("(", ")"),
        (true, _) => ("-", ""),
        (false, Spec { plus: true, .. }) => ("+", ""),
        (false, Spec { space: true, .. }) => (" ", ""),
        _ => ("", ""),
    };
    if spec.zero {
        let width = spec.width.saturating_sub(before.len() + after.len());
        return format!("{before}{digits:0>width$}{after}");
    }
    padded(format!("{before}{digits}{after}"), spec)
}

/// Java rounds the printed digits half up, whatever the exact value is.
fn float(conversion: char, value: f64, spec: &Spec) -> String {
    let digits = Digits::of_double(value);
    let places = |places: usize| i32::try_from(places).unwrap_or(i32::MAX);
    let up = |_| true;
    let fixed = |precision: usize| {
        let (whole, fraction) = digits.clone().rounded(places(precision), up).plain(precision);
        let whole = if spec.comma { grouped(&whole, 3) } else { whole };
        if precision == 0 { whole } else { format!("{whole}.{fraction}") }
    };
    let scientific = |precision: usize| {
        let mut rounded = digits.clone();
        let scale = rounded.point - 1;
        rounded = rounded.rounded(places(precision).saturating_sub(scale), up);
        let exponent = if rounded.is_zero() { 0 } else { rounded.point - 1 };
        rounded.point = i32::from(!rounded.is_zero());
        let (whole, fraction) = rounded.plain(precision);
        let sign = if exponent < 0 { '-' } else { '+' };
        let dot = if precision == 0 { "" } else { "." };
        format!("{whole}{dot}{fraction}e{sign}{:02}", exponent.abs())
    };
    match conversion {
        'f' => fixed(spec.precision.unwrap_or(6)),
        'e' => scientific(spec.precision.unwrap_or(6)),
        _ => {
            let precision = spec.precision.unwrap_or(6).max(1);
            let rounded = digits.clone().rounded(places(precision) - digits.point, up);
            let in_range = rounded.is_zero() || (-3..=places(precision)).contains(&rounded.point);
            if in_range {
                let whole = usize::try_from(rounded.point.max(-3)).ok();
                fixed(match whole {
                    Some(whole) if !rounded.is_zero() => precision.saturating_sub(whole),
                    _ if rounded.is_zero() => precision - 1,
                    _ => precision + usize::try_from(-rounded.point).unwrap_or(0),
                })
            } else {
                scientific(precision - 1)
            }
        }
    }
}
