//! The value of a call: what the API answered, and beside it what the declaration asks to know of the call itself.
//!
//! Where RETURNS is a struct with fields named as in [`METADATA`], these are not looked for in the reply.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;
use bytes::Bytes;

use crate::ask::Answer;
use crate::dead_letter::GivenUp;
use crate::wire::{self, Decoded};

/// Fields of RETURNS that tell of the call, and what they tell.
pub const METADATA: &[(&str, &str)] = &[
    ("_http_status", "HTTP status of the last reply, NULL where there was none"),
    ("_error", "why the row was given up, NULL where it was answered; the row stays with on_error 'null'"),
    (
        "_attempts",
        "how often the request was sent that the answer came from, also where a cache, a journal or another row had it",
    ),
    ("_latency_ms", "how long the last attempt took, in milliseconds"),
];

fn is_metadata(field: &Field) -> bool {
    METADATA.iter().any(|(name, _)| field.name().eq_ignore_ascii_case(name))
}

/// The fields that the reply has, where others are asked for.
fn replied(returns: &DataType) -> Option<(&Fields, DataType)> {
    let DataType::Struct(fields) = returns else { return None };
    let own: Fields = fields.iter().filter(|field| !is_metadata(field)).cloned().collect();
    (own.len() < fields.len()).then_some((fields, DataType::Struct(own)))
}

/// Reads the values; see [`wire::decode`].
pub(crate) fn decode(returns: &DataType, values: &[Option<Bytes>]) -> Result<Decoded, ArrowError> {
    match replied(returns) {
        Some((_, DataType::Struct(own))) if own.is_empty() => wire::decode(&DataType::Utf8, values),
        Some((_, own)) => wire::decode(&own, values),
        None => wire::decode(returns, values),
    }
}

/// Puts what is asked of the calls beside the values. A row that was given up has a value then, which says why.
pub(crate) fn with_metadata(
    returns: &DataType,
    values: ArrayRef,
    answers: &[Option<Answer>],
    given_up: &[(usize, GivenUp)],
) -> Result<ArrayRef, ArrowError> {
    let Some((fields, _)) = replied(returns) else { return Ok(values) };
    let mut reasons = vec![None; answers.len()];
    given_up.iter().for_each(|(row, reason)| reasons[*row] = Some(reason));
    let rows = || answers.iter().zip(&reasons);
    let column = |field: &Arc<Field>| -> Result<ArrayRef, ArrowError> {
        let told: ArrayRef = match field.name().to_lowercase().as_str() {
            "_http_status" => Arc::new(Int64Array::from_iter(rows().map(|(answer, reason)| {
                let status = answer.as_ref().map(|answer| answer.status);
                status.or_else(|| reason.as_ref()?.failure.status).map(i64::from)
            }))),
            "_error" => Arc::new(StringArray::from_iter(
                rows().map(|(_, reason)| reason.map(|r| format!("{}: {}", r.failure.kind, r.failure.message))),
            )),
            "_attempts" => Arc::new(Int64Array::from_iter(rows().map(|(answer, reason)| {
                let attempts = answer.as_ref().map(|answer| answer.attempts);
                attempts.or_else(|| Some(reason.as_ref()?.attempts)).map(i64::from)
            }))),
            "_latency_ms" => Arc::new(Float64Array::from_iter(
                answers.iter().map(|answer| answer.as_ref().map(|answer| answer.latency.as_secs_f64() * 1000.0)),
            )),
            _ => {
                let own = values.as_struct();
                return own.column_by_name(field.name()).map(Arc::clone).ok_or_else(|| {
                    ArrowError::SchemaError(format!("the reply has lost its field '{}'", field.name()))
                });
            }
        };
        cast(&told, field.data_type())
    };
    let columns = fields.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    // An answer that is null stays one: nothing is asked of a call that was not made, and null is what the API said.
    let nulls = NullBuffer::from_iter((0..values.len()).map(|row| values.is_valid(row) || reasons[row].is_some()));
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
}
