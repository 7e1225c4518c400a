//! The event log of a job: a file of JSON lines, each an event with its number and time, from the job's start to its report. What
//! it says of a job is all that the page shows. Lines are added, never changed; a reader passes over events and fields that it
//! does not know, so that files of other versions can be read.

mod reader;
mod told;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::executors::OnExecutor;
use super::progress::Progress;
use super::report::Report;
use super::stages::Stage;

pub use reader::{LogFolder, Summary, summary};
pub use writer::LogWriter;

/// The version of the lines that are written. A later one may add events and fields; it changes when a field's meaning does.
pub const VERSION: u32 = 1;

/// A line of the file.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// The version of the line.
    pub v: u32,
    /// Its number in the job, from 1.
    pub seq: u64,
    /// When, as RFC 3339 has it.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event,
}

impl<'a> Line<'a> {
    /// A line for what happens now.
    pub fn now(seq: u64, event: &'a Event) -> Self {
        Line { v: VERSION, seq, at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(), event }
    }
}

/// The text of a line for what happens now; `None` where it cannot be said in JSON.
pub(super) fn line(seq: u64, event: &Event) -> Option<Arc<str>> {
    match serde_json::to_string(&Line::now(seq, event)) {
        Ok(line) => Some(line.into()),
        Err(error) => {
            tracing::warn!(%error, "an event cannot be written as JSON");
            None
        }
    }
}

/// What happens to a job.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It begins, or goes on.
    JobStarted(Box<Started>),
    /// Its state changed.
    State {
        /// To what.
        state: String,
        /// Why, if there is more to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A statement begins.
    StatementStarted {
        /// Its number in the job, from 1.
        statement: usize,
        /// How many there are.
        statements: usize,
        /// The line of the script that it begins in.
        line: usize,
        /// Its text.
        text: String,
    },
    /// How far it is.
    Progress {
        /// The numbers.
        progress: Box<Progress>,
    },
    /// How far the stages of the statement's plan are.
    Stages {
        /// All of them.
        stages: Vec<Stage>,
    },
    /// What its executors have of it.
    Executors {
        /// All of them.
        executors: Vec<OnExecutor>,
    },
    /// A statement has ended.
    StatementEnded {
        /// Its number in the job, from 1.
        statement: usize,
        /// What it led to.
        #[serde(flatten)]
        ended: Ended,
    },
    /// Rows of the statement's dead letters, the first.
    DeadLetters {
        /// The statement's number.
        statement: usize,
        /// Lines of its files, as they are there.
        letters: Vec<serde_json::Value>,
    },
    /// Something to read.
    Log {
        /// `info`, `warn` or `error`.
        level: &'static str,
        /// The text.
        text: String,
    },
    /// The job has ended.
    JobEnded {
        /// How.
        state: String,
        /// Its report; absent where it was stopped.
        #[serde(skip_serializing_if = "Option::is_none")]
        report: Option<Box<Report>>,
        /// What ran, in DPU-hours, as Glue counts them.
        #[serde(skip_serializing_if = "Option::is_none")]
        dpu_hours: Option<f64>,
    },
}

impl Event {
    /// Whether it goes to a log that others keep: it has no data, and is none of many numbers.
    pub(super) fn is_said(&self) -> bool {
        match self {
            Self::Progress { .. } | Self::Stages { .. } | Self::Executors { .. } | Self::DeadLetters { .. } => false,
            Self::StatementEnded { ended, .. } => !matches!(ended, Ended::Rows { .. }),
            _ => true,
        }
    }
}

/// What a job begins with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// Its id.
    pub job: String,
    /// The id of this attempt, where there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The name of the job that it is a run of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version of Paceline that runs it.
    pub paceline: String,
    /// Its statements.
    pub sql: String,
    /// Its settings, without what might be a secret.
    pub conf: BTreeMap<String, String>,
    /// Values of its variables, without what might be a secret.
    pub variables: BTreeMap<String, String>,
    /// Where its plans run: `embedded` or a cluster.
    pub place: String,
    /// What runs while it does, in Glue's data processing units: 4 vCPUs and 16 GB each.
    pub dpus: f64,
}

/// What a statement led to.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Ended {
    /// It changed the session.
    Done,
    /// An earlier run of the job had done it.
    DoneBefore,
    /// Rows.
    Rows {
        /// How many.
        rows: u64,
        /// The first of them, as a table.
        table: String,
    },
    /// Its rows were written and committed.
    Written {
        /// Where to.
        output: String,
        /// Rows read from files.
        records_read: u64,
        /// Rows in the output.
        records_written: u64,
        /// Rows in the dead letters.
        records_failed: u64,
    },
}
