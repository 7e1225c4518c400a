//! What the replies of all formats become: JSON values as an Arrow column.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::json::{Members, text};
use super::rewrite::{has, rewrite};
use super::types::{read_as, restored};

/// The values of the rows of one batch of arguments.
#[derive(Debug)]
pub struct Decoded {
    /// One value per row, NULL where there was none or a bad one.
    pub values: ArrayRef,
    /// Rows whose value is not what the function declares, in order.
    pub bad: Vec<BadReply>,
}

/// A value that is not what the function declares.
#[derive(Debug, PartialEq, Eq)]
pub struct BadReply {
    /// Which row of the batch.
    pub row: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Reads one value per row, `None` where there is none. A value `{"error": …}` fails its row, unless the declared type
/// has a field of that name.
///
/// Beside the texts that [`objects`](super::objects) writes it takes numbers in quotes, base64 without padding, and times
/// with any offset; a time without one is UTC.
///
/// All values are decoded together; only where that fails is each one looked at alone.
///
/// # Errors
/// The declared type is one that JSON cannot carry; what is wrong with a value is in [`Decoded::bad`].
pub fn decode(returns: &DataType, values: &[Option<Bytes>]) -> Result<Decoded, ArrowError> {
    let field: FieldRef = Arc::new(Field::new("reply", read_as(returns), true));
    if values.is_empty() {
        return Ok(Decoded { values: new_empty_array(returns), bad: Vec::new() });
    }
    if *returns == DataType::Utf8 {
        return Ok(texts(values));
    }
    let may_have_errors = !has_field(returns, "error");
    let mut bad: Vec<_> = values.iter().enumerate().filter(|_| may_have_errors).filter_map(error_of_row).collect();
    let mut good: Vec<_> = values.iter().map(Option::as_ref).collect();
    bad.iter().for_each(|reply| good[reply.row] = None);
    if has(returns, DataType::is_integer) {
        for (row, value) in good.iter_mut().enumerate() {
            let Some(number) = value.and_then(|value| not_whole(returns, value)) else { continue };
            bad.push(BadReply { row, message: format!("the reply is not {returns}: {number} is not a whole number") });
            *value = None;
        }
    }
    if let Ok(values) = decode_all(&field, returns, good.iter().copied()) {
        bad.sort_by_key(|reply| reply.row);
        return Ok(Decoded { values, bad });
    }
    for (row, value) in good.iter_mut().enumerate() {
        if let Err(error) = decode_all(&field, returns, [*value].into_iter()) {
            bad.push(BadReply { row, message: format!("the reply is not {returns}: {error}") });
            *value = None;
        }
    }
    bad.sort_by_key(|reply| reply.row);
    Ok(Decoded { values: decode_all(&field, returns, good.into_iter())?, bad })
}

/// For a function that returns a string any JSON value will do: a string is itself, `null` is NULL, everything else is
/// kept as JSON text.
fn texts(values: &[Option<Bytes>]) -> Decoded {
    let mut bad = Vec::new();
    let mut text = |(row, value): (usize, &Option<Bytes>)| {
        let raw = match serde_json::from_slice::<&RawValue>(value.as_ref()?) {
            Ok(raw) => raw.get(),
            Err(error) => {
                bad.push(BadReply { row, message: format!("the reply is not JSON: {error}") });
                return None;
            }
        };
        let string = serde_json::from_str::<Option<String>>(raw);
        string.unwrap_or_else(|_| Some(raw.to_owned()))
    };
    let texts: StringArray = values.iter().enumerate().map(&mut text).collect();
    Decoded { values: Arc::new(texts), bad }
}

fn has_field(data_type: &DataType, name: &str) -> bool {
    matches!(data_type, DataType::Struct(fields) if fields.find(name).is_some())
}

fn error_of_row((row, value): (usize, &Option<Bytes>)) -> Option<BadReply> {
    let value = value.as_ref()?;
    // Most values have no such text anywhere, which is quickly seen.
    if !value.windows(7).any(|window| window == b"\"error\"") {
        return None;
    }
    let error = text(Members::of_reply(value).ok()?.get("error")?)?;
    Some(BadReply { row, message: format!("the API answered this row with an error: {error}") })
}

/// The first number with a fraction where the type has a whole one; the reader would cut it off without a word. Numbers
/// such as `2.0` are whole, up to the size from which a double no longer has them all.
fn not_whole(returns: &DataType, value: &Bytes) -> Option<String> {
    if !value.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return None;
    }
    let mut found = None;
    let mut look = |data_type: &DataType, json: &str, _: &mut String| {
        let is_exact = |number: f64| number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        if data_type.is_integer() && json.contains(['.', 'e', 'E']) && !json.parse().is_ok_and(is_exact) {
            found.get_or_insert_with(|| json.to_owned());
        }
    };
    rewrite(returns, std::str::from_utf8(value).ok()?.trim(), &mut look, &mut String::new());
    found
}

fn decode_all<'a>(
    field: &FieldRef,
    returns: &DataType,
    replies: impl ExactSizeIterator<Item = Option<&'a Bytes>>,
) -> Result<ArrayRef, ArrowError> {
    let rows = replies.len();
    // One row of room more than there should be, so that a reply with two values is noticed.
    let mut decoder = ReaderBuilder::new_with_field(Arc::clone(field)).with_batch_size(rows + 1).build_decoder()?;
    for (row, reply) in replies.enumerate() {
        feed(&mut decoder, reply.map_or(b"null", |reply| reply))?;
        if decoder.len() != row + 1 || decoder.has_partial_record() {
            return Err(ArrowError::JsonError("not exactly one JSON value".to_owned()));
        }
    }
    let batch = decoder.flush()?.filter(|batch| batch.num_rows() == rows);
    let batch = batch.ok_or_else(|| ArrowError::JsonError("not exactly one JSON value".to_owned()))?;
    restored(batch.column(0), returns)
}

/// The line end closes a bare number.
fn feed(decoder: &mut Decoder, reply: &[u8]) -> Result<(), ArrowError> {
    for part in [reply, b"\n".as_slice()] {
        if decoder.decode(part)? != part.len() {
            return Err(ArrowError::JsonError("more than one JSON value".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
