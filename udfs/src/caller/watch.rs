//! What can be seen of a caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::breaker::Breaker;
use crate::counters::Counters;

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

    /// The breaker, for a look.
    pub fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
