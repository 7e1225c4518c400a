//! Which Arrow types JSON can carry, and how those that the JSON reader does not read as we write them come back:
//! each is read as a type that it can be restored from.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeListArray, GenericListArray, MapArray,
    OffsetSizeTrait, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with padding; read without it too, since many writers leave it out.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Checks that every value of a type can be written as JSON and read back.
///
/// # Errors
/// The type, or one inside it, has no JSON form; the message names it.
pub fn carries(data_type: &DataType) -> Result<(), String> {
    match data_type {
        DataType::Struct(fields) => {
            let twice = |(at, field): (usize, &FieldRef)| fields[..at].iter().any(|other| other.name() == field.name());
            if let Some(at) = (0..fields.len()).find(|at| twice((*at, &fields[*at]))) {
                return Err(format!(
                    "{data_type} has two fields '{}', and a JSON object can have one",
                    fields[at].name()
                ));
            }
            fields.iter().try_for_each(|field| carries(field.data_type()))
        }
        DataType::Map(entries, _) => {
            let Some((key, value)) = key_and_value(entries) else { return Err(has_no_form(data_type)) };
            if key.data_type().is_nested() || key.data_type().is_null() {
                return Err(format!("{data_type} has keys that are not plain values, and a JSON key is a text"));
            }
            carries(key.data_type())?;
            carries(value.data_type())
        }
        DataType::Dictionary(_, values) => carries(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            carries(item.data_type())
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..) => Ok(()),
        _ if data_type.is_integer() || data_type.is_decimal() || data_type.is_string() || is_binary(data_type) => {
            Ok(())
        }
        _ => Err(has_no_form(data_type)),
    }
}

fn has_no_form(data_type: &DataType) -> String {
    format!("values of type {data_type} cannot be written as JSON: cast them, to a string for example")
}

/// The fields of a map's keys and values.
pub(super) fn key_and_value(entries: &FieldRef) -> Option<(&FieldRef, &FieldRef)> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Some((&fields[0], &fields[1])),
        _ => None,
    }
}

/// Whether values are bytes.
pub(super) fn is_binary(data_type: &DataType) -> bool {
    data_type.is_binary() || matches!(data_type, DataType::BinaryView | DataType::FixedSizeBinary(_))
}

/// The type that values of `data_type` are read as; [`restored`] makes them what they are.
pub(super) fn read_as(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(read_as(field.data_type())));
    match data_type {
        _ if is_binary(data_type) => DataType::Utf8,
        // The reader knows named zones only where all of them are compiled in, and no text here needs one.
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::Dictionary(_, values) => read_as(values),
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, _) => {
            let Some((key, value)) = key_and_value(entries) else { return data_type.clone() };
            // The reader takes a boolean from `true` only, and a key is always in quotes.
            let is_boolean = *key.data_type() == DataType::Boolean;
            let key_type = if is_boolean { DataType::Utf8 } else { read_as(key.data_type()) };
            let pair = Fields::from(vec![Arc::new(key.as_ref().clone().with_data_type(key_type)), field(value)]);
            DataType::Map(Arc::new(entries.as_ref().clone().with_data_type(DataType::Struct(pair))), false)
        }
        other => other.clone(),
    }
}

/// Makes of an array that was read as [`read_as`] says one of `data_type`.
///
/// # Errors
/// A text is not base64, or not a boolean.
pub(super) fn restored(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    match data_type {
        _ if is_binary(data_type) => {
            let bytes = array.as_string::<i32>().iter().map(|text| text.map(from_base64).transpose());
            let bytes: Vec<Option<Vec<u8>>> = bytes.collect::<Result<_, _>>()?;
            cast(&BinaryArray::from_iter(bytes), data_type)
        }
        DataType::Boolean => {
            let flags = array.as_string::<i32>().iter().map(|text| text.map(boolean).transpose());
            Ok(Arc::new(flags.collect::<Result<BooleanArray, _>>()?))
        }
        DataType::Dictionary(_, values) => cast(&restored(array, values)?, data_type),
        DataType::List(item) => list(array.as_list::<i32>(), item),
        DataType::LargeList(item) => list(array.as_list::<i64>(), item),
        DataType::FixedSizeList(item, size) => {
            let list = array.as_fixed_size_list();
            let values = restored(list.values(), item.data_type())?;
            let nulls = list.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new_with_length(Arc::clone(item), *size, values, nulls, list.len())?))
        }
        DataType::Struct(fields) => Ok(Arc::new(structure(array.as_struct(), fields)?)),
        DataType::Map(entries, ordered) => {
            let map = array.as_map();
            let DataType::Struct(pair) = entries.data_type() else { return cast(array, data_type) };
            let pairs = structure(map.entries(), pair)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, *ordered)?))
        }
        _ => cast(array, data_type),
    }
}

fn list<O: OffsetSizeTrait>(list: &GenericListArray<O>, item: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let values = restored(list.values(), item.data_type())?;
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Ok(Arc::new(GenericListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
}

fn structure(array: &StructArray, fields: &Fields) -> Result<StructArray, ArrowError> {
    let columns = array.columns().iter().zip(fields).map(|(column, field)| restored(column, field.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    StructArray::try_new_with_length(fields.clone(), columns, array.nulls().cloned(), array.len())
}

fn from_base64(text: &str) -> Result<Vec<u8>, ArrowError> {
    BASE64.decode(text).map_err(|error| ArrowError::JsonError(format!("\"{text}\" is not base64: {error}")))
}

fn boolean(text: &str) -> Result<bool, ArrowError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ArrowError::JsonError(format!("\"{text}\" is not true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, IntervalUnit};
    use expect_test::{Expect, expect};

    use super::*;

    fn map_with_keys(keys: DataType) -> DataType {
        let pair = Fields::from(vec![Field::new("key", keys, false), Field::new("value", DataType::Int32, true)]);
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false)
    }

    fn check(data_type: &DataType, expected: Expect) {
        expected.assert_eq(&carries(data_type).map_or_else(|message| message, |()| "carried".to_owned()));
    }

    #[test]
    fn what_json_cannot_carry_is_named() {
        let list = |item| DataType::List(Arc::new(Field::new("element", item, true)));
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        check(&list(map_with_keys(DataType::Date32)), expect!["carried"]);
        check(
            &list(map_with_keys(list(DataType::Int8))),
            expect![[
                r#"Map("entries": non-null Struct("key": non-null List(Int8, field: 'element'), "value": Int32), unsorted) has keys that are not plain values, and a JSON key is a text"#
            ]],
        );
        check(
            &list(interval.clone()),
            expect![
                "values of type Interval(MonthDayNano) cannot be written as JSON: cast them, to a string for example"
            ],
        );
        check(
            &map_with_keys(interval),
            expect![
                "values of type Interval(MonthDayNano) cannot be written as JSON: cast them, to a string for example"
            ],
        );
        let twice = vec![Field::new("a", DataType::Int8, true), Field::new("a", DataType::Utf8, true)];
        check(
            &DataType::Struct(twice.into()),
            expect![[r#"Struct("a": Int8, "a": Utf8) has two fields 'a', and a JSON object can have one"#]],
        );
    }
}
