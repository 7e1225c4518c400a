//! How calls of string functions become expressions, where a list of types does not say it.

use super::{change, charset, cut, like, number_text, regex};
use crate::checks::{
    In, cast, cast_call, constant_text, count, defaults, int, named, named_as, not_so_many, plain, text, unexpected,
};
use crate::error::{Error, Result};
use crate::nested::mismatch;
use crate::{Call, DataType, Kernel, SparkUdf, Typed};

/// A call whose type is that of its first argument, binary or string.
fn kind(call: &Call<'_>) -> DataType {
    match call.arguments.first().map(|argument| &argument.data_type) {
        Some(DataType::Binary) => DataType::Binary,
        _ => DataType::String,
    }
}

pub(super) fn concat_ws(mut call: Call<'_>) -> Result<Typed> {
    if call.arguments.is_empty() {
        return Err(not_so_many(&call, "> 0"));
    }
    let name = named(&call);
    let strings = DataType::Array(Box::new(DataType::String), true);
    for (at, argument) in call.arguments.iter_mut().enumerate() {
        let given = argument.clone();
        let to = match &given.data_type {
            DataType::Array(element, _) if at > 0 && matches!(**element, DataType::String) => continue,
            DataType::Array(..) if at > 0 => strings.clone(),
            _ => DataType::String,
        };
        let expected = if at == 0 { "\"STRING\"" } else { "(\"ARRAY<STRING>\" or \"STRING\")" };
        *argument = crate::checks::implicit(given, &to, call.settings)
            .map_err(|_| unexpected(&name, at, argument, expected))?;
    }
    Ok(SparkUdf::call(&change::CONCAT_WS, call.settings, call.arguments, DataType::String, true, name))
}

pub(super) fn elt(call: Call<'_>) -> Result<Typed> {
    if call.arguments.len() < 2 {
        return Err(not_so_many(&call, "> 1"));
    }
    let binary = call.arguments.iter().skip(1).all(|argument| argument.data_type == DataType::Binary)
        && !call.settings.flag("spark.sql.function.eltoutputasstring", false);
    let (input, returns) = if binary { (In::Binary, DataType::Binary) } else { (In::Text, DataType::String) };
    cast_call(call, &change::ELT, &[In::Int, input], returns)
}

pub(super) fn format_string(call: Call<'_>) -> Result<Typed> {
    if call.arguments.is_empty() {
        return Err(not_so_many(&call, "> 0"));
    }
    cast_call(call, &super::printf::FORMAT_STRING, &[In::Text, In::Any], DataType::String)
}

pub(super) fn format_number(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2])?;
    let name = named(&call);
    let is_text = call.arguments.get(1).is_some_and(|argument| argument.data_type == DataType::String);
    let number = match call.arguments.first() {
        Some(argument) if argument.data_type.is_numeric() => In::Any,
        Some(argument) if matches!(argument.data_type, DataType::String | DataType::Void) => In::Double,
        Some(argument) => return Err(unexpected(&name, 0, argument, "\"NUMERIC\"")),
        None => In::Any,
    };
    let (kernel, second) =
        if is_text { (&number_text::BY_PATTERN, In::Text) } else { (&number_text::BY_PLACES, In::Int) };
    cast(&mut call, &[number, second])?;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::String, true, name))
}

pub(super) fn substring(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 2, &[int(i32::MAX)])?;
    let kind = kind(&call);
    cast_call(call, &cut::SUBSTRING, &[In::TextOrBinary, In::Int, In::Int], kind)
}

/// `left(s, n)` is `substring(s, 1, n)`.
pub(super) fn left(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2])?;
    let name = named(&call);
    let kind = kind(&call);
    cast(&mut call, &[In::TextOrBinary, In::Int])?;
    call.arguments.insert(1, int(1));
    Ok(SparkUdf::call(&cut::SUBSTRING, call.settings, call.arguments, kind, true, name))
}

pub(super) fn overlay(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 3, &[int(-1)])?;
    let binary = call.arguments.iter().take(2).all(|argument| argument.data_type == DataType::Binary);
    let (input, returns) = if binary { (In::Binary, DataType::Binary) } else { (In::Text, DataType::String) };
    cast_call(call, &cut::OVERLAY, &[input, input, In::Int, In::Int], returns)
}

/// Bytes are padded with zeros, strings with spaces; where only one of both is bytes, both are strings.
pub(super) fn pad(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    let zero = datafusion::scalar::ScalarValue::Binary(Some(vec![0]));
    let default = match kind(&call) {
        DataType::Binary => Typed::literal(zero, DataType::Binary, "X'00'"),
        _ => text(" "),
    };
    defaults(&mut call, 2, &[default])?;
    let pad_is_binary = call.arguments.get(2).is_some_and(|argument| argument.data_type == DataType::Binary);
    let binary = kind(&call) == DataType::Binary && pad_is_binary;
    let (input, returns) = if binary { (In::Binary, DataType::Binary) } else { (In::Text, DataType::String) };
    cast_call(call, kernel, &[input, In::Int, input], returns)
}

/// What is trimmed stands first, as in `TRIM(x FROM s)`.
pub(super) fn trim(mut call: Call<'_>, kernel: &'static Kernel, side: &str) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = match call.arguments.as_slice() {
        [chars, source] => format!("TRIM({side} {} FROM {})", chars.name, source.name),
        _ => named(&call),
    };
    call.arguments.reverse();
    cast(&mut call, &[In::Text, In::Text])?;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::String, true, name))
}

pub(super) fn btrim(call: Call<'_>) -> Result<Typed> {
    count(&call, &[1, 2])?;
    cast_call(call, &cut::TRIM, &[In::Text, In::Text], DataType::String)
}

/// `a LIKE b`; the grammar's ESCAPE comes as a third argument, which does not show.
pub(super) fn like(mut call: Call<'_>, folds: bool) -> Result<Typed> {
    if call.arguments.len() != 3 {
        count(&call, &[2])?;
        call.arguments.push(text("\\"));
    }
    let name = match call.arguments.as_slice() {
        [value, pattern, ..] if !folds => format!("{} LIKE {}", value.name, pattern.name),
        shown => named_as("ilike", &shown[..2.min(shown.len())]),
    };
    cast(&mut call, &[In::Text])?;
    let kernel = if folds { &like::ILIKE } else { &like::LIKE };
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::Boolean, true, name))
}

pub(super) fn rlike(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    count(&call, &[2])?;
    let name = named_as(&call.name.to_uppercase(), &call.arguments);
    cast(&mut call, &[In::Text])?;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::Boolean, true, name))
}

pub(super) fn regexp_replace(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 3, &[int(1)])?;
    if let Some(datafusion::scalar::ScalarValue::Int32(Some(position))) = call.arguments[3].as_literal()
        && *position < 1
    {
        return Err(Error::new(
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
            format!(
                "Cannot resolve \"{}\" due to data type mismatch: The `position` must be between (0, 2147483647] (current value = {position}).",
                named(&call)
            ),
        ));
    }
    cast_call(call, &regex::REPLACE, &[In::Text, In::Text, In::Text, In::Int], DataType::String)
}

pub(super) fn length(call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    plain(call, kernel, &[In::TextOrBinary], DataType::Int)
}

/// Strings with strings, or bytes with bytes.
pub(super) fn pair(call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    let binary = call.arguments.iter().all(|argument| argument.data_type == DataType::Binary);
    let input = if binary { In::Binary } else { In::Text };
    plain(call, kernel, &[input, input], DataType::Boolean)
}

pub(super) fn mask(mut call: Call<'_>) -> Result<Typed> {
    let nothing = Typed::literal(datafusion::scalar::ScalarValue::Utf8(None), DataType::String, "NULL");
    defaults(&mut call, 1, &[text("X"), text("x"), text("n"), nothing])?;
    let name = named(&call);
    for (at, argument) in call.arguments.iter().enumerate() {
        if !matches!(argument.data_type, DataType::String | DataType::Void) {
            return Err(unexpected(&name, at, argument, "\"STRING\""));
        }
    }
    for (at, parameter) in [(1, "upperChar"), (2, "lowerChar"), (3, "digitChar"), (4, "otherChar")] {
        if let Some(argument) = call.arguments.get(at).filter(|argument| !argument.foldable) {
            let what = format!(
                "the input {parameter} should be a foldable \"STRING\" expression; however, got \"{}\".",
                argument.name
            );
            return Err(mismatch(&name, "NON_FOLDABLE_INPUT", what));
        }
        if constant_text(&call, at).is_some_and(|by| by.chars().count() != 1) {
            return Err(Error::new(
                "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE",
                format!(
                    "Cannot resolve \"{}\" due to data type mismatch: Length of {parameter} should be 1.",
                    named(&call)
                ),
            ));
        }
    }
    cast_call(call, &change::MASK, &[In::Text], DataType::String)
}

/// With two arguments the charset of bytes; with more, values and results.
pub(super) fn decode(call: Call<'_>) -> Result<Typed> {
    match call.arguments.len() {
        2 => plain(call, &charset::DECODE, &[In::Binary, In::Text], DataType::String),
        0 | 1 => Err(not_so_many(&call, "> 1")),
        _ => super::decode::choose(call),
    }
}

pub(super) fn sentences(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 1, &[text(""), text("")])?;
    let words = DataType::Array(Box::new(DataType::String), false);
    cast_call(call, &super::sentences::SENTENCES, &[In::Text], DataType::Array(Box::new(words), false))
}

pub(super) fn levenshtein(call: Call<'_>) -> Result<Typed> {
    count(&call, &[2, 3])?;
    cast_call(call, &super::measure::LEVENSHTEIN, &[In::Text, In::Text, In::Int], DataType::Int)
}

pub(super) fn locate(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 2, &[int(1)])?;
    cast_call(call, &super::search::LOCATE, &[In::Text, In::Text, In::Int], DataType::Int)
}

/// Strings of a pattern; a group's number may be left out.
pub(super) fn extract(mut call: Call<'_>, kernel: &'static Kernel, group: i32, returns: DataType) -> Result<Typed> {
    defaults(&mut call, 2, &[int(group)])?;
    cast_call(call, kernel, &[In::Text, In::Text, In::Int], returns)
}
