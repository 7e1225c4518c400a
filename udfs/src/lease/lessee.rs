//! One holder as the keeper knows it: what it may be using, and what it shall have.

use tokio::time::Instant;

use super::pool::{Batch, Pool};
use super::{Ask, LEASE, LONG, Share, certainly};
use crate::limiter::Limit;

/// A limit that is leased in units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Leased {
    pub limit: Limit,
    pub pool: Pool,
}

/// A holder as the keeper knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lessee {
    /// The last ask that was heard.
    pub number: u64,
    pub heard: Instant,
    /// Grants that may be in force or come into force, oldest first.
    pub live: Vec<Live>,
    pub parts: Vec<Part>,
    /// Calls per period of the finest limit.
    pub wants: u32,
    /// Calls that count as sent.
    pub sent: u64,
    /// Calls that it may still send.
    pub reserved: u64,
    pub left: bool,
}

/// A lessee's part of one limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    /// The most that it may be using.
    pub bound: u32,
    pub target: u32,
    pub told: u32,
    /// The first grant of units that may be used at once, until it is in force.
    pub at_once: Option<u64>,
    /// Since when it has had units, or none.
    pub since: Instant,
}

/// A grant that may be in force, or come into force.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Live {
    pub number: u64,
    pub until: Instant,
    pub shares: Vec<u32>,
    pub up_to: u64,
}

impl Lessee {
    /// A holder that is heard for the first time. What it has from an earlier keeper it keeps.
    pub fn new(ask: &Ask, leased: &mut [Leased], now: Instant) -> Self {
        let mut lessee = Lessee {
            number: ask.number,
            heard: now,
            live: Vec::new(),
            parts: Vec::new(),
            wants: 0,
            sent: ask.sent,
            reserved: 0,
            left: false,
        };
        for (leased, held) in leased.iter_mut().zip(&ask.held) {
            let bound = leased.pool.take_known(held.units, now);
            lessee.parts.push(Part { bound, target: 0, told: bound, at_once: None, since: now });
        }
        let shares: Vec<_> = lessee.parts.iter().map(|part| part.bound).collect();
        if shares.iter().any(|units| *units > 0) {
            // A grant of the earlier keeper may still come into force instead: this holds until one of ours is.
            let number = ask.number.saturating_sub(1);
            lessee.live.push(Live { number, until: now + certainly(LEASE), shares, up_to: 0 });
        }
        lessee
    }
}

impl Part {
    /// Gives units back that are not used any more; `rests` says until when they rest, and from when on they are cold.
    pub fn lower(&mut self, bound: Option<u32>, leased: &mut Leased, rests: (Instant, Instant), now: Instant) {
        let bound = bound.unwrap_or(0);
        if bound < self.bound {
            // Units of a long limit need no rest: a budget counts its calls.
            let (rested, cold) = if leased.limit.period < LONG { rests } else { (now, now) };
            leased.pool.give_back(Batch { units: self.bound - bound, rested, cold }, now);
            self.bound = bound;
        }
        if bound == 0 {
            self.at_once = None;
        }
    }

    /// The share that is granted now: the target, as far as units can be had.
    pub fn share(&mut self, leased: &mut Leased, number: u64, now: Instant) -> Share {
        if self.target > self.bound {
            let (taken, cold) = leased.pool.take(self.target - self.bound, now);
            if taken > 0 {
                self.at_once = if self.bound == 0 { Some(number) } else { self.at_once }.filter(|_| cold);
                self.bound += taken;
            }
        }
        let units = self.target.min(self.bound);
        if (units > 0) != (self.told > 0) {
            self.since = now;
        }
        self.told = units;
        Share { units, at_once: units > 0 && self.at_once.is_some() }
    }
}
