//! What most functions ask of their arguments: how many, and of which types. The casts are `coercion`'s.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, convert};
use crate::coercion::{Expected, expect_arguments, implicit_cast};
use crate::error::{Error, Result};
use crate::{Call, DataType, Function, Group, Kernel, Resolve, Settings, SparkUdf, Typed};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum In {
    Text,
    Binary,
    /// Binary stays; all else becomes a string.
    TextOrBinary,
    Boolean,
    Int,
    Long,
    Double,
    Date,
    Timestamp,
    TimestampNtz,
    /// A timestamp without time zone stays.
    AnyTimestamp,
    /// Seconds with six places: a decimal of this precision.
    Seconds(u8),
    Any,
}

/// A function with a value for each row.
pub(crate) const fn scalar(
    name: &'static str,
    group: Group,
    usage: &'static str,
    resolve: fn(Call<'_>) -> Result<Typed>,
) -> Function {
    Function { name, group, usage, resolve: Resolve::Scalar(resolve) }
}

/// The wrong number of arguments.
pub(crate) fn wrong_count(call: &Call<'_>, allowed: &[usize]) -> Error {
    let counts: Vec<String> = allowed.iter().map(usize::to_string).collect();
    let counts = if counts.len() == 1 { counts.concat() } else { format!("[{}]", counts.join(", ")) };
    not_so_many(call, &counts)
}

/// The wrong number of arguments, where `expected` says which are right: `> 1`.
pub(crate) fn not_so_many(call: &Call<'_>, expected: &str) -> Error {
    Error::new(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        format!(
            "The `{}` requires {expected} parameters but the actual number is {}. Please, refer to \
             'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
            call.name,
            call.arguments.len()
        ),
    )
}

/// Refuses a call that has none of these numbers of arguments.
pub(crate) fn count(call: &Call<'_>, allowed: &[usize]) -> Result<()> {
    if allowed.contains(&call.arguments.len()) { Ok(()) } else { Err(wrong_count(call, allowed)) }
}

/// Appends the arguments that were left out; they show in the name.
pub(crate) fn defaults(call: &mut Call<'_>, required: usize, defaults: &[Typed]) -> Result<()> {
    let allowed: Vec<usize> = (required..=required + defaults.len()).collect();
    count(call, &allowed)?;
    let given = call.arguments.len() - required;
    call.arguments.extend(defaults.iter().skip(given).cloned());
    Ok(())
}

/// `name(a, b)`, the name that Spark gives most calls.
pub(crate) fn named(call: &Call<'_>) -> String {
    named_as(call.name, &call.arguments)
}

/// The same under another name.
pub(crate) fn named_as(name: &str, arguments: &[Typed]) -> String {
    let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    format!("{name}({})", names.join(", "))
}

impl In {
    fn expected(self) -> Expected {
        Expected::Type(match self {
            In::Any => return Expected::Any,
            In::AnyTimestamp => return Expected::Timestamp,
            In::TextOrBinary => {
                return Expected::OneOf(vec![Expected::Type(DataType::String), Expected::Type(DataType::Binary)]);
            }
            In::Text => DataType::String,
            In::Binary => DataType::Binary,
            In::Boolean => DataType::Boolean,
            In::Int => DataType::Int,
            In::Long => DataType::Long,
            In::Double => DataType::Double,
            In::Date => DataType::Date,
            In::Timestamp => DataType::Timestamp,
            In::TimestampNtz => DataType::TimestampNtz,
            In::Seconds(precision) => DataType::Decimal(precision, 6),
        })
    }
}

/// Casts the arguments to what the parameters take; the last one's type is that of all further arguments.
pub(crate) fn cast(call: &mut Call<'_>, inputs: &[In]) -> Result<()> {
    let name = named(call);
    let expected: Vec<Expected> = inputs.iter().map(|input| input.expected()).collect();
    expect_arguments(call, &expected, &name)
}

/// An argument of a type that the parameter does not take.
pub(crate) fn unexpected(call: &str, at: usize, argument: &Typed, expected: &str) -> Error {
    Error::new(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        format!(
            "Cannot resolve \"{call}\" due to data type mismatch: Parameter {} requires the {expected} type, however \
             \"{}\" has the type \"{}\".",
            at + 1,
            argument.name,
            argument.data_type.sql()
        ),
    )
}

/// A call of a kernel with arguments cast to these types; as many as there are types.
pub(crate) fn plain(call: Call<'_>, kernel: &'static Kernel, inputs: &[In], returns: DataType) -> Result<Typed> {
    count(&call, &[inputs.len()])?;
    cast_call(call, kernel, inputs, returns)
}

/// The same where the number of arguments has been seen to; the last type is that of all further arguments.
pub(crate) fn cast_call(
    mut call: Call<'_>,
    kernel: &'static Kernel,
    inputs: &[In],
    returns: DataType,
) -> Result<Typed> {
    let name = named(&call);
    cast(&mut call, inputs)?;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, returns, true, name))
}

/// A constant string.
pub(crate) fn text(value: &str) -> Typed {
    Typed::literal(ScalarValue::Utf8(Some(value.to_owned())), DataType::String, value)
}

/// A constant integer.
pub(crate) fn int(value: i32) -> Typed {
    Typed::literal(ScalarValue::Int32(Some(value)), DataType::Int, value.to_string())
}

/// A cast as if it was written; the name stays.
pub(crate) fn explicit(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    let mode = if settings.ansi { CastMode::Ansi } else { CastMode::Legacy };
    convert(typed, to, mode, settings)
}

/// A constant boolean.
pub(crate) fn boolean(value: bool) -> Typed {
    Typed::literal(ScalarValue::Boolean(Some(value)), DataType::Boolean, value.to_string())
}

/// The text of a constant, which the call must have there.
pub(crate) fn constant_text<'a>(call: &'a Call<'_>, at: usize) -> Option<&'a str> {
    match call.arguments.get(at).map(|argument| &argument.expr) {
        Some(Expr::Literal(ScalarValue::Utf8(Some(text)), _)) => Some(text),
        _ => None,
    }
}

/// An implicit cast; the name stays.
pub(crate) fn implicit(typed: Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Typed> {
    let name = typed.name.clone();
    implicit_cast(typed, &Expected::Type(to.clone()), 1, &name, settings)
}
