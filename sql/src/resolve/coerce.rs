//! Casts that the resolver itself asks for: of set operations, USING, inline tables and INSERT.

use std::sync::Arc;

use paceline_functions::cast::{CastMode, can_store, convert};
use paceline_functions::coercion::{coerce_to, common_type_of_two};
use paceline_functions::{DataType, Error, Result, Settings, Typed};

/// The type of both, as set operations, CASE and the like have it.
pub(crate) fn widest(a: &DataType, b: &DataType, settings: &Settings) -> Option<DataType> {
    common_type_of_two(a, b, settings)
}

/// Casts; the name stays.
pub(crate) fn cast(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    coerce_to(typed, to, settings)
}

/// Casts to the type of a column that is written to: what does not fit is an error.
pub(crate) fn store_cast(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    if !can_store(&typed.data_type, to) {
        return Err(Error::new(
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
            format!(
                "Cannot write incompatible data for the table: Cannot safely cast \"{}\" to \"{}\".",
                typed.data_type.sql(),
                to.sql()
            ),
        ));
    }
    convert(typed, to, CastMode::Ansi, settings)
}

/// What a join's condition is called.
pub(crate) const JOIN: &str = "JOIN_CONDITION";

/// A condition: it has to be a boolean.
pub(crate) fn condition(typed: Typed, settings: &Arc<Settings>, clause: &str) -> Result<Typed> {
    match typed.data_type {
        DataType::Boolean => Ok(typed),
        DataType::Void => cast(typed, &DataType::Boolean, settings),
        ref other if clause == JOIN => Err(Error::new(
            "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
            format!(
                "The join condition \"{}\" has the invalid type \"{}\", expected \"BOOLEAN\".",
                typed.name,
                other.sql()
            ),
        )),
        ref other => Err(Error::new(
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
            format!("{clause} expression \"{}\" of type \"{}\" is not a boolean.", typed.name, other.sql()),
        )),
    }
}
