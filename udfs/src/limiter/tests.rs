//! The limiter's arithmetic: limits, changes of rate, pauses, utilisation, restarts.

use std::num::NonZeroU32;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn limited(calls: u32, period: Duration) -> Rate {
    Rate::Limited { calls: NonZeroU32::new(calls).unwrap(), period }
}

/// Takes every permit as early as allowed, asking at irregular times, and returns when each was sent.
fn greedy(limiter: &mut Limiter, start: Instant, delays_us: &[u64], sends: usize) -> Vec<Instant> {
    let (mut now, mut sent) = (start, Vec::new());
    let mut delays = delays_us.iter().cycle();
    while sent.len() < sends {
        match limiter.admit(now) {
            Admit::Now => sent.push(now),
            Admit::At(when) | Admit::PausedUntil(when) => {
                assert!(when > now, "asked to come back at a time that is not later");
                now = when + Duration::from_micros(*delays.next().unwrap_or(&0));
            }
            Admit::NoLease => unreachable!("nothing is leased"),
        }
    }
    sent
}

fn most_in_a_window(sent: &[Instant], period: Duration) -> usize {
    let (mut start, mut most) = (0, 0);
    for (end, at) in sent.iter().enumerate() {
        while *at - sent[start] >= period {
            start += 1;
        }
        most = most.max(end - start + 1);
    }
    most
}

proptest! {
    #[test]
    fn no_window_of_one_period_holds_more_than_the_limit(
        calls in 1u32..3000,
        period_ms in prop_oneof![Just(1000u64), 10..5000u64],
        delays in prop::collection::vec(prop_oneof![Just(0u64), 0..20_000u64], 1..50),
    ) {
        let period = Duration::from_millis(period_ms);
        let start = Instant::now();
        let mut limiter = Limiter::new(limited(calls, period), start);
        let sent = greedy(&mut limiter, start, &delays, calls as usize * 2 + 10);
        let worst = most_in_a_window(&sent, period);
        prop_assert!(worst <= calls as usize, "{worst} calls in one period of {calls}");
        prop_assert_eq!(limiter.worst_period(), Some(worst));
    }

    #[test]
    fn a_change_of_rate_brings_no_fresh_burst(rate in 400u32..5000, more in 0u32..5, at in 1usize..60) {
        let start = Instant::now();
        let period = Duration::from_secs(1);
        let mut limiter = Limiter::new(limited(rate, period), start);
        let before = greedy(&mut limiter, start, &[0], at);
        let now = *before.last().unwrap();
        limiter.set_rate(limited(rate + more, period));
        let after = greedy(&mut limiter, now, &[0], 100);
        let at_once = before.iter().chain(&after).filter(|sent| **sent == now).count();
        prop_assert!(at_once <= ((rate + more) / 200) as usize, "{at_once} at once");
    }
}

#[test]
fn the_rate_is_held_within_one_percent() {
    let start = Instant::now();
    let mut limiter = Limiter::new(limited(5000, Duration::from_secs(1)), start);
    let sent = greedy(&mut limiter, start, &[0], 50_000);
    let rate = 49_999.0 / (*sent.last().unwrap() - start).as_secs_f64();
    assert!((4950.0..=5000.0).contains(&rate), "{rate}");
}

#[test]
fn a_small_limit_is_spent_whole_and_evenly() {
    let start = Instant::now();
    let mut limiter = Limiter::new(limited(4, Duration::from_secs(2)), start);
    let at: Vec<_> = greedy(&mut limiter, start, &[0], 5).iter().map(|t| (*t - start).as_millis()).collect();
    assert_eq!(at, [0, 500, 1000, 1500, 2000]);
}

#[test]
fn a_pause_stops_everything_until_its_end_and_the_later_one_holds() {
    let start = Instant::now();
    let mut limiter = Limiter::new(Rate::Unlimited, start);
    assert_eq!(limiter.admit(start), Admit::Now);
    let (early, late) = (start + Duration::from_secs(1), start + Duration::from_secs(3));
    limiter.pause(late);
    limiter.pause(early);
    assert_eq!(limiter.admit(early), Admit::PausedUntil(late));
    assert_eq!(limiter.admit(late), Admit::Now);
}

const SECOND: Duration = Duration::from_secs(1);

fn limits(limits: &[(u32, u64)]) -> Result<Limits, LimitsError> {
    let limit = |(calls, seconds): &(u32, u64)| Limit {
        calls: NonZeroU32::new(*calls).unwrap(),
        period: Duration::from_secs(*seconds),
    };
    Limits::new(limits.iter().map(limit).collect())
}

/// Any two to four limits of different periods, in milliseconds, also such as make each other useless.
fn any_limits() -> impl Strategy<Value = Limits> {
    let periods = prop::sample::subsequence(vec![50u64, 1000, 1700, 10_000, 60_000, 777_777], 2..=4);
    let limit = (prop_oneof![1u32..20, 1u32..3000], any::<bool>());
    (periods, prop::collection::vec(limit, 4)).prop_map(|(periods, limits)| {
        let limit = |(period, (calls, _)): (u64, (u32, bool))| Limit {
            calls: NonZeroU32::new(calls).unwrap(),
            period: Duration::from_millis(period),
        };
        Limits::new(periods.into_iter().zip(limits).map(limit).collect()).unwrap()
    })
}

/// What happens between two calls.
#[derive(Clone, Copy, Debug)]
enum Between {
    /// The next is wanted as soon as it may be sent, or so many microseconds later.
    Wait(u64),
    /// The process ends well, and another goes on after so many microseconds.
    Restart(u64),
    /// The same, and the wall clock has been set back by so many microseconds.
    ClockSetBack(u64),
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        8 => Just(Between::Wait(0)),
        4 => (0..200_000u64).prop_map(Between::Wait),
        1 => (0..90_000_000u64).prop_map(Between::Wait),
        2 => (0..2_000_000u64).prop_map(Between::Restart),
        1 => (0..5_000_000u64).prop_map(Between::ClockSetBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_window_of_any_limit_holds_more_than_it_allows_whatever_happens(
        limits in any_limits(),
        course in prop::collection::vec(between(), 1..60),
        sends in 100usize..5000,
    ) {
        let start = Instant::now();
        let (mut now, mut wall) = (start, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let mut limiter = Limiter::new(limits.clone(), start);
        let mut sent = Vec::new();
        let mut course = course.iter().cycle();
        for _ in 0..sends {
            let mut next = now;
            match limiter.admit(now) {
                Admit::Now => sent.push(now),
                Admit::At(when) | Admit::PausedUntil(when) => {
                    prop_assert!(when > now);
                    next = when;
                }
                Admit::NoLease => unreachable!("nothing is leased"),
            }
            let (after, back) = match *course.next().unwrap() {
                Between::Wait(us) => (us, None),
                Between::Restart(us) => (us, Some(0)),
                Between::ClockSetBack(us) => (us, Some(us * 2)),
            };
            next += Duration::from_micros(after);
            let spent = limiter.budgets(now, wall);
            wall += next - now;
            now = next;
            if let Some(back) = back {
                wall -= Duration::from_micros(back);
                let text = serde_json::to_string(&spent).unwrap();
                limiter = Limiter::new(limits.clone(), now);
                limiter.restore(&serde_json::from_str(&text).unwrap(), now, wall);
            }
        }
        for limit in limits.all() {
            let worst = most_in_a_window(&sent, limit.period);
            prop_assert!(worst <= limit.calls.get() as usize, "{worst} in one period of {limit:?}");
        }
    }

    #[test]
    fn an_adaptive_rate_never_exceeds_its_limit(
        ceiling in prop_oneof![1u32..20, 1u32..1000],
        answers in prop::collection::vec((any::<bool>(), 0u64..50_000), 1..200),
    ) {
        let start = Instant::now();
        let ceiling = Limit { calls: NonZeroU32::new(ceiling).unwrap(), period: SECOND };
        let mut limiter = Limiter::new(Limits::adaptive(NonZeroU32::MIN, ceiling).unwrap(), start);
        let (mut now, mut sent) = (start, Vec::new());
        for (good, late) in answers.iter().cycle().take(3000) {
            match limiter.admit(now) {
                Admit::Now => {
                    sent.push(now);
                    let sign = if *good { Sign::Good } else { Sign::TooMuch };
                    limiter.learn(now, sign, now + Duration::from_micros(*late));
                }
                Admit::At(when) | Admit::PausedUntil(when) => now = when,
                Admit::NoLease => unreachable!("nothing is leased"),
            }
        }
        let worst = most_in_a_window(&sent, SECOND);
        prop_assert!(worst <= ceiling.calls.get() as usize, "{worst} in one period of {ceiling:?}");
    }
}

/// Takes every permit for `seconds` seconds and shows how many calls each limit's fullest window held.
fn check_spending(given: &[(u32, u64)], seconds: u64, expected: Expect) {
    let start = Instant::now();
    let mut limiter = Limiter::new(limits(given).unwrap(), start);
    let (mut now, mut sent) = (start, Vec::new());
    while now - start < Duration::from_secs(seconds) {
        match limiter.admit(now) {
            Admit::Now => sent.push(now),
            Admit::At(when) | Admit::PausedUntil(when) => now = when,
            Admit::NoLease => unreachable!("nothing is leased"),
        }
    }
    let worst = |(_, seconds): &(u32, u64)| most_in_a_window(&sent, Duration::from_secs(*seconds)).to_string();
    let worst: Vec<_> = given.iter().map(worst).collect();
    expected.assert_eq(&format!("{} sent, at most {}", sent.len(), worst.join(" and ")));
}

#[test]
fn limits_are_used() {
    check_spending(&[(100, 1)], 60, expect!["6000 sent, at most 100"]);
    check_spending(&[(5000, 1)], 60, expect!["298523 sent, at most 4999"]);
    check_spending(&[(100, 1), (3000, 60)], 150, expect!["8990 sent, at most 100 and 3000"]);
    check_spending(
        &[(5000, 1), (200_000, 60), (1_000_000, 3600)],
        3600,
        expect!["1000000 sent, at most 4999 and 200000 and 1000000"],
    );
    check_spending(&[(3000, 60)], 600, expect!["29864 sent, at most 2999"]);
}

#[test]
fn a_spent_budget_says_when_room_comes() {
    let start = Instant::now();
    let mut limiter = Limiter::new(limits(&[(10, 1), (3, 60)]).unwrap(), start);
    let sent = greedy(&mut limiter, start, &[0], 4);
    let at: Vec<_> = sent.iter().map(|at| (*at - start).as_millis()).collect();
    assert_eq!(at, [0, 100, 200, 60_000]);
    assert_eq!(limiter.admit(start + SECOND * 60), Admit::At(start + Duration::from_millis(60_100)));
}

#[test]
fn a_clock_that_went_backwards_gives_nothing_back() {
    let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + SECOND * 1_000_000);
    let mut limiter = Limiter::new(limits(&[(3, 60)]).unwrap(), start);
    limiter.budgets.iter_mut().for_each(|budget| budget.record(0, 3));
    let spent = limiter.budgets(start + SECOND * 20, wall);
    for (clock, room) in [(wall, 40), (wall - SECOND * 3600, 40), (wall + SECOND * 10, 30)] {
        let mut limiter = Limiter::new(limits(&[(3, 60)]).unwrap(), start);
        limiter.restore(&spent, start, clock);
        assert_eq!(limiter.admit(start), Admit::At(start + SECOND * room), "{clock:?}");
    }
}

#[test]
fn new_limits_know_what_was_sent_under_the_old_ones() {
    let start = Instant::now();
    let mut limiter = Limiter::new(limits(&[(10, 1)]).unwrap(), start);
    let last = *greedy(&mut limiter, start, &[0], 5).last().unwrap();
    limiter.set_limits(limits(&[(10, 1), (5, 60)]).unwrap(), last);
    assert_eq!(limiter.admit(start + SECOND), Admit::At(start + SECOND * 60));
    limiter.set_limits(limits(&[(10, 1), (6, 120)]).unwrap(), last);
    assert_eq!(limiter.admit(start + SECOND), Admit::Now);
    assert_eq!(
        limiter.admit(start + SECOND * 2),
        Admit::At(start + Duration::from_millis(120_100)),
        "the first two are one slot"
    );
}

#[test]
fn limits_that_cannot_be_meant_are_errors_and_useless_ones_are_not() {
    let show = |given: &[(u32, u64)]| limits(given).map_or_else(|error| error.to_string(), |limits| limits.to_string());
    expect!["there is no limit in it"].assert_eq(&show(&[]));
    expect!["5 calls per 1m and 6 calls per 1m have the same period: give one of them"].assert_eq(&show(&[
        (5, 60),
        (1, 1),
        (6, 60),
    ]));
    expect!["9 calls per 1s, 5 per 1m, 100000 per 1day"].assert_eq(&show(&[(5, 60), (100_000, 86_400), (9, 1)]));
}

#[test]
fn what_limits_allow_in_a_span_is_whole_budgets_and_a_share_of_the_finest() {
    let limits = limits(&[(100, 1), (3000, 60)]).unwrap();
    let most = [10, 30, 59, 60, 90].map(|seconds| limits.most_in(Duration::from_secs(seconds)));
    assert_eq!(most, [1000.0, 3000.0, 3000.0, 6000.0, 6000.0].map(Some));
    assert_eq!(Limits::UNLIMITED.most_in(SECOND), None);
}
