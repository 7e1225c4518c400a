//! What a function makes of an argument that is not of the type it wants.

use std::sync::Arc;

use super::coerce_to;
use super::widest::is_atomic;
use crate::cast::may_become_null;
use crate::decimal_type::{bounded, of_number};
use crate::{Call, DataType, Error, Result, Settings, Typed};

/// The types that a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This one.
    Type(DataType),
    /// Any.
    Any,
    /// Any number; others become doubles.
    Numeric,
    /// Any whole number; nothing else becomes one.
    Integral,
    /// Any decimal.
    Decimal,
    /// Any timestamp, with or without time zone.
    Timestamp,
    /// Any array.
    Array,
    /// Any map.
    Map,
    /// Any of these; the first that can be reached is.
    OneOf(Vec<Expected>),
}

impl Expected {
    fn accepts(&self, data_type: &DataType) -> bool {
        match self {
            Expected::Type(expected) => super::same_type(expected, data_type),
            Expected::Any => true,
            Expected::Numeric => data_type.is_numeric(),
            Expected::Integral => data_type.is_integral(),
            Expected::Decimal => matches!(data_type, DataType::Decimal(..)),
            Expected::Timestamp => matches!(data_type, DataType::Timestamp | DataType::TimestampNtz),
            Expected::Array => matches!(data_type, DataType::Array(..)),
            Expected::Map => matches!(data_type, DataType::Map(..)),
            Expected::OneOf(types) => types.iter().any(|expected| expected.accepts(data_type)),
        }
    }

    /// The type that NULL becomes.
    fn default_type(&self) -> Option<DataType> {
        Some(match self {
            Expected::Type(expected) => expected.clone(),
            Expected::Any => DataType::Void,
            Expected::Numeric => DataType::Double,
            Expected::Integral => DataType::Int,
            Expected::Decimal => DataType::SYSTEM_DECIMAL,
            Expected::Timestamp => DataType::Timestamp,
            Expected::Array => DataType::Array(Box::new(DataType::Void), true),
            Expected::Map => DataType::Map(Box::new(DataType::Void), Box::new(DataType::Void), true),
            Expected::OneOf(types) => return types.first()?.default_type(),
        })
    }

    /// As messages have it: `"INT"`.
    fn describe(&self) -> String {
        match self {
            Expected::Type(expected) => format!("\"{}\"", expected.sql()),
            Expected::Any => "\"ANY\"".to_owned(),
            Expected::Numeric => "\"NUMERIC\"".to_owned(),
            Expected::Integral => "\"INTEGRAL\"".to_owned(),
            Expected::Decimal => "\"DECIMAL\"".to_owned(),
            Expected::Timestamp => "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"".to_owned(),
            Expected::Array => "\"ARRAY\"".to_owned(),
            Expected::Map => "\"MAP\"".to_owned(),
            Expected::OneOf(types) => {
                format!("({})", types.iter().map(Expected::describe).collect::<Vec<_>>().join(" or "))
            }
        }
    }
}

/// The type that a value of a type is cast to for a parameter, if that is allowed.
pub fn implicit_type(from: &DataType, expected: &Expected, settings: &Settings) -> Option<DataType> {
    if expected.accepts(from) {
        return Some(from.clone());
    }
    if *from == DataType::Void {
        return expected.default_type();
    }
    if settings.ansi { ansi(from, expected, settings) } else { legacy(from, expected, settings) }
}

/// An argument as a parameter wants it; `position` counts from 1 and `call` is the name of the whole call, for the message.
///
/// # Errors
/// There is no implicit cast.
pub fn implicit_cast(
    value: Typed,
    expected: &Expected,
    position: usize,
    call: &str,
    settings: &Arc<Settings>,
) -> Result<Typed> {
    match implicit_type(&value.data_type, expected, settings) {
        Some(to) => coerce_to(value, &to, settings),
        None => Err(Error::new(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            format!(
                "Cannot resolve \"{call}\" due to data type mismatch: Parameter {position} requires the {} type, however \"{}\" has the type \"{}\".",
                expected.describe(),
                value.name,
                value.data_type.sql()
            ),
        )),
    }
}

/// All arguments of a call as its parameters want them; the last parameter's type is that of all further ones.
///
/// # Errors
/// There is no implicit cast for one.
pub fn expect_arguments(call: &mut Call<'_>, expected: &[Expected], name: &str) -> Result<()> {
    let arguments = std::mem::take(&mut call.arguments);
    for (at, argument) in arguments.into_iter().enumerate() {
        let argument = match expected.get(at).or(expected.last()) {
            Some(expected) => implicit_cast(argument, expected, at + 1, name, call.settings)?,
            None => argument,
        };
        call.arguments.push(argument);
    }
    Ok(())
}

fn legacy(from: &DataType, expected: &Expected, settings: &Settings) -> Option<DataType> {
    use DataType::{Array, Binary, Date, Decimal, Double, Map, String, Timestamp, TimestampNtz};
    match (from, expected) {
        (String, Expected::Numeric) => Some(Double),
        (String, Expected::Decimal) => Some(DataType::SYSTEM_DECIMAL),
        (String, Expected::Timestamp) | (Date, Expected::Timestamp) => Some(Timestamp),
        (number, Expected::Decimal) => of_number(number).map(|(p, s)| bounded(i32::from(p), i32::from(s))),
        (_, Expected::OneOf(types)) => types.iter().find_map(|expected| implicit_type(from, expected, settings)),
        (from, Expected::Type(to)) => match (from, to) {
            (from, to) if from.is_numeric() && to.is_numeric() => Some(to.clone()),
            (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => Some(to.clone()),
            (String, Decimal(..)) => Some(to.clone()),
            (String, to) if to.is_numeric() => Some(to.clone()),
            (String, Date | Timestamp | TimestampNtz | Binary) => Some(to.clone()),
            (from, String) if is_atomic(from) => Some(String),
            (Array(from, from_null), Array(to, to_null)) => {
                let element = implicit_type(from, &Expected::Type(to.as_ref().clone()), settings)?;
                let allowed = *to_null || (!from_null && !may_become_null(from, &element));
                allowed.then(|| Array(Box::new(element), *to_null))
            }
            (Map(key, value, null), Map(to_key, to_value, to_null)) => {
                let new_key = implicit_type(key, &Expected::Type(to_key.as_ref().clone()), settings)?;
                let new_value = implicit_type(value, &Expected::Type(to_value.as_ref().clone()), settings)?;
                let allowed =
                    !may_become_null(key, &new_key) && (*to_null || (!null && !may_become_null(value, &new_value)));
                allowed.then(|| Map(Box::new(new_key), Box::new(new_value), *to_null))
            }
            _ => None,
        },
        _ => None,
    }
}

fn ansi(from: &DataType, expected: &Expected, settings: &Settings) -> Option<DataType> {
    use DataType::{Date, Double, String, Timestamp};
    match (from, expected) {
        (String, Expected::Numeric) => Some(Double),
        (String, Expected::Decimal) => Some(DataType::SYSTEM_DECIMAL),
        (String | Date, Expected::Timestamp) => Some(Timestamp),
        (number, Expected::Decimal) => of_number(number).map(|(p, s)| bounded(i32::from(p), i32::from(s))),
        (String, Expected::Type(to)) if is_atomic(to) => Some(to.clone()),
        (from, Expected::Type(to)) => crate::cast::can_store(from, to).then(|| to.clone()),
        (_, Expected::OneOf(types)) => types.iter().find_map(|expected| implicit_type(from, expected, settings)),
        _ => None,
    }
}
