//! Decides whether the API may be called now.
//! Time comes in as an argument; `caller` does the waiting.
//!
//! The finest limit spaces the calls (`gcra`), the others are budgets for a sliding period (`budget`); a pause that the API
//! asks for stops everything, and a rate that the API does not state is looked for (`adaptive`).

mod adaptive;
mod budget;
mod gcra;
mod limits;
mod sends;
mod spent;

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::lease::Holder;

use adaptive::Adaptive;
pub use adaptive::Sign;
pub(crate) use budget::Budget;
use budget::Slot;
use gcra::Gcra;
pub use limits::{Limit, Limits, LimitsError, Rate};
use sends::Sends;
pub use spent::Spent;

/// What the limiter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Call now. The call is counted as sent.
    Now,
    /// Ask again at this time, not before. Nothing is counted.
    At(Instant),
    /// The same, because the API asked for a pause.
    PausedUntil(Instant),
    /// The cluster's pace leaves nothing for this process now: ask again when its lease has changed. Nothing is counted.
    NoLease,
}

/// A limiter that never lets more than the allowed calls into any window of one period, for each limit.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    /// What calls are spaced by now.
    rate: Rate,
    gcra: Gcra,
    /// One for each limit, where the limits outlive the process; elsewhere spacing alone keeps the one limit.
    budgets: Vec<Budget>,
    adaptive: Option<Adaptive>,
    /// The process's part of the cluster's pace, which takes the place of spacing and budgets.
    lease: Option<Holder>,
    origin: Instant,
    paused_until: Option<Instant>,
    sends: Sends,
    sent: u64,
}

impl Limiter {
    /// A limiter that has seen no calls. `now` becomes the origin of its time; earlier times count as `now`.
    pub fn new(limits: impl Into<Limits>, now: Instant) -> Self {
        let mut limiter = Limiter {
            limits: Limits::UNLIMITED,
            rate: Rate::Unlimited,
            gcra: Gcra::default(),
            budgets: Vec::new(),
            adaptive: None,
            lease: None,
            origin: now,
            paused_until: None,
            sends: Sends::default(),
            sent: 0,
        };
        limiter.set_limits(limits.into(), now);
        limiter
    }

    /// Decides on one call at `now`.
    pub fn admit(&mut self, now: Instant) -> Admit {
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return Admit::PausedUntil(until);
        }
        self.paused_until = None;
        if let Some(lease) = &mut self.lease {
            let decision = lease.admit(now);
            if decision == Admit::Now {
                self.sends.record(self.rate, now);
                self.sent += 1;
            }
            return decision;
        }
        let tick = self.tick(now);
        if let Some(room) = self.budgets.iter_mut().filter_map(|budget| budget.room(tick).err()).max() {
            return Admit::At(self.origin + Duration::from_nanos(room.unsigned_abs()));
        }
        if let Err(earliest) = self.gcra.admit(now.saturating_duration_since(self.origin)) {
            return Admit::At(self.origin + earliest);
        }
        self.budgets.iter_mut().for_each(|budget| budget.record(tick, 1));
        self.sends.record(self.rate, now);
        self.sent += 1;
        Admit::Now
    }

    /// Lets nothing pass before `until`. The later of two pauses holds.
    pub fn pause(&mut self, until: Instant) {
        if let Some(lease) = &mut self.lease {
            lease.pause(until);
        }
        self.pause_here(until);
    }

    /// The same, without telling the other processes of the cluster, who told this one.
    pub(crate) fn pause_here(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until)));
    }

    /// Takes in the answer to a request that was sent at `sent`. Only an adaptive rate follows it.
    pub fn learn(&mut self, sent: Instant, sign: Sign, now: Instant) {
        let Some(adaptive) = &mut self.adaptive else { return };
        if adaptive.learn(sent, sign, now) {
            let rate = adaptive.rate();
            self.set_rate(rate);
        }
    }

    /// Changes the rate that calls are spaced by, below the limits, and carries the arrival time on, so that no fresh burst
    /// comes with it.
    pub fn set_rate(&mut self, rate: Rate) {
        if rate != self.rate {
            self.gcra.set_rate(rate);
            self.rate = rate;
        }
    }

    /// Changes the limits and carries on what was sent, as far back as it is known: no burst is won by it.
    pub fn set_limits(&mut self, limits: Limits, now: Instant) {
        let counted = limits.outlive_a_process();
        let budgets = limits.all().iter().filter(|_| counted).map(|limit| {
            let mut budget = Budget::new(*limit);
            budget.adopt(self.history(limit.period));
            budget
        });
        self.budgets = budgets.collect();
        let ceiling = limits.all().first();
        self.adaptive = limits.floor().zip(ceiling).map(|(floor, ceiling)| Adaptive::new(floor, *ceiling, now));
        self.set_rate(self.adaptive.as_ref().map_or(limits.finest(), Adaptive::rate));
        self.limits = limits;
    }

    /// Admits only what a lease of the cluster's pace allows, from now on.
    pub fn lease(&mut self, holder: Holder) {
        self.lease = Some(holder);
    }

    /// The lease of the cluster's pace; `None` where this process keeps the limits alone.
    pub fn leased(&mut self) -> Option<&mut Holder> {
        self.lease.as_mut()
    }

    /// What was spent of the limits by `now`, which is `wall` by the wall clock. Empty where no limit outlives the process.
    pub fn budgets(&self, now: Instant, wall: SystemTime) -> Spent {
        Spent::of(&self.budgets, self.tick(now), wall)
    }

    /// Counts what an earlier process spent. Where the wall clock has gone backwards since then, no time has passed.
    pub fn restore(&mut self, spent: &Spent, now: Instant, wall: SystemTime) {
        let tick = self.tick(now);
        for budget in &mut self.budgets {
            budget.adopt(spent.history(budget.limit().period, tick, wall));
        }
    }

    /// Most calls that can be admitted from `now` on in a half-open window of length `span`; without a limit as many as
    /// there are numbers.
    pub(crate) fn most_from(&self, now: Instant, span: Duration) -> u64 {
        let until = self.tick(now + span);
        let long = self.budgets.iter().filter(|budget| budget.limit().period >= span);
        let spaced = gcra::most_in(self.limits.finest(), span).unwrap_or(u64::MAX);
        long.map(|budget| budget.room_until(until)).fold(spaced, u64::min)
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The rate that calls are spaced by now: the finest limit's, or what an adaptive rate has come to.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Calls admitted so far by this limiter.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Says that other processes admitted so many.
    pub(crate) fn show(&mut self, sent: u64) {
        self.sent = sent;
    }

    /// Most calls in any sliding period of the finest limit so far; `None` without a limit, where there is no period.
    pub fn worst_period(&self) -> Option<usize> {
        matches!(self.rate, Rate::Limited { .. }).then(|| self.sends.worst())
    }

    /// Nanoseconds since the origin.
    fn tick(&self, now: Instant) -> i64 {
        i64::try_from(now.saturating_duration_since(self.origin).as_nanos()).unwrap_or(i64::MAX)
    }

    /// What is known of calls in the last `period`: by the shortest budget that is long enough, or else the longest.
    fn history(&self, period: Duration) -> Vec<Slot> {
        let shorter = |budget: &&Budget| (budget.limit().period < period, budget.limit().period.abs_diff(period));
        match self.budgets.iter().min_by_key(shorter) {
            Some(budget) => budget.slots().collect(),
            None => {
                let slot = |(sent, calls)| Slot { last: self.tick(sent), calls: calls as u64 };
                self.sends.recent().map(slot).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
