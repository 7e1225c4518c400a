//! JSON values as Spark's types. What does not fit its type is NULL; what is beside it stays.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, ListArray, MapArray, NullArray, StringArray, StructArray, make_array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType as Arrow, Fields};

use super::text::Json;
use crate::DataType;
use crate::cast::{fit_decimal, parse_date, parse_decimal, parse_timestamp};
use crate::error::{Error, Result};
use crate::groups::datetime::read::Reader;
use crate::groups::string::unbase64;
use crate::intervals::{day_time_of_text, year_month_of_text};
use crate::zone::Zone;

/// How texts within are read.
pub(crate) struct How {
    pub(crate) zone: Zone,
    pub(crate) date: Option<Reader>,
    pub(crate) timestamp: Option<Reader>,
    pub(crate) timestamp_ntz: Option<Reader>,
    /// The first text that Java's older parser reads and the newer one does not.
    pub(crate) changed: OnceLock<String>,
}

impl How {
    fn read(&self, reader: &Reader, text: &str) -> Option<(i64, Option<Zone>)> {
        let read = reader.read(text);
        if read.is_none() && reader.was_read_before(text) {
            self.changed.get_or_init(|| text.to_owned());
        }
        read
    }
}

/// A value of a row.
pub(crate) type Cell<'a> = (usize, Option<&'a Json>);

/// An array of the cells, and which of them did not fit; `bad` is by row.
pub(crate) fn build(
    data_type: &DataType,
    cells: &[Cell<'_>],
    how: &How,
    bad: &mut [bool],
) -> Result<(ArrayRef, Vec<bool>)> {
    let mut failed = vec![false; cells.len()];
    let broken = |error: arrow::error::ArrowError| Error::new("INTERNAL_ERROR", error.to_string());
    macro_rules! leaf {
        ($array:ty, $value:expr) => {{
            let value = $value;
            let array: $array = cells
                .iter()
                .zip(failed.iter_mut())
                .map(|((row, cell), failed)| match cell {
                    None | Some(Json::Null) => None,
                    Some(json) => {
                        let value = value(*json);
                        if value.is_none() {
                            *failed = true;
                            if let Some(bad) = bad.get_mut(*row) {
                                *bad = true;
                            }
                        }
                        value
                    }
                })
                .collect();
            Arc::new(array) as ArrayRef
        }};
    }
    fn int<T: std::str::FromStr>(json: &Json) -> Option<T> {
        match json {
            Json::Int(digits) => digits.parse().ok(),
            _ => None,
        }
    }
    let typed = |array: ArrayRef| -> Result<ArrayRef> {
        let data = array.to_data().into_builder().data_type(data_type.to_arrow()).build();
        Ok(make_array(data.map_err(broken)?))
    };
    let array: ArrayRef = match data_type {
        DataType::Void => Arc::new(NullArray::new(cells.len())),
        DataType::Boolean => leaf!(BooleanArray, |json: &Json| match json {
            Json::Bool(value) => Some(*value),
            _ => None,
        }),
        DataType::Byte => leaf!(Int8Array, int::<i8>),
        DataType::Short => leaf!(Int16Array, int::<i16>),
        DataType::Int => leaf!(Int32Array, int::<i32>),
        DataType::Long => leaf!(Int64Array, int::<i64>),
        DataType::Float => leaf!(Float32Array, |json: &Json| double(json).map(|value| value as f32)),
        DataType::Double => leaf!(Float64Array, double),
        DataType::String => leaf!(StringArray, |json: &Json| Some(match json {
            Json::Text(text) => text.clone(),
            other => other.to_text(),
        })),
        DataType::Binary => leaf!(BinaryArray, |json: &Json| text(json).and_then(|text| unbase64(text).ok())),
        DataType::Decimal(precision, scale) => {
            let array = leaf!(Decimal128Array, |json: &Json| match json {
                Json::Int(text) | Json::Float(text) | Json::Text(text) =>
                    fit_decimal(parse_decimal(text, *scale)?, *precision),
                _ => None,
            });
            typed(array)?
        }
        DataType::Date => typed(leaf!(Int32Array, |json: &Json| date(text(json)?, how)))?,
        DataType::Timestamp => typed(leaf!(Int64Array, |json: &Json| match json {
            Json::Int(digits) => digits.parse::<i64>().ok()?.checked_mul(1_000_000),
            json => timestamp(text(json)?, how),
        }))?,
        DataType::TimestampNtz => typed(leaf!(Int64Array, |json: &Json| timestamp_ntz(text(json)?, how)))?,
        DataType::YearMonth(from, to) => {
            typed(leaf!(Int32Array, |json: &Json| year_month_of_text(text(json)?, *from, *to).ok()))?
        }
        DataType::DayTime(from, to) => {
            typed(leaf!(Int64Array, |json: &Json| day_time_of_text(text(json)?, *from, *to).ok()))?
        }
        DataType::CalendarInterval => return Err(Error::unsupported("intervals of months, days and time in JSON")),
        DataType::Array(element, _) => {
            let mut inner = Vec::new();
            let mut spans = Vec::new();
            for (row, cell) in cells {
                let start = inner.len();
                if let Some(Json::Array(items)) = cell {
                    inner.extend(items.iter().map(|item| (*row, Some(item))));
                }
                spans.push((start, inner.len()));
            }
            let (values, inner_failed) = build(element, &inner, how, bad)?;
            let valid = valid(cells, &mut failed, bad, &spans, &inner_failed, |json| matches!(json, Json::Array(_)));
            let Arrow::List(field) = data_type.to_arrow() else { return Err(Error::unsupported("this array")) };
            let lengths = OffsetBuffer::from_lengths(spans.iter().map(|(start, end)| end - start));
            Arc::new(ListArray::try_new(field, lengths, values, Some(NullBuffer::from(valid))).map_err(broken)?)
        }
        DataType::Map(key, value, _) => {
            let (mut keys, mut inner, mut spans) = (Vec::new(), Vec::new(), Vec::new());
            for (row, cell) in cells {
                let start = inner.len();
                if let Some(Json::Object(fields)) = cell {
                    for (name, value) in fields {
                        keys.push(Json::Text(name.clone()));
                        inner.push((*row, Some(value)));
                    }
                }
                spans.push((start, inner.len()));
            }
            if **key != DataType::String {
                return Err(Error::new(
                    "INVALID_JSON_SCHEMA_MAP_TYPE",
                    format!("Input schema \"{}\" can only contain STRING as a key type for a MAP.", data_type.sql()),
                ));
            }
            let keys: StringArray = keys.iter().map(text).collect();
            let (values, inner_failed) = build(value, &inner, how, bad)?;
            let valid = valid(cells, &mut failed, bad, &spans, &inner_failed, |json| matches!(json, Json::Object(_)));
            let Arrow::Map(field, sorted) = data_type.to_arrow() else { return Err(Error::unsupported("this map")) };
            let Arrow::Struct(pair) = field.data_type() else { return Err(Error::unsupported("this map")) };
            let entries = StructArray::try_new(pair.clone(), vec![Arc::new(keys), values], None).map_err(broken)?;
            let lengths = OffsetBuffer::from_lengths(spans.iter().map(|(start, end)| end - start));
            let map = MapArray::try_new(field, lengths, entries, Some(NullBuffer::from(valid)), sorted);
            Arc::new(map.map_err(broken)?)
        }
        DataType::Struct(fields) => {
            let mut columns = Vec::new();
            for field in fields {
                let inner: Vec<Cell<'_>> = cells
                    .iter()
                    .map(|(row, cell)| match cell {
                        Some(Json::Object(values)) => {
                            (*row, values.iter().rev().find(|(name, _)| *name == field.name).map(|(_, value)| value))
                        }
                        _ => (*row, None),
                    })
                    .collect();
                columns.push(build(&field.data_type, &inner, how, bad)?.0);
            }
            let valid = valid(cells, &mut failed, bad, &[], &[], |json| matches!(json, Json::Object(_)));
            let arrow: Fields = fields.iter().map(|field| field.data_type.to_field(&field.name, true)).collect();
            let nulls = Some(NullBuffer::from(valid));
            if fields.is_empty() {
                Arc::new(StructArray::new_empty_fields(cells.len(), nulls))
            } else {
                Arc::new(StructArray::try_new(arrow, columns, nulls).map_err(broken)?)
            }
        }
    };
    Ok((array, failed))
}

/// Which cells have a value of the right kind whose inner values all fit; the others have failed unless they are NULL.
fn valid(
    cells: &[Cell<'_>],
    failed: &mut [bool],
    bad: &mut [bool],
    spans: &[(usize, usize)],
    inner_failed: &[bool],
    kind: fn(&Json) -> bool,
) -> Vec<bool> {
    let mut valid = Vec::with_capacity(cells.len());
    for (at, (row, cell)) in cells.iter().enumerate() {
        let inner = spans.get(at).and_then(|(start, end)| inner_failed.get(*start..*end));
        let fits = !inner.is_some_and(|inner| inner.contains(&true));
        valid.push(cell.is_some_and(kind) && fits);
        let is_null = matches!(cell, None | Some(Json::Null));
        if !(is_null || cell.is_some_and(kind) && fits) {
            if let Some(failed) = failed.get_mut(at) {
                *failed = true;
            }
            if let Some(bad) = bad.get_mut(*row) {
                *bad = true;
            }
        }
    }
    valid
}

/// An array of the fields of CSV records: a field is what JSON would have there.
pub(crate) fn build_texts(
    data_type: &DataType,
    cells: &[Option<&str>],
    how: &How,
    bad: &mut [bool],
) -> Result<ArrayRef> {
    let json: Vec<Option<Json>> = cells.iter().map(|cell| cell.map(|text| field(text, data_type))).collect();
    let cells: Vec<Cell<'_>> = json.iter().map(Option::as_ref).enumerate().collect();
    Ok(build(data_type, &cells, how, bad)?.0)
}

/// A field of CSV as the JSON value that its type wants; as a text if it is none.
fn field(text: &str, data_type: &DataType) -> Json {
    let whole = |text: &str| text.strip_prefix(['-', '+']).unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    match data_type {
        DataType::Boolean if text.eq_ignore_ascii_case("true") => Json::Bool(true),
        DataType::Boolean if text.eq_ignore_ascii_case("false") => Json::Bool(false),
        DataType::Byte | DataType::Short | DataType::Int | DataType::Long if whole(text) => Json::Int(text.to_owned()),
        DataType::Decimal(..) => Json::Text(text.replace(',', "")),
        DataType::Float | DataType::Double => match text {
            "NaN" => Json::Float("NaN".to_owned()),
            "Inf" => Json::Float("Infinity".to_owned()),
            "-Inf" => Json::Float("-Infinity".to_owned()),
            text => match crate::cast::parse_double(text) {
                Some(value) if value.is_finite() => Json::Float(format!("{value:e}")),
                _ => Json::Text(text.to_owned()),
            },
        },
        _ => Json::Text(text.to_owned()),
    }
}

/// As many NULLs.
pub(super) fn nulls(data_type: &DataType, count: usize) -> ArrayRef {
    new_null_array(&data_type.to_arrow(), count)
}

fn text(json: &Json) -> Option<&str> {
    match json {
        Json::Text(text) => Some(text),
        _ => None,
    }
}

fn double(json: &Json) -> Option<f64> {
    match json {
        Json::Int(digits) | Json::Float(digits) if digits.contains("Infinity") || digits == "NaN" => word(digits),
        Json::Int(digits) | Json::Float(digits) => digits.parse().ok(),
        Json::Text(text) => word(text),
        _ => None,
    }
}

fn word(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+INF" | "INF" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

pub(crate) fn date(text: &str, how: &How) -> Option<i32> {
    match &how.date {
        Some(reader) => i32::try_from(how.read(reader, text)?.0.div_euclid(crate::civil::DAY)).ok(),
        None => parse_date(text),
    }
}

pub(crate) fn timestamp(text: &str, how: &How) -> Option<i64> {
    match &how.timestamp {
        Some(reader) => {
            let (local, zone) = how.read(reader, text)?;
            zone.unwrap_or(how.zone).instant(local)
        }
        None => parse_timestamp(text, Some(how.zone)),
    }
}

pub(crate) fn timestamp_ntz(text: &str, how: &How) -> Option<i64> {
    match &how.timestamp_ntz {
        Some(reader) => Some(how.read(reader, text)?.0),
        None => parse_timestamp(text, None),
    }
}
