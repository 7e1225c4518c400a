//! `DESCRIBE FUNCTION` of an API function.

use std::fmt::Write as _;

use paceline_sql::type_name;
use paceline_udfs::spec::{self, Format, OptionRow};
use paceline_udfs::{ApiFunction, METADATA};

use super::rows_of_text;
use crate::{EngineError, Outcome, Session};

/// The column of its rows.
pub(crate) const COLUMN: &str = "function_desc";

/// What an API function is, a row for each thing.
pub(crate) fn describe(session: &Session, name: &str, extended: bool) -> Result<Outcome, EngineError> {
    let Some(api) = session.api_function(name) else {
        return Err(EngineError::Setting(format!("the function '{name}' was dropped meanwhile")));
    };
    let mut rows = vec![
        format!("Function: {name}"),
        "Class: API function (USING API)".to_owned(),
        format!("Usage: {}", usage(&api)),
    ];
    if extended {
        rows.push(format!("Extended Usage:\n{}", everything(&api)));
    }
    rows_of_text(COLUMN, rows)
}

fn usage(api: &ApiFunction) -> String {
    let arguments: Vec<_> = api
        .arguments
        .iter()
        .map(|argument| format!("{} {}", argument.name(), type_name(argument.data_type())))
        .collect();
    let (name, returns) = (&api.name, type_name(&api.returns));
    let what = match api.options.wire.format {
        Format::Record | Format::Template(_) => "one row a request",
        _ => "many rows a request",
    };
    format!(
        "{name}({}) returns {returns} - Asks {} for each row, {what}.",
        arguments.join(", "),
        api.options.wire.endpoint
    )
}

/// All that there is to know of an API function. Options come from the one table of them.
fn everything(api: &ApiFunction) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "    {line}"); // writing to a String cannot fail
    };
    line("Arguments, which are the keys of the request:".to_owned());
    for argument in &api.arguments {
        line(format!("  {} {}", argument.name(), type_name(argument.data_type())));
    }
    line(format!("Returns: {}", type_name(&api.returns)));
    line("  RETURNS STRUCT<…> may ask for these fields beside those of the reply:".to_owned());
    for (field, meaning) in METADATA {
        line(format!("  {field} - {meaning}"));
    }
    line(match api.deterministic {
        true => "Deterministic: yes, rows with the same arguments may share one answer".to_owned(),
        false => "Deterministic: no, every row is asked for".to_owned(),
    });
    line(format!("Quota: {} ({})", api.options.pace.quota, api.options.pace.limits));
    line(format!("Format: {}", in_force(api, "format").unwrap_or_default()));
    line("Options, each with its value, its default and its meaning:".to_owned());
    for row in spec::options().filter(|row| row.applies_to(api.deterministic)) {
        line(format!("  {}", option(api, row)));
    }
    text
}

fn option(api: &ApiFunction, row: &OptionRow) -> String {
    let value = in_force(api, row.key).unwrap_or("(not given)");
    match (api.given(row.key), row.default) {
        (Some(_), Some(default)) => format!("{} = {value} (default: {default}) - {}", row.key, row.meaning),
        (None, Some(_)) => format!("{} = {value} (the default) - {}", row.key, row.meaning),
        (_, None) => format!("{} = {value} - {}", row.key, row.meaning),
    }
}

fn in_force<'a>(api: &'a ApiFunction, key: &str) -> Option<&'a str> {
    api.given(key).or_else(|| spec::options().find(|row| row.key == key)?.default)
}
