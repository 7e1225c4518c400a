//! Spark's implicit casts: the common type of several expressions, what an operator or a function makes of its operands.
//!
//! Each rule has two forms, ANSI off and on. An implicit cast never shows in a name.

mod arguments;
mod comparison;
mod widest;

pub use arguments::{Expected, expect_arguments, implicit_cast, implicit_type};
pub use comparison::{compare_operands, in_operands};
pub(crate) use widest::is_atomic;
pub use widest::{
    common_type, common_type_of, common_type_of_two, common_type_without_strings, same_type, tightest_common_type,
};

use std::sync::Arc;

use crate::cast::{CastMode, convert};
use crate::{DataType, Error, Result, Settings, Typed};

/// Casts an expression to a type that the rules have chosen for it; its name stays.
///
/// # Errors
/// Spark has no such cast.
pub fn coerce_to(value: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    let mode = if settings.ansi { CastMode::Ansi } else { CastMode::Legacy };
    convert(value, to, mode, settings)
}

/// Casts all to their common type, as CASE, COALESCE, `array` and UNION do.
///
/// # Errors
/// They have none; the class is `DATATYPE_MISMATCH.DATA_DIFF_TYPES`, and `call` is the name of the whole call.
pub fn coerce_all(values: Vec<Typed>, function: &str, call: &str, settings: &Arc<Settings>) -> Result<Vec<Typed>> {
    let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
    let Some(common) = common_type(&types, settings) else {
        return Err(different_types(&types, function, call));
    };
    values.into_iter().map(|value| coerce_to(value, &common, settings)).collect()
}

/// Arguments that should be of one type are not.
pub fn different_types(types: &[DataType], function: &str, call: &str) -> Error {
    let types: Vec<String> = types.iter().map(|data_type| format!("\"{}\"", data_type.sql())).collect();
    let types = if ["in", "casewhen"].contains(&function) {
        format!("[{}]", types.join(", "))
    } else {
        format!("({})", types.join(" or "))
    };
    Error::new(
        "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        format!(
            "Cannot resolve \"{call}\" due to data type mismatch: Input to `{function}` should all be the same type, but it's {types}."
        ),
    )
}
