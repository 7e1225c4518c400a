//! A job's numbers while it runs, summed over its API functions.

use std::sync::Arc;
use std::time::Duration;

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use paceline_udfs::caller::Watch;
use tokio::time::Instant;

use crate::io::readers;

/// A moment of a running job.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// About how many rows there will be, from the share of the files that was read; absent where that is not known.
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
    /// How long breakers were open.
    pub time_open: Duration,
}

/// A plan that is being carried out.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// The plan.
    pub plan: Arc<dyn ExecutionPlan>,
    /// Rows that had been handed over before it began.
    pub wanted_before: u64,
}

impl Progress {
    /// The sums over these functions; `running` is the plan that calls them now.
    pub(crate) fn of(functions: &[Watch], running: Option<&Running>) -> Self {
        let sums = Self::sums(functions);
        let expected = running.and_then(|running| {
            let wanted = sums.wanted.saturating_sub(running.wanted_before) as f64;
            Some(running.wanted_before + (wanted / share_read(&running.plan)?) as u64)
        });
        Progress { expected, ..sums }
    }

    fn sums(functions: &[Watch]) -> Self {
        functions.iter().fold(Progress::default(), |sum, watch| {
            let (counters, breaker) = (watch.counters(), watch.breaker());
            Progress {
                expected: None,
                wanted: sum.wanted + counters.wanted.get(),
                replied: sum.replied + counters.replied.get(),
                answered: sum.answered + counters.answered.get(),
                reused: sum.reused + counters.reused.get(),
                failed: sum.failed + counters.given_up().iter().sum::<u64>(),
                requests: sum.requests + counters.requests.get(),
                retries: sum.retries + counters.retries.get(),
                rate_limit_hits: sum.rate_limit_hits + counters.rate_limit_hits.get(),
                in_flight: sum.in_flight + counters.in_flight(),
                breaker_opened: sum.breaker_opened + breaker.openings(),
                breaker_open: sum.breaker_open || breaker.is_open(),
                time_open: sum.time_open + breaker.time_open(Instant::now()),
            }
        })
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
