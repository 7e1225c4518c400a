//! What all formats have in common: rows as JSON objects, and JSON values as an Arrow column.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder;
use arrow::json::writer::{LineDelimited, WriterBuilder};
use bytes::Bytes;
use serde_json::value::RawValue;

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

/// Each row of a batch as a JSON object keyed by column name. A NULL is `null`, so that every object has every key.
///
/// # Errors
/// A column has a type that JSON cannot carry.
pub fn objects(arguments: &RecordBatch) -> Result<Vec<Bytes>, ArrowError> {
    if arguments.num_columns() == 0 {
        return Ok(vec![Bytes::from_static(b"{}"); arguments.num_rows()]);
    }
    let mut lines = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut lines);
    writer.write(arguments)?;
    writer.finish()?;
    drop(writer);
    // JSON escapes line ends within strings: each one here ends a row. The rows share one allocation.
    let lines = Bytes::from(lines);
    let mut start = 0;
    let rows = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| {
        let row = lines.slice(start..end);
        start = end + 1;
        row
    });
    Ok(rows.collect())
}

/// Reads one value per row, `None` where there is none. A value `{"error": …}` fails its row, unless the declared type
/// has a field of that name.
///
/// All values are decoded together; only where that fails is each one looked at alone.
///
/// # Errors
/// The declared type is one that JSON cannot carry; what is wrong with a value is in [`Decoded::bad`].
pub fn decode(returns: &DataType, values: &[Option<Bytes>]) -> Result<Decoded, ArrowError> {
    let field: FieldRef = Arc::new(Field::new("reply", returns.clone(), true));
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
    if let Ok(values) = decode_all(&field, good.iter().copied()) {
        return Ok(Decoded { values, bad });
    }
    for (row, value) in good.iter_mut().enumerate() {
        if let Err(error) = decode_all(&field, [*value].into_iter()) {
            bad.push(BadReply { row, message: format!("the reply is not {returns}: {error}") });
            *value = None;
        }
    }
    bad.sort_by_key(|reply| reply.row);
    Ok(Decoded { values: decode_all(&field, good.into_iter())?, bad })
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
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    let value = value.as_ref()?;
    // Most values have no such text anywhere, which is quickly seen.
    if !value.windows(7).any(|window| window == b"\"error\"") {
        return None;
    }
    let error = serde_json::from_slice::<Answer<'_>>(value).ok()?.error?.get();
    let text = serde_json::from_str(error).map_or(Cow::Borrowed(error), |text: String| Cow::Owned(text));
    Some(BadReply { row, message: format!("the API answered this row with an error: {text}") })
}

fn decode_all<'a>(
    field: &FieldRef,
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
    Ok(Arc::clone(batch.column(0)))
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
mod tests {
    use super::*;
    use arrow::array::{Array, Float64Array, Int64Array};
    use arrow::datatypes::Fields;
    use expect_test::{Expect, expect};

    fn answer() -> DataType {
        DataType::Struct(Fields::from(vec![
            Field::new("status", DataType::Utf8, true),
            Field::new("score", DataType::Float64, true),
        ]))
    }

    fn check(returns: &DataType, replies: &[Option<&str>], expected: Expect) {
        let replies: Vec<_> = replies.iter().map(|reply| reply.map(|text| Bytes::from(text.to_owned()))).collect();
        let decoded = decode(returns, &replies).unwrap();
        assert_eq!(decoded.values.len(), replies.len());
        let mut shown = String::new();
        for row in 0..replies.len() {
            let value = arrow::util::display::array_value_to_string(&decoded.values, row).unwrap();
            let bad = decoded.bad.iter().find(|bad| bad.row == row);
            shown += &bad.map_or_else(|| format!("{value}\n"), |bad| format!("bad: {}\n", bad.message));
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn rows_become_objects() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef, true),
            ("email", Arc::new(StringArray::from(vec!["a\n\"b\"", "ü"])) as ArrayRef, true),
            ("x", Arc::new(Float64Array::from(vec![0.5, 1e300])) as ArrayRef, true),
        ])
        .unwrap();
        let bodies = objects(&batch).unwrap();
        assert_eq!(bodies, [r#"{"id":1,"email":"a\n\"b\"","x":0.5}"#, r#"{"id":null,"email":"ü","x":1.0e300}"#]);
    }

    #[test]
    fn no_arguments_are_an_empty_object() {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(2));
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let batch = RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
        assert_eq!(objects(&batch).unwrap(), ["{}", "{}"]);
    }

    #[test]
    fn replies_become_values() {
        check(
            &answer(),
            &[Some(r#"{"status":"ok","score":0.5}"#), None, Some(r#" {"score":2,"more":[1]} "#), Some("null")],
            expect![[r#"
                {status: ok, score: 0.5}

                {status: , score: 2.0}

            "#]],
        );
        check(&DataType::Int64, &[Some("12"), Some("3"), None], expect![["12\n3\n\n"]]);
    }

    #[test]
    fn a_bad_reply_costs_its_own_row_only() {
        check(
            &answer(),
            &[
                Some(r#"{"status":"ok","score":1}"#),
                Some("<html>"),
                Some(""),
                Some(r#"{"status":"a"} {"status":"b"}"#),
                Some(r#"{"status":"ok","#),
                Some(r#"{"status":"ok","score":"high"}"#),
                Some("[1]"),
                Some(r#"{"status":"last","score":2}"#),
            ],
            expect![[r#"
                {status: ok, score: 1.0}
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: Encountered unexpected '<' whilst parsing value
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: whilst decoding field 'score': failed to parse "high" as Float64
                bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: expected { got [1]
                {status: last, score: 2.0}
            "#]],
        );
    }

    #[test]
    fn an_error_in_a_good_reply_fails_its_row_alone() {
        let replies = [
            Some(r#"{"error":"no such user","status":"x"}"#),
            Some(r#"{"status":"the \"error\" is mine","error":null}"#),
            Some(r#"{"error":{"code":7}}"#),
        ];
        check(
            &answer(),
            &replies,
            expect![[r#"
            bad: the API answered this row with an error: no such user
            {status: the "error" is mine, score: }
            bad: the API answered this row with an error: {"code":7}
        "#]],
        );
        let own = DataType::Struct(vec![Field::new("error", DataType::Utf8, true)].into());
        check(
            &own,
            &[Some(r#"{"error":"kept"}"#)],
            expect![[r#"
            {error: kept}
        "#]],
        );
    }

    #[test]
    fn a_string_function_takes_any_json() {
        let replies = [Some(r#""a\nb""#), Some("null"), None, Some(r#" {"a": [1]} "#), Some("7"), Some("{")];
        check(
            &DataType::Utf8,
            &replies,
            expect![[r#"
            a
            b


            {"a": [1]}
            7
            bad: the reply is not JSON: EOF while parsing an object at line 1 column 1
        "#]],
        );
    }
}
