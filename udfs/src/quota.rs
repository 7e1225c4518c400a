//! The limits of this process by name: functions that name the same quota share one limiter.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::lease::{Ask, Driver, Grant, Guards, Holder, Leases, Refused};
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
    /// Wakes those who wait for a change of the lease.
    pub(crate) lease_changed: Notify,
    /// Makes the process ask for a lease at once; `None` where this process keeps the limits alone.
    hurry: Option<Arc<Notify>>,
    refused: Mutex<Option<Refused>>,
    pub(crate) guards: Guards,
    /// The queue for the next call: first come, first served. Held while waiting for the limiter.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Quota {
    fn new(name: &str, limits: Limits, hurry: Option<Arc<Notify>>) -> Self {
        Quota {
            name: name.to_owned(),
            limiter: Mutex::new(Limiter::new(limits, Instant::now())),
            store: Mutex::default(),
            demand: Mutex::default(),
            lease_changed: Notify::new(),
            hurry,
            refused: Mutex::default(),
            guards: Guards::default(),
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
    /// It cannot be written down, or the cluster refuses a lease; nothing is counted then.
    pub fn admit(&self, now: Instant, wall: SystemTime) -> Result<Admit, QuotaError> {
        let decision = match self.store().as_mut() {
            Some(store) => store.admit(&mut self.limiter(), now, wall)?,
            None => self.limiter().admit(now),
        };
        match (decision, self.refused().clone()) {
            (Admit::NoLease, Some(refused)) => Err(refused.into()),
            (decision, _) => Ok(decision),
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
        let first = self.demand().change(1, Instant::now());
        if let Some(hurry) = self.hurry.as_ref().filter(|_| first)
            && self.limiter().leased().is_some_and(|lease| !lease.has_units())
        {
            hurry.notify_one();
        }
        Wanted(Arc::clone(self))
    }

    /// Notes that the quota is paused and somebody waits for its end; called by the holder of the turn only.
    pub(crate) fn pausing(&self) -> Pausing<'_> {
        Pausing { quota: self, since: Instant::now() }
    }

    /// Whether calls wait to be sent.
    pub(crate) fn is_wanted(&self) -> bool {
        self.demand().waiting > 0
    }

    /// When the keeper is asked next; `None` where this process has no lease, or said goodbye.
    pub(crate) fn asks_at(&self, now: Instant) -> Option<Instant> {
        let waiting = self.is_wanted();
        let mut limiter = self.limiter();
        let lease = limiter.leased().filter(|lease| !lease.has_left())?;
        Some(lease.asks_at(waiting, now))
    }

    /// What the keeper of the cluster's pace is asked; nothing where this process has no lease. It is the last time if the
    /// quota is not used any more.
    pub(crate) fn ask(&self, leaving: bool, now: Instant) -> Option<Ask> {
        let waiting = self.is_wanted();
        let breakers = self.guards.open(now);
        let mut limiter = self.limiter();
        let lease = limiter.leased()?;
        match leaving {
            true if lease.has_left() => None,
            true => Some(lease.leave(now)),
            false => Some(lease.ask(waiting, breakers, now)),
        }
    }

    /// Takes in the keeper's answer.
    pub(crate) fn take_in(&self, answer: Result<Grant, Refused>, now: Instant) {
        match answer {
            Ok(grant) => {
                *self.refused() = None;
                let mut limiter = self.limiter();
                if !limiter.leased().is_some_and(|lease| lease.apply(&grant, now)) {
                    return;
                }
                if !grant.pause.is_zero() {
                    limiter.pause_here(now + grant.pause);
                }
                drop(limiter);
                self.guards.hold(&grant.breakers, now);
            }
            Err(Refused::Late) => return,
            Err(refused) => *self.refused() = Some(refused),
        }
        self.lease_changed.notify_waiters();
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

    /// Says what other processes did under it from now on.
    pub fn show(&self, wanted: Duration, paused: Duration, sent: u64) {
        let mut demand = self.demand();
        (demand.total, demand.paused) = (wanted, paused);
        self.limiter().show(sent);
    }

    /// Gives the quota limits that nobody else uses, and a file in `folder` where they outlive the process.
    fn take_on(
        &self,
        limits: &Limits,
        folder: Option<&PathBuf>,
        now: Instant,
        wall: SystemTime,
    ) -> Result<(), StoreError> {
        if self.hurry.is_some() {
            let mut limiter = self.limiter();
            let left = limiter.leased().is_none_or(|lease| lease.has_left());
            if left || limiter.limits() != limits {
                limiter.set_limits(limits.clone(), now);
                limiter.lease(Holder::new(&self.name, limits.clone(), fastrand::u64(..), now));
            }
            return Ok(());
        }
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

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Returns whether this is the first call that waits.
    fn change(&mut self, by: isize, now: Instant) -> bool {
        self.waiting += by;
        if self.waiting > 0 {
            self.since.get_or_insert(now);
        } else if let Some(since) = self.since.take() {
            self.total += now - since;
        }
        self.waiting == 1 && by > 0
    }
}

/// All quotas of the process.
#[derive(Debug, Default)]
pub struct Quotas {
    quotas: Arc<Mutex<HashMap<String, Arc<Quota>>>>,
    folder: Option<PathBuf>,
    driver: Option<Driver>,
}

impl Quotas {
    /// Quotas whose long limits outlive the process: what was sent under several limits, or under one over a minute or
    /// more, is kept in `folder`, a file for each quota. Without a folder it is forgotten with the process.
    pub fn with_folder(folder: impl Into<PathBuf>) -> Self {
        Quotas { folder: Some(folder.into()), ..Quotas::default() }
    }

    /// Quotas whose limits all processes of a cluster keep together: each call is paid from a lease that `link` gets.
    /// Leases are renewed on `runtime` for as long as this lives; after it no call is admitted. `process` is its name in
    /// the log.
    pub fn shared(link: Arc<dyn Leases>, process: impl Into<String>, runtime: &Handle) -> Self {
        let quotas = Arc::default();
        let driver = Driver::start(Arc::clone(&quotas), link, process.into(), runtime);
        Quotas { quotas, folder: None, driver: Some(driver) }
    }

    /// The quota of that name, made at first use; `wall` is the wall clock's time.
    ///
    /// A quota that nobody uses any more may be given new limits; it keeps its history, so no burst is won by it.
    ///
    /// # Errors
    /// A live function uses the quota under other limits, what was spent of it cannot be read or kept, or its rate is
    /// adaptive and the process is part of a cluster.
    pub fn get(&self, name: &str, limits: &Limits, wall: SystemTime) -> Result<Arc<Quota>, QuotaError> {
        if self.driver.is_some() && limits.floor().is_some() {
            return Err(QuotaError::Adaptive { quota: name.to_owned() });
        }
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = match quotas.get(name) {
            Some(quota) => Arc::clone(quota),
            None => {
                let hurry = self.driver.as_ref().map(|driver| Arc::clone(driver.hurry()));
                Arc::new(Quota::new(name, limits.clone(), hurry))
            }
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
    /// The keeper of the cluster's pace refuses a lease.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A rate that is looked for cannot be shared.
    #[error(
        "quota '{quota}' is adaptive, which the processes of a cluster cannot share: give it a fixed rate (rate_limit_calls), \
         or run the job in one process"
    )]
    Adaptive {
        /// The quota.
        quota: String,
    },
}

/// Two functions share a quota but not its limits.
#[derive(Debug, thiserror::Error)]
#[error(
    "quota '{quota}' allows {in_force} for another function, this one says {asked}: \
     give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"
)]
pub struct RateConflict {
    pub(crate) quota: String,
    pub(crate) in_force: Limits,
    pub(crate) asked: Limits,
}

#[cfg(test)]
mod tests;
