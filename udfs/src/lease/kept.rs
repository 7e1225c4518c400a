//! One quota at the keeper: who holds how much of it, who shall have how much, and what pauses it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::fair::level;
use super::keeper::Refused;
use super::lessee::{Leased, Lessee, Live};
use super::long::Long;
use super::pool::{Batch, Pool};
use super::{Ask, Grant, LEASE, LONG, OpenBreaker, RENEWAL, SOON};
use super::{budgeted, certainly, leased, rest_of};
use crate::limiter::{Limit, Limits};
use crate::quota_store::StoreError;

/// How often the ends of leases are looked for. Late is safe.
const SWEEP: Duration = Duration::from_millis(20);
/// How long a budget's calls last that are granted ahead: renewals may be lost, and what is granted is kept from others.
const GRANT_AHEAD: Duration = Duration::from_millis(750);
/// How long shares move after a demand began or ended: until messages about it have gone there and back.
const SETTLES: Duration = Duration::from_millis(500);
/// While shares move, all holders together ask once in so much time, but none more often than [`SOON`] says.
const EACH: Duration = Duration::from_millis(1);
/// Where there are fewer units than holders, one is kept for so many periods, and never for a shorter time than that.
const TURN: (u32, Duration) = (10, Duration::from_secs(10));

/// One quota.
#[derive(Debug)]
pub(super) struct Kept {
    pub limits: Limits,
    leased: Vec<Leased>,
    long: Option<Long>,
    lessees: BTreeMap<u64, Lessee>,
    paused_until: Option<Instant>,
    /// By key: who reported it first, and until when it is open.
    breakers: BTreeMap<String, (u64, Instant)>,
    /// When the shares must be cut anew at the latest; always, if somebody's demand has changed.
    next_cut: Option<Instant>,
    swept: Instant,
    /// Until when shares move, because a demand began or ended.
    settles: Instant,
}

impl Kept {
    /// A quota that nobody holds. `quiet_until` is when the last lease ends that an earlier keeper may have granted.
    pub fn new(
        ask: &Ask,
        limits: Limits,
        folder: Option<&Path>,
        quiet_until: Option<Instant>,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Self, StoreError> {
        let pool = |limit: Limit| {
            let units = limit.calls.get();
            match quiet_until.filter(|_| limit.period < LONG) {
                None => Pool::fresh(units, now),
                Some(until) => {
                    let rested = until + rest_of(limit.period, 1);
                    Pool::quiet(Batch { units, rested, cold: rested + certainly(limit.period) }, until)
                }
            }
        };
        let leased = leased(limits.all()).map(|limit| Leased { limit, pool: pool(limit) }).collect();
        let mut long = None;
        if budgeted(limits.all()).next().is_some() {
            let mut budgets = Long::open(budgeted(limits.all()), &ask.quota, folder, now, wall)?;
            if let Some(until) = quiet_until.filter(|_| folder.is_none()) {
                budgets.spend_all(until, now);
            }
            long = Some(budgets);
        }
        let (lessees, breakers) = (BTreeMap::new(), BTreeMap::new());
        Ok(Kept {
            limits,
            leased,
            long,
            lessees,
            paused_until: None,
            breakers,
            next_cut: None,
            swept: now,
            settles: now,
        })
    }

    /// Whether anybody may hold a lease.
    pub fn in_use(&mut self, now: Instant) -> bool {
        self.sweep(now);
        self.lessees.values().any(|lessee| !lessee.live.is_empty())
    }

    pub fn ask(&mut self, ask: &Ask, now: Instant, wall: SystemTime) -> Result<Grant, Refused> {
        if now >= self.swept + SWEEP {
            self.sweep(now);
        }
        if self.lessees.get(&ask.holder).is_some_and(|lessee| lessee.left || ask.number <= lessee.number) {
            return Err(Refused::Late);
        }
        if ask.held.len() != self.leased.len() {
            return Err(Refused::Malformed);
        }
        self.hear(ask, now);
        self.hear_of_the_api(ask, now);
        if self.next_cut.is_some_and(|at| at <= now) {
            self.cut(now);
        }
        self.grant(ask, now, wall).map_err(|error| Refused::not_kept(&error))
    }

    /// Writes down what was spent of long limits.
    pub fn flush(&mut self, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        self.long.as_mut().map_or(Ok(()), |long| long.flush(now, wall))
    }

    /// Takes in what a holder says of itself.
    fn hear(&mut self, ask: &Ask, now: Instant) {
        let leased = &mut self.leased;
        let lessee = self.lessees.entry(ask.holder).or_insert_with(|| Lessee::new(ask, leased, now));
        lessee.number = ask.number;
        lessee.heard = now;
        lessee.live.retain(|live| live.number >= ask.applied && !ask.leaving);
        for live in lessee.live.iter_mut().filter(|live| live.number == ask.applied) {
            live.shares.iter_mut().zip(&ask.held).for_each(|(share, held)| *share = held.units.min(*share));
        }
        for (index, part) in lessee.parts.iter_mut().enumerate() {
            if part.at_once.is_some_and(|number| ask.applied >= number) {
                part.at_once = None;
            }
            let held = &ask.held[index];
            let rests = (now + certainly(held.rest), now + certainly(held.warm));
            part.lower(lessee.live.iter().map(|live| live.shares[index]).max(), &mut leased[index], rests, now);
        }
        let unsent = lessee.live.iter().map(|live| live.up_to).max().unwrap_or(0).saturating_sub(ask.sent);
        if let Some(long) = &mut self.long {
            let sent = ask.sent.saturating_sub(lessee.sent).min(lessee.reserved);
            let unsent = unsent.min(lessee.reserved - sent);
            long.settle(sent, lessee.reserved - sent - unsent, now);
            lessee.reserved = unsent;
        }
        lessee.sent = ask.sent;
        lessee.left = ask.leaving;
        let most = self.leased.first().map_or(0, |leased| leased.limit.calls.get());
        let demand = if ask.leaving { 0 } else { ask.demand.min(most) };
        if (demand > 0) != (lessee.wants > 0) {
            self.settles = now + SETTLES;
        }
        // A demand that changes a little moves no shares.
        if demand > lessee.wants || demand < lessee.wants - lessee.wants * 2 / 5 {
            lessee.wants = demand;
            self.next_cut = Some(now);
        }
    }

    /// Takes in what a holder says of the API.
    fn hear_of_the_api(&mut self, ask: &Ask, now: Instant) {
        let until = now + ask.paused_for;
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until))).filter(|until| *until > now);
        let holder = ask.holder;
        let open = |key: &String| ask.breakers.iter().any(|breaker| breaker.key == *key);
        self.breakers.retain(|key, (first, until)| *until > now && (*first != holder || open(key)));
        for breaker in &ask.breakers {
            let until = now + breaker.open_for;
            let known = self.breakers.entry(breaker.key.clone()).or_insert((holder, until));
            if known.0 == holder {
                known.1 = until;
            }
        }
    }

    /// Takes notice of leases that have ended.
    fn sweep(&mut self, now: Instant) {
        self.swept = now;
        for lessee in self.lessees.values_mut() {
            let Some(ended) = lessee.live.iter().map(|live| live.until).filter(|until| *until <= now).max() else {
                continue;
            };
            lessee.live.retain(|live| live.until > now);
            for (index, part) in lessee.parts.iter_mut().enumerate() {
                let period = self.leased[index].limit.period;
                let rests = (ended + rest_of(period, part.bound), ended + certainly(period));
                part.lower(
                    lessee.live.iter().map(|live| live.shares[index]).max(),
                    &mut self.leased[index],
                    rests,
                    now,
                );
            }
            if let Some(long) = &mut self.long {
                let unsent = lessee.live.iter().map(|live| live.up_to).max().unwrap_or(0).saturating_sub(lessee.sent);
                let perhaps_sent = lessee.reserved.saturating_sub(unsent);
                long.settle(perhaps_sent, 0, now);
                lessee.reserved -= perhaps_sent;
            }
        }
        let known = self.lessees.len();
        self.lessees.retain(|_, lessee| !lessee.live.is_empty() || now < lessee.heard + certainly(LEASE));
        if self.lessees.len() != known {
            self.next_cut = Some(now);
        }
    }

    /// Cuts each limit anew into shares: max-min fair, and who has one unit more than others keeps it.
    fn cut(&mut self, now: Instant) {
        self.next_cut = None;
        let Some(finest) = self.leased.first().map(|leased| leased.limit.period) else { return };
        for (index, Leased { limit, .. }) in self.leased.iter().enumerate() {
            let scale = limit.period.as_secs_f64() / finest.as_secs_f64();
            let most = limit.calls.get();
            let want = |lessee: &Lessee| ((f64::from(lessee.wants) * scale).ceil() as u32).min(most);
            let level = level(self.lessees.values().map(want).collect(), most);
            let turn = (limit.period * TURN.0).max(TURN.1);
            let mut more = Vec::new();
            for (id, lessee) in &mut self.lessees {
                let want = want(lessee);
                let part = &mut lessee.parts[index];
                part.target = want.min(level.most);
                if want > level.most {
                    let rank = match (part.told > level.most, level.most == 0 && now >= part.since + turn) {
                        (true, false) => 0,
                        (false, _) => 1,
                        (true, true) => 2,
                    };
                    more.push((rank, part.since, *id));
                }
            }
            more.sort_unstable();
            if level.most == 0 && more.len() > level.one_more {
                let ends = more.iter().filter(|(rank, ..)| *rank == 0).map(|(_, since, _)| *since + turn).min();
                let next = ends.unwrap_or(now + turn);
                self.next_cut = Some(self.next_cut.map_or(next, |old: Instant| old.min(next)));
            }
            for (_, _, id) in more.iter().take(level.one_more) {
                if let Some(lessee) = self.lessees.get_mut(id) {
                    lessee.parts[index].target += 1;
                }
            }
        }
    }

    fn grant(&mut self, ask: &Ask, now: Instant, wall: SystemTime) -> Result<Grant, StoreError> {
        let wanting = self.lessees.values().filter(|lessee| lessee.wants > 0).count() as u64;
        let others = wanting.saturating_sub(1);
        let soon = EACH.saturating_mul(u32::try_from(wanting).unwrap_or(u32::MAX)).clamp(SOON, RENEWAL);
        let pause = self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let breakers = self.breakers.iter().filter(|(_, (first, until))| *first != ask.holder && *until > now);
        let breakers = breakers
            .map(|(key, (_, until))| OpenBreaker { key: key.clone(), open_for: until.saturating_duration_since(now) })
            .collect();
        let (quota, number) = (ask.quota.clone(), ask.number);
        let mut grant = Grant { quota, number, shares: Vec::new(), up_to: None, pause, breakers, ask_again: RENEWAL };
        let Some(lessee) = self.lessees.get_mut(&ask.holder) else { return Ok(grant) };
        for (part, leased) in lessee.parts.iter_mut().zip(&mut self.leased) {
            let share = part.share(leased, ask.number, now);
            if share.units < part.target || (now < self.settles && lessee.wants > 0) {
                grant.ask_again = soon;
            }
            grant.shares.push(share);
        }
        if let Some(long) = &mut self.long {
            let wants = match (grant.shares.first(), self.leased.first()) {
                (Some(share), Some(leased)) if lessee.wants > 0 && share.units > 0 => {
                    let rate = f64::from(share.units.min(lessee.wants)) / leased.limit.period.as_secs_f64();
                    (rate * GRANT_AHEAD.as_secs_f64()) as u64 + 1
                }
                _ => 0,
            };
            // What earlier grants allow stays reserved until this one is in force.
            lessee.reserved = long.reserve(lessee.reserved, wants, others, now, wall)?;
            grant.up_to = Some(lessee.sent + lessee.reserved.min(wants));
        }
        if ask.leaving {
            return Ok(grant);
        }
        let shares: Vec<_> = grant.shares.iter().map(|share| share.units).collect();
        let live = Live { number, until: now + certainly(LEASE), shares, up_to: grant.up_to.unwrap_or(0) };
        // An earlier grant of the same says nothing that this one does not.
        lessee.live.retain(|old| old.shares != live.shares || old.up_to > live.up_to);
        lessee.live.push(live);
        Ok(grant)
    }

    /// Units that nobody has of the finest limit.
    #[cfg(test)]
    pub fn free(&self) -> u32 {
        self.leased.first().map_or(0, |leased| leased.pool.units())
    }

    /// Units that holders may use and units that nobody has, for each limit that is leased in units.
    #[cfg(test)]
    pub fn units(&self) -> Vec<u32> {
        let held = |index: usize| self.lessees.values().map(|lessee| lessee.parts[index].bound).sum::<u32>();
        self.leased.iter().enumerate().map(|(index, leased)| held(index) + leased.pool.units()).collect()
    }
}

/// For the model, whose quotas have no long limit.
#[cfg(test)]
impl Clone for Kept {
    fn clone(&self) -> Self {
        Kept {
            limits: self.limits.clone(),
            leased: self.leased.clone(),
            long: None,
            lessees: self.lessees.clone(),
            paused_until: self.paused_until,
            breakers: self.breakers.clone(),
            next_cut: self.next_cut,
            swept: self.swept,
            settles: self.settles,
        }
    }
}

#[cfg(test)]
impl std::hash::Hash for Kept {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.leased, &self.lessees, self.next_cut, self.swept, self.settles).hash(state);
    }
}
