//! `DROP TEMPORARY FUNCTION`, `DESCRIBE FUNCTION` and `SHOW FUNCTIONS`, answered as Spark 3.5 answers them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;
use paceline_sql::{DescribeFunction, DropFunction, FunctionKinds, ShowFunctions, type_name};
use paceline_udfs::spec::{self, Format, OptionRow};
use paceline_udfs::{ApiFunction, Caller, METADATA};

use super::rows_of_text;
use crate::api_call::caller_of;
use crate::{EngineError, Outcome};

/// The session forgets a function. Its quota lives as long as another function has it.
pub(crate) fn drop(context: &SessionContext, wanted: &DropFunction) -> Result<(), EngineError> {
    let (state, name) = (context.state(), wanted.name.to_lowercase());
    if api_function(&state, &name).is_some() {
        if !wanted.temporary {
            return Err(EngineError::Setting(format!(
                "'{name}' is a temporary function; write DROP TEMPORARY FUNCTION {name}"
            )));
        }
        context.deregister_udf(&name);
        return Ok(());
    }
    if is_built_in(&state, &name) {
        return Err(EngineError::Setting(format!("the function '{name}' is built in, it cannot be dropped")));
    }
    if wanted.if_exists { Ok(()) } else { Err(not_there(&state, &name, "; DROP … IF EXISTS would accept that")) }
}

/// What a function is, a row for each thing.
pub(crate) fn describe(context: &SessionContext, wanted: &DescribeFunction) -> Result<Outcome, EngineError> {
    let (state, name) = (context.state(), wanted.name.to_lowercase());
    let mut rows = vec![format!("Function: {name}")];
    if let Some(caller) = api_function(&state, &name) {
        let api = caller.api();
        rows.push("Class: API function (USING API)".to_owned());
        rows.push(format!("Usage: {}", usage(api)));
        if wanted.extended {
            rows.push(format!("Extended Usage:\n{}", everything(api)));
        }
    } else if is_built_in(&state, &name) {
        rows.push("Class: built in".to_owned());
        let documented = documentation(&state, &name);
        let usage = documented.as_ref().map(|doc| format!("{} - {}", doc.syntax_example, doc.description.trim()));
        rows.push(format!("Usage: {}", usage.unwrap_or_else(|| "N/A.".to_owned())));
        if wanted.extended {
            let examples = documented.and_then(|doc| doc.sql_example);
            let examples = examples.unwrap_or_else(|| format!("No example/argument for {name}."));
            rows.push(format!("Extended Usage:\n    {}\n", examples.trim().replace('\n', "\n    ")));
        }
    } else {
        return Err(not_there(&state, &name, "; SHOW FUNCTIONS lists all"));
    }
    rows_of_text("function_desc", rows)
}

/// The names of functions, sorted.
pub(crate) fn show(context: &SessionContext, wanted: &ShowFunctions) -> Result<Outcome, EngineError> {
    let state = context.state();
    let (user, system) = (wanted.kinds != FunctionKinds::System, wanted.kinds != FunctionKinds::User);
    let names = all_names(&state);
    let names = names.into_iter().filter(|name| if api_function(&state, name).is_some() { user } else { system });
    let names = names.filter(|name| wanted.pattern.as_ref().is_none_or(|pattern| matches(pattern, name)));
    rows_of_text("function", names.collect())
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

fn api_function<'a>(state: &'a SessionState, name: &str) -> Option<&'a Arc<Caller>> {
    state.scalar_functions().get(name).and_then(|function| caller_of(function))
}

fn all_names(state: &SessionState) -> BTreeSet<String> {
    let (scalar, aggregate) = (state.scalar_functions().keys(), state.aggregate_functions().keys());
    scalar.chain(aggregate).chain(state.window_functions().keys()).map(|name| name.to_lowercase()).collect()
}

fn is_built_in(state: &SessionState, name: &str) -> bool {
    api_function(state, name).is_none() && all_names(state).contains(name)
}

fn documentation(state: &SessionState, name: &str) -> Option<Documentation> {
    let scalar = state.scalar_functions().get(name).and_then(|function| function.documentation());
    let aggregate = || state.aggregate_functions().get(name).and_then(|function| function.documentation());
    let window = || state.window_functions().get(name).and_then(|function| function.documentation());
    scalar.or_else(aggregate).or_else(window).cloned()
}

fn not_there(state: &SessionState, name: &str, hint: &str) -> EngineError {
    let own = all_names(state).into_iter().filter(|name| api_function(state, name).is_some()).collect::<Vec<_>>();
    let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
    EngineError::Setting(format!("there is no function '{name}' (API functions: {own}){hint}"))
}

/// As Spark matches names: `*` is any text, `|` separates patterns, case does not matter.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.to_lowercase().split('|').any(|pattern| like(pattern.trim().as_bytes(), name.as_bytes()))
}

fn like(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|at| like(rest, &name[at..])),
        Some((first, rest)) => name.first() == Some(first) && like(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn names_match_as_in_spark() {
        for (pattern, name, expected) in [
            ("f", "f", true),
            ("F*", "foo", true),
            ("*o", "foo", true),
            ("*o", "foot", false),
            ("g | f*", "foo", true),
            ("f", "foo", false),
            ("", "foo", false),
            ("a*b*c", "axxbyyc", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
