//! Turns the fields of a column into an array, as Spark 3.5 reads them.
//! Source: Spark 3.5, `UnivocityParser.makeConverter`, and what Spark 3.5.4 answers.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
};
use paceline_functions::records::Times;

/// What the options say of numbers that are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Reads as NaN.
    pub nan: String,
    /// Reads as infinity.
    pub infinity: String,
    /// Reads as minus infinity.
    pub minus_infinity: String,
}

/// An array of `data_type`; `wrong` is told the rows whose text is no value of it, which become NULL.
/// `None` where CSV has no columns of that type.
pub fn array<'a>(
    cells: impl Iterator<Item = Option<&'a str>>,
    data_type: &DataType,
    numbers: &Numbers,
    times: &Times,
    wrong: &mut dyn FnMut(usize),
) -> Option<ArrayRef> {
    let mut cells = Reading { cells: cells.enumerate(), wrong };
    Some(match data_type {
        DataType::Utf8 => Arc::new(cells.read(Some).collect::<StringArray>()),
        DataType::Boolean => Arc::new(cells.read(boolean).collect::<BooleanArray>()),
        DataType::Int8 => cells.whole::<Int8Type>(),
        DataType::Int16 => cells.whole::<Int16Type>(),
        DataType::Int32 => cells.whole::<Int32Type>(),
        DataType::Int64 => cells.whole::<Int64Type>(),
        DataType::Float32 => cells.primitive::<Float32Type>(|text| float(text, numbers)),
        DataType::Float64 => cells.primitive::<Float64Type>(|text| float(text, numbers)),
        DataType::Decimal128(precision, scale) => {
            let values = cells.read(|text| decimal(&text.replace(',', ""), *precision, *scale));
            let values: Decimal128Array = values.collect();
            Arc::new(values.with_data_type(data_type.clone()))
        }
        DataType::Date32 => Arc::new(cells.read(|text| times.date(text)).collect::<Date32Array>()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Arc::new(cells.read(|text| times.timestamp_ntz(text)).collect::<TimestampMicrosecondArray>())
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(name)) => {
            let values: TimestampMicrosecondArray = cells.read(|text| times.timestamp(text)).collect();
            Arc::new(values.with_timezone(Arc::clone(name)))
        }
        _ => return None,
    })
}

/// Whether [`array`] makes such arrays.
pub fn is_supported(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(unit, _) => *unit == TimeUnit::Microsecond,
        DataType::Utf8
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Date32 => true,
        _ => false,
    }
}

struct Reading<'w, I> {
    cells: I,
    wrong: &'w mut dyn FnMut(usize),
}

impl<'a, I: Iterator<Item = (usize, Option<&'a str>)>> Reading<'_, I> {
    fn read<T>(&mut self, parse: impl Fn(&'a str) -> Option<T>) -> impl Iterator<Item = Option<T>> {
        let Reading { cells, wrong } = self;
        cells.by_ref().map(move |(row, cell)| {
            let value = parse(cell?);
            if value.is_none() {
                wrong(row);
            }
            value
        })
    }

    fn primitive<T: ArrowPrimitiveType>(&mut self, parse: impl Fn(&'a str) -> Option<T::Native>) -> ArrayRef {
        Arc::new(self.read(parse).collect::<PrimitiveArray<T>>())
    }

    fn whole<T: ArrowPrimitiveType<Native: FromStr>>(&mut self) -> ArrayRef {
        self.primitive::<T>(|text| text.parse().ok())
    }
}

/// As Scala's `toBoolean`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// As Java's `parseDouble`, without its hexadecimal form.
pub(super) fn float<T: FromStr + From<f32>>(text: &str, numbers: &Numbers) -> Option<T> {
    let constant =
        [(&numbers.nan, f32::NAN), (&numbers.infinity, f32::INFINITY), (&numbers.minus_infinity, f32::NEG_INFINITY)];
    if let Some((_, value)) = constant.iter().find(|(name, _)| *name == text) {
        return Some(T::from(*value));
    }
    let text = text.trim_matches(|c| c <= ' ');
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "NaN" => return Some(T::from(f32::NAN)),
        "Infinity" if text.starts_with('-') => return Some(T::from(f32::NEG_INFINITY)),
        "Infinity" => return Some(T::from(f32::INFINITY)),
        _ => {}
    }
    let digits = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain { digits.parse().ok() } else { None }
}

/// As `new BigDecimal(text)`, rounded half up to the scale; `None` where it has more digits than the precision.
pub(super) fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let BigDecimal { negative, digits, scale: given } = BigDecimal::parse(text)?;
    let shift = i64::from(scale) - given;
    let digits = digits.trim_start_matches('0');
    let mut unscaled: i128 = if shift >= 0 {
        if digits.is_empty() {
            return Some(0);
        }
        let length = i64::try_from(digits.len()).ok()? + shift;
        if length > i64::from(precision) {
            return None;
        }
        format!("{digits}{}", "0".repeat(usize::try_from(shift).ok()?)).parse().ok()?
    } else {
        let cut = usize::try_from(-shift).ok()?;
        if cut > digits.len() {
            return Some(0);
        }
        let (kept, rest) = digits.split_at(digits.len() - cut);
        if kept.len() > usize::from(precision) {
            return None;
        }
        let kept: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        kept + i128::from(rest.as_bytes().first().is_some_and(|digit| *digit >= b'5'))
    };
    if unscaled >= 10_i128.checked_pow(u32::from(precision))? {
        return None;
    }
    if negative {
        unscaled = -unscaled;
    }
    Some(unscaled)
}

/// A number as Java's `BigDecimal` reads it: digits × 10^-scale.
pub(super) struct BigDecimal {
    negative: bool,
    pub digits: String,
    pub scale: i64,
}

impl BigDecimal {
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        Some(BigDecimal { negative: text.starts_with('-'), digits, scale })
    }

    /// Digits without leading zeros, at least one.
    pub fn precision(&self) -> usize {
        self.digits.trim_start_matches('0').len().max(1)
    }
}
