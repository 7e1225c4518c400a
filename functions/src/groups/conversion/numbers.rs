//! `to_number`, `try_to_number`, `to_char` and `to_varchar`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::Decimal128Type;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::formats::{Format, Sign};
use crate::cast::{parse_decimal, primitives};
use crate::coercion::{Expected, implicit_cast};
use crate::decimal_type::bounded;
use crate::groups::scalar::exactly;
use crate::operators::resolve_error;
use crate::text::decimal_plain;
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

static TO_NUMBER: Kernel = Kernel { name: "spark_to_number", volatile: false, run: |a| run_to_number(a, false) };
static TRY_TO_NUMBER: Kernel = Kernel { name: "spark_try_to_number", volatile: false, run: |a| run_to_number(a, true) };
static TO_CHAR: Kernel = Kernel { name: "spark_number_to_char", volatile: false, run: run_to_char };

/// `to_number(text, format)`
pub(super) fn to_number(mut call: Call<'_>, tries: bool) -> Result<Typed> {
    let [value, format] = exactly(&mut call)?;
    let name = format!("{}({}, {})", call.name, value.name, format.name);
    let value = implicit_cast(value, &Expected::Type(DataType::String), 1, &name, call.settings)?;
    let Some((format, parsed)) = constant_format(format, &name, &call)? else {
        return Typed::null(DataType::Decimal(38, 0), name);
    };
    let (whole, fraction) = parsed.digits();
    let total = i32::try_from(whole + fraction).unwrap_or(38);
    let data_type = bounded(total, i32::try_from(fraction).unwrap_or(38));
    let kernel = if tries { &TRY_TO_NUMBER } else { &TO_NUMBER };
    Ok(SparkUdf::call(kernel, call.settings, vec![value, format], data_type, true, name))
}

/// `to_char(number, format)`
pub(super) fn to_char(mut call: Call<'_>) -> Result<Typed> {
    let [value, format] = exactly(&mut call)?;
    let name = format!("to_char({}, {})", value.name, format.name);
    let value = implicit_cast(value, &Expected::Decimal, 1, &name, call.settings)?;
    let Some((format, _)) = constant_format(format, &name, &call)? else {
        return Typed::null(DataType::String, name);
    };
    let nullable = value.nullable;
    Ok(SparkUdf::call(&TO_CHAR, call.settings, vec![value, format], DataType::String, nullable, name))
}

/// The format as a constant, and what it says; `None` if it is NULL.
fn constant_format(format: Typed, name: &str, call: &Call<'_>) -> Result<Option<(Typed, Format)>> {
    let format = implicit_cast(format, &Expected::Type(DataType::String), 2, name, call.settings)?;
    if !format.foldable {
        let why =
            format!("the input format should be a foldable \"STRING\" expression; however, got \"{}\".", format.name);
        return Err(resolve_error("NON_FOLDABLE_INPUT", name, why));
    }
    let value = crate::evaluate::constant(&format)?;
    if value.is_null() {
        return Ok(None);
    }
    let parsed = Format::parse(crate::literal::string(&value).unwrap_or_default())?;
    Ok(Some((Typed::literal(value, DataType::String, format.name), parsed)))
}

fn format_of(arguments: &Arguments<'_>) -> DataFusionResult<Format> {
    let formats = match &arguments.values[1] {
        ColumnarValue::Scalar(value) => value.to_array()?,
        ColumnarValue::Array(array) => Arc::clone(array),
    };
    let text = formats.as_string::<i32>().iter().flatten().next().unwrap_or("9").to_owned();
    Ok(Format::parse(&text)?)
}

fn run_to_number(arguments: &Arguments<'_>, tries: bool) -> DataFusionResult<ColumnarValue> {
    let format = format_of(arguments)?;
    let arrow::datatypes::DataType::Decimal128(precision, scale) = *arguments.returns.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "to_number returns a decimal").into());
    };
    let texts = arguments.array(0)?;
    let texts = texts.as_string::<i32>();
    let values = primitives::<Decimal128Type>(texts, |row| {
        let text = texts.value(row);
        match read(text, &format).and_then(|digits| parse_decimal(&digits, scale).flatten()) {
            Some(value) => Ok(Some(value)),
            None if tries => Ok(None),
            None => Err(Error::new(
                "INVALID_FORMAT.MISMATCH_INPUT",
                format!(
                    "The format is invalid: {}. The input \"STRING\" {text} does not match the format.",
                    format.text
                ),
            )),
        }
    })?;
    Ok(ColumnarValue::Array(Arc::new(values.with_precision_and_scale(precision, scale)?)))
}

/// The number that a text says, with a sign and a point and nothing else.
fn read(text: &str, format: &Format) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = text.as_str();
    let mut negative = false;
    let strip = |rest: &mut &str, sign: char, before: bool| {
        let stripped = if before { rest.strip_prefix(sign) } else { rest.strip_suffix(sign) };
        stripped.inspect(|behind| *rest = behind).is_some()
    };
    match format.sign {
        Sign::None => {}
        Sign::Before | Sign::After => {
            let before = format.sign == Sign::Before;
            negative = strip(&mut rest, '-', before);
            if !negative {
                strip(&mut rest, '+', before);
            }
        }
        Sign::MinusBefore => negative = strip(&mut rest, '-', true),
        Sign::MinusAfter => negative = strip(&mut rest, '-', false),
        Sign::Brackets => {
            if let Some(inner) = rest.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                (negative, rest) = (true, inner);
            }
        }
    }
    if format.dollar {
        rest = rest.strip_prefix('$')?;
    }
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let point = rest.contains('.');
    if point && format.fraction.is_none() || fraction.len() > format.fraction.as_ref().map_or(0, String::len) {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let wanted: Vec<&str> = format.whole.split(',').collect();
    let groups: Vec<&str> = whole.split(',').collect();
    if groups.len() > wanted.len() || !digits(fraction) {
        return None;
    }
    let offset = wanted.len() - groups.len();
    for (at, group) in groups.iter().enumerate() {
        let most = wanted.get(at + offset)?.len();
        let exact = at > 0 || (offset == 0 && format.whole.starts_with('0'));
        if !digits(group) || group.len() > most || (exact && group.len() != most) {
            return None;
        }
    }
    if offset > 0 && format.whole.starts_with('0') {
        return None;
    }
    let digits: String = groups.concat();
    if digits.is_empty() && fraction.is_empty() {
        return None;
    }
    Some(format!("{}{digits}.{fraction}", if negative { "-" } else { "" }))
}

fn run_to_char(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let format = format_of(arguments)?;
    let values = arguments.array(0)?;
    let arrow::datatypes::DataType::Decimal128(_, scale) = *values.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "to_char takes a decimal").into());
    };
    let mut builder = StringBuilder::new();
    for value in values.as_primitive::<Decimal128Type>() {
        builder.append_option(value.map(|value| write(value, scale, &format)));
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

/// A number in a format; `##.##` if it has more digits.
fn write(value: i128, scale: i8, format: &Format) -> String {
    let plain = decimal_plain(value, scale);
    let unsigned = plain.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let (before, behind) = format.digits();
    if whole.len() > before || fraction.len() > behind {
        let hashes = |part: &str| part.replace(['0', '9'], "#");
        let point = format.fraction.as_ref().map(|fraction| format!(".{}", hashes(fraction)));
        return format!("{}{}", hashes(&format.whole), point.unwrap_or_default());
    }
    // From the right: a digit of the number, then zeros where a zero is anywhere to the left, then blanks.
    let mut digits = whole.chars().rev();
    let first_zero = format.whole.find('0');
    let mut reversed = Vec::new();
    for (at, c) in format.whole.char_indices().rev() {
        let zeros = first_zero.is_some_and(|first| first <= at);
        reversed.push(match (c, digits.clone().next()) {
            (',', Some(_)) => ',',
            (',', None) => {
                if zeros {
                    ','
                } else {
                    ' '
                }
            }
            (_, Some(digit)) => {
                digits.next();
                digit
            }
            (_, None) => {
                if zeros {
                    '0'
                } else {
                    ' '
                }
            }
        });
    }
    // There is always a digit before a point.
    if let Some(last) = reversed.first_mut().filter(|last| **last == ' ' && format.fraction.is_some()) {
        *last = '0';
    }
    let body: String = reversed.into_iter().rev().collect();
    let point = format.fraction.as_ref().map(|part| format!(".{fraction:0<width$}", width = part.len()));
    let dollar = if format.dollar { "$" } else { "" };
    let number = format!("{dollar}{body}{}", point.unwrap_or_default());
    // A sign is beside the first character that is not blank.
    let start = number.len() - number.trim_start().len();
    let (blanks, number) = number.split_at(start);
    let negative = value < 0;
    match format.sign {
        Sign::None => format!("{blanks}{number}"),
        Sign::Before => format!("{blanks}{}{number}", if negative { "-" } else { "+" }),
        Sign::After => format!("{blanks}{number}{}", if negative { "-" } else { "+" }),
        Sign::MinusBefore => format!("{blanks}{}{number}", if negative { "-" } else { " " }),
        Sign::MinusAfter => format!("{blanks}{number}{}", if negative { "-" } else { " " }),
        Sign::Brackets if negative => format!("{blanks}<{number}>"),
        Sign::Brackets => format!("{blanks}{number}  "),
    }
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&TO_NUMBER, &TRY_TO_NUMBER, &TO_CHAR];
