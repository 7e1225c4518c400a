//! `EXPLAIN`: what would be done, with the number of calls of each API function. Nothing is sent or written.

use std::fmt::Write as _;

use datafusion::logical_expr::LogicalPlan;
use paceline_sql::commands::Action;
use paceline_sql::resolve::Resolved;
use paceline_sql::{ExplainMode, type_name};

use super::estimate::{Calls, Estimate, Forecast, in_words};
use super::rows_of_text;
use crate::io::sink::WriteFiles;
use crate::session::plan;
use crate::{EngineError, Outcome, Session};

/// The column of its one row.
pub(crate) const COLUMN: &str = "plan";

/// The plan of a query or an INSERT, as one text.
pub(crate) async fn explain(
    session: &Session,
    mode: ExplainMode,
    action: Action,
    job: &str,
) -> Result<Outcome, EngineError> {
    let state = session.context().state();
    let (query, parsed) = logical_plan(session, &action, job)?;
    let optimized = state.optimize(&parsed)?;
    let plan = session.physical(&parsed, query).await?;
    let forecast = Forecast::of(&plan, &session.context().task_ctx()).await?;
    let mut text = String::new();
    if mode == ExplainMode::Extended {
        let analyzed = state.analyzer().execute_and_check(parsed.clone(), state.config_options(), |_, _| {})?;
        section(&mut text, "Parsed Logical Plan", &parsed.display_indent().to_string());
        section(&mut text, "Analyzed Logical Plan", &analyzed.display_indent().to_string());
    }
    if matches!(mode, ExplainMode::Extended | ExplainMode::Cost) {
        section(&mut text, "Optimized Logical Plan", &optimized.display_indent().to_string());
    }
    section(&mut text, "Physical Plan", &forecast.lines.join("\n"));
    match mode {
        ExplainMode::Cost => section(&mut text, "API Calls", &costs(&forecast)),
        ExplainMode::Formatted => {
            for (at, call) in forecast.calls.iter().enumerate() {
                let _ = writeln!(text, "({}) {}\n", at + 1, details(call)); // writing to a String cannot fail
            }
        }
        ExplainMode::Simple | ExplainMode::Extended | ExplainMode::Codegen => {}
    }
    rows_of_text(COLUMN, vec![text])
}

/// What a statement would write or show, and its plan before it is optimized. Nothing is prepared at the destination.
pub(crate) fn logical_plan<'a>(
    session: &Session,
    action: &'a Action,
    job: &str,
) -> Result<(&'a Resolved, LogicalPlan), EngineError> {
    match action {
        // Names that occur twice cannot be shown in a plan.
        Action::Query(query) => Ok((query, plan::with_names(query).unwrap_or_else(|_| query.plan.clone()))),
        Action::InsertDirectory(insert) => {
            let target = session.target(insert, job)?;
            Ok((&insert.query, WriteFiles::plan(target, plan::with_names(&insert.query)?)?))
        }
        Action::Insert { query, .. } | Action::CreateTable { query: Some(query), .. } => {
            Ok((query, plan::with_names(query)?))
        }
        _ => Err(EngineError::Setting("only a query or an INSERT has a plan".to_owned())),
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = writeln!(text, "== {title} ==\n{body}\n"); // writing to a String cannot fail
}

/// A line for each call, and the time that all of them take together.
pub(crate) fn costs(forecast: &Forecast) -> String {
    let line = |call: &Calls| {
        let Calls { function, rows, requests, quota, limit, .. } = call;
        let time = call.minimum();
        format!("{function}: calls {rows}, requests {requests}, quota {quota} ({limit}), minimum time {time}")
    };
    let mut lines: Vec<_> = forecast.calls.iter().map(line).collect();
    lines.push(format!("minimum time of the statement: {}", minimum(forecast)));
    lines.join("\n")
}

/// The time that all calls of a plan take at their limits, in words.
pub(crate) fn minimum(forecast: &Forecast) -> String {
    let sure = Estimate {
        number: None,
        estimated: forecast.calls.iter().any(|call| call.requests.estimated),
        at_most: forecast.calls.iter().any(|call| call.requests.at_most),
    };
    in_words(forecast.minimum_s(), sure)
}

fn details(call: &Calls) -> String {
    let api = &call.api;
    let arguments = api.arguments.iter();
    let arguments: Vec<_> = arguments.map(|one| format!("{} {}", one.name(), type_name(one.data_type()))).collect();
    let options = &api.options;
    format!(
        "ApiCall {}\nArguments: {}\nReturns: {}\nEndpoint: {}\nQuota: {} ({})\nOn error: {:?}\nCalls: {}\nRequests: {}\n\
         Minimum time: {}",
        api.name,
        arguments.join(", "),
        type_name(&api.returns),
        options.wire.endpoint,
        call.quota,
        call.limit,
        options.failure.on_error,
        call.rows,
        call.requests,
        call.minimum()
    )
}
