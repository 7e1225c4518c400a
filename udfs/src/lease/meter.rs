//! Spaces a holder's calls by its share of one limit. A share that changes starts with a full bucket; see `lease`.

use std::time::Duration;

use tokio::time::Instant;

use super::{LONG, spacing, stretched, tolerance};
use crate::limiter::Limit;

/// A leaky bucket whose units change. It is governor's algorithm; governor's state cannot start full after a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Meter {
    period: Duration,
    /// Calls per period.
    units: u32,
    /// When the bucket is empty.
    empty: Instant,
    /// When the calls sent so far are drained, by the units in force when they were sent.
    paid: Instant,
    /// The same for calls before the last change.
    rests: Instant,
    /// When the last call is a period old.
    cold: Instant,
}

impl Meter {
    /// A meter without units.
    pub fn new(limit: Limit, now: Instant) -> Self {
        Meter { period: limit.period, units: 0, empty: now, paid: now, rests: now, cold: now }
    }

    /// Calls per period.
    pub fn units(&self) -> u32 {
        self.units
    }

    /// How much longer given up units rest.
    pub fn rest(&self, now: Instant) -> Duration {
        self.rests.saturating_duration_since(now)
    }

    /// How much longer until the last call is a period old.
    pub fn warm(&self, now: Instant) -> Duration {
        self.cold.saturating_duration_since(now)
    }

    /// Changes the units at `now`. Units that nobody used for a period may be used `at_once` by who had none.
    pub fn set(&mut self, units: u32, at_once: bool, now: Instant) {
        if units == self.units {
            return;
        }
        self.rests = self.paid;
        let step = spacing(self.period, units);
        self.empty = if self.period >= LONG {
            self.empty.min(now + step) // a budget counts the calls; this only spaces them
        } else if at_once && self.units == 0 {
            now.max(self.paid + tolerance(self.period))
        } else {
            now.max(self.paid) + step + tolerance(self.period)
        };
        self.units = units;
    }

    /// When a call may be sent, at the earliest; `None` without units.
    pub fn earliest(&self) -> Option<Instant> {
        let earliest = self.empty.checked_sub(tolerance(self.period)).unwrap_or(self.empty);
        (self.units > 0).then_some(earliest)
    }

    /// Counts a call sent at `now`, which is not before [`Meter::earliest`].
    pub fn record(&mut self, now: Instant) {
        self.empty = self.empty.max(now) + spacing(self.period, self.units);
        self.paid = self.empty;
        self.cold = now + stretched(self.period);
    }
}
