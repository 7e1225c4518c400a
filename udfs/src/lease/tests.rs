//! The rules of a lease one by one.

use std::num::NonZeroU32;
use std::time::SystemTime;

use expect_test::expect;
use tokio::time::Instant;

use super::*;
use crate::limiter::{Admit, Limits};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn limits(given: &[(u32, u64)]) -> Limits {
    let limit = |(calls, seconds): &(u32, u64)| Limit {
        calls: NonZeroU32::new(*calls).unwrap(),
        period: SECOND * u32::try_from(*seconds).unwrap(),
    };
    Limits::new(given.iter().map(limit).collect()).unwrap()
}

/// A keeper and some holders, whose messages take no time.
struct Table {
    now: Instant,
    keeper: Keeper,
    holders: Vec<Holder>,
}

impl Table {
    fn new(limits: &Limits, holders: u64) -> Self {
        let now = Instant::now();
        let holder = |id| Holder::new("q", limits.clone(), id, now);
        Table { now, keeper: Keeper::new(None, false, now), holders: (0..holders).map(holder).collect() }
    }

    /// One holder renews; returns its grant.
    fn renew(&mut self, holder: usize, waiting: bool) -> Grant {
        let ask = self.holders[holder].ask(waiting, Vec::new(), self.now);
        let grant = self.keeper.ask(&ask, self.now, SystemTime::UNIX_EPOCH).unwrap();
        assert!(self.holders[holder].apply(&grant, self.now));
        grant
    }

    /// All renew every quarter of a second; those of the mask call as soon as they may.
    fn run(&mut self, span: Duration, waiting: &[bool]) {
        let end = self.now + span;
        while self.now < end {
            for (holder, _) in self.holders.iter_mut().zip(waiting).filter(|(_, waiting)| **waiting) {
                while holder.admit(self.now) == Admit::Now {}
            }
            for (holder, waiting) in waiting.iter().enumerate() {
                self.renew(holder, *waiting);
            }
            self.now += RENEWAL;
        }
    }

    fn units(&self) -> Vec<u32> {
        self.holders.iter().map(Holder::units).collect()
    }
}

#[test]
fn shares_are_cut_evenly_and_what_is_left_over_is_given_out() {
    let mut table = Table::new(&limits(&[(5000, 1)]), 3);
    table.run(SECOND * 3, &[true; 3]);
    let mut units = table.units();
    units.sort_unstable();
    assert_eq!(units, [1666, 1667, 1667]);
    let before = table.units();
    table.run(SECOND * 10, &[true; 3]);
    assert_eq!(table.units(), before, "steady demand moves nothing");
}

#[test]
fn who_wants_nothing_has_nothing_and_the_first_may_call_at_once() {
    let mut table = Table::new(&limits(&[(100, 1)]), 2);
    let grant = table.renew(0, true);
    assert_eq!(grant.shares, [Share { units: 100, at_once: true }]);
    assert_eq!(table.holders[0].admit(table.now), Admit::Now);
    table.run(SECOND, &[true, false]);
    assert_eq!(table.units(), [100, 0]);
    table.run(SECOND * 3, &[false, true]);
    assert_eq!(table.units(), [0, 100]);
}

#[test]
fn a_lease_ends_two_seconds_after_it_was_asked_for() {
    let mut table = Table::new(&limits(&[(100, 1)]), 1);
    let ask = table.holders[0].ask(true, Vec::new(), table.now);
    let grant = table.keeper.ask(&ask, table.now, SystemTime::UNIX_EPOCH).unwrap();
    let start = table.now;
    assert!(table.holders[0].apply(&grant, start + SECOND));
    assert_eq!(table.holders[0].admit(start + LEASE - MS), Admit::Now);
    assert_eq!(table.holders[0].admit(start + LEASE), Admit::NoLease);
    assert!(!table.holders[0].apply(&grant, start + LEASE), "an answer serves once");
}

#[test]
fn units_go_back_in_the_ask_that_says_that_demand_has_ended() {
    let mut table = Table::new(&limits(&[(100, 1)]), 2);
    table.renew(0, true);
    assert_eq!(table.holders[0].admit(table.now), Admit::Now);
    let end = table.now + MS * 50;
    while table.now < end {
        assert_eq!(table.renew(0, false).shares[0].units, 100, "it may be a pause");
        table.now = table.holders[0].asks_at(false, table.now);
    }
    assert_eq!(table.now, end);
    let ask = table.holders[0].ask(false, Vec::new(), table.now);
    assert_eq!((ask.demand, ask.held[0].units, table.holders[0].admit(table.now)), (0, 0, Admit::NoLease));
    table.keeper.ask(&ask, table.now, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(table.renew(1, true).shares, [Share { units: 100, at_once: false }]);
}

#[test]
fn a_grant_that_was_on_its_way_when_units_went_back_is_not_applied() {
    let mut table = Table::new(&limits(&[(100, 1)]), 2);
    table.renew(0, true);
    let asks = [0, 50].map(|at| table.holders[0].ask(at == 0, Vec::new(), table.now + MS * at));
    table.now += MS * 50;
    let grant = table.keeper.ask(&asks[0], table.now, SystemTime::UNIX_EPOCH).unwrap();
    table.keeper.ask(&asks[1], table.now, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(grant.shares[0].units, 100);
    assert!(!table.holders[0].apply(&grant, table.now));
    assert_eq!(table.renew(1, true).shares[0].units, 100);
}

#[test]
fn a_demand_that_pauses_shortly_keeps_its_units() {
    let mut table = Table::new(&limits(&[(100, 1)]), 1);
    table.renew(0, true);
    let mut lost = 0;
    for _ in 0..20 {
        if !table.holders[0].has_units() {
            lost += 1;
            table.renew(0, true);
        }
        while table.holders[0].admit(table.now) != Admit::Now {
            table.now += MS * 10;
        }
        let until = table.now + MS * 120;
        while table.now < until {
            if table.holders[0].asks_at(false, table.now) <= table.now {
                table.renew(0, false);
            }
            table.now += MS * 10;
        }
    }
    assert_eq!(lost, 1, "before it knew of any pause");
}

#[test]
fn news_are_told_until_they_are_heard_but_not_forever() {
    let mut table = Table::new(&limits(&[(100, 1)]), 1);
    table.renew(0, false);
    let start = table.now;
    let mut gaps = Vec::new();
    for _ in 0..20 {
        let due = table.holders[0].asks_at(true, table.now);
        gaps.push(due - table.now);
        table.now = due;
        table.holders[0].ask(true, Vec::new(), table.now);
    }
    assert_eq!((gaps[0], gaps[1], gaps[15], gaps[16]), (CLOSEST, SOON, SOON, RENEWAL));
    table.renew(0, true);
    assert_eq!(table.holders[0].admit(table.now), Admit::Now, "after {:?}", table.now - start);
}

#[test]
fn grants_that_are_late_or_old_are_not_applied() {
    let mut table = Table::new(&limits(&[(100, 1)]), 1);
    let first = table.holders[0].ask(true, Vec::new(), table.now);
    let second = table.holders[0].ask(true, Vec::new(), table.now + MS);
    let grants = [first, second].map(|ask| table.keeper.ask(&ask, table.now + MS, SystemTime::UNIX_EPOCH).unwrap());
    assert!(table.holders[0].apply(&grants[1], table.now + MS * 2));
    assert!(!table.holders[0].apply(&grants[0], table.now + MS * 3));
    let third = table.holders[0].ask(true, Vec::new(), table.now + MS * 4);
    let grant = table.keeper.ask(&third, table.now + MS * 4, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(table.keeper.ask(&third, table.now + MS * 4, SystemTime::UNIX_EPOCH), Err(Refused::Late));
    assert!(!table.holders[0].apply(&grant, table.now + MS * 4 + LEASE));
}

#[test]
fn units_of_a_holder_that_fell_silent_rest_before_they_are_given_on() {
    let mut table = Table::new(&limits(&[(1, 1)]), 2);
    table.renew(0, true);
    let start = table.now;
    assert_eq!(table.holders[0].admit(start + SECOND), Admit::Now);
    let mut given = None;
    while given.is_none() {
        table.now += MS * 10;
        table.renew(1, true);
        given = table.holders[1].has_units().then(|| table.now - start);
    }
    // Its lease may be in force for 2.06 s, and a call at its end counts for a second, stretched.
    let given = given.unwrap();
    assert!((SECOND * 3..MS * 3200).contains(&given), "{given:?}");
}

#[test]
fn a_goodbye_frees_units_at_once() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    table.renew(0, true);
    let goodbye = table.holders[0].leave(table.now);
    table.keeper.ask(&goodbye, table.now, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(table.holders[0].admit(table.now), Admit::NoLease);
    assert_eq!(table.renew(1, true).shares, [Share { units: 10, at_once: true }]);
}

#[test]
fn a_share_that_changes_brings_no_fresh_burst() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    table.renew(0, true);
    assert_eq!(table.holders[0].admit(table.now), Admit::Now);
    table.renew(1, true);
    table.renew(0, true);
    assert_eq!(table.units(), [5, 0]);
    // 101 ms are owed for the first call by ten units, then come 203 ms by five.
    let Admit::At(when) = table.holders[0].admit(table.now) else { panic!("it may not call") };
    assert!((MS * 300..MS * 320).contains(&(when - table.now)), "{:?}", when - table.now);
}

#[test]
fn with_fewer_calls_than_holders_each_has_its_turn() {
    let mut table = Table::new(&limits(&[(2, 1)]), 5);
    let mut had = [0; 5];
    for _ in 0..60 {
        table.run(SECOND, &[true; 5]);
        let units = table.units();
        assert!(units.iter().sum::<u32>() <= 2 && units.iter().all(|units| *units <= 1));
        had.iter_mut().zip(units).for_each(|(had, units)| *had += units);
    }
    assert!(had.iter().all(|seconds| *seconds >= 8), "{had:?}");
}

#[test]
fn other_limits_are_refused_while_a_lease_may_be_in_force() {
    let mut table = Table::new(&limits(&[(10, 1)]), 1);
    table.renew(0, true);
    let mut other = Holder::new("q", limits(&[(20, 1)]), 9, table.now);
    let refused = table.keeper.ask(&other.ask(true, Vec::new(), table.now), table.now, SystemTime::UNIX_EPOCH);
    expect!["quota 'q' allows 10 calls per 1s for another function, this one says 20 calls per 1s: give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"].assert_eq(&refused.unwrap_err().to_string());
    let later = table.now + SECOND * 3;
    let grant = table.keeper.ask(&other.ask(true, Vec::new(), later), later, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(grant.shares[0].units, 0, "what was sent under the old limit still counts");
}

#[test]
fn a_quiet_keeper_gives_back_what_holders_have_and_the_rest_later() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    table.run(SECOND * 2, &[true, false]);
    table.keeper = Keeper::new(None, true, table.now);
    assert_eq!(table.renew(1, true).shares[0].units, 0);
    assert_eq!(table.renew(0, true).shares[0].units, 5, "its fair part of what it had");
    table.run(SECOND * 5, &[true, true]);
    assert_eq!(table.units(), [5, 5]);
}

#[test]
fn a_grant_of_the_keeper_before_may_still_come_into_force() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    table.run(SECOND * 2, &[true, false]);
    let grant = |table: &mut Table, holder: usize| {
        let ask = table.holders[holder].ask(true, Vec::new(), table.now);
        table.keeper.ask(&ask, table.now, SystemTime::UNIX_EPOCH).unwrap()
    };
    let old = grant(&mut table, 0);
    table.keeper = Keeper::new(None, true, table.now);
    grant(&mut table, 1);
    assert_eq!(grant(&mut table, 0).shares[0].units, 5);
    assert!(table.holders[0].apply(&old, table.now));
    grant(&mut table, 0);
    table.now += MS * 300;
    assert_eq!(grant(&mut table, 1).shares[0].units, 0, "the first still has ten");
}

#[test]
fn a_pause_reaches_all_and_is_not_made_longer_by_telling_it() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    table.renew(1, true);
    table.holders[0].pause(table.now + SECOND);
    table.renew(0, true);
    for _ in 0..9 {
        let left = table.renew(1, true).pause;
        assert!(left <= SECOND && !left.is_zero(), "{left:?}");
        table.now += MS * 100;
        table.renew(0, true);
    }
    table.now += MS * 100;
    assert_eq!(table.renew(1, true).pause, Duration::ZERO);
}

#[test]
fn the_first_breaker_that_opens_is_told_to_all_others_until_it_closes() {
    let mut table = Table::new(&limits(&[(10, 1)]), 2);
    let open = |open_for| vec![OpenBreaker { key: "f".into(), open_for }];
    let ask = |table: &mut Table, holder: usize, breakers| {
        let ask = table.holders[holder].ask(true, breakers, table.now);
        table.keeper.ask(&ask, table.now, SystemTime::UNIX_EPOCH).unwrap().breakers
    };
    assert_eq!(ask(&mut table, 0, open(SECOND * 9)), []);
    assert_eq!(ask(&mut table, 1, open(SECOND * 30)), open(SECOND * 9));
    table.now += SECOND;
    assert_eq!(ask(&mut table, 0, open(SECOND * 8)), [], "the first sends the probe");
    assert_eq!(ask(&mut table, 0, Vec::new()), []);
    assert_eq!(ask(&mut table, 1, Vec::new()), []);
}

#[test]
fn messages_survive_json() {
    let mut table = Table::new(&limits(&[(5000, 1), (1_000_000, 86_400)]), 1);
    let ask = table.holders[0].ask(true, Vec::new(), table.now);
    assert_eq!(serde_json::from_str::<Ask>(&serde_json::to_string(&ask).unwrap()).unwrap(), ask);
    let grant = table.keeper.ask(&ask, table.now, SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(grant.up_to, Some(3751), "three quarters of a second ahead");
    assert_eq!(serde_json::from_str::<Grant>(&serde_json::to_string(&grant).unwrap()).unwrap(), grant);
}

#[test]
fn a_long_budget_outlives_the_keeper() {
    let folder = tempfile::tempdir().unwrap();
    let limits = limits(&[(10, 1), (50, 3600)]);
    let mut table = Table::new(&limits, 1);
    let mut total = 0;
    for _ in 0..3 {
        table.keeper = Keeper::new(Some(folder.path().to_owned()), false, table.now);
        for _ in 0..300 {
            table.renew(0, true);
            while table.holders[0].admit(table.now) == Admit::Now {
                total += 1;
            }
            table.now += MS * 10;
        }
        table.keeper = Keeper::new(None, false, table.now); // the first is dropped, and its file is free
    }
    assert!((40..=50).contains(&total), "{total}");
}

#[test]
fn a_keeper_that_died_counts_what_holders_may_have_sent_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.json");
    let limits = limits(&[(10, 1), (5, 60)]);
    let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + SECOND * 1_800_000_000);
    let mut keeper = Keeper::new(Some(folder.path().to_owned()), false, start);
    let ask = |keeper: &mut Keeper, holder, after: Duration| {
        let ask = Holder::new("q", limits.clone(), holder, start).ask(true, Vec::new(), start + after);
        keeper.ask(&ask, start + after, wall + after).unwrap().up_to
    };
    assert_eq!(ask(&mut keeper, 1, Duration::ZERO), Some(5));
    let text = std::fs::read(&file).unwrap();
    drop(keeper);
    std::fs::write(&file, text).unwrap(); // as the dead one left it
    for (after, up_to) in [(62, 0), (64, 5)] {
        let mut keeper = Keeper::new(Some(folder.path().to_owned()), true, start + SECOND);
        assert_eq!(ask(&mut keeper, 2, SECOND * after), Some(up_to), "after {after} s");
        let text = std::fs::read(&file).unwrap();
        drop(keeper);
        std::fs::write(&file, text).unwrap();
    }
}

mod processes;
