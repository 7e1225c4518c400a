//! Rows as JSON objects. A value has one text, whatever stands beside it: journal keys are made from these objects.
//!
//! What arrow's writer would lose is written here: numbers that JSON does not have, bytes (as base64), times, and maps
//! with keys that are not strings.

use std::sync::{Arc, LazyLock, OnceLock};

use arrow::array::{Array, ArrayAccessor, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, FieldRef, Float32Type, Float64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::json::writer::{LineDelimited, NullableEncoder, WriterBuilder, make_encoder};
use arrow::json::{Encoder, EncoderFactory, EncoderOptions};
use arrow::temporal_conversions::timestamp_s_to_datetime;
use base64::Engine;
use bytes::Bytes;

use super::types::{BASE64, carries};

/// Each row of a batch as a JSON object keyed by column name. A NULL is `null`, so that every object has every key.
///
/// Numbers and decimals are written exactly, NaN and the infinities as the strings `NaN`, `Infinity` and `-Infinity`, bytes
/// as base64, dates as `2017-03-06`, times as `2017-03-06T12:34:56` with six digits after the second where they are not
/// zero, and a `Z` where the type has a zone. [`decode`](super::decode) with a struct of the columns reads them back.
///
/// # Errors
/// A column has a type that JSON cannot carry, or a date or time outside the years 0 to 9999; the message names it.
pub fn objects(rows: &RecordBatch) -> Result<Vec<Bytes>, ArrowError> {
    if rows.num_columns() == 0 {
        return Ok(vec![Bytes::from_static(b"{}"); rows.num_rows()]);
    }
    for column in rows.schema_ref().fields() {
        carries(column.data_type())
            .map_err(|message| ArrowError::JsonError(format!("column '{}': {message}", column.name())))?;
    }
    let failed = Arc::new(OnceLock::new());
    let encoders = Arc::new(Encoders { failed: Arc::clone(&failed) });
    let mut lines = Vec::new();
    let builder = WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(encoders);
    let mut writer = builder.build::<_, LineDelimited>(&mut lines);
    writer.write(rows)?;
    writer.finish()?;
    drop(writer);
    if let Some(message) = failed.get() {
        return Err(ArrowError::JsonError(message.clone()));
    }
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

/// Encoders where arrow's own would lose something. They cannot fail, so the first failure is put aside.
#[derive(Debug)]
struct Encoders {
    failed: Arc<OnceLock<String>>,
}

impl EncoderFactory for Encoders {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Binary => Box::new(Base64(array.as_binary::<i32>())),
            DataType::LargeBinary => Box::new(Base64(array.as_binary::<i64>())),
            DataType::BinaryView => Box::new(Base64(array.as_binary_view())),
            DataType::FixedSizeBinary(_) => Box::new(Base64(array.as_fixed_size_binary())),
            DataType::Float32 => return floats::<Float32Type>(field, array),
            DataType::Float64 => return floats::<Float64Type>(field, array),
            DataType::Date32 => self.times::<Date32Type>(field, array, Step::Day),
            DataType::Timestamp(TimeUnit::Second, _) => {
                self.times::<TimestampSecondType>(field, array, Step::PerSecond(1))
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.times::<TimestampMillisecondType>(field, array, Step::PerSecond(1_000))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.times::<TimestampMicrosecondType>(field, array, Step::PerSecond(1_000_000))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.times::<TimestampNanosecondType>(field, array, Step::PerSecond(1_000_000_000))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let keys = make_encoder(field, map.keys().as_ref(), options)?;
                let values = make_encoder(field, map.values().as_ref(), options)?;
                Box::new(Map { offsets: map.offsets(), keys, values })
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                if dictionary.values().is_empty() {
                    return Ok(None);
                }
                let values = make_encoder(field, dictionary.values().as_ref(), options)?;
                let keyed = Keyed { keys: dictionary.normalized_keys(), values };
                // A value of the dictionary may be NULL too, which its keys do not tell.
                return Ok(Some(NullableEncoder::new(Box::new(keyed), array.logical_nulls())));
            }
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Base64<B>(B);

impl<'a, B: ArrayAccessor<Item = &'a [u8]>> Encoder for Base64<B> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(BASE64.encode(self.0.value(row)).as_bytes());
        out.push(b'"');
    }
}

/// Arrow's encoder where every number is finite, and where not, one that hands those that are to it.
fn floats<'a, T>(field: &'a FieldRef, array: &'a dyn Array) -> Result<Option<NullableEncoder<'a>>, ArrowError>
where
    T: ArrowPrimitiveType<Native: Into<f64>>,
{
    static PLAIN: LazyLock<EncoderOptions> = LazyLock::new(EncoderOptions::default);
    let values = array.as_primitive::<T>();
    if values.values().iter().all(|value| (*value).into().is_finite()) {
        return Ok(None);
    }
    let finite = make_encoder(field, array, &PLAIN)?;
    Ok(Some(NullableEncoder::new(Box::new(Floats { values, finite }), array.nulls().cloned())))
}

struct Floats<'a, T: ArrowPrimitiveType> {
    values: &'a PrimitiveArray<T>,
    finite: NullableEncoder<'a>,
}

impl<T: ArrowPrimitiveType<Native: Into<f64>>> Encoder for Floats<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value: f64 = self.values.value(row).into();
        match value {
            _ if value.is_finite() => self.finite.encode(row, out),
            _ if value.is_nan() => out.extend_from_slice(br#""NaN""#),
            _ if value > 0.0 => out.extend_from_slice(br#""Infinity""#),
            _ => out.extend_from_slice(br#""-Infinity""#),
        }
    }
}

impl Encoders {
    fn times<'a, T>(&self, field: &'a FieldRef, array: &'a dyn Array, step: Step) -> Box<dyn Encoder + 'a>
    where
        T: ArrowPrimitiveType<Native: Into<i64>>,
    {
        let values = array.as_primitive::<T>();
        let zone = if matches!(array.data_type(), DataType::Timestamp(_, Some(_))) { "Z" } else { "" };
        Box::new(Times { values, step, zone, column: field.name(), failed: Arc::clone(&self.failed) })
    }
}

/// What one more in a date or time means.
#[derive(Clone, Copy)]
enum Step {
    Day,
    PerSecond(i64),
}

struct Times<'a, T: ArrowPrimitiveType> {
    values: &'a PrimitiveArray<T>,
    step: Step,
    zone: &'static str,
    column: &'a str,
    failed: Arc<OnceLock<String>>,
}

impl<T: ArrowPrimitiveType<Native: Into<i64>>> Encoder for Times<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.values.value(row).into();
        let Some(text) = time(value, self.step) else {
            let (column, data_type) = (self.column, self.values.data_type());
            let message = format!(
                "column '{column}' of type {data_type} has the value {value}, which is outside the years 0 to 9999"
            );
            self.failed.get_or_init(|| message);
            return;
        };
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(self.zone.as_bytes());
        out.push(b'"');
    }
}

/// A date, or a time without its zone; `None` outside of the years that have four digits, which is all that readers of
/// ISO 8601 agree on.
fn time(value: i64, step: Step) -> Option<String> {
    const DAY: i64 = 86_400;
    let (seconds, rest, per_second) = match step {
        Step::Day => (value.checked_mul(DAY)?, 0, 1),
        Step::PerSecond(steps) => (value.div_euclid(steps), value.rem_euclid(steps), steps),
    };
    let year_0 = -719_528 * DAY;
    let year_10000 = 2_932_897 * DAY;
    let moment = timestamp_s_to_datetime(seconds).filter(|_| (year_0..year_10000).contains(&seconds))?;
    let nanoseconds = rest * (1_000_000_000 / per_second);
    Some(match step {
        Step::Day => format!("{:?}", moment.date()),
        Step::PerSecond(_) if nanoseconds == 0 => format!("{moment:?}"),
        Step::PerSecond(_) if nanoseconds % 1_000 == 0 => format!("{moment:?}.{:06}", nanoseconds / 1_000),
        Step::PerSecond(_) => format!("{moment:?}.{nanoseconds:09}"),
    })
}

struct Map<'a> {
    offsets: &'a [i32],
    keys: NullableEncoder<'a>,
    values: NullableEncoder<'a>,
}

impl Encoder for Map<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        out.push(b'{');
        for at in start..end {
            if at > start {
                out.push(b',');
            }
            let key = out.len();
            self.keys.encode(at, out);
            if out.get(key) != Some(&b'"') {
                out.insert(key, b'"');
                out.push(b'"');
            }
            out.push(b':');
            if self.values.is_null(at) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(at, out);
            }
        }
        out.push(b'}');
    }
}

struct Keyed<'a> {
    keys: Vec<usize>,
    values: NullableEncoder<'a>,
}

impl Encoder for Keyed<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.values.encode(self.keys[row], out);
    }
}

#[cfg(test)]
mod tests;
