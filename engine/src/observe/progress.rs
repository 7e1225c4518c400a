//! A job's numbers while it runs, summed over its API functions.

use std::sync::Arc;

use paceline_udfs::counters::Counters;

/// A moment of a running job.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Rows with an answer.
    pub answered: u64,
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
}

impl Progress {
    /// The sums of these counters.
    pub(crate) fn of(all: &[Arc<Counters>]) -> Self {
        all.iter().fold(Progress::default(), |sum, counters| Progress {
            answered: sum.answered + counters.answered.get(),
            failed: sum.failed + counters.given_up.get(),
            requests: sum.requests + counters.requests.get(),
            retries: sum.retries + counters.retries.get(),
            rate_limit_hits: sum.rate_limit_hits + counters.rate_limit_hits.get(),
            in_flight: sum.in_flight + counters.in_flight(),
        })
    }
}
