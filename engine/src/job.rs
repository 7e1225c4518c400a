//! A job: a script of statements, carried out in order, and the report of it.

use std::collections::BTreeMap;
use std::time::Instant;

use paceline_sql::script;

use crate::EngineError;
use crate::observe::report::Report;
use crate::session::{Outcome, Session, Written};

/// What a job is to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id, part of the path of its staged files.
    pub id: JobId,
    /// Statements, separated by `;`.
    pub script: String,
    /// What `${name}` stands for.
    pub variables: BTreeMap<String, String>,
}

/// The id of a job: letters, digits, `-`, `_` and `.`, which are safe in a path everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobId(String);

impl JobId {
    /// A new id; later ones sort behind earlier ones.
    pub fn generate() -> Self {
        JobId(uuid::Uuid::now_v7().to_string())
    }

    /// An id that the user chose.
    ///
    /// # Errors
    /// It has other characters, or could be mistaken for a relative path.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > 128 || !text.chars().all(allowed) || text.starts_with('.') {
            let rule = "1 to 128 letters, digits, '-', '_' and '.', not beginning with '.'";
            return Err(EngineError::Setting(format!("'{text}' cannot be a job id; it takes {rule}")));
        }
        Ok(JobId(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Carries out the statements in order and stops at the first that fails. Each result is shown as it comes.
/// The report is made in any case.
pub async fn run(session: &Session, job: &Job, mut show: impl FnMut(&Outcome)) -> (Report, Result<(), EngineError>) {
    let start = Instant::now();
    let mut written = Vec::new();
    let result = run_statements(session, job, &mut written, &mut show).await;
    let error = result.as_ref().err().map(ToString::to_string);
    (Report::new(job.id.as_str(), session, start.elapsed(), &written, error), result)
}

async fn run_statements(
    session: &Session,
    job: &Job,
    written: &mut Vec<Written>,
    show: &mut impl FnMut(&Outcome),
) -> Result<(), EngineError> {
    let text = substitute(&job.script, &job.variables)?;
    let statements = script::split(&text);
    if statements.is_empty() {
        return Err(EngineError::Setting("the job has no statement".to_owned()));
    }
    for (at, piece) in statements.iter().enumerate() {
        tracing::info!(number = at + 1, line = piece.line, "statement begins");
        let outcome = session.sql(piece.text, job.id.as_str()).await.map_err(|error| EngineError::Statement {
            number: at + 1,
            line: piece.line,
            source: Box::new(error),
        })?;
        show(&outcome);
        if let Outcome::Written(done) = outcome {
            written.push(done);
        }
    }
    Ok(())
}

/// Puts the values of variables for `${name}`, wherever it stands.
pub(crate) fn substitute(script: &str, variables: &BTreeMap<String, String>) -> Result<String, EngineError> {
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = &rest[start + 2..start + length];
        let value = variables.get(name).ok_or_else(|| {
            EngineError::Setting(format!("the variable '${{{name}}}' has no value; give it with --var {name}=…"))
        })?;
        text.push_str(&rest[..start]);
        text.push_str(value);
        rest = &rest[start + length + 1..];
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_values_or_are_missed() {
        let variables = BTreeMap::from([("day".to_owned(), "2026-01-01".to_owned())]);
        let text = substitute("SELECT '${day}', $x, '${day}' {", &variables).unwrap();
        assert_eq!(text, "SELECT '2026-01-01', $x, '2026-01-01' {");
        let error = substitute("SELECT '${night}'", &variables).unwrap_err().to_string();
        assert_eq!(error, "the variable '${night}' has no value; give it with --var night=…");
    }

    #[test]
    fn ids_are_safe_in_paths_and_sort_by_time() {
        for wrong in ["", "..", "a/b", "a b", ".hidden"] {
            assert!(JobId::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(JobId::parse("nightly-2026.01").unwrap().as_str(), "nightly-2026.01");
        let (first, second) = (JobId::generate(), JobId::generate());
        assert!(first.as_str() < second.as_str());
    }
}
