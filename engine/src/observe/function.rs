//! What one API function did: the same numbers in the report and, while it runs, in the progress.

use std::collections::BTreeMap;

use paceline_udfs::caller::Watch;
use paceline_udfs::counters::Latency;
use paceline_udfs::dead_letter::FailureKind;
use serde::{Deserialize, Serialize};

/// What one API function did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionReport {
    /// The name of its quota.
    pub quota: String,
    /// Rows that were handed over to be answered.
    pub records: u64,
    /// Rows with an answer.
    pub answered: u64,
    /// Requests handed to the client, retries included.
    pub requests: u64,
    /// Requests sent again, by what had failed.
    pub retries_by_cause: BTreeMap<String, u64>,
    /// Rows given up, by kind of failure.
    pub failures_by_kind: BTreeMap<String, u64>,
    /// Requests made of others that failed as a whole.
    pub split_requests: u64,
    /// Requests that asked for a reply that was not ready before.
    pub polls: u64,
    /// Replies with status 429.
    pub rate_limit_hits: u64,
    /// Rows whose answer an earlier run of the job had paid for.
    pub journal_hits: u64,
    /// Rows whose answer was in the cache.
    pub cache_hits: u64,
    /// Rows that shared the request of another.
    pub shared_requests: u64,
    /// Bytes of bodies sent.
    pub bytes_sent: u64,
    /// Bytes of bodies received.
    pub bytes_received: u64,
    /// How often its breaker has opened.
    pub breaker_opened: u64,
    /// Latency of the attempts that got a reply, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Latency>,
    /// How long requests that were ready waited for breaker and limiter, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limiter_wait_ms: Option<Latency>,
}

impl FunctionReport {
    pub(crate) fn of(watch: &Watch) -> Self {
        let counters = watch.counters();
        FunctionReport {
            quota: watch.quota().to_owned(),
            records: counters.wanted.get(),
            answered: counters.answered.get(),
            requests: counters.requests.get(),
            retries_by_cause: by_kind(counters.retries_by_cause()),
            failures_by_kind: by_kind(counters.given_up()),
            split_requests: counters.split_requests.get(),
            polls: counters.polls.get(),
            rate_limit_hits: counters.rate_limit_hits.get(),
            journal_hits: counters.journal_hits.get(),
            cache_hits: counters.cache_hits.get(),
            shared_requests: counters.shared_requests.get(),
            bytes_sent: counters.bytes_sent.get(),
            bytes_received: counters.bytes_received.get(),
            breaker_opened: watch.breaker().openings(),
            latency_ms: counters.latency(),
            limiter_wait_ms: counters.wait(),
        }
    }
}

/// Numbers by kind of failure, those above zero.
fn by_kind(numbers: [u64; FailureKind::ALL.len()]) -> BTreeMap<String, u64> {
    let named = FailureKind::ALL.iter().map(|kind| kind.name().to_owned()).zip(numbers);
    named.filter(|(_, number)| *number > 0).collect()
}
