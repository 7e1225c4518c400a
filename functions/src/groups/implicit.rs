//! The implicit casts that functions of collections, aggregates and windows ask for, by Spark's rules in `coercion`.

use std::sync::Arc;

use crate::coercion::{Expected, coerce_to, common_type, common_type_without_strings, implicit_type};
use crate::{DataType, Result, Settings, Typed};

/// An expression as another type; its name stays.
pub(crate) fn cast(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    if &typed.data_type == to { Ok(typed) } else { coerce_to(typed, to, settings) }
}

/// The type that both can be cast to without strings standing for other values.
pub(crate) fn wider_type(left: &DataType, right: &DataType, settings: &Settings) -> Option<DataType> {
    common_type_without_strings(&[left.clone(), right.clone()], settings)
}

/// As [`wider_type`], and strings with other values become strings.
pub(crate) fn wider_common_type(types: &[DataType], settings: &Settings) -> Option<DataType> {
    common_type(types, settings)
}

/// What Spark casts a value to where a type is expected; none if it does not.
pub(crate) fn implicit(typed: &Typed, expected: &DataType, settings: &Arc<Settings>) -> Result<Option<Typed>> {
    match implicit_type(&typed.data_type, &Expected::Type(expected.clone()), settings) {
        Some(to) => cast(typed.clone(), &to, settings).map(Some),
        None => Ok(None),
    }
}
