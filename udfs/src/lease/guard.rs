//! The breakers of the functions that use a quota: tells which are open here, and holds open those that are elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::OpenBreaker;
use crate::breaker::Breaker;

/// A breaker, and whom it wakes when it changes.
#[derive(Debug)]
struct Guard {
    key: String,
    breaker: Weak<Mutex<Breaker>>,
    changed: Weak<Notify>,
}

/// The breakers of one quota in this process.
#[derive(Debug, Default)]
pub(crate) struct Guards(Mutex<Vec<Guard>>);

impl Guards {
    /// Adds a breaker, as long as it lives. `key` is the same for the same function in every process.
    pub fn add(&self, key: String, breaker: Weak<Mutex<Breaker>>, changed: Weak<Notify>) {
        let mut guards = self.guards();
        guards.retain(|guard| guard.breaker.strong_count() > 0);
        guards.push(Guard { key, breaker, changed });
    }

    /// The breakers that opened here.
    pub fn open(&self, now: Instant) -> Vec<OpenBreaker> {
        let open = |guard: &Guard| {
            let breaker = guard.breaker.upgrade()?;
            let open_for = lock(&breaker).keeps_others_out(now)?;
            Some(OpenBreaker { key: guard.key.clone(), open_for })
        };
        self.guards().iter().filter_map(open).collect()
    }

    /// Holds those breakers open that opened elsewhere, and no others.
    pub fn hold(&self, open: &[OpenBreaker], now: Instant) {
        for guard in self.guards().iter() {
            let Some(breaker) = guard.breaker.upgrade() else { continue };
            let until = open.iter().find(|open| open.key == guard.key).map(|open| now + open.open_for);
            if lock(&breaker).hold_open(until)
                && let Some(changed) = guard.changed.upgrade()
            {
                changed.notify_waiters();
            }
        }
    }

    fn guards(&self) -> MutexGuard<'_, Vec<Guard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}
