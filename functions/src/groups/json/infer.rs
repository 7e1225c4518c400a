//! The type that a JSON value has.

use super::text::Json;
use crate::{DataType, StructField};

/// NULL has none yet: [`known`] makes it a string.
pub(super) fn of(json: &Json) -> DataType {
    match json {
        Json::Null => DataType::Void,
        Json::Bool(_) => DataType::Boolean,
        Json::Int(digits) if digits.parse::<i64>().is_ok() => DataType::Long,
        Json::Int(digits) => match u8::try_from(digits.trim_start_matches('-').len()) {
            Ok(precision) if precision <= 38 => DataType::Decimal(precision, 0),
            _ => DataType::Double,
        },
        Json::Float(_) => DataType::Double,
        Json::Text(_) => DataType::String,
        Json::Array(items) => {
            let element = items.iter().map(of).fold(DataType::Void, merged);
            DataType::Array(Box::new(element), true)
        }
        Json::Object(fields) => {
            let mut typed: Vec<StructField> = Vec::new();
            for (name, value) in fields {
                typed.push(StructField::new(name, of(value), true));
            }
            typed.sort_by(|one, other| one.name.cmp(&other.name));
            DataType::Struct(typed)
        }
    }
}

/// The type of both.
fn merged(one: DataType, other: DataType) -> DataType {
    match (one, other) {
        (one, other) if one == other => one,
        (DataType::Void, known) | (known, DataType::Void) => known,
        (DataType::Long, DataType::Double) | (DataType::Double, DataType::Long) => DataType::Double,
        (DataType::Double, DataType::Decimal(..)) | (DataType::Decimal(..), DataType::Double) => DataType::Double,
        (DataType::Long, DataType::Decimal(precision, 0)) | (DataType::Decimal(precision, 0), DataType::Long) => {
            DataType::Decimal(precision.max(20), 0)
        }
        (DataType::Decimal(one, 0), DataType::Decimal(other, 0)) => DataType::Decimal(one.max(other), 0),
        (DataType::Array(one, _), DataType::Array(other, _)) => DataType::Array(Box::new(merged(*one, *other)), true),
        (DataType::Struct(mut one), DataType::Struct(other)) => {
            for field in other {
                match one.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => known.data_type = merged(known.data_type.clone(), field.data_type),
                    None => one.push(field),
                }
            }
            one.sort_by(|one, other| one.name.cmp(&other.name));
            DataType::Struct(one)
        }
        _ => DataType::String,
    }
}

/// With strings where only NULL was seen, and without structs that have no fields.
pub(super) fn known(data_type: DataType) -> DataType {
    part(data_type).unwrap_or(DataType::Struct(Vec::new()))
}

fn part(data_type: DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Void => DataType::String,
        DataType::Array(element, _) => DataType::Array(Box::new(part(*element)?), true),
        DataType::Struct(fields) => {
            let field = |field: StructField| Some(StructField { data_type: part(field.data_type)?, ..field });
            let fields: Vec<StructField> = fields.into_iter().filter_map(field).collect();
            if fields.is_empty() {
                return None;
            }
            DataType::Struct(fields)
        }
        other => other,
    })
}
