//! What can be seen of a caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::counters::{Counters, Snapshot};

/// What can be seen of a caller; it outlives it.
#[derive(Clone, Debug)]
pub struct Watch {
    pub(super) name: String,
    pub(super) quota: String,
    pub(super) counters: Arc<Counters>,
    pub(super) breaker: Arc<Mutex<Breaker>>,
}

impl Watch {
    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its quota.
    pub fn quota(&self) -> &str {
        &self.quota
    }

    /// What was done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Says what other processes did from now on.
    pub fn show(&self, snapshot: &Snapshot, now: Instant, wall: SystemTime) {
        self.counters.show(snapshot, now, wall);
        self.breaker().show(snapshot.breaker_openings);
    }

    /// The breaker, for a look.
    pub fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
