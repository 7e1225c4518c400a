//! The type that a JSON value has.

use super::read::{How, timestamp};
use super::text::Json;
use crate::{DataType, StructField};

/// What options say of types.
#[derive(Default)]
pub(crate) struct Types {
    /// Numbers and booleans are texts.
    pub(crate) primitives_as_strings: bool,
    /// Fractions are decimals, and texts that are numbers too.
    pub(crate) prefers_decimals: bool,
    /// How timestamps are read, where texts may be some.
    pub(crate) timestamps: Option<How>,
}

/// NULL and an empty text have none yet: [`known`] makes it a string.
pub(crate) fn of(json: &Json, types: &Types) -> DataType {
    match json {
        Json::Null => DataType::Void,
        Json::Bool(_) | Json::Int(_) | Json::Float(_) if types.primitives_as_strings => DataType::String,
        Json::Bool(_) => DataType::Boolean,
        Json::Int(digits) if digits.parse::<i64>().is_ok() => DataType::Long,
        Json::Int(digits) => decimal(digits).unwrap_or(DataType::Double),
        Json::Float(digits) if types.prefers_decimals => decimal(digits).unwrap_or(DataType::Double),
        Json::Float(_) => DataType::Double,
        Json::Text(text) if text.is_empty() => DataType::Void,
        Json::Text(text) => {
            let number = if types.prefers_decimals { decimal(text) } else { None };
            let is_timestamp = || types.timestamps.as_ref().is_some_and(|how| timestamp(text, how).is_some());
            match number {
                Some(number) => number,
                None if is_timestamp() => DataType::Timestamp,
                None => DataType::String,
            }
        }
        Json::Array(items) => {
            let element = items.iter().map(|item| of(item, types)).fold(DataType::Void, merged);
            DataType::Array(Box::new(element), true)
        }
        Json::Object(fields) => {
            let mut typed: Vec<StructField> = Vec::new();
            for (name, value) in fields {
                typed.push(StructField::new(name, of(value, types), true));
            }
            typed.sort_by(|one, other| one.name.cmp(&other.name));
            DataType::Struct(typed)
        }
    }
}

/// The narrowest decimal of a number, as Java's `BigDecimal` counts its digits.
fn decimal(text: &str) -> Option<DataType> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = i64::try_from(fraction.len()).ok()?.checked_sub(i64::from(exponent.parse::<i32>().ok()?))?;
    let precision = i64::try_from(digits.trim_start_matches('0').len().max(1)).ok()?.max(scale);
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ ..=38), Ok(scale @ 0..)) => Some(DataType::Decimal(precision, scale)),
        _ => None,
    }
}

/// The type of both.
pub(crate) fn merged(one: DataType, other: DataType) -> DataType {
    match (one, other) {
        (one, other) if one == other => one,
        (DataType::Void, known) | (known, DataType::Void) => known,
        (DataType::Long, DataType::Double) | (DataType::Double, DataType::Long) => DataType::Double,
        (DataType::Double, DataType::Decimal(..)) | (DataType::Decimal(..), DataType::Double) => DataType::Double,
        (DataType::Long, DataType::Decimal(precision, scale))
        | (DataType::Decimal(precision, scale), DataType::Long) => wider((20, 0), (precision, scale)),
        (DataType::Decimal(p, s), DataType::Decimal(precision, scale)) => wider((p, s), (precision, scale)),
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

/// A decimal with room for both, if there is one.
fn wider(one: (u8, i8), other: (u8, i8)) -> DataType {
    let scale = one.1.max(other.1);
    let whole = |(precision, scale): (u8, i8)| i32::from(precision) - i32::from(scale);
    match u8::try_from(whole(one).max(whole(other)) + i32::from(scale)) {
        Ok(precision @ ..=38) => DataType::Decimal(precision, scale),
        _ => DataType::Double,
    }
}

/// With strings where only NULL was seen, and without structs that have no fields.
pub(crate) fn known(data_type: DataType) -> DataType {
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
