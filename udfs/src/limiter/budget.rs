//! A limit as a budget: what was sent in the last period is counted, however unevenly it was sent.

use std::collections::VecDeque;

use super::limits::Limit;

/// A period is counted in so many slots, which bounds the memory.
const SLOTS: i64 = 1000;

/// Sends of one slot of time. All of them count as sent with the last, so they are forgotten too late, never too early:
/// no half-open window of one period ever holds more than the limit, and at most a thousandth of a period is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Nanoseconds since the limiter's origin; before it where the state is an earlier process's.
    pub last: i64,
    /// Calls.
    pub calls: u64,
}

/// The sends of the last period under one limit.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: Limit,
    /// In nanoseconds.
    period: i64,
    slots: VecDeque<Slot>,
    used: u64,
}

impl Budget {
    pub fn new(limit: Limit) -> Self {
        let period = i64::try_from(limit.period.as_nanos()).unwrap_or(i64::MAX);
        Budget { limit, period, slots: VecDeque::new(), used: 0 }
    }

    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// The sends that still count, oldest first.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().copied()
    }

    /// Whether a call may be sent at `now`, or when there is room for it.
    pub fn room(&mut self, now: i64) -> Result<(), i64> {
        while let Some(slot) = self.slots.front().copied()
            && slot.last.saturating_add(self.period) <= now
        {
            self.slots.pop_front();
            self.used -= slot.calls;
        }
        let mut used = self.used;
        let mut frees = self.slots.iter();
        let mut when = now;
        while used >= u64::from(self.limit.calls.get()) {
            let Some(slot) = frees.next() else { break };
            used -= slot.calls;
            when = slot.last.saturating_add(self.period);
        }
        if when > now { Err(when) } else { Ok(()) }
    }

    /// Most calls that can be sent from now on to `until`, which is at most a period away.
    pub fn room_until(&self, until: i64) -> u64 {
        let staying = self.slots.iter().filter(|slot| slot.last.saturating_add(self.period) > until);
        u64::from(self.limit.calls.get()).saturating_sub(staying.map(|slot| slot.calls).sum())
    }

    /// Counts `calls` sent at `now`. What is counted later than that by now takes them in.
    pub fn record(&mut self, now: i64, calls: u64) {
        let grain = self.period.saturating_add(SLOTS - 1) / SLOTS; // rounded up, so that the slots are not more
        self.used += calls;
        match self.slots.back_mut() {
            Some(slot) if slot.last.div_euclid(grain) >= now.div_euclid(grain) => {
                slot.last = slot.last.max(now);
                slot.calls += calls;
            }
            _ => self.slots.push_back(Slot { last: now, calls }),
        }
    }

    /// Counts what another budget counted, which may know more or less of the past than this one needs.
    pub fn adopt(&mut self, slots: impl IntoIterator<Item = Slot>) {
        let mut all: Vec<_> = self.slots.drain(..).chain(slots).collect();
        all.sort_by_key(|slot| slot.last);
        self.used = 0;
        all.iter().for_each(|slot| self.record(slot.last, slot.calls));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    fn budget(calls: u32, period: u64) -> Budget {
        Budget::new(Limit { calls: NonZeroU32::new(calls).unwrap(), period: Duration::from_nanos(period) })
    }

    #[test]
    fn room_comes_when_enough_is_a_period_old() {
        let mut budget = budget(3, 10_000);
        assert_eq!(budget.room(0), Ok(()));
        [0, 100, 200].iter().for_each(|at| budget.record(*at, 1));
        assert_eq!(budget.room(9_999), Err(10_000));
        budget.record(300, 2); // more than the limit, as after a crash
        assert_eq!(budget.room(9_999), Err(10_200));
        assert_eq!(budget.room(10_200), Ok(()));
    }

    #[test]
    fn a_slot_counts_until_its_last_call_is_a_period_old() {
        let mut budget = budget(2, 10_000);
        budget.record(1, 1);
        budget.record(9, 1);
        assert_eq!(budget.slots().collect::<Vec<_>>(), [Slot { last: 9, calls: 2 }]);
        assert_eq!(budget.room(10_008), Err(10_009));
        assert_eq!(budget.room(10_009), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut budget = budget(u32::MAX, 1_000_000);
        for at in 0..3_000_000 {
            assert_eq!(budget.room(at), Ok(()));
            budget.record(at, 1);
        }
        assert!(budget.slots.len() <= 1001, "{}", budget.slots.len());
    }

    #[test]
    fn what_is_adopted_counts_beside_what_is_there_already() {
        let mut budget = budget(10, 10_000);
        budget.record(50, 1);
        budget.adopt([Slot { last: -5000, calls: 3 }, Slot { last: 70, calls: 7 }]);
        assert_eq!(budget.used, 11);
        assert_eq!(budget.room(60), Err(5000));
    }
}
