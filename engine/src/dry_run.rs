//! A job without its effects: statements are planned and inputs opened, nothing is sent to an API and nothing is written.

use std::collections::BTreeMap;
use std::fmt;

use paceline_sql::commands::Action;
use paceline_sql::split;
use serde::Serialize;

use crate::checkpoint::{Begun, Step};
use crate::job::Job;
use crate::statements::estimate::{Calls, Estimate, Forecast};
use crate::statements::explain;
use crate::{EngineError, Session};

/// What a job would do.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// Its id.
    pub job_id: String,
    /// Its INSERTs, and the queries whose rows it would show.
    pub statements: Vec<Planned>,
    /// How long the requests of all statements take at the limits, in seconds; absent where that is not known.
    pub minimum_s: Option<f64>,
}

/// What one statement would do.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Which statement of the script, from 1.
    pub number: usize,
    /// The line of the script that it starts in.
    pub line: usize,
    /// Where an INSERT would write to; absent for a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Rows that it would write or show, dead letters included.
    pub rows: Estimate,
    /// What it would call.
    pub calls: Vec<Calls>,
    /// Bytes of the files that it would read.
    pub input_bytes: u64,
    /// How long its requests take at the limits, in seconds; absent where that is not known.
    pub minimum_s: Option<f64>,
    #[serde(skip)]
    minimum: String,
}

/// Plans the statements of a job in order.
///
/// # Errors
/// A statement is wrong, an input cannot be read, or a statement reads what an earlier one would write.
pub async fn run(session: &Session, job: &Job) -> Result<DryRun, EngineError> {
    let text = job.text()?;
    let pieces = split(&text);
    if pieces.is_empty() {
        return Err(EngineError::Setting("the job has no statement".to_owned()));
    }
    let mut statements: Vec<Planned> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let planned = plan(session, piece.text, job.id()).await.map_err(|error| {
            let source = Box::new(explain_missing_output(error, &statements));
            EngineError::Statement { number: at + 1, line: piece.line, source }
        })?;
        statements.extend(planned.map(|planned| Planned { number: at + 1, line: piece.line, ..planned }));
    }
    let minimum_s = statements.iter().try_fold(0.0, |sum, planned| Some(sum + planned.minimum_s?));
    Ok(DryRun { job_id: job.id().to_owned(), statements, minimum_s })
}

async fn plan(session: &Session, text: &str, job: &str) -> Result<Option<Planned>, EngineError> {
    let action = session.plan(text).await?;
    let begun = Begun::new(job, text, BTreeMap::new());
    let step = Step { begun: &begun, statement: 1, again: false };
    let output = match &action {
        Action::InsertDirectory(insert) => Some(session.stores().place(&insert.directory)?.url.to_string()),
        Action::Insert { table, .. } => Some(format!("table {table}")),
        Action::CreateTable { table, query: Some(_), .. } => Some(format!("table {}", table.name)),
        Action::Query(_) => None,
        // These change the session or ask about it.
        _ => return session.act(action, text, &step).await.map(|_| None),
    };
    let (query, plan) = explain::logical_plan(session, &action, job)?;
    let plan = session.physical(&plan, query).await?;
    if let Action::CreateTable { database, table, query: Some(_) } = action {
        // Later statements find it, without rows.
        session.act(Action::CreateTable { database, table, query: None }, text, &step).await?;
    }
    let forecast = Forecast::of(&plan, &session.context().task_ctx()).await?;
    let (minimum_s, minimum) = (forecast.minimum_s(), explain::minimum(&forecast));
    let Forecast { rows, calls, input_bytes, .. } = forecast;
    // Rows that are given up are written too, beside the others.
    Ok(Some(Planned { number: 0, line: 0, output, rows, calls, input_bytes, minimum_s, minimum }))
}

/// A file that is missing now may be one that the job itself would write.
fn explain_missing_output(error: EngineError, statements: &[Planned]) -> EngineError {
    let message = error.to_string();
    let written = |planned: &&Planned| planned.output.as_ref().is_some_and(|output| message.contains(output.as_str()));
    match statements.iter().find(written) {
        Some(planned) => EngineError::Setting(format!(
            "{message}; statement {} would write there, and a dry run cannot look into what is not written: dry-run the \
             statements behind it in a job of their own, after that one has run",
            planned.number
        )),
        None => error,
    }
}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for planned in &self.statements {
            let what = planned.output.as_ref().map_or("query".to_owned(), |output| format!("INSERT {output}"));
            writeln!(f, "statement {} (line {}): {what}", planned.number, planned.line)?;
            writeln!(f, "  rows: {}", planned.rows)?;
            for call in &planned.calls {
                let Calls { function, quota, limit, rows, requests, .. } = call;
                writeln!(f, "  {function}: {requests} requests for {rows} rows, quota {quota} ({limit})")?;
                writeln!(f, "    minimum time: {}", call.minimum())?;
            }
            if !planned.calls.is_empty() {
                writeln!(f, "  minimum time: {}", planned.minimum)?;
            }
        }
        write!(f, "nothing was sent and nothing was written")
    }
}
