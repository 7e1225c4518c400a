//! The rules of a lease one by one, and quotas that are leased, on paused time.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use expect_test::expect;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::client::{Outgoing, Transport, causes};
use crate::limiter::{Admit, Limits};
use crate::quota::Quotas;
use crate::spec::ApiFunction;
use crate::testing::{Script, Step};
use crate::{Caller, caller::Fate};

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

/// A keeper in the same process; while it is down nobody reaches it.
#[derive(Debug)]
struct Near {
    keeper: Mutex<Keeper>,
    down: Mutex<bool>,
    messages: Mutex<usize>,
}

impl Near {
    fn start() -> Arc<Self> {
        let keeper = Mutex::new(Keeper::new(None, false, Instant::now()));
        Arc::new(Near { keeper, down: Mutex::default(), messages: Mutex::default() })
    }
}

#[async_trait]
impl Leases for Near {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Result<Grant, Refused>>, LinkError> {
        *self.messages.lock().unwrap() += 1;
        sleep(MS * 5).await;
        if *self.down.lock().unwrap() {
            return Err(LinkError("down".into()));
        }
        let mut keeper = self.keeper.lock().unwrap();
        Ok(asks.iter().map(|ask| keeper.ask(ask, Instant::now(), SystemTime::now())).collect())
    }
}

fn caller(quotas: &Quotas, script: &Arc<Script>, options: &[(&str, &str)]) -> Arc<Caller> {
    let mut given = vec![("endpoint".to_owned(), "http://api.example/".to_owned())];
    given.extend(options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let api = Arc::new(ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap());
    let quota = quotas.get(&api.options.pace.quota, &api.options.pace.limits, SystemTime::now()).unwrap();
    Arc::new(Caller::new(api, quota, Arc::clone(script) as Arc<dyn Transport>, Handle::current()))
}

async fn call(caller: &Arc<Caller>, requests: usize) -> Vec<Fate> {
    let mut pending = Vec::new();
    for _ in 0..requests {
        pending.push(caller.submit(Outgoing::json(Bytes::new())).await);
    }
    let mut fates = Vec::new();
    for pending in pending {
        fates.push(pending.await.unwrap());
    }
    fates
}

/// Milliseconds after `start` of each request.
fn sent(script: &Script, start: Instant) -> Vec<u128> {
    script.seen().iter().map(|seen| (seen.at - start).as_millis()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_caller_calls_as_soon_as_the_first_lease_is_there_and_stops_when_it_ends() {
    let near = Near::start();
    let quotas = Quotas::shared(near.clone(), "p", &Handle::current());
    let script = Arc::new(Script::new(MS, []));
    let caller = caller(&quotas, &script, &[("rate_limit_calls", "2")]);
    sleep(MS * 700).await;
    let start = Instant::now();
    call(&caller, 1).await;
    assert!(sent(&script, start)[0] <= 20, "{:?}", sent(&script, start));
    *near.down.lock().unwrap() = true;
    tokio::select! {
        _ = call(&caller, 9) => panic!("all were sent"),
        () = sleep(SECOND * 10) => {}
    }
    let at = sent(&script, start);
    assert!((3..=6).contains(&at.len()) && *at.last().unwrap() < 2300, "{at:?}");
    *near.down.lock().unwrap() = false;
    call(&caller, 1).await;
    assert!(near.keeper.lock().unwrap().units("f").iter().sum::<u32>() == 2);
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_a_limit_and_a_breaker_and_a_goodbye_frees_the_rest() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let script = Arc::new(Script::new(MS * 10, []));
    let callers = [0, 1].map(|process: usize| caller(&processes[process], &script, &[("rate_limit_calls", "100")]));
    let start = Instant::now();
    tokio::join!(call(&callers[0], 300), call(&callers[1], 300));
    let at = sent(&script, start);
    assert!(at.windows(101).all(|calls| calls[100] - calls[0] >= 1000), "more than a hundred in a second");
    assert!(start.elapsed() < MS * 7000, "{:?}", start.elapsed());
    let [one, two] = processes;
    drop((one, script));
    sleep(MS * 100).await;
    let start = Instant::now();
    call(&callers[1], 200).await;
    assert!(start.elapsed() < MS * 3300, "{:?}", start.elapsed());
    drop(two);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stops_the_other_process_too() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let failing = Arc::new(Script::new(MS, vec![Step::Echo(500); 3]));
    let well = Arc::new(Script::new(MS, []));
    let options = [
        ("rate_limit_calls", "100"),
        ("breaker", "consecutive"),
        ("breaker_failures", "3"),
        ("breaker_open_for", "10 s"),
        ("retry_max_attempts", "1"),
    ];
    let (one, two) = (caller(&processes[0], &failing, &options), caller(&processes[1], &well, &options));
    call(&two, 1).await;
    call(&one, 3).await;
    sleep(SECOND).await;
    let start = Instant::now();
    let probe = async {
        sleep(MS * 100).await;
        call(&one, 1).await
    };
    tokio::join!(call(&two, 1), probe);
    let (probe, other) = (sent(&failing, start)[3..].to_vec(), sent(&well, start)[1..].to_vec());
    assert!((8000..9500).contains(&probe[0]), "{probe:?}");
    assert!((probe[0]..probe[0] + 600).contains(&other[0]), "{probe:?} {other:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_stops_the_other_process_too() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let limited = Arc::new(Script::new(MS, [Step::RetryAfter(429, "3")]));
    let well = Arc::new(Script::new(MS, []));
    let options = [("rate_limit_calls", "100")];
    let (one, two) = (caller(&processes[0], &limited, &options), caller(&processes[1], &well, &options));
    let start = Instant::now();
    let later = async {
        sleep(MS * 600).await;
        call(&two, 1).await
    };
    tokio::join!(call(&one, 1), later);
    assert!(sent(&well, start)[0] >= 3000, "{:?}", sent(&well, start));
}

#[tokio::test(start_paused = true)]
async fn what_the_cluster_refuses_ends_the_job_with_its_reason() {
    let near = Near::start();
    let processes = ["a", "b"].map(|name| Quotas::shared(near.clone(), name, &Handle::current()));
    let script = Arc::new(Script::new(MS, []));
    let one = caller(&processes[0], &script, &[("rate_limit_calls", "100")]);
    call(&one, 1).await;
    let other = caller(&processes[1], &script, &[("rate_limit_calls", "50")]);
    let fates = call(&other, 1).await;
    assert!(matches!(&fates[0], Fate::Stop(reason) if reason.contains("allows 100 calls per 1s")), "{fates:?}");
    let adaptive = Limits::adaptive(NonZeroU32::MIN, limits(&[(9, 1)]).all()[0]).unwrap();
    let error = processes[0].get("x", &adaptive, SystemTime::now()).unwrap_err();
    expect!["quota 'x' is adaptive, which the processes of a cluster cannot share: give it a fixed rate (rate_limit_calls), or run the job in one process"].assert_eq(&causes(&error));
}
