//! A job's numbers while it runs, summed over its API functions.

use std::time::Duration;

use paceline_udfs::caller::Watch;
use tokio::time::Instant;

/// A moment of a running job.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
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

impl Progress {
    /// The sums over these functions.
    pub(crate) fn of(functions: &[Watch]) -> Self {
        functions.iter().fold(Progress::default(), |sum, watch| {
            let (counters, breaker) = (watch.counters(), watch.breaker());
            Progress {
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
