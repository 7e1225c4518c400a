//! Casts that the resolver itself asks for: of set operations, USING, inline tables and INSERT.

use std::sync::Arc;

use paceline_functions::{DataType, Error, Result, Settings, Typed};

/// The type of both, as set operations, CASE and the like have it.
pub(crate) fn widest(a: &DataType, b: &DataType, settings: &Settings) -> Option<DataType> {
    let _ = settings;
    if a == b { Some(a.clone()) } else { None }
}

/// Casts; the name stays.
pub(crate) fn cast(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    let _ = settings;
    if &typed.data_type == to {
        return Ok(typed);
    }
    let expr = datafusion::logical_expr::cast(typed.expr, to.to_arrow());
    Ok(Typed { expr, data_type: to.clone(), ..typed })
}

/// Casts to the type of a column that is written to.
pub(crate) fn store_cast(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    cast(typed, to, settings)
}

/// A condition: it has to be a boolean.
pub(crate) fn condition(typed: Typed, settings: &Arc<Settings>, clause: &str) -> Result<Typed> {
    match typed.data_type {
        DataType::Boolean => Ok(typed),
        DataType::Void => cast(typed, &DataType::Boolean, settings),
        ref other => Err(Error::new(
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
            format!("{clause} expression \"{}\" of type \"{}\" is not a boolean.", typed.name, other.sql()),
        )),
    }
}
