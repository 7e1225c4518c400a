//! What callers did, counted as it happens, for progress and the report.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one function in one process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests handed to the client, retries included.
    pub requests: Counter,
    /// Requests that were a second or later attempt.
    pub retries: Counter,
    /// Replies with status 429.
    pub rate_limit_hits: Counter,
    /// Rows with an answer.
    pub answered: Counter,
    /// Rows given up.
    pub given_up: Counter,
    landed: Counter,
}

impl Counters {
    /// Requests that were handed to the client and have not come back.
    pub fn in_flight(&self) -> u64 {
        let landed = self.landed.get();
        self.requests.get().saturating_sub(landed)
    }

    /// Notes that a request is handed to the client; it is in flight while the returned value lives.
    pub(crate) fn take_off(&self, attempt: u32) -> Flight<'_> {
        self.requests.add(1);
        if attempt > 1 {
            self.retries.add(1);
        }
        Flight(self)
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Flight<'a>(&'a Counters);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.landed.add(1);
    }
}
