//! What was spent of a quota's budgets, by the wall clock, so that it can outlive the process.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::budget::{Budget, Slot};

/// What was spent of each budget. Times are nanoseconds since 1970 by the wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// When this was taken.
    at: i64,
    budgets: Vec<SpentBudget>,
}

/// What was spent of one budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpentBudget {
    /// In nanoseconds.
    period: i64,
    /// When calls were sent, oldest first, and how many.
    sends: Vec<(i64, u32)>,
}

impl Spent {
    /// `now` is nanoseconds since the limiter's origin, `wall` the same moment by the wall clock.
    pub(crate) fn of(budgets: &[Budget], now: i64, wall: SystemTime) -> Self {
        let at = nanos_since_1970(wall);
        let to_wall = |slot: Slot| {
            let calls = u32::try_from(slot.calls).unwrap_or(u32::MAX);
            (at.saturating_add(slot.last.saturating_sub(now)), calls)
        };
        let budgets = budgets.iter().map(|budget| SpentBudget {
            period: in_nanos(budget.limit().period),
            sends: budget.slots().map(to_wall).collect(),
        });
        Spent { at, budgets: budgets.collect() }
    }

    /// The same with `calls` more, sent after `span`.
    pub(crate) fn with(mut self, calls: u64, span: Duration) -> Self {
        let at = self.at.saturating_add(in_nanos(span));
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.budgets.iter_mut().for_each(|budget| budget.sends.push((at, calls)));
        self
    }

    /// What `period` should know of the past: what the shortest period that is long enough knows, or else the longest.
    /// Where the wall clock went backwards, no time has passed since this was taken.
    pub(crate) fn history(&self, period: Duration, now: i64, wall: SystemTime) -> impl Iterator<Item = Slot> {
        let wall = nanos_since_1970(wall).max(self.at);
        let period = in_nanos(period);
        let shorter = |budget: &&SpentBudget| (budget.period < period, (budget.period - period).abs());
        let sends = self.budgets.iter().min_by_key(shorter).map_or(&[][..], |budget| &budget.sends);
        sends.iter().map(move |(sent, calls)| Slot {
            last: now.saturating_sub(wall.saturating_sub(*sent)),
            calls: u64::from(*calls),
        })
    }
}

fn in_nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

fn nanos_since_1970(wall: SystemTime) -> i64 {
    wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, in_nanos)
}
