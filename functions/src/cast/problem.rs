//! What a cast that fails says.

use super::CastMode;
use crate::{DataType, Error};

/// There is no such cast.
pub(super) fn no_cast(name: &str, from: &DataType, to: &DataType, mode: CastMode) -> Error {
    let (one, two) = (from.sql(), to.sql());
    let start = format!("Cannot resolve \"{name}\" due to data type mismatch: cannot cast \"{one}\" to \"{two}\"");
    let function = match (from, to) {
        _ if mode == CastMode::Legacy => None,
        (from, DataType::Timestamp) if from.is_numeric() => {
            Some("`TIMESTAMP_SECONDS`/`TIMESTAMP_MILLIS`/`TIMESTAMP_MICROS`")
        }
        (DataType::Date, to) if to.is_numeric() => Some("`UNIX_DATE`"),
        (from, DataType::Date) if from.is_numeric() => Some("`DATE_FROM_UNIX_DATE`"),
        _ => None,
    };
    if let Some(function) = function {
        return Error::new(
            "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION",
            format!(
                "{start}.\nTo convert values from \"{one}\" to \"{two}\", you can use the functions {function} instead."
            ),
        );
    }
    if mode == CastMode::Ansi && super::can_cast(from, to, CastMode::Legacy) {
        return Error::new(
            "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION",
            format!(
                "{start} with ANSI mode on.\nIf you have to cast \"{one}\" to \"{two}\", you can set \"spark.sql.ansi.enabled\" as 'false'."
            ),
        );
    }
    Error::new("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", format!("{start}."))
}

/// Text that is no value of the type.
pub(super) fn malformed(text: &str, to: &DataType) -> Error {
    Error::new(
        "CAST_INVALID_INPUT",
        format!(
            "The value {} of the type \"STRING\" cannot be cast to \"{}\" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.",
            quoted(text),
            to.sql()
        ),
    )
}

/// A value that the type cannot hold; `value` is as Spark's SQL writes it.
pub(super) fn overflow(value: &str, from: &DataType, to: &DataType) -> Error {
    Error::new(
        "CAST_OVERFLOW",
        format!(
            "The value {value} of the type \"{}\" cannot be cast to \"{}\" due to an overflow. Use `try_cast` to tolerate overflow and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.",
            from.sql(),
            to.sql()
        ),
    )
}

/// A decimal with more digits than its type has.
pub(crate) fn out_of_range(value: &str, precision: u8, scale: i8) -> Error {
    Error::new(
        "NUMERIC_VALUE_OUT_OF_RANGE",
        format!(
            "{value} cannot be represented as Decimal({precision}, {scale}). If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error, and return NULL instead."
        ),
    )
}

/// Text as Spark's messages have it: `'x'`.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
