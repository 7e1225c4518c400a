//! The limits of this process by name: functions that name the same quota share one limiter.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::limiter::{Admit, Limiter, Limits};
use crate::quota_store::{QuotaStore, StoreError};

/// One limit, shared by every caller in the process that names it.
#[derive(Debug)]
pub struct Quota {
    name: String,
    limiter: Mutex<Limiter>,
    /// Where what was sent is kept; locked before the limiter.
    store: Mutex<Option<QuotaStore>>,
    demand: Mutex<Demand>,
    /// The queue for the next call: first come, first served. Held while waiting for the limiter.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Quota {
    fn new(name: &str, limits: Limits) -> Self {
        Quota {
            name: name.to_owned(),
            limiter: Mutex::new(Limiter::new(limits, Instant::now())),
            store: Mutex::default(),
            demand: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The name that functions give in their option `quota`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The limiter, for one decision; never held across a wait.
    pub fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides on one call at `now`, which is `wall` by the wall clock. Where the quota outlives the process, the call is
    /// written down first.
    ///
    /// # Errors
    /// It cannot be written down; nothing is counted then.
    pub fn admit(&self, now: Instant, wall: SystemTime) -> Result<Admit, StoreError> {
        match self.store().as_mut() {
            Some(store) => store.admit(&mut self.limiter(), now, wall),
            None => Ok(self.limiter().admit(now)),
        }
    }

    /// Writes down what was spent, exactly. It is done too when the quota is dropped; a process that ends without either
    /// has up to a second of calls counted that were not sent.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn flush(&self, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        match self.store().as_mut() {
            Some(store) => store.flush(&self.limiter(), now, wall),
            None => Ok(()),
        }
    }

    /// Notes that a call wants to be sent. While it lives, work is waiting.
    pub(crate) fn want(self: &Arc<Self>) -> Wanted {
        self.demand().change(1, Instant::now());
        Wanted(Arc::clone(self))
    }

    /// Notes that the quota is paused and somebody waits for its end; called by the holder of the turn only.
    pub(crate) fn pausing(&self) -> Pausing<'_> {
        Pausing { quota: self, since: Instant::now() }
    }

    /// How long calls waited for the end of pauses that the API asked for.
    pub fn time_paused(&self) -> Duration {
        self.demand().paused
    }

    /// How long at least one call was waiting to be sent, so far, pauses included.
    pub fn time_wanted(&self) -> Duration {
        let demand = self.demand();
        demand.total + demand.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Gives the quota limits that nobody else uses, and a file in `folder` where they outlive the process.
    fn take_on(
        &self,
        limits: &Limits,
        folder: Option<&PathBuf>,
        now: Instant,
        wall: SystemTime,
    ) -> Result<(), StoreError> {
        self.flush(now, wall)?;
        let (mut store, mut limiter) = (self.store(), self.limiter());
        if limiter.limits() != limits {
            limiter.set_limits(limits.clone(), now);
        }
        match folder.filter(|_| limits.outlive_a_process()) {
            Some(_) if store.is_some() => {}
            Some(folder) => *store = Some(QuotaStore::open(folder, &self.name, &mut limiter, now, wall)?),
            None => *store = None,
        }
        Ok(())
    }

    fn store(&self) -> MutexGuard<'_, Option<QuotaStore>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn demand(&self) -> MutexGuard<'_, Demand> {
        self.demand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Err(error) = self.flush(Instant::now(), SystemTime::now()) {
            tracing::warn!(quota = self.name, %error, "the file counts up to a second of calls that were not sent");
        }
    }
}

/// A call that waits for a place in flight or for the limiter.
#[derive(Debug)]
pub(crate) struct Wanted(Arc<Quota>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.demand().change(-1, Instant::now());
    }
}

/// A wait for the end of a pause.
#[derive(Debug)]
pub(crate) struct Pausing<'a> {
    quota: &'a Quota,
    since: Instant,
}

impl Drop for Pausing<'_> {
    fn drop(&mut self) {
        self.quota.demand().paused += self.since.elapsed();
    }
}

#[derive(Debug, Default)]
struct Demand {
    waiting: isize,
    since: Option<Instant>,
    total: Duration,
    paused: Duration,
}

impl Demand {
    fn change(&mut self, by: isize, now: Instant) {
        self.waiting += by;
        if self.waiting > 0 {
            self.since.get_or_insert(now);
        } else if let Some(since) = self.since.take() {
            self.total += now - since;
        }
    }
}

/// All quotas of the process.
#[derive(Debug, Default)]
pub struct Quotas {
    quotas: Mutex<HashMap<String, Arc<Quota>>>,
    folder: Option<PathBuf>,
}

impl Quotas {
    /// Quotas whose long limits outlive the process: what was sent under several limits, or under one over a minute or
    /// more, is kept in `folder`, a file for each quota. Without a folder it is forgotten with the process.
    pub fn with_folder(folder: impl Into<PathBuf>) -> Self {
        Quotas { quotas: Mutex::default(), folder: Some(folder.into()) }
    }

    /// The quota of that name, made at first use; `wall` is the wall clock's time.
    ///
    /// A quota that nobody uses any more may be given new limits; it keeps its history, so no burst is won by it.
    ///
    /// # Errors
    /// A live function uses the quota under other limits, or what was spent of it cannot be read or kept.
    pub fn get(&self, name: &str, limits: &Limits, wall: SystemTime) -> Result<Arc<Quota>, QuotaError> {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = match quotas.get(name) {
            Some(quota) => Arc::clone(quota),
            None => Arc::new(Quota::new(name, limits.clone())),
        };
        let in_use = quotas.get(name).is_some_and(|known| Arc::strong_count(known) > 2); // the map's and ours
        let in_force = quota.limiter().limits().clone();
        if in_use && in_force != *limits {
            return Err(RateConflict { quota: name.to_owned(), in_force, asked: limits.clone() }.into());
        }
        if !in_use {
            quota.take_on(limits, self.folder.as_ref(), Instant::now(), wall)?;
        }
        quotas.insert(name.to_owned(), Arc::clone(&quota));
        Ok(quota)
    }

    /// Every quota that was ever used, by name.
    pub fn all(&self) -> Vec<Arc<Quota>> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = quotas.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// A function cannot have the quota that it names.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// Another function has it under other limits.
    #[error(transparent)]
    Conflict(#[from] RateConflict),
    /// What was spent of it cannot be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Two functions share a quota but not its limits.
#[derive(Debug, thiserror::Error)]
#[error(
    "quota '{quota}' allows {in_force} for another function, this one says {asked}: \
     give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"
)]
pub struct RateConflict {
    quota: String,
    in_force: Limits,
    asked: Limits,
}

#[cfg(test)]
mod tests;
