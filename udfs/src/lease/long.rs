//! The budgets of a quota's long limits: what was sent, what may still be sent, and the file that outlives the keeper.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{LEASE, certainly, stretched};
use crate::limiter::{Budget, Limit, Spent};
use crate::quota_store::{QuotaStore, StoreError};

/// How far ahead the file counts.
const AHEAD: Duration = Duration::from_secs(1);

/// What the holders of one quota sent and may send. Calls count as sent when they are reported, or when the lease ends
/// that allowed them; until then they are reserved. So nothing is ever forgotten too early.
#[derive(Debug)]
pub(super) struct Long {
    budgets: Vec<Budget>,
    origin: Instant,
    /// Calls that holders may still send.
    reserved: u64,
    store: Option<QuotaStore>,
    ahead: Option<Ahead>,
}

/// What the file counts that is not reserved yet.
#[derive(Debug)]
struct Ahead {
    until: Instant,
    calls: u64,
}

impl Long {
    /// Budgets that nothing was spent of but what the quota's file in `folder` says.
    ///
    /// # Errors
    /// The file cannot be read, or another process uses it.
    pub fn open(
        limits: impl Iterator<Item = Limit>,
        quota: &str,
        folder: Option<&Path>,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Self, StoreError> {
        // By the keeper's clock, so that a period is never too short.
        let longer = |limit: Limit| Budget::new(Limit { period: stretched(limit.period), ..limit });
        let mut budgets: Vec<_> = limits.map(longer).collect();
        let mut store = None;
        if let Some(folder) = folder {
            let (opened, spent) = QuotaStore::open_file(folder, quota)?;
            if let Some(spent) = spent {
                budgets.iter_mut().for_each(|budget| budget.adopt(spent.history(budget.limit().period, 0, wall)));
            }
            store = Some(opened);
        }
        Ok(Long { budgets, origin: now, reserved: 0, store, ahead: None })
    }

    /// Counts as much as the limits allow as sent at `at`: an earlier keeper may have granted it.
    pub fn spend_all(&mut self, at: Instant, now: Instant) {
        let tick = self.tick(at);
        for budget in self.budgets.iter_mut().filter(|budget| at + budget.limit().period > now) {
            budget.record(tick, u64::from(budget.limit().calls.get()));
        }
    }

    /// Calls that a holder had reserved were sent by `now` at the latest, or never will be.
    pub fn settle(&mut self, sent: u64, unsent: u64, now: Instant) {
        let tick = self.tick(now);
        if sent > 0 {
            self.budgets.iter_mut().for_each(|budget| budget.record(tick, sent));
        }
        self.reserved = self.reserved.saturating_sub(sent + unsent);
    }

    /// Reserves calls for a holder that has some and wants some: at most a part of what is free, as `others` want some too.
    /// Returns how many it has then.
    ///
    /// # Errors
    /// They cannot be written down; nothing is reserved then.
    pub fn reserve(
        &mut self,
        has: u64,
        wants: u64,
        others: u64,
        now: Instant,
        wall: SystemTime,
    ) -> Result<u64, StoreError> {
        let tick = self.tick(now);
        for budget in &mut self.budgets {
            let _ = budget.room(tick); // forgets what is over
        }
        let room = self.budgets.iter().map(|budget| budget.room_until(tick)).min().unwrap_or(u64::MAX);
        let free = room.saturating_sub(self.reserved);
        let more = wants.saturating_sub(has).min((free / (others + 1)).max(1)).min(free);
        if has + more > 0 {
            self.write_down(more, free, now, wall)?;
        }
        self.reserved += more;
        Ok(has + more)
    }

    /// Before calls are granted, the file counts them as sent when the lease ends that allows them.
    fn write_down(&mut self, more: u64, free: u64, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        if self.ahead.as_ref().is_none_or(|ahead| now >= ahead.until || ahead.calls < more) {
            let fastest = self.budgets.iter().map(|budget| budget.limit().calls.get() / 20).max().unwrap_or(0);
            let calls = free.min(more.max(u64::from(fastest)));
            let tick = i64::try_from(now.saturating_duration_since(self.origin).as_nanos()).unwrap_or(i64::MAX);
            let spent = Spent::of(&self.budgets, tick, wall).with(self.reserved + calls, AHEAD + certainly(LEASE));
            store.write(spent)?;
            self.ahead = Some(Ahead { until: now + AHEAD, calls });
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.calls = ahead.calls.saturating_sub(more);
        }
        Ok(())
    }

    /// Writes down what was sent and what is reserved, and nothing ahead.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn flush(&mut self, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        let tick = self.tick(now);
        let Some(store) = self.store.as_mut().filter(|_| self.ahead.is_some()) else { return Ok(()) };
        store.write(Spent::of(&self.budgets, tick, wall).with(self.reserved, certainly(LEASE)))?;
        self.ahead = None;
        Ok(())
    }

    /// Nanoseconds since the origin.
    fn tick(&self, now: Instant) -> i64 {
        i64::try_from(now.saturating_duration_since(self.origin).as_nanos()).unwrap_or(i64::MAX)
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        if let Err(error) = self.flush(Instant::now(), SystemTime::now()) {
            tracing::warn!(%error, "a file of a quota counts up to a second of calls that were not sent");
        }
    }
}
