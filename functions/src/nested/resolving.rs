//! What every function over collections checks of its arguments, in Spark's words.

use std::ops::RangeInclusive;

use crate::groups::implicit::{cast, wider_type};
use crate::{Call, DataType, Error, Result, Typed};

/// Spark's name of a call: `f(a, b)`.
pub(crate) fn pretty(call: &Call<'_>) -> String {
    named(call.name, &call.arguments)
}

/// Spark's name of a call of a function of that name.
pub(crate) fn named(name: &str, arguments: &[Typed]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    format!("{name}({})", arguments.join(", "))
}

/// Fails unless there are so many arguments.
pub(crate) fn arity(call: &Call<'_>, expected: RangeInclusive<usize>) -> Result<()> {
    let actual = call.arguments.len();
    if expected.contains(&actual) {
        return Ok(());
    }
    let (low, high) = (*expected.start(), *expected.end());
    let expected = match high {
        _ if low == high => low.to_string(),
        usize::MAX => format!(" >= {low}"),
        _ if high == low + 1 => format!("[{low}, {high}]"),
        _ => format!("[{}]", (low..=high).map(|count| count.to_string()).collect::<Vec<_>>().join(", ")),
    };
    Err(Error::new(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        format!(
            "The `{}` requires {expected} parameters but the actual number is {actual}. Please, refer to \
             'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
            call.name
        ),
    ))
}

/// An error of the arguments' types.
pub(crate) fn mismatch(name: &str, class: &str, what: impl std::fmt::Display) -> Error {
    Error::new(
        format!("DATATYPE_MISMATCH.{class}"),
        format!("Cannot resolve \"{name}\" due to data type mismatch: {what}"),
    )
}

/// An argument is not of the type that is required (`the "ARRAY" type`).
pub(crate) fn unexpected_input(call: &Call<'_>, at: usize, required: &str) -> Error {
    let (name, data_type) = match call.arguments.get(at) {
        Some(argument) => (argument.name.clone(), argument.data_type.sql()),
        None => Default::default(),
    };
    let what = format!("Parameter {} requires {required}, however \"{name}\" has the type \"{data_type}\".", at + 1);
    mismatch(&pretty(call), "UNEXPECTED_INPUT_TYPE", what)
}

/// The element type of an argument that has to be an array; NULL is an array of nothing.
pub(crate) fn array_argument(call: &mut Call<'_>, at: usize) -> Result<(DataType, bool)> {
    let Some(argument) = call.arguments.get(at) else {
        return Err(Error::new("INTERNAL_ERROR", format!("{} has too few arguments", call.name)));
    };
    match &argument.data_type {
        DataType::Array(element, contains_null) => Ok((element.as_ref().clone(), *contains_null)),
        DataType::Void => {
            let array = DataType::Array(Box::new(DataType::Void), true);
            if let Some(argument) = call.arguments.get_mut(at) {
                *argument = cast(argument.clone(), &array, call.settings)?;
            }
            Ok((DataType::Void, true))
        }
        _ => Err(unexpected_input(call, at, "the \"ARRAY\" type")),
    }
}

/// Casts an array (the first argument) and a value (at `value`) to the wider of their element types.
pub(crate) fn wider_element(call: &mut Call<'_>, value: usize) -> Result<(DataType, bool)> {
    let diff = |call: &Call<'_>| {
        diff_types(call, "ARRAY_FUNCTION_DIFF_TYPES", "\"ARRAY\" followed by a value with same element type", value)
    };
    let (array, other) = match (call.arguments.first(), call.arguments.get(value)) {
        (Some(array), Some(other)) => (array.clone(), other.clone()),
        _ => return Err(diff(call)),
    };
    let DataType::Array(element, contains_null) = &array.data_type else {
        return Err(diff(call));
    };
    let Some(wider) = wider_type(element, &other.data_type, call.settings) else { return Err(diff(call)) };
    call.arguments[0] = cast(array.clone(), &DataType::Array(Box::new(wider.clone()), *contains_null), call.settings)?;
    call.arguments[value] = cast(other, &wider, call.settings)?;
    Ok((wider, *contains_null))
}

/// The arguments do not fit each other.
pub(crate) fn diff_types(call: &Call<'_>, class: &str, expected: &str, second: usize) -> Error {
    let sql = |at: usize| call.arguments.get(at).map_or(String::new(), |argument| argument.data_type.sql());
    let what = format!(
        "Input to `{}` should have been {expected}, but it's [\"{}\", \"{}\"].",
        call.name,
        sql(0),
        sql(second)
    );
    mismatch(&pretty(call), class, what)
}

/// Fails if values of the type cannot be ordered.
pub(crate) fn orderable(call: &Call<'_>, data_type: &DataType) -> Result<()> {
    fn can(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) | DataType::CalendarInterval => false,
            DataType::Array(element, _) => can(element),
            DataType::Struct(fields) => fields.iter().all(|field| can(&field.data_type)),
            _ => true,
        }
    }
    if can(data_type) {
        return Ok(());
    }
    let what = format!("The `{}` does not support ordering on type \"{}\".", call.name, data_type.sql());
    Err(mismatch(&pretty(call), "INVALID_ORDERING_TYPE", what))
}
