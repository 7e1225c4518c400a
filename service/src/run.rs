//! A run of a job, as AWS Glue has them: what was submitted, its states, and its attempts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ServiceError;

/// Most characters of names and tokens.
const NAME: usize = 255;
/// Most retries, as in Glue.
const RETRIES: u32 = 10;
/// How long a run may take where nothing else is said, in seconds: Glue's 48 hours.
const TIMEOUT_S: u64 = 2880 * 60;
/// The name of a job that was given none.
const DEFAULT_NAME: &str = "default";

/// What is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The statements.
    pub sql: String,
    /// Settings, as `--conf` of `paceline run`.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
    /// What `${name}` stands for.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The job that this is a run of: limits of runs at once hold for runs of one name.
    #[serde(default = "default_name")]
    pub job_name: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Whoever submits the same again with the same token gets the run that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_token: Option<String>,
    /// The run begins only while fewer runs of its job than this run.
    #[serde(default = "one")]
    pub max_concurrent_runs: u32,
    /// Whether it waits until it may begin; otherwise it is refused.
    #[serde(default = "yes")]
    pub queue: bool,
    /// How often it is tried again after a failure; each try goes on where the last one stopped.
    #[serde(default)]
    pub max_retries: u32,
    /// How long an attempt may run, in seconds.
    #[serde(default = "timeout")]
    pub timeout_s: u64,
    /// After so many seconds of running it is told that the run is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_delay_after_s: Option<u64>,
}

fn default_name() -> String {
    DEFAULT_NAME.to_owned()
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn timeout() -> u64 {
    TIMEOUT_S
}

impl Submission {
    /// Whether it can be run, by its form.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), ServiceError> {
        let refuse = |why: &str| Err(ServiceError::Invalid(why.to_owned()));
        if self.sql.trim().is_empty() {
            return refuse("sql: there is no statement");
        }
        let names = [("job_name", Some(&self.job_name)), ("run_name", self.run_name.as_ref())];
        let names = names.into_iter().chain([("idempotency_token", self.idempotency_token.as_ref())]);
        for (field, name) in names.filter_map(|(field, name)| name.map(|name| (field, name))) {
            if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
                return refuse(&format!("{field}: 1 to {NAME} characters, none of them a control character"));
            }
        }
        if self.max_concurrent_runs == 0 {
            return refuse("max_concurrent_runs: at least 1");
        }
        if self.max_retries > RETRIES {
            return refuse(&format!("max_retries: at most {RETRIES}"));
        }
        if self.timeout_s == 0 || self.notify_delay_after_s == Some(0) {
            return refuse("timeout_s and notify_delay_after_s: at least 1");
        }
        Ok(())
    }
}

/// How far a run is, by Glue's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It waits until fewer runs of its job run.
    Waiting,
    /// It begins: executors are waited for.
    Starting,
    /// Its statements are carried out.
    Running,
    /// It was told to stop, and what it had staged is removed.
    Stopping,
    /// It was stopped.
    Stopped,
    /// All of it is done and committed.
    Succeeded,
    /// A statement failed.
    Failed,
    /// It ran for too long.
    Timeout,
    /// It could not be run.
    Error,
}

impl State {
    /// All of them.
    pub const ALL: [State; 9] = [
        State::Waiting,
        State::Starting,
        State::Running,
        State::Stopping,
        State::Stopped,
        State::Succeeded,
        State::Failed,
        State::Timeout,
        State::Error,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "WAITING",
            State::Starting => "STARTING",
            State::Running => "RUNNING",
            State::Stopping => "STOPPING",
            State::Stopped => "STOPPED",
            State::Succeeded => "SUCCEEDED",
            State::Failed => "FAILED",
            State::Timeout => "TIMEOUT",
            State::Error => "ERROR",
        }
    }

    /// Whether nothing happens any more by itself.
    pub fn is_final(self) -> bool {
        matches!(self, State::Stopped | State::Succeeded | State::Failed | State::Timeout | State::Error)
    }

    /// Whether it counts as running.
    pub fn is_active(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Stopping)
    }

    /// Whether a run in this state can come to `next`.
    pub fn may_become(self, next: State) -> bool {
        match self {
            State::Waiting => matches!(next, State::Starting | State::Stopped),
            // Back to waiting: the scheduler was started again.
            State::Starting => !matches!(next, State::Starting | State::Succeeded),
            State::Running => !matches!(next, State::Starting | State::Running),
            State::Stopping => matches!(next, State::Stopped | State::Succeeded | State::Failed | State::Error),
            // What has ended can be resumed.
            State::Stopped | State::Failed | State::Timeout | State::Error => next == State::Waiting,
            State::Succeeded => false,
        }
    }
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// It carries out its statements.
    Submitted,
    /// It sends the dead letters of another run again.
    Redrive {
        /// Whose.
        redrive_of: String,
    },
}

/// A try at a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The run's id, and from the second on the attempt's number.
    pub id: String,
    /// How it ended, or how far it is.
    pub state: State,
    /// When its statements began, in milliseconds since 1970.
    pub started_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, as `jr_…`.
    pub id: String,
    /// Its place among all that were submitted.
    pub number: u64,
    /// What it does.
    #[serde(flatten)]
    pub kind: Kind,
    /// What was submitted.
    pub submission: Submission,
    /// How far it is.
    pub state: State,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: u64,
    /// Its attempts, the last of which counts.
    pub attempts: Vec<Attempt>,
    /// What the last attempt did.
    pub report: Option<serde_json::Value>,
    /// Retries that are left.
    pub retries_left: u32,
    /// Whether it was told that it is late.
    #[serde(default)]
    pub late: bool,
}

impl Run {
    /// A run that waits.
    pub fn new(number: u64, kind: Kind, submission: Submission, now_ms: u64) -> Self {
        let id = format!("jr_{}", uuid::Uuid::now_v7().simple());
        let retries_left = submission.max_retries;
        let attempts = vec![Attempt::new(&id, 0)];
        let state = State::Waiting;
        Run {
            id,
            number,
            kind,
            submission,
            state,
            submitted_ms: now_ms,
            attempts,
            report: None,
            retries_left,
            late: false,
        }
    }

    /// The attempt that counts.
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The id of the attempt that counts.
    pub fn attempt_id(&self) -> &str {
        self.attempt().map_or(&self.id, |attempt| &attempt.id)
    }

    /// When its statements began first.
    pub fn started_ms(&self) -> Option<u64> {
        self.attempts.iter().find_map(|attempt| attempt.started_ms)
    }

    /// When it ended, if it has.
    pub fn ended_ms(&self) -> Option<u64> {
        self.attempt().and_then(|attempt| attempt.ended_ms).filter(|_| self.state.is_final())
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&str> {
        self.attempt().and_then(|attempt| attempt.error.as_deref())
    }

    /// The same run in another state.
    ///
    /// # Errors
    /// It cannot come to that.
    pub fn in_state(&self, state: State, error: Option<String>, now_ms: u64) -> Result<Run, ServiceError> {
        if !self.state.may_become(state) {
            let (from, to) = (self.state.name(), state.name());
            return Err(ServiceError::Conflict(format!("job '{}' is {from}, which cannot become {to}", self.id)));
        }
        let mut run = Run { state, ..self.clone() };
        if let Some(attempt) = run.attempts.last_mut() {
            attempt.state = state;
            attempt.error = error.or(attempt.error.take());
            if state == State::Running {
                attempt.started_ms = attempt.started_ms.or(Some(now_ms));
            }
            if state.is_final() {
                attempt.ended_ms = Some(now_ms);
            }
        }
        Ok(run)
    }

    /// Whether another attempt follows when this one ends so. Who stopped it does not want it again, though it may have failed
    /// meanwhile.
    pub fn tries_again(&self, ended: State) -> bool {
        matches!(ended, State::Failed | State::Error) && self.state != State::Stopping && self.retries_left > 0
    }

    /// The same run, which waits for another attempt.
    pub fn again(&self) -> Run {
        let mut run = Run { state: State::Waiting, late: false, ..self.clone() };
        run.attempts.push(Attempt::new(&self.id, self.attempts.len()));
        run
    }
}

impl Attempt {
    fn new(run: &str, number: usize) -> Self {
        let id = if number == 0 { run.to_owned() } else { format!("{run}_attempt_{number}") };
        Attempt { id, state: State::Waiting, started_ms: None, ended_ms: None, error: None }
    }
}

/// The id of the run that an attempt's id belongs to.
pub fn run_of(id: &str) -> &str {
    match id.rsplit_once("_attempt_") {
        Some((run, number)) if number.parse::<u32>().is_ok() => run,
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(json: &str) -> Result<Submission, String> {
        let submission: Submission = serde_json::from_str(json).map_err(|error| error.to_string())?;
        submission.check().map_err(|error| error.to_string())?;
        Ok(submission)
    }

    #[test]
    fn what_is_not_said_is_as_in_glue_but_runs_wait() {
        let given = submission(r#"{"sql":"SELECT 1"}"#).unwrap();
        assert_eq!((given.max_concurrent_runs, given.max_retries, given.timeout_s), (1, 0, 172_800));
        assert!(given.queue);
        for (wrong, says) in [
            (r#"{"sql":" "}"#, "sql: there is no statement"),
            (r#"{"sql":"SELECT 1","colour":"blue"}"#, "unknown field `colour`"),
            (r#"{"sql":"SELECT 1","max_retries":11}"#, "max_retries: at most 10"),
            (r#"{"sql":"SELECT 1","max_concurrent_runs":0}"#, "max_concurrent_runs: at least 1"),
            (r#"{"sql":"SELECT 1","job_name":"a\nb"}"#, "job_name: 1 to 255 characters"),
            (r#"{"sql":"SELECT 1","timeout_s":0}"#, "timeout_s and notify_delay_after_s: at least 1"),
        ] {
            let error = submission(wrong).unwrap_err();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn what_failed_is_tried_again_unless_it_was_stopped() {
        let once = Run::new(1, Kind::Submitted, submission(r#"{"sql":"SELECT 1","max_retries":1}"#).unwrap(), 10);
        let run = once.in_state(State::Starting, None, 20).unwrap().in_state(State::Running, None, 30).unwrap();
        let again = State::ALL.iter().copied().filter(|ended| run.tries_again(*ended)).collect::<Vec<_>>();
        assert_eq!(again, [State::Failed, State::Error]);
        assert!(!run.in_state(State::Stopping, None, 40).unwrap().tries_again(State::Failed));
        assert!(!Run { retries_left: 0, ..run }.tries_again(State::Failed));
    }

    #[test]
    fn a_run_goes_through_its_states_and_no_others() {
        let run = Run::new(1, Kind::Submitted, submission(r#"{"sql":"SELECT 1"}"#).unwrap(), 10);
        assert!(run.in_state(State::Succeeded, None, 20).is_err());
        let run = run.in_state(State::Starting, None, 20).unwrap().in_state(State::Running, None, 30).unwrap();
        let failed = run.in_state(State::Failed, Some("it broke".to_owned()), 40).unwrap();
        assert_eq!((failed.started_ms(), failed.ended_ms(), failed.error()), (Some(30), Some(40), Some("it broke")));
        assert!(failed.in_state(State::Running, None, 50).is_err());
        let again = failed.again();
        assert_eq!(again.attempt_id(), format!("{}_attempt_1", run.id));
        assert_eq!((run_of(again.attempt_id()), again.ended_ms(), again.error()), (run.id.as_str(), None, None));
        let done = again.in_state(State::Starting, None, 60).unwrap().in_state(State::Running, None, 61).unwrap();
        let done = done.in_state(State::Succeeded, None, 70).unwrap();
        assert!(State::ALL.iter().all(|next| !done.state.may_become(*next)));
        assert_eq!(done.started_ms(), Some(30));
    }
}
