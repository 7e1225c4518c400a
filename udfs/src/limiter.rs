//! Decides whether the API may be called now.
//! Time comes in as an argument; `caller` does the waiting.
//!
//! The arithmetic is governor's GCRA. What is ours is its shape (how much burst, how much reserve), the pause that a
//! `Retry-After` asks for, and the count of what was really sent.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as Shape, RateLimiter};
use tokio::time::Instant;

/// What the owner of the API allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// At most `calls` in any half-open window of length `period`.
    Limited {
        /// Calls per period.
        calls: NonZeroU32,
        /// Length of the window, above zero.
        period: Duration,
    },
    /// No limit, said on purpose.
    Unlimited,
}

impl Rate {
    /// Calls per second, or `None` without a limit.
    pub fn per_second(&self) -> Option<f64> {
        match self {
            Rate::Limited { calls, period } => Some(f64::from(calls.get()) / period.as_secs_f64()),
            Rate::Unlimited => None,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Limited { calls, period } => {
                write!(f, "{calls} calls per {}", humantime::format_duration(*period))
            }
            Rate::Unlimited => write!(f, "unlimited"),
        }
    }
}

/// What the limiter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Call now. The call is counted as sent.
    Now,
    /// Ask again at this time, not before. Nothing is counted.
    At(Instant),
    /// The same, because the API asked for a pause.
    PausedUntil(Instant),
}

/// A GCRA limiter that never lets more than the allowed calls into any window of one period.
///
/// With rate r and burst b it admits at most b − 1 + ⌈r·T⌉ calls in a half-open window of length T, so
/// both are chosen to keep that sum at or below the limit.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    gcra: Option<RateLimiter<NotKeyed, InMemoryState, GivenClock, NoOpMiddleware<Nanos>>>,
    clock: GivenClock,
    origin: Instant,
    paused_until: Option<Instant>,
    sends: Sends,
    sent: u64,
}

impl Limiter {
    /// A limiter that has seen no calls. `now` becomes the origin of its time; earlier times count as `now`.
    pub fn new(rate: Rate, now: Instant) -> Self {
        let clock = GivenClock::default();
        Limiter {
            rate,
            gcra: shape(rate).map(|shape| RateLimiter::new(shape, InMemoryState::default(), clock.clone())),
            clock,
            origin: now,
            paused_until: None,
            sends: Sends::default(),
            sent: 0,
        }
    }

    /// Decides on one call at `now`.
    pub fn admit(&mut self, now: Instant) -> Admit {
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return Admit::PausedUntil(until);
        }
        self.paused_until = None;
        if let Some(gcra) = &self.gcra {
            self.clock.set(now.saturating_duration_since(self.origin));
            if let Err(not_until) = gcra.check() {
                let earliest: Duration = not_until.earliest_possible().into();
                return Admit::At(self.origin + earliest);
            }
        }
        self.sends.record(self.rate, now);
        self.sent += 1;
        Admit::Now
    }

    /// Lets nothing pass before `until`. The later of two pauses holds.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until)));
    }

    /// Changes the rate and carries the arrival time on, so that no fresh burst comes with it.
    pub fn set_rate(&mut self, rate: Rate) {
        if rate == self.rate {
            return;
        }
        self.clock.set(Duration::ZERO); // governor takes its start from the clock
        let state = self.gcra.take().map(RateLimiter::into_state_store).unwrap_or_default();
        self.gcra = shape(rate).map(|shape| RateLimiter::new(shape, state, self.clock.clone()));
        self.rate = rate;
    }

    /// The rate in force.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Calls admitted so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Most calls in any sliding period so far; `None` without a limit, where there is no period.
    pub fn worst_period(&self) -> Option<usize> {
        self.gcra.as_ref().map(|_| self.sends.worst)
    }
}

/// Burst and spacing for a rate: burst b = max(1, 0.5 % of L); from L ≥ 200 the rate keeps 0.5 % in reserve, so that
/// b − 1 + ⌈r·T⌉ ≤ L. The spacing is rounded up to whole nanoseconds.
fn shape(rate: Rate) -> Option<Shape> {
    let Rate::Limited { calls, period } = rate else { return None };
    let limit = u128::from(calls.get());
    let (burst, in_1000) = if limit >= 200 { (limit / 200, 995) } else { (1, 1000) };
    let spacing = (period.as_nanos() * 1000).div_ceil(limit * in_1000);
    let spacing = Duration::from_nanos(u64::try_from(spacing).unwrap_or(u64::MAX));
    let burst = u32::try_from(burst).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    Some(Shape::with_period(spacing)?.allow_burst(burst))
}

/// When calls were sent, as far back as one period reaches.
#[derive(Debug, Default)]
struct Sends {
    window: VecDeque<Instant>,
    worst: usize,
}

impl Sends {
    fn record(&mut self, rate: Rate, now: Instant) {
        let Rate::Limited { period, .. } = rate else { return };
        while self.window.front().is_some_and(|sent| now.saturating_duration_since(*sent) >= period) {
            self.window.pop_front();
        }
        self.window.push_back(now);
        self.worst = self.worst.max(self.window.len());
    }
}

/// A clock that says what it was told, which turns governor's limiter into arithmetic.
#[derive(Clone, Debug, Default)]
struct GivenClock(Arc<AtomicU64>);

impl GivenClock {
    fn set(&self, since_origin: Duration) {
        let nanos = u64::try_from(since_origin.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for GivenClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            }
        }
        sent
    }

    fn most_in_a_window(sent: &[Instant], period: Duration) -> usize {
        (0..sent.len()).map(|i| sent[i..].iter().take_while(|t| **t - sent[i] < period).count()).max().unwrap_or(0)
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
}
