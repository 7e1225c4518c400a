//! What makes a simple function one line of a table.

use crate::coercion::{Expected, implicit_cast};
use crate::{Call, DataType, Error, Function, Group, Kernel, Resolve, Result, SparkUdf, Typed};

/// A row of the table for a function that has a value for each row.
pub(crate) const fn scalar(
    group: Group,
    name: &'static str,
    usage: &'static str,
    resolve: fn(Call<'_>) -> Result<Typed>,
) -> Function {
    Function { name, group, usage, resolve: Resolve::Scalar(resolve) }
}

/// `name(a, b)`, as most generated names are.
pub(crate) fn call_name(name: &str, arguments: &[Typed]) -> String {
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    format!("{name}({})", texts.join(", "))
}

/// A function has the wrong number of arguments.
pub(crate) fn wrong_number(call: &Call<'_>, wanted: &str) -> Error {
    Error::new(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        format!(
            "The `{}` requires {wanted} parameters but the actual number is {}. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
            call.name,
            call.arguments.len()
        ),
    )
}

/// The arguments if there are as many as that.
pub(crate) fn exactly<const N: usize>(call: &mut Call<'_>) -> Result<[Typed; N]> {
    let error = wrong_number(call, &N.to_string());
    std::mem::take(&mut call.arguments).try_into().map_err(|_| error)
}

/// The arguments if their number is one of these.
pub(crate) fn between<'a>(call: &'a mut Call<'_>, least: usize, most: usize) -> Result<&'a mut Vec<Typed>> {
    if (least..=most).contains(&call.arguments.len()) {
        return Ok(&mut call.arguments);
    }
    let wanted = match (least, most) {
        (least, usize::MAX) => format!("> {}", least.saturating_sub(1)),
        (least, most) if least == most => least.to_string(),
        (least, most) => {
            format!("[{}]", (least..=most).map(|count| count.to_string()).collect::<Vec<_>>().join(", "))
        }
    };
    Err(wrong_number(call, &wanted))
}

/// A call of a kernel whose parameters are of fixed types, NULL where an argument is; `shown` is the function's name in names.
pub(crate) fn strict(
    mut call: Call<'_>,
    kernel: &'static Kernel,
    shown: &str,
    parameters: &[DataType],
    returns: DataType,
    nullable: bool,
) -> Result<Typed> {
    between(&mut call, parameters.len(), parameters.len())?;
    let name = call_name(shown, &call.arguments);
    let arguments = std::mem::take(&mut call.arguments)
        .into_iter()
        .zip(parameters)
        .enumerate()
        .map(|(at, (argument, parameter))| {
            implicit_cast(argument, &Expected::Type(parameter.clone()), at + 1, &name, call.settings)
        })
        .collect::<Result<Vec<_>>>()?;
    let nullable = nullable || arguments.iter().any(|argument| argument.nullable);
    Ok(SparkUdf::call(kernel, call.settings, arguments, returns, nullable, name))
}
