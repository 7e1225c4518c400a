//! A job's numbers while it runs: one struct for the bar, the page, the job service, metrics and the report. Its sources are the
//! counters of its API functions, which executors bring up, and the tasks of its plan.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use paceline_udfs::caller::Watch;
use paceline_udfs::quota::Quotas;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::function::FunctionReport;
use super::stages::{Stage, StageState};
use crate::io::readers;

/// A moment of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Records whose fate is decided: answered or given up. Never falls, and ends at `expected`.
    pub records: u64,
    /// How many there will be: about, from the share of the files that was read; exactly, when all of them were. Absent where
    /// that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Rows that were handed over to be answered.
    pub wanted: u64,
    /// Rows whose request came back well.
    pub replied: u64,
    /// Rows with an answer, in batches that were read.
    pub answered: u64,
    /// Rows whose answer was there without a request.
    pub reused: u64,
    /// Rows given up.
    pub failed: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were second or later attempts.
    pub retries: u64,
    /// Replies with status 429.
    pub rate_limit_hits: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// How often a breaker has opened.
    pub breaker_opened: u64,
    /// Whether one is open now.
    pub breaker_open: bool,
    /// How long breakers were open, in seconds.
    #[serde(rename = "breaker_open_s", with = "seconds")]
    pub time_open: Duration,
    /// Requests in the last full second.
    pub requests_per_s: u64,
    /// The limits in force.
    pub limits: Vec<Limit>,
    /// Rows given up, by kind of failure.
    pub failures_by_kind: BTreeMap<String, u64>,
    /// Each API function by its name.
    pub functions: BTreeMap<String, FunctionProgress>,
    /// The tasks of the plan that runs, or ran last.
    pub tasks: Tasks,
    /// What became of the tasks and stages of all plans that write.
    pub plans: Plans,
    /// What plans moved that have ended.
    pub moved: Moved,
    /// What is seen of a cluster's executors; absent for a plan in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executors: Option<Executors>,
}

/// Rows that were read, and rows that left memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moved {
    /// Bytes of files that scans have read, of formats that count them: CSV that is not compressed, and Parquet.
    pub read_bytes: u64,
    /// Rows that scans have read.
    pub read_records: u64,
    /// Bytes read of earlier stages off the disks of the reader's machine.
    pub shuffle_local_bytes: u64,
    /// Bytes read of earlier stages over the network.
    pub shuffle_remote_bytes: u64,
    /// Bytes spilled to disk.
    pub spilled_bytes: u64,
    /// Bytes that executors got from S3 while plans ran there, those of other jobs too.
    pub executors_s3_read_bytes: u64,
    /// Bytes that they sent there.
    pub executors_s3_written_bytes: u64,
}

/// The executors of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Executors {
    /// How many there are.
    pub count: u64,
    /// Tasks that they can run at once, all together.
    pub slots: u64,
    /// Of the memory that it may have, how much the fullest has, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_permille: Option<u32>,
    /// How busy their machines are on average, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_permille: Option<u32>,
}

/// A limit that calls are made under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// The name of the quota.
    pub quota: String,
    /// Calls per second that it comes to now; absent where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
    /// As it was declared, as `5000 calls per 1s`.
    pub rate: String,
}

/// What one API function does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionProgress {
    /// What it has done, as in the report.
    #[serde(flatten)]
    pub done: FunctionReport,
    /// Requests in flight now.
    pub in_flight: u64,
    /// Requests in the last full second.
    pub requests_per_s: u64,
    /// Whether its breaker is open now.
    pub breaker_open: bool,
}

/// Tasks by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// All that there will be.
    pub total: u64,
    /// Those that could run, and have no slot yet.
    #[serde(default)]
    pub waiting: u64,
    /// Those that run.
    pub running: u64,
    /// Those that have ended well.
    pub completed: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Those that were cancelled, or lost with their executor.
    #[serde(default)]
    pub killed: u64,
}

/// Tasks and stages of several plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plans {
    /// Tasks that have ended well.
    pub tasks_completed: u64,
    /// Tries of tasks that failed.
    pub tasks_failed: u64,
    /// Tasks that were cancelled, or lost with their executor.
    pub tasks_killed: u64,
    /// Stages that are done.
    pub stages_completed: u64,
    /// Bytes that tasks wrote for later stages.
    pub shuffle_written_bytes: u64,
}

impl Plans {
    fn of(stages: &[Stage]) -> Self {
        let Tasks { completed, failed, killed, .. } = Stage::sum(stages);
        let done = stages.iter().filter(|stage| stage.state == StageState::Completed).count();
        Plans {
            tasks_completed: completed,
            tasks_failed: failed,
            tasks_killed: killed,
            stages_completed: done as u64,
            shuffle_written_bytes: stages.iter().map(|stage| stage.shuffle_written_bytes).sum(),
        }
    }

    fn and(self, other: Self) -> Self {
        Plans {
            tasks_completed: self.tasks_completed + other.tasks_completed,
            tasks_failed: self.tasks_failed + other.tasks_failed,
            tasks_killed: self.tasks_killed + other.tasks_killed,
            stages_completed: self.stages_completed + other.stages_completed,
            shuffle_written_bytes: self.shuffle_written_bytes + other.shuffle_written_bytes,
        }
    }
}

/// A plan that is being carried out.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// The plan.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What had been decided before it began.
    pub before: Before,
}

/// What the functions had come to when a plan began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    pub wanted: u64,
    pub decided: u64,
}

/// What is known of the records of a session beside its counters.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Of the INSERTs that have ended.
    pub ended: u64,
    /// The most that was ever shown.
    shown: u64,
    /// The plans of those INSERTs.
    earlier: Plans,
    /// The plan that was seen last, and whether it is none of the earlier ones.
    last: Plans,
    is_new: bool,
}

impl Records {
    /// Records that are decided: never less than was shown before, never more than there are.
    fn decided(&mut self, running: u64, expected: Option<u64>) -> u64 {
        let now = self.ended + running;
        let now = expected.map_or(now, |expected| now.min(expected));
        self.shown = self.shown.max(now);
        self.shown
    }

    /// All plans, of which the last has these stages.
    fn plans(&mut self, runs: bool, stages: &[Stage]) -> Plans {
        self.is_new |= runs;
        self.last = Plans::of(stages);
        if self.is_new { self.earlier.and(self.last) } else { self.earlier }
    }

    /// Notes that an INSERT has ended, with so many records. Its stages were seen, though it may never have been seen to run.
    pub fn end(&mut self, records: u64) {
        self.ended += records;
        self.earlier = self.earlier.and(self.last);
        self.is_new = false;
    }
}

impl Progress {
    /// What functions, quotas and the plan that runs say now.
    pub(crate) fn of(
        functions: &[Watch],
        quotas: &Quotas,
        running: Option<&Running>,
        stages: &[Stage],
        records: &mut Records,
    ) -> Self {
        let mut progress = Self::sums(functions);
        let decided = progress.decided();
        let (part, expected) = match running {
            Some(Running { plan, before }) => {
                let wanted = progress.wanted.saturating_sub(before.wanted);
                let part = decided.saturating_sub(before.decided);
                let expected = share_read(plan).map(|share| ((wanted as f64 / share) as u64).max(part));
                (part, expected.map(|expected| records.ended + expected))
            }
            // Between two INSERTs all that is known is done.
            None => (0, Some(records.ended).filter(|ended| *ended > 0)),
        };
        progress.records = records.decided(part, expected);
        progress.expected = expected.map(|expected| expected.max(progress.records));
        let limit = |quota: &Arc<paceline_udfs::quota::Quota>| {
            let rate = quota.limiter().rate();
            Limit { quota: quota.name().to_owned(), requests_per_s: rate.per_second(), rate: rate.to_string() }
        };
        progress.limits = quotas.all().iter().map(limit).collect();
        progress.tasks = Stage::sum(stages);
        progress.plans = records.plans(running.is_some(), stages);
        progress
    }

    /// Rows of the functions whose fate is decided. An answer that was there counts when its batch is read.
    pub(crate) fn decided(&self) -> u64 {
        (self.replied + self.failed).max(self.answered + self.failed)
    }

    fn sums(functions: &[Watch]) -> Self {
        let mut sum = Progress::default();
        let now = Instant::now();
        for watch in functions {
            let (counters, breaker) = (watch.counters(), watch.breaker());
            sum.wanted += counters.wanted.get();
            sum.replied += counters.replied.get();
            sum.answered += counters.answered.get();
            sum.reused += counters.reused.get();
            sum.failed += counters.given_up().iter().sum::<u64>();
            sum.requests += counters.requests.get();
            sum.retries += counters.retries.get();
            sum.rate_limit_hits += counters.rate_limit_hits.get();
            sum.in_flight += counters.in_flight();
            sum.breaker_opened += breaker.openings();
            sum.breaker_open |= breaker.is_open();
            sum.time_open += breaker.time_open(now);
            let (is_open, last_second) = (breaker.is_open(), counters.requests_last_second(now));
            drop(breaker);
            sum.requests_per_s += last_second;
            let done = FunctionReport::of(watch);
            for (kind, rows) in &done.failures_by_kind {
                *sum.failures_by_kind.entry(kind.clone()).or_default() += rows;
            }
            let in_flight = counters.in_flight();
            let function = FunctionProgress { done, in_flight, requests_per_s: last_second, breaker_open: is_open };
            sum.functions.insert(watch.name().to_owned(), function);
        }
        sum
    }
}

/// The share of the files below a plan that was read, where all of them count what they read.
fn share_read(plan: &Arc<dyn ExecutionPlan>) -> Option<f64> {
    let (mut read, mut total) = (0, 0);
    let mut left = vec![Arc::clone(plan)];
    while let Some(plan) = left.pop() {
        left.extend(plan.children().into_iter().cloned());
        if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
            let files = source.data_source().downcast_ref::<FileScanConfig>()?;
            read += plan.metrics()?.sum_by_name(readers::BYTES_READ)?.as_usize() as u64;
            total += files.file_groups.iter().flat_map(FileGroup::iter).map(|file| file.effective_size()).sum::<u64>();
        }
    }
    (read > 0).then(|| (read as f64 / total as f64).min(1.0))
}

/// Durations as seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_never_fall_and_end_at_what_there_was() {
        let mut records = Records::default();
        let shown: Vec<_> = [(0, None), (10, Some(100)), (5, Some(100)), (120, Some(100))]
            .map(|(part, expected)| records.decided(part, expected))
            .to_vec();
        assert_eq!(shown, [0, 10, 10, 100], "an executor that dies takes its numbers along for a moment");
        records.end(100);
        assert_eq!(records.decided(0, Some(100)), 100);
        assert_eq!(records.decided(3, Some(140)), 103);
    }

    #[test]
    fn tasks_of_a_plan_that_was_done_between_two_looks_count_too() {
        let stages = |completed: u64| {
            let state = if completed == 4 { StageState::Completed } else { StageState::Running };
            [Stage { state, count: Tasks { total: 4, completed, ..Tasks::default() }, ..Stage::default() }]
        };
        let mut records = Records::default();
        let mut seen = |runs, completed| {
            let plans = records.plans(runs, &stages(completed));
            if !runs && completed == 4 {
                records.end(0);
            }
            (plans.tasks_completed, plans.stages_completed)
        };
        assert_eq!([seen(true, 0), seen(true, 3), seen(false, 4)], [(0, 0), (3, 0), (4, 1)]);
        assert_eq!(seen(false, 4), (4, 1), "the second plan is counted when it ends");
        assert_eq!([seen(true, 1), seen(false, 4)], [(9, 2), (12, 3)]);
    }

    #[test]
    fn it_travels_as_json() {
        let functions = BTreeMap::from([("f".to_owned(), FunctionProgress { in_flight: 3, ..Default::default() })]);
        let progress =
            Progress { records: 7, time_open: Duration::from_millis(1500), functions, ..Progress::default() };
        let text = serde_json::to_string(&progress).unwrap();
        assert!(text.contains(r#""breaker_open_s":1.5"#), "{text}");
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
        assert_eq!(serde_json::from_str::<Progress>(r#"{"records":7,"of_later":1}"#).unwrap().records, 7);
    }
}
