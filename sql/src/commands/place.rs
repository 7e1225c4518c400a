//! Where in a statement an error is, as Spark tells it.

use paceline_functions::Error;
use paceline_syntax::ParseError;

/// Errors of analysis that Spark tells the place of, by what their classes begin with. Errors of rows that a query computes, which
/// come up early where an expression is constant, are not among them.
const TOLD: &[&str] = &[
    "AMBIGUOUS_REFERENCE",
    "CANNOT_RESOLVE_STAR_EXPAND",
    "DATATYPE_MISMATCH",
    "GROUP_BY_AGGREGATE",
    "TABLE_OR_VIEW_NOT_FOUND",
    "UNRESOLVED_COLUMN",
    "UNRESOLVED_ROUTINE",
    "UNSUPPORTED_GROUPING_EXPRESSION",
    "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
    "WRONG_NUM_ARGS",
];

/// An error of the grammar, with the text and a caret under the place.
pub fn of_text(error: &ParseError) -> Error {
    let told = error.to_string();
    let told = told.trim_start_matches('\n');
    let told = told.strip_prefix(&format!("[{}] ", error.class())).unwrap_or(told);
    Error::new(error.class(), told)
}

/// An error with the line and column of its place at the end of the message.
pub fn told(mut error: Error, text: &str) -> Error {
    let Some(place) = error.place.take() else { return error };
    let before = usize::try_from(place).ok().and_then(|place| text.get(..place));
    if let Some(before) = before.filter(|_| TOLD.iter().any(|class| error.class.starts_with(class))) {
        let line = before.rsplit('\n').next().unwrap_or_default();
        let place = format!("; line {} pos {}", before.matches('\n').count() + 1, line.chars().count());
        error.message.push_str(&place);
    }
    error
}
