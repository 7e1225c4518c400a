//! Spark's functions of the group conversion, and those of the group string that make numbers, text and bytes of each other.

mod binaries;
mod formats;
mod numbers;

use super::scalar::{exactly, scalar};
use crate::cast::{CastMode, can_cast, cast, convert};
use crate::{Call, DataType, Function, Group, Resolve, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("bigint", "bigint(expr) - expr as BIGINT.", |c| to(c, DataType::Long)),
    row("binary", "binary(expr) - expr as BINARY.", |c| to(c, DataType::Binary)),
    row("boolean", "boolean(expr) - expr as BOOLEAN.", |c| to(c, DataType::Boolean)),
    row("date", "date(expr) - expr as DATE.", |c| to(c, DataType::Date)),
    row("decimal", "decimal(expr) - expr as DECIMAL.", |c| to(c, DataType::Decimal(10, 0))),
    row("double", "double(expr) - expr as DOUBLE.", |c| to(c, DataType::Double)),
    row("float", "float(expr) - expr as FLOAT.", |c| to(c, DataType::Float)),
    row("int", "int(expr) - expr as INT.", |c| to(c, DataType::Int)),
    row("smallint", "smallint(expr) - expr as SMALLINT.", |c| to(c, DataType::Short)),
    row("string", "string(expr) - expr as STRING.", |c| to(c, DataType::String)),
    row("timestamp", "timestamp(expr) - expr as TIMESTAMP.", |c| to(c, DataType::Timestamp)),
    row("tinyint", "tinyint(expr) - expr as TINYINT.", |c| to(c, DataType::Byte)),
    Function {
        name: "cast",
        group: Group::Conversion,
        usage: "cast(expr AS type) - expr as a value of a type.",
        resolve: Resolve::Resolver,
    },
    text("to_binary", "to_binary(text[, format]) - The bytes that a text in hex, utf-8 or base64 says.", |c| {
        binaries::to_binary(c, false)
    }),
    text("try_to_binary", "try_to_binary(text[, format]) - As to_binary, but NULL where the text says none.", |c| {
        binaries::to_binary(c, true)
    }),
    text("to_number", "to_number(text, format) - The decimal that a text in a format says.", |c| {
        numbers::to_number(c, false)
    }),
    text(
        "try_to_number",
        "try_to_number(text, format) - As to_number, but NULL where the text is not in the format.",
        |c| numbers::to_number(c, true),
    ),
    text("to_char", "to_char(number, format) - A number as text in a format.", numbers::to_char),
    text("to_varchar", "to_varchar(number, format) - A number as text in a format.", numbers::to_char),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Conversion, name, usage, resolve)
}

const fn text(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::String, name, usage, resolve)
}

/// A cast in the form of a function, which does not show in names.
fn to(mut call: Call<'_>, data_type: DataType) -> Result<Typed> {
    let [value] = exactly(&mut call)?;
    let mode = if call.settings.ansi { CastMode::Ansi } else { CastMode::Legacy };
    if !can_cast(&value.data_type, &data_type, mode) {
        return cast(value, &data_type, mode, call.settings);
    }
    convert(value, &data_type, mode, call.settings)
}

/// The kernels of this group.
pub(crate) const KERNELS: &[&[&crate::Kernel]] = &[binaries::KERNELS, numbers::KERNELS];
