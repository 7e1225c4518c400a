//! A process's side of a lease: makes asks, applies grants, and says of each call whether it may be sent.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::demand::Demand;
use super::meter::Meter;
use super::{Ask, Grant, Held, LEASE, OpenBreaker, leased};
use crate::limiter::{Admit, Limits};

/// One process's lease of one quota. It ends [`LEASE`] after the last ask that was answered, by this process's clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    quota: String,
    limits: Limits,
    id: u64,
    number: u64,
    /// Asks that may still be answered, and when they were made.
    asked: VecDeque<(u64, Instant)>,
    applied: u64,
    ends: Option<Instant>,
    meters: Vec<Meter>,
    up_to: Option<u64>,
    sent: u64,
    paused_until: Option<Instant>,
    demand: Demand,
    left: bool,
}

impl Holder {
    /// A process that holds nothing yet. `id` is random, so that a process that starts again is another one.
    pub fn new(quota: impl Into<String>, limits: Limits, id: u64, now: Instant) -> Self {
        let meters = leased(limits.all()).map(|limit| Meter::new(limit, now)).collect();
        let (asked, demand) = (VecDeque::new(), Demand::new(now));
        let (quota, ends, up_to, paused_until) = (quota.into(), None, None, None);
        let left = false;
        Holder {
            quota,
            limits,
            id,
            number: 0,
            asked,
            applied: 0,
            ends,
            meters,
            up_to,
            sent: 0,
            paused_until,
            demand,
            left,
        }
    }

    /// Decides on one call at `now`.
    pub fn admit(&mut self, now: Instant) -> Admit {
        self.end(now);
        if self.meters.is_empty() {
            return Admit::Now;
        }
        let may_count = self.up_to.is_none_or(|up_to| self.sent < up_to);
        let earliest = self.meters.iter().map(Meter::earliest).collect::<Option<Vec<_>>>();
        let decision = match earliest.and_then(|all| all.into_iter().max()) {
            Some(when) if may_count && when > now => Admit::At(when),
            Some(_) if may_count => Admit::Now,
            _ => Admit::NoLease,
        };
        if decision == Admit::Now {
            self.meters.iter_mut().for_each(|meter| meter.record(now));
            self.sent += 1;
            self.demand.sent(now);
        } else {
            self.demand.held_back(now);
        }
        decision
    }

    /// Notes that the API asked this process for a pause.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until)));
    }

    /// The next ask. `waiting` says whether calls wait to be sent.
    pub fn ask(&mut self, waiting: bool, breakers: Vec<OpenBreaker>, now: Instant) -> Ask {
        self.end(now);
        self.number += 1;
        self.asked.push_back((self.number, now));
        let period = self.limits.all().first().map_or(LEASE, |limit| limit.period);
        let demand = self.demand.measure(waiting, self.has_units(), period, now);
        let held = |meter: &Meter| Held { units: meter.units(), rest: meter.rest(now), warm: meter.warm(now) };
        let held = self.meters.iter().map(held).collect();
        Ask {
            quota: self.quota.clone(),
            limits: self.limits.all().to_vec(),
            holder: self.id,
            number: self.number,
            applied: self.applied,
            held,
            demand,
            sent: self.sent,
            paused_for: self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
            breakers,
            leaving: self.left,
        }
    }

    /// Ends the lease and says goodbye: no call is admitted any more.
    pub fn leave(&mut self, now: Instant) -> Ask {
        self.left = true;
        self.ends = self.ends.map(|ends| ends.min(now));
        self.ask(false, Vec::new(), now)
    }

    /// Takes in a grant; returns whether it is in force now. It is not where it comes too late, or after a later one.
    pub fn apply(&mut self, grant: &Grant, now: Instant) -> bool {
        self.end(now);
        let asked = self.asked.iter().find(|(number, _)| *number == grant.number);
        let Some((_, asked)) = asked.copied().filter(|_| !self.left && grant.number > self.applied) else {
            return false;
        };
        if now >= asked + LEASE || grant.shares.len() != self.meters.len() {
            return false;
        }
        self.applied = grant.number;
        self.asked.retain(|(number, _)| *number > grant.number);
        self.ends = Some(asked + LEASE);
        self.up_to = grant.up_to;
        self.meters.iter_mut().zip(&grant.shares).for_each(|(meter, share)| meter.set(share.units, share.at_once, now));
        true
    }

    /// Whether it said goodbye.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Whether it holds units of each limit.
    pub fn has_units(&self) -> bool {
        self.ends.is_some() && self.meters.iter().all(|meter| meter.units() > 0)
    }

    /// Calls per period that it holds of the finest limit.
    pub fn units(&self) -> u32 {
        self.meters.first().map_or(0, Meter::units)
    }

    /// When the lease ends; `None` where there is none.
    pub fn ends(&self) -> Option<Instant> {
        self.ends
    }

    #[cfg(test)]
    pub(super) fn asks(&self) -> u64 {
        self.number
    }

    #[cfg(test)]
    pub(super) fn last_ask(&self) -> Option<Instant> {
        self.asked.back().map(|(_, asked)| *asked)
    }

    /// Takes notice of the end of the lease.
    fn end(&mut self, now: Instant) {
        if let Some(ends) = self.ends.filter(|ends| *ends <= now) {
            self.meters.iter_mut().for_each(|meter| meter.set(0, false, ends));
            self.ends = None;
            self.up_to = None;
        }
        while self.asked.front().is_some_and(|(_, asked)| *asked + LEASE <= now) {
            self.asked.pop_front();
        }
    }
}
