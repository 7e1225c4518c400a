//! The limits of this process by name: functions that name the same quota share one limiter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limiter::{Limiter, Rate};

/// One limit, shared by every caller in the process that names it.
#[derive(Debug)]
pub struct Quota {
    name: String,
    limiter: Mutex<Limiter>,
    demand: Mutex<Demand>,
    /// The queue for the next call: first come, first served. Held while waiting for the limiter.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Quota {
    fn new(name: &str, rate: Rate) -> Self {
        Quota {
            name: name.to_owned(),
            limiter: Mutex::new(Limiter::new(rate, Instant::now())),
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

    fn demand(&self) -> MutexGuard<'_, Demand> {
        self.demand.lock().unwrap_or_else(PoisonError::into_inner)
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
pub struct Quotas(Mutex<HashMap<String, Arc<Quota>>>);

impl Quotas {
    /// The quota of that name, made at first use.
    ///
    /// A quota that nobody uses any more may be given a new rate; it keeps its history, so no burst is won by it.
    ///
    /// # Errors
    /// When a live function uses the quota at another rate.
    pub fn get(&self, name: &str, rate: Rate) -> Result<Arc<Quota>, RateConflict> {
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = quotas.entry(name.to_owned()).or_insert_with(|| Arc::new(Quota::new(name, rate)));
        let in_force = quota.limiter().rate();
        if in_force != rate {
            if Arc::strong_count(quota) > 1 {
                return Err(RateConflict { quota: name.to_owned(), in_force, asked: rate });
            }
            quota.limiter().set_rate(rate);
        }
        Ok(Arc::clone(quota))
    }

    /// Every quota that was ever used, by name.
    pub fn all(&self) -> Vec<Arc<Quota>> {
        let mut all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// Two functions share a quota but not its rate.
#[derive(Debug, thiserror::Error)]
#[error(
    "quota '{quota}' allows {in_force} for another function, this one says {asked}: \
     give both the same rate_limit_calls and rate_limit_period, or this one a quota of its own"
)]
pub struct RateConflict {
    quota: String,
    in_force: Rate,
    asked: Rate,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn per_second(calls: u32) -> Rate {
        Rate::Limited { calls: NonZeroU32::new(calls).unwrap(), period: Duration::from_secs(1) }
    }

    #[test]
    fn one_name_is_one_limiter() {
        let quotas = Quotas::default();
        let a = quotas.get("vendor", per_second(5)).unwrap();
        let b = quotas.get("vendor", per_second(5)).unwrap();
        assert!(Arc::ptr_eq(&a, &b));
        let conflict = quotas.get("vendor", per_second(6)).unwrap_err().to_string();
        assert!(conflict.contains("5 calls per 1s") && conflict.contains("6 calls per 1s"), "{conflict}");
    }

    #[test]
    fn an_unused_quota_may_change_its_rate() {
        let quotas = Quotas::default();
        drop(quotas.get("vendor", per_second(5)).unwrap());
        assert_eq!(quotas.get("vendor", per_second(6)).unwrap().limiter().rate(), per_second(6));
    }

    #[tokio::test(start_paused = true)]
    async fn time_wanted_counts_overlapping_waits_once() {
        let quota = Arc::new(Quota::new("q", Rate::Unlimited));
        let (first, second) = (quota.want(), quota.want());
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(first);
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(second);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(quota.time_wanted(), Duration::from_secs(3));
    }
}
