//! A process's side of a lease: makes asks, applies grants, and says of each call whether it may be sent.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::demand::Demand;
use super::meter::Meter;
use super::{Ask, CLOSEST, Grant, Held, LEASE, OpenBreaker, RENEWAL, SOON, UNANSWERED, leased};
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
    /// Grants up to this one are not applied any more.
    applied: u64,
    last_ask: Option<Instant>,
    /// As the last grant says.
    ask_again: Duration,
    /// The first ask that says that demand began, or that units were given up.
    news: u64,
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
            last_ask: None,
            ask_again: RENEWAL,
            news: 0,
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

    /// When the next ask is due; `waiting` says whether calls wait to be sent. It does not wait for the answer to the last.
    pub fn asks_at(&self, waiting: bool, now: Instant) -> Instant {
        let Some(last) = self.last_ask else { return now };
        if self.news > self.number || self.begins(waiting) {
            return last + CLOSEST;
        }
        let again = match self.number - self.applied {
            UNANSWERED.. => RENEWAL,
            _ if self.news > self.applied => SOON,
            _ => self.ask_again,
        };
        let ended = (!waiting && self.units() > 0).then(|| self.demand.ends().max(last + CLOSEST));
        ended.map_or(last + again, |ended| ended.min(last + again))
    }

    /// The next ask. Where demand has ended, it gives all units back.
    pub fn ask(&mut self, waiting: bool, breakers: Vec<OpenBreaker>, now: Instant) -> Ask {
        self.end(now);
        if !waiting && self.units() > 0 && self.demand.ends() <= now {
            self.give_up(now);
        }
        if self.begins(waiting) {
            self.news = self.number + 1;
        }
        self.number += 1;
        self.asked.push_back((self.number, now));
        self.last_ask = Some(now);
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
        self.ask_again = grant.ask_again;
        self.asked.retain(|(number, _)| *number > grant.number);
        if self.meters.iter().zip(&grant.shares).any(|(meter, share)| share.units < meter.units()) {
            self.news = self.number + 1;
        }
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
        self.last_ask
    }

    /// Whether calls wait for units, and the keeper was not told of them.
    fn begins(&self, waiting: bool) -> bool {
        waiting && !self.has_units() && self.demand.told() == 0
    }

    /// Ends the lease, and with it those of all grants that are still on their way.
    fn give_up(&mut self, now: Instant) {
        self.ends = Some(now);
        self.asked.clear();
        self.applied = self.number;
        self.news = self.number + 1;
        self.end(now);
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
