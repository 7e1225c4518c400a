//! The report of a job: one JSON object.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_udfs::caller::Watch;
use paceline_udfs::counters::Latency;
use serde::Serialize;

use super::function::FunctionReport;
use super::memory::peak_rss_bytes;
use super::progress::Progress;
use crate::session::{Session, Written};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Everything was done and committed.
    Succeeded,
    /// A statement failed; what was committed before it stays.
    Failed,
}

/// What a job did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its id.
    pub job_id: String,
    /// How it ended.
    pub state: State,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Rows read from files by the INSERT statements.
    pub records_read: u64,
    /// Those of them that were malformed and have NULLs (mode PERMISSIVE).
    pub records_malformed: u64,
    /// Records of the files that were malformed and are no rows (mode DROPMALFORMED).
    pub records_dropped: u64,
    /// Rows in the output.
    pub records_written: u64,
    /// Rows in the dead letters.
    pub records_failed: u64,
    /// Requests handed to the client, retries included.
    pub requests: u64,
    /// Requests that were second or later attempts.
    pub retries: u64,
    /// Replies with status 429.
    pub rate_limit_hits: u64,
    /// How often a breaker has opened.
    pub breaker_opened: u64,
    /// Rows whose answer was there without a request.
    pub answers_reused: u64,
    /// Segments and blocks of journals that were damaged; the rows of their answers were asked for again.
    pub journal_damaged: u64,
    /// Rows given up, by kind of failure.
    pub failures_by_kind: BTreeMap<String, u64>,
    /// Latency of the attempts that got a reply, in milliseconds, of the function with the most requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Latency>,
    /// Time in which nothing was sent because the API asked for a pause or a breaker was open, in seconds.
    pub paused_s: f64,
    /// Requests handed to the client in each second from each function's first one on.
    pub requests_by_second: Vec<u64>,
    /// CPU time of this process, in seconds.
    pub cpu_s: f64,
    /// From the first statement to the last commit, in seconds.
    pub elapsed_s: f64,
    /// Requests per second while requests were waiting to be sent, without `paused_s`.
    pub requests_per_s: f64,
    /// `requests_per_s` ÷ the allowed rate, of the busiest quota; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace_utilization: Option<f64>,
    /// Most requests handed to the client in any sliding rate-limit period, of the quota that came closest to its
    /// limit, by the limiter's clock; absent without a limit, and where calls were made on a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_period: Option<usize>,
    /// Largest resident set of this process, in bytes; absent where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
    /// Each API function by its name.
    pub functions: BTreeMap<String, FunctionReport>,
    /// Where each INSERT wrote to.
    pub output: Vec<String>,
}

impl Report {
    pub(crate) fn new(
        job_id: &str,
        session: &Session,
        elapsed: Duration,
        written: &[Written],
        error: Option<String>,
    ) -> Self {
        let progress = session.progress();
        let functions = session.functions();
        let busiest = functions.iter().max_by_key(|watch| watch.counters().requests.get());
        let pace = Pace::of(session, progress.time_open);
        Report {
            job_id: job_id.to_owned(),
            state: if error.is_some() { State::Failed } else { State::Succeeded },
            error,
            records_read: written.iter().map(|written| written.records_read).sum(),
            records_malformed: written.iter().map(|written| written.records_malformed).sum(),
            records_dropped: written.iter().map(|written| written.records_dropped).sum(),
            records_written: written.iter().map(|written| written.records_written).sum(),
            records_failed: written.iter().map(|written| written.records_failed).sum(),
            requests: progress.requests,
            retries: progress.retries,
            rate_limit_hits: progress.rate_limit_hits,
            breaker_opened: progress.breaker_opened,
            answers_reused: progress.reused,
            journal_damaged: written.iter().map(|written| written.journal_damaged).sum(),
            failures_by_kind: progress.failures_by_kind.clone(),
            latency_ms: busiest.and_then(|watch| watch.counters().latency()),
            paused_s: pace.paused.as_secs_f64(),
            requests_by_second: by_second(&functions),
            cpu_s: cpu_time::ProcessTime::try_now().map_or(0.0, |time| time.as_duration().as_secs_f64()),
            elapsed_s: elapsed.as_secs_f64(),
            requests_per_s: pace.requests_per_s(&progress),
            pace_utilization: pace.utilization,
            worst_period: pace.worst_period,
            peak_rss_bytes: peak_rss_bytes(),
            functions: functions.iter().map(|watch| (watch.name().to_owned(), FunctionReport::of(watch))).collect(),
            output: written.iter().map(|written| written.url.to_string()).collect(),
        }
    }
}

/// How well the allowed rates were used.
struct Pace {
    busy: Duration,
    paused: Duration,
    utilization: Option<f64>,
    worst_period: Option<usize>,
}

impl Pace {
    /// `open` is how long breakers were open.
    fn of(session: &Session, open: Duration) -> Self {
        let mut pace = Pace { busy: Duration::ZERO, paused: open, utilization: None, worst_period: None };
        for quota in session.quotas().all() {
            let busy = quota.time_wanted().saturating_sub(quota.time_paused() + open);
            pace.paused += quota.time_paused();
            pace.busy = pace.busy.max(busy);
            let limiter = quota.limiter();
            // Elsewhere the moments of the calls are not known here.
            let worst = limiter.worst_period().filter(|_| !session.calls_elsewhere());
            pace.worst_period = pace.worst_period.max(worst);
            if let Some(allowed) = limiter.limits().most_in(busy).filter(|_| !busy.is_zero()) {
                let used = limiter.sent() as f64 / allowed;
                pace.utilization = Some(pace.utilization.map_or(used, |most: f64| most.max(used)));
            }
        }
        pace
    }

    fn requests_per_s(&self, progress: &Progress) -> f64 {
        if self.busy.is_zero() { 0.0 } else { progress.requests as f64 / self.busy.as_secs_f64() }
    }
}

fn by_second(functions: &[Watch]) -> Vec<u64> {
    let all: Vec<_> = functions.iter().map(|watch| watch.counters().requests_by_second()).collect();
    let seconds = all.iter().map(Vec::len).max().unwrap_or(0);
    (0..seconds).map(|second| all.iter().filter_map(|one| one.get(second)).sum()).collect()
}
