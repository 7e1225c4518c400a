//! Numbers in other bases: `bin`, `hex`, `unhex`, `conv`.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType as Arrow, Int32Type, Int64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use crate::coercion::{Expected, implicit_cast};
use crate::groups::scalar::{call_name, exactly, strict};
use crate::operators::overflow;
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

static BIN: Kernel = Kernel { name: "spark_bin", volatile: false, run: run_bin };
static HEX: Kernel = Kernel { name: "spark_hex", volatile: false, run: run_hex };
static UNHEX: Kernel = Kernel { name: "spark_unhex", volatile: false, run: run_unhex };
static CONV: Kernel = Kernel { name: "spark_conv", volatile: false, run: run_conv };

/// `bin(expr)`
pub(super) fn bin(call: Call<'_>) -> Result<Typed> {
    strict(call, &BIN, "bin", &[DataType::Long], DataType::String, false)
}

/// `hex(expr)`
pub(super) fn hex(mut call: Call<'_>) -> Result<Typed> {
    let [value] = exactly(&mut call)?;
    let name = call_name("hex", std::slice::from_ref(&value));
    let value = match value.data_type {
        DataType::Long | DataType::Binary | DataType::String => value,
        _ => {
            let expected =
                Expected::OneOf([DataType::Long, DataType::Binary, DataType::String].map(Expected::Type).to_vec());
            implicit_cast(value, &expected, 1, &name, call.settings)?
        }
    };
    let nullable = value.nullable;
    Ok(SparkUdf::call(&HEX, call.settings, vec![value], DataType::String, nullable, name))
}

/// `unhex(expr)`
pub(super) fn unhex(call: Call<'_>) -> Result<Typed> {
    strict(call, &UNHEX, "unhex", &[DataType::String], DataType::Binary, true)
}

/// `conv(number, from, to)`
pub(super) fn conv(call: Call<'_>) -> Result<Typed> {
    let parameters = [DataType::String, DataType::Int, DataType::Int];
    strict(call, &CONV, "conv", &parameters, DataType::String, true)
}

fn run_bin(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let texts: StringArray =
        values.as_primitive::<Int64Type>().iter().map(|value| value.map(|value| format!("{value:b}"))).collect();
    Ok(ColumnarValue::Array(Arc::new(texts)))
}

/// Bytes as upper-case hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

fn run_hex(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let texts: StringArray = match values.data_type() {
        Arrow::Int64 => {
            values.as_primitive::<Int64Type>().iter().map(|value| value.map(|value| format!("{value:X}"))).collect()
        }
        Arrow::Binary => values.as_binary::<i32>().iter().map(|value| value.map(hexadecimal)).collect(),
        _ => {
            let texts = values.as_string::<i32>();
            texts.iter().map(|value| value.map(|value| hexadecimal(value.as_bytes()))).collect()
        }
    };
    Ok(ColumnarValue::Array(Arc::new(texts)))
}

/// The bytes of hexadecimal digits; an odd first digit is a byte of its own.
pub(crate) fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (first, rest) = text.as_bytes().split_at(text.len() % 2);
    let mut bytes = Vec::with_capacity(text.len().div_ceil(2));
    for byte in first {
        bytes.push(digit(*byte)?);
    }
    for pair in rest.chunks_exact(2) {
        bytes.push(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?);
    }
    Some(bytes)
}

fn run_unhex(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let mut builder = BinaryBuilder::new();
    for value in values.as_string::<i32>() {
        builder.append_option(value.and_then(from_hexadecimal));
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

fn run_conv(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (numbers, from, to) = (arguments.array(0)?, arguments.array(1)?, arguments.array(2)?);
    let numbers = numbers.as_string::<i32>();
    let (from, to) = (from.as_primitive::<Int32Type>(), to.as_primitive::<Int32Type>());
    let mut builder = StringBuilder::new();
    for row in 0..numbers.len() {
        if numbers.is_null(row) || from.is_null(row) || to.is_null(row) {
            builder.append_null();
            continue;
        }
        let text = convert(numbers.value(row), from.value(row), to.value(row), arguments.settings.ansi)?;
        builder.append_option(text);
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

/// A number in another base. It has 64 bits: signed if `to` is negative, and the greatest if there are more digits.
fn convert(text: &str, from: i32, to: i32, ansi: bool) -> Result<Option<String>> {
    let text = text.trim_matches(' ');
    let base = to.unsigned_abs();
    if !(2..=36).contains(&from) || !(2..=36).contains(&base) || text.is_empty() {
        return Ok(None);
    }
    let from = from.unsigned_abs();
    let (mut negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut value = 0_u64;
    for digit in digits.chars().map_while(|digit| digit.to_digit(from)) {
        let next = value.checked_mul(u64::from(from)).and_then(|value| value.checked_add(u64::from(digit)));
        match next {
            Some(next) => value = next,
            None if ansi => return Err(overflow("Overflow in function conv()", None)),
            None => {
                value = u64::MAX;
                break;
            }
        }
    }
    let mut signed = value as i64;
    if negative && to > 0 {
        signed = if signed < 0 { -1 } else { -signed };
    }
    if to < 0 && signed < 0 {
        signed = signed.wrapping_neg();
        negative = true;
    }
    let mut rest = signed as u64;
    let mut reversed = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(base)).unwrap_or(0);
        reversed.push(char::from_digit(digit, base).unwrap_or('0').to_ascii_uppercase());
        rest /= u64::from(base);
        if rest == 0 {
            break;
        }
    }
    if negative && to < 0 {
        reversed.push('-');
    }
    Ok(Some(reversed.into_iter().rev().collect()))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&BIN, &HEX, &UNHEX, &CONV];
