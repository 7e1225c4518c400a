//! `format_number`: numbers with separators, by places or by a pattern of Java's DecimalFormat.

use arrow::array::{Array, ArrayRef, Decimal128Array, Float64Array, Int32Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use bigdecimal::BigDecimal;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::digits::{Digits, grouped};
use crate::Arguments;
use crate::columns::{Budget, Column, each, kernels, some};
use crate::error::Error;

kernels! {
    BY_PLACES = "spark_format_number", |a| {
        let places = Column::<Int32Array>::of(a, 1)?;
        let number = Numbers::of(a)?;
        let mut budget = Budget::new();
        each::<StringArray, String>(a, |row| {
            let (places, number) = (some!(places.get(row)), some!(number.get(row)?));
            if places < 0 {
                return Ok(None);
            }
            budget.take(usize::try_from(places).unwrap_or(0))?;
            let places = usize::try_from(places).unwrap_or(0);
            Ok(Some(Pattern { group: 3, least_whole: 1, least: places, most: places, ..Pattern::default() }.text(&number)))
        })
    };
    BY_PATTERN = "spark_format_number_by_pattern", |a| {
        let pattern = Column::<StringArray>::of(a, 1)?;
        let number = Numbers::of(a)?;
        each::<StringArray, String>(a, |row| {
            let (pattern, number) = (some!(pattern.get(row)), some!(number.get(row)?));
            let pattern = if pattern.is_empty() { "#,###,###,###,###,###,##0" } else { pattern };
            Ok(Some(Pattern::of(pattern)?.text(&number)))
        })
    };
}

enum Number {
    Finite(Digits, Option<f64>),
    Infinite(bool),
    NaN,
}

struct Numbers {
    array: ArrayRef,
    constant: bool,
}

impl Numbers {
    fn of(a: &Arguments<'_>) -> Result<Self> {
        let (array, constant) = match &a.values[0] {
            ColumnarValue::Array(array) => (array.clone(), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        };
        let array = match array.data_type() {
            Arrow::Float32 => arrow::compute::cast(&array, &Arrow::Float64)?,
            Arrow::Int8 | Arrow::Int16 | Arrow::Int32 | Arrow::Int64 => {
                arrow::compute::cast(&array, &Arrow::Decimal128(38, 0))?
            }
            _ => array,
        };
        Ok(Numbers { array, constant })
    }

    fn get(&self, row: usize) -> Result<Option<Number>> {
        let row = if self.constant { 0 } else { row };
        if row >= self.array.len() || self.array.is_null(row) {
            return Ok(None);
        }
        if let Some(decimals) = self.array.as_any().downcast_ref::<Decimal128Array>() {
            return Ok(Some(Number::Finite(Digits::of_plain(&decimals.value_as_string(row)), None)));
        }
        let double = some!(self.array.as_any().downcast_ref::<Float64Array>().map(|array| array.value(row)));
        Ok(Some(match double {
            double if double.is_nan() => Number::NaN,
            double if double.is_infinite() => Number::Infinite(double < 0.0),
            double => Number::Finite(Digits::of_double(double), Some(double)),
        }))
    }
}

#[derive(Default)]
struct Pattern {
    prefix: String,
    suffix: String,
    group: usize,
    least_whole: usize,
    least: usize,
    most: usize,
    /// 2 for percent.
    shift: i32,
}

impl Pattern {
    fn of(text: &str) -> Result<Self, Error> {
        let mut pattern = Pattern::default();
        let (positive, _) = text.split_once(';').unwrap_or((text, ""));
        let is_digit = |c: char| matches!(c, '#' | '0' | ',' | '.');
        let start = positive.find(is_digit).unwrap_or(positive.len());
        let (prefix, rest) = positive.split_at(start);
        let end = rest.find(|c: char| !is_digit(c)).unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        if suffix.contains(['#', '0', 'E', '\'', '\u{a4}', '\u{2030}']) || prefix.contains(['\'', '\u{a4}']) {
            return Err(Error::unsupported(format!("the number format '{text}'")));
        }
        if prefix.contains('%') || suffix.contains('%') {
            pattern.shift = 2;
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains(['.', ',']) {
            return Err(Error::new("java.lang.IllegalArgumentException", format!("Malformed pattern \"{text}\"")));
        }
        pattern.group = whole.rfind(',').map_or(0, |at| whole.len() - at - 1);
        pattern.least_whole = whole.matches('0').count();
        pattern.least = fraction.matches('0').count();
        pattern.most = fraction.len();
        if pattern.least_whole == 0 && pattern.most == 0 {
            pattern.least_whole = usize::from(!whole.is_empty());
        }
        pattern.prefix = prefix.to_owned();
        pattern.suffix = suffix.to_owned();
        Ok(pattern)
    }

    /// Halves go to the even digit; whether a double is a half, its exact value says.
    fn text(&self, number: &Number) -> String {
        let (digits, double) = match number {
            Number::NaN => return "NaN".to_owned(),
            Number::Infinite(negative) => {
                return format!("{}{}\u{221e}{}", if *negative { "-" } else { "" }, self.prefix, self.suffix);
            }
            Number::Finite(digits, double) => (digits.clone(), *double),
        };
        let places = i32::try_from(self.most).unwrap_or(i32::MAX);
        let (mut digits, negative) = (Digits { point: digits.point + self.shift, ..digits.clone() }, digits.negative);
        let above = double.map(|double| exact_above(double, &digits, self.shift));
        digits = digits.rounded(places, |last| match above {
            Some(Some(above)) => above,
            _ => last % 2 == 1,
        });
        let (mut whole, mut fraction) = digits.plain(self.most);
        while fraction.len() > self.least && fraction.ends_with('0') {
            fraction.pop();
        }
        if whole == "0" && self.least_whole == 0 {
            whole.clear();
        }
        let whole = grouped(&format!("{whole:0>width$}", width = self.least_whole), self.group);
        let dot = if fraction.is_empty() { "" } else { "." };
        format!("{}{}{whole}{dot}{fraction}{}", if negative { "-" } else { "" }, self.prefix, self.suffix)
    }
}

/// Whether the exact value is above its printed digits; none if it is equal.
fn exact_above(double: f64, printed: &Digits, shift: i32) -> Option<bool> {
    if shift != 0 {
        return None;
    }
    let exact = BigDecimal::try_from(double.abs()).ok()?;
    let (whole, fraction) = printed.plain(printed.digits.len());
    let printed: BigDecimal = format!("{whole}.{fraction}0").parse().ok()?;
    match exact.cmp(&printed) {
        std::cmp::Ordering::Equal => None,
        order => Some(order == std::cmp::Ordering::Greater),
    }
}
