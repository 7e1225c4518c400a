//! A job: a script of statements, carried out in order, and the report of it.

mod redrive;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use paceline_sql::split;

use crate::checkpoint::{self, Begun, Output, StateFolder, Step};
use crate::io::stores::Stores;
use crate::observe::report::Report;
use crate::session::{Outcome, Session, Written};

use crate::{EngineError, Settings};
pub use redrive::{Redrive, redrive};

/// What a job is to do, and what of it is done.
#[derive(Clone, Debug)]
pub struct Job {
    begun: Begun,
    /// Whether it goes on where it was broken off.
    again: bool,
    /// Where it is remembered.
    state: Option<StateFolder>,
}

impl Job {
    /// A job that nobody remembers. `script` are statements, separated by `;`, and `variables` what `${name}` stands for.
    pub fn new(id: &JobId, script: &str, variables: BTreeMap<String, String>) -> Self {
        Job { begun: Begun::new(id.as_str(), script, variables), again: false, state: None }
    }

    /// A job that is remembered. One with the same statements that was broken off under this id goes on where it stopped.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub fn begin(
        id: &JobId,
        script: &str,
        variables: BTreeMap<String, String>,
        settings: &mut Settings,
    ) -> Result<Self, EngineError> {
        let mut job = Job::new(id, script, variables);
        let Some(state) = settings.state_dir.as_deref().map(StateFolder::new) else { return Ok(job) };
        job.begun.conf.clone_from(&settings.given);
        job.begun.partitions = settings.partitions.get();
        match state.load(id.as_str())? {
            Some(earlier)
                if !earlier.finished
                    && (&earlier.script, &earlier.variables) == (&job.begun.script, &job.begun.variables) =>
            {
                if let Some(partitions) = NonZeroUsize::new(earlier.partitions) {
                    settings.partitions = partitions; // answers are found by partition
                }
                job = Job { begun: earlier, again: true, state: None };
            }
            _ => state.save(&job.begun)?,
        }
        Ok(Job { state: Some(state), ..job })
    }

    /// A job that was broken off, with the settings that it was begun with.
    ///
    /// # Errors
    /// It is finished, or nothing is known of it, or its settings are not those of this version.
    pub async fn resume(
        id: &JobId,
        checkpoint: Option<&str>,
        mut settings: Settings,
    ) -> Result<(Self, Settings), EngineError> {
        let state = settings.state_dir.as_deref().map(StateFolder::new);
        let known = state.as_ref().map(|state| state.load(id.as_str())).transpose()?.flatten();
        let begun = match (known, checkpoint) {
            (Some(known), _) => known,
            (None, Some(location)) => {
                let stores = Stores::new(settings.s3.clone(), tokio::runtime::Handle::current());
                checkpoint::find(&stores, location).await?
            }
            (None, None) => {
                return Err(EngineError::Setting(format!(
                    "nothing is known here of a job '{}'; where it ran elsewhere, name its folder with --checkpoint, as \
                     s3://bucket/output/_paceline/{}/",
                    id.as_str(),
                    id.as_str()
                )));
            }
        };
        if begun.job != id.as_str() {
            return Err(EngineError::Setting(format!(
                "that is the checkpoint of job '{}', not '{}'",
                begun.job,
                id.as_str()
            )));
        }
        if begun.finished {
            return Err(EngineError::Setting(format!("job '{}' is finished; there is nothing to resume", begun.job)));
        }
        settings.take_earlier(&begun.conf)?;
        if let Some(partitions) = NonZeroUsize::new(begun.partitions) {
            settings.partitions = partitions;
        }
        Ok((Job { begun, again: true, state }, settings))
    }

    /// Its statements, with the values of its variables.
    ///
    /// # Errors
    /// A variable has no value.
    pub(crate) fn text(&self) -> Result<String, EngineError> {
        substitute(&self.begun.script, &self.begun.variables)
    }

    /// Its statements.
    pub fn script(&self) -> &str {
        &self.begun.script
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.begun.job
    }

    /// What `${name}` stands for in its statements.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.begun.variables
    }

    /// Whether the job of that id is remembered as done.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub fn is_finished(id: &JobId, settings: &Settings) -> Result<bool, EngineError> {
        let state = settings.state_dir.as_deref().map(StateFolder::new);
        let begun = state.map(|state| state.load(id.as_str())).transpose()?.flatten();
        Ok(begun.is_some_and(|begun| begun.finished))
    }

    /// Where the statements of a job that is remembered wrote to.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub fn outputs(id: &JobId, settings: &Settings) -> Result<Vec<String>, EngineError> {
        let state = settings.state_dir.as_deref().map(StateFolder::new);
        let begun = state.map(|state| state.load(id.as_str())).transpose()?.flatten();
        Ok(begun.map_or_else(Vec::new, |begun| begun.outputs.into_values().map(|output| output.url).collect()))
    }

    fn remember(&self) {
        if let Some(Err(error)) = self.state.as_ref().map(|state| state.save(&self.begun)) {
            tracing::warn!(%error, "what is done of the job could not be noted");
        }
    }
}

/// What the redrive of a job has behind the job's id.
pub(crate) const REDRIVE: &str = ".redrive";

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
        let odd = text.starts_with('.') || text.ends_with(REDRIVE);
        if text.is_empty() || text.len() > 128 || !text.chars().all(allowed) || odd {
            let rule = "1 to 128 letters, digits, '-', '_' and '.', not beginning with '.' nor ending with '.redrive'";
            return Err(EngineError::Setting(format!("'{text}' cannot be a job id; it takes {rule}")));
        }
        Ok(JobId(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is told of a job while its statements are carried out.
#[derive(Debug)]
pub enum Told<'a> {
    /// A statement begins.
    Begins {
        /// Its number, from 1.
        statement: usize,
        /// How many there are.
        statements: usize,
        /// The line of the script that it begins in.
        line: usize,
        /// Its text.
        text: &'a str,
    },
    /// An earlier run of the job had done it.
    DoneBefore {
        /// Its number, from 1.
        statement: usize,
    },
    /// It has ended well.
    Ends {
        /// Its number, from 1.
        statement: usize,
        /// What it led to.
        outcome: &'a Outcome,
    },
}

/// Carries out the statements in order and stops at the first that fails. Each result is shown as it comes.
/// The report is made in any case.
pub async fn run(session: &Session, job: Job, mut show: impl FnMut(&Outcome)) -> (Report, Result<(), EngineError>) {
    let shown = |told: Told<'_>| {
        if let Told::Ends { outcome, .. } = told {
            show(outcome);
        }
    };
    run_told(session, job, shown).await
}

/// As [`run`], and what happens is told as it does.
pub async fn run_told(
    session: &Session,
    mut job: Job,
    mut tell: impl FnMut(Told<'_>),
) -> (Report, Result<(), EngineError>) {
    let start = Instant::now();
    let mut written = Vec::new();
    let result = run_statements(session, &mut job, &mut written, &mut tell).await;
    session.flush_quotas();
    if result.is_ok() {
        job.begun.finished = true;
        job.remember();
    }
    let error = result.as_ref().err().map(ToString::to_string);
    (Report::new(job.id(), session, start.elapsed(), &written, error), result)
}

async fn run_statements(
    session: &Session,
    job: &mut Job,
    written: &mut Vec<Written>,
    tell: &mut impl FnMut(Told<'_>),
) -> Result<(), EngineError> {
    let text = job.text()?;
    let statements = split(&text);
    if statements.is_empty() {
        return Err(EngineError::Setting("the job has no statement".to_owned()));
    }
    for (at, piece) in statements.iter().enumerate() {
        let number = at + 1;
        tell(Told::Begins { statement: number, statements: statements.len(), line: piece.line, text: piece.text });
        if job.again && job.begun.done.contains(&number) {
            tracing::info!(number, line = piece.line, "statement was done before");
            let step = Step { begun: &job.begun, statement: number, again: true };
            let wrong = |error| EngineError::Statement { number, line: piece.line, source: Box::new(error) };
            session.recall(piece.text, &step).await.map_err(wrong)?;
            tell(Told::DoneBefore { statement: number });
            continue;
        }
        tracing::info!(number, line = piece.line, "statement begins");
        let step = Step { begun: &job.begun, statement: number, again: job.again };
        let outcome = session.carry_out(piece.text, &step).await;
        let wrong = |error| EngineError::Statement { number, line: piece.line, source: Box::new(error) };
        let outcome = outcome.map_err(wrong)?;
        tell(Told::Ends { statement: number, outcome: &outcome });
        match &outcome {
            Outcome::Done => continue, // views and functions live as long as the session
            Outcome::Rows { .. } => {}
            Outcome::Written(done) => {
                let output = Output { url: done.url.to_string(), run: done.run.clone() };
                job.begun.outputs.insert(number, output);
            }
            Outcome::DoneBefore(output) => drop(job.begun.outputs.insert(number, output.clone())),
        }
        job.begun.done.insert(number);
        job.remember();
        if let Outcome::Written(done) = outcome {
            written.push(done);
        }
    }
    Ok(())
}

/// Puts the values of variables for `${name}`, wherever it stands.
fn substitute(script: &str, variables: &BTreeMap<String, String>) -> Result<String, EngineError> {
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
