//! Reads event logs, of this version and of others: an event or a field that is not known is passed over, and so is a line that
//! a killed process had begun.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Started;
use crate::EngineError;
use crate::io::stores::{Place, Stores};
use crate::observe::executors::OnExecutor;
use crate::observe::progress::Progress;
use crate::observe::stages::Stage;

/// What names of event logs end in.
pub(super) const SUFFIX: &str = ".jsonl";

/// What the lines of a log come to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// What the job began with.
    pub started: Started,
    /// Its state: the last that was told of, `RUNNING` where none was.
    pub state: String,
    /// Why, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it began first.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How far it was last.
    pub progress: Progress,
    /// The stages of its last plan.
    #[serde(skip)]
    pub stages: Vec<Stage>,
    /// Its executors, as they were last.
    #[serde(skip)]
    pub executors: Vec<OnExecutor>,
    /// Its report.
    #[serde(skip)]
    pub report: Option<Value>,
    /// The statement that it carried out last, from 1.
    pub statement: u64,
    /// How many there are.
    pub statements: u64,
    /// DPU-hours that it took.
    pub dpu_hours: Option<f64>,
}

/// What the lines of a log come to.
pub fn summary<'a>(lines: impl IntoIterator<Item = &'a str>) -> Summary {
    let mut sum = Summary { state: "RUNNING".to_owned(), ..Summary::default() };
    for line in lines {
        let Ok(mut line) = serde_json::from_str::<Value>(line) else { continue };
        let at = line.get("at").and_then(Value::as_str).map(str::to_owned);
        match line.get("event").and_then(Value::as_str) {
            Some("job_started") => {
                sum.started = read(&line).unwrap_or(sum.started);
                sum.state = "RUNNING".to_owned();
                (sum.ended_at, sum.error) = (None, None);
                sum.started_at = sum.started_at.or(at);
            }
            Some("state") => {
                sum.state = text(&line, "state").unwrap_or(sum.state);
                sum.error = text(&line, "reason");
            }
            Some("statement_started") => {
                sum.statement = number(&line, "statement");
                sum.statements = number(&line, "statements");
            }
            Some("progress") => sum.progress = line.get("progress").and_then(read).unwrap_or(sum.progress),
            Some("stages") => sum.stages = line.get("stages").and_then(read).unwrap_or(sum.stages),
            Some("executors") => sum.executors = line.get("executors").and_then(read).unwrap_or(sum.executors),
            Some("job_ended") => {
                sum.state = text(&line, "state").unwrap_or(sum.state);
                sum.ended_at = at;
                sum.dpu_hours = line.get("dpu_hours").and_then(Value::as_f64);
                sum.report = line.get_mut("report").map(Value::take);
                sum.error = sum.report.as_ref().and_then(|report| text(report, "error")).or(sum.error);
            }
            _ => {}
        }
    }
    sum
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// A folder of event logs.
#[derive(Debug)]
pub struct LogFolder(Place);

impl LogFolder {
    /// The folder that a path or URL names.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn new(folder: &str, stores: &Stores) -> Result<Self, EngineError> {
        stores.place(folder).map(LogFolder)
    }

    /// The jobs that have a log there, later ones first.
    ///
    /// # Errors
    /// It cannot be listed.
    pub async fn jobs(&self) -> Result<Vec<String>, EngineError> {
        let listed = self.0.store.objects().list(Some(&self.0.path));
        let mut files: Vec<_> = listed.try_collect().await.map_err(|error| self.failed("cannot list", error))?;
        files.sort_by_key(|file| std::cmp::Reverse(file.last_modified));
        let job = |path: &Path| path.filename()?.strip_suffix(SUFFIX).map(str::to_owned);
        Ok(files.iter().filter_map(|file| job(&file.location)).collect())
    }

    /// The lines of a job's log; `None` where there is no log.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn lines(&self, job: &str) -> Result<Option<Vec<Arc<str>>>, EngineError> {
        // A name with another folder in it names no log of this one.
        if job.contains(['/', '\\']) {
            return Ok(None);
        }
        let file = self.0.path.clone().join(format!("{job}{SUFFIX}"));
        let failed = |error| self.failed("cannot read the event log at", error);
        let bytes = match self.0.store.objects().get(&file).await {
            Ok(found) => found.bytes().await.map_err(failed)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        Ok(Some(String::from_utf8_lossy(&bytes).lines().map(Arc::from).collect()))
    }

    fn failed(&self, action: &'static str, source: object_store::Error) -> EngineError {
        EngineError::Storage { action, url: self.0.url.to_string(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by version 1, and kept as it was.
    const VERSION_1: &str = include_str!("../../../tests/event-log-1.jsonl");

    #[test]
    fn a_log_of_version_1_stays_readable() {
        let sum = summary(VERSION_1.lines());
        assert_eq!((sum.started.job.as_str(), sum.state.as_str()), ("nightly-1", "SUCCEEDED"));
        assert_eq!((sum.progress.records, sum.progress.expected, sum.progress.failed), (100, Some(100), 10));
        assert_eq!(sum.progress.functions["enrich"].done.requests, 100);
        assert_eq!(sum.progress.tasks.completed, 4);
        assert_eq!((sum.statement, sum.statements, sum.stages.len()), (3, 3, 1));
        assert_eq!(sum.executors, [], "of those it says nothing");
        assert_eq!(sum.report.unwrap()["records_written"], 90);
        assert_eq!(sum.ended_at.as_deref(), Some("2026-11-23T09:28:02.231Z"));
    }

    #[test]
    fn executors_are_as_they_were_last() {
        let lines = [
            r#"{"v":1,"seq":1,"event":"executors","executors":[{"executor":"a","slots":2,"running":2,"completed":0}]}"#,
            r#"{"v":1,"seq":2,"event":"executors","executors":[{"executor":"a","slots":2,"completed":5,"moons":2}]}"#,
        ];
        let (executor, slots) = ("a".to_owned(), Some(2));
        assert_eq!(summary(lines).executors, [OnExecutor { executor, slots, completed: 5, ..OnExecutor::default() }]);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let lines = [
            r#"{"v":9,"seq":1,"at":"2030-01-01T00:00:00Z","event":"job_started","job":"a","sql":"SELECT 1","hue":"blue"}"#,
            r#"{"v":9,"seq":2,"event":"dreamed","of":["sheep"]}"#,
            r#"{"v":9,"seq":3,"event":"progress","progress":{"records":5,"moons":2}}"#,
            r#"{"v":9,"seq":4,"event":"progr"#,
        ];
        let sum = summary(lines);
        assert_eq!((sum.started.job.as_str(), sum.progress.records, sum.state.as_str()), ("a", 5, "RUNNING"));
    }
}
