//! Sends the dead letters of a finished job again.

use std::time::Instant;

use paceline_sql::commands::Action;
use paceline_sql::split;

use super::{Job, JobId, substitute};
use crate::checkpoint::{Begun, StateFolder, Step};
use crate::observe::report::Report;
use crate::session::{Session, Written};
use crate::{EngineError, Settings};

/// A finished job whose dead letters are sent again.
#[derive(Clone, Debug)]
pub struct Redrive(Job);

impl Redrive {
    /// The job of that id, and the settings that it was begun with. Rows may fail again without bound.
    ///
    /// # Errors
    /// Nothing is known of it, or its settings are not those of this version.
    pub fn of(id: &JobId, mut settings: Settings) -> Result<(Self, Settings), EngineError> {
        let state = settings.state_dir.as_deref().map(StateFolder::new);
        let begun = state.map(|state| state.load(id.as_str())).transpose()?.flatten();
        let begun = begun.ok_or_else(|| {
            EngineError::Setting(format!(
                "nothing is known here of a job '{}'; its dead letters are sent again where it ran, or with its \
                 paceline.state.dir",
                id.as_str()
            ))
        })?;
        settings.take_earlier(&begun.conf)?;
        settings.unlimited_failures = true;
        Ok((Redrive(Job { begun, again: true, state: None }), settings))
    }
}

impl Redrive {
    /// The job that it was.
    pub fn job(&self) -> &Job {
        &self.0
    }
}

/// Carries out the views and functions of the job, and for each INSERT that was committed sends its dead letters again. The
/// report is made in any case; its records read are the letters.
pub async fn redrive(session: &Session, job: &Redrive) -> (Report, Result<(), EngineError>) {
    let start = Instant::now();
    let mut written = Vec::new();
    let result = redrive_statements(session, &job.0.begun, &mut written).await;
    let error = result.as_ref().err().map(ToString::to_string);
    (Report::new(job.0.id(), session, start.elapsed(), &written, error), result)
}

async fn redrive_statements(session: &Session, job: &Begun, written: &mut Vec<Written>) -> Result<(), EngineError> {
    let text = substitute(&job.script, &job.variables)?;
    for (at, piece) in split(&text).iter().enumerate() {
        let number = at + 1;
        let wrong = |error| EngineError::Statement { number, line: piece.line, source: Box::new(error) };
        match session.plan(piece.text).await.map_err(wrong)? {
            Action::InsertDirectory(insert) if job.outputs.contains_key(&number) => {
                written.extend(session.redrive(&insert, job, number).await.map_err(wrong)?);
            }
            Action::InsertDirectory(_) | Action::Query(_) => {}
            _ if job.outputs.contains_key(&number) => {
                let step = Step { begun: job, statement: number, again: true };
                session.recall(piece.text, &step).await.map_err(wrong)?;
            }
            action => {
                let step = Step { begun: job, statement: number, again: true };
                session.act(action, piece.text, &step).await.map_err(wrong)?;
            }
        }
    }
    Ok(())
}
