//! Finds the rate of an API that states none: additive increase, multiplicative decrease (AIMD).

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::limits::{Limit, Rate};

/// What is left of the rate when the API pushes back.
const DECREASE: f64 = 0.7;
/// The step of the increase, as a share of the rate that was too much: some ten periods lead back to it.
const STEP: f64 = 0.03;
/// An API that counts in a window still sees the old rate for so long after a decrease, at most a period.
const SETTLES: Duration = Duration::from_secs(1);

/// What an answer says about the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The API has room.
    Good,
    /// The API has had too much: status 429 or 503.
    TooMuch,
}

impl Sign {
    /// `None` where a status says nothing about the rate.
    pub fn of(status: u16) -> Option<Self> {
        match status {
            429 | 503 => Some(Sign::TooMuch),
            200..500 => Some(Sign::Good),
            _ => None,
        }
    }
}

/// A rate that begins at its floor and doubles until the API pushes back for the first time.
///
/// Only answers to requests that were sent at the present rate count, refusals only once it has settled. So a burst of
/// refusals is one decrease, and the rate grows at most once in a period and a round trip, and only where it is used.
#[derive(Debug)]
pub(super) struct Adaptive {
    floor: f64,
    ceiling: Limit,
    /// Calls per period.
    rate: f64,
    /// Calls per period that are added; none before the API first pushes back.
    step: Option<f64>,
    /// When the present rate came into force.
    since: Instant,
    /// Refusals of what was sent earlier are owed to a higher rate.
    settled: Instant,
    good: Good,
}

/// Good answers in a row of requests that were sent within two periods of the first.
#[derive(Debug, Default)]
struct Good {
    first: Option<Instant>,
    answers: u32,
}

impl Adaptive {
    pub fn new(floor: NonZeroU32, ceiling: Limit, now: Instant) -> Self {
        let floor = f64::from(floor.get());
        Adaptive { floor, ceiling, rate: floor, step: None, since: now, settled: now, good: Good::default() }
    }

    /// Takes in the answer to a request that was sent at `sent`; returns whether the rate has changed.
    pub fn learn(&mut self, sent: Instant, sign: Sign, now: Instant) -> bool {
        if sent < self.since {
            return false;
        }
        let rate = match sign {
            Sign::TooMuch if sent < self.settled => return false,
            Sign::TooMuch => {
                self.settled = now + SETTLES.min(self.ceiling.period);
                self.step = Some((self.rate * STEP).max(1.0));
                (self.rate * DECREASE).max(self.floor)
            }
            Sign::Good if !self.good.are_a_period_of(self.rate, self.ceiling.period, sent) => return false,
            Sign::Good => self.step.map_or(self.rate * 2.0, |step| self.rate + step),
        };
        self.rate = rate.min(f64::from(self.ceiling.calls.get()));
        self.since = now;
        self.good = Good::default();
        true
    }

    /// The rate in force, in whole calls per period.
    pub fn rate(&self) -> Rate {
        let calls = NonZeroU32::new(self.rate as u32).unwrap_or(NonZeroU32::MIN);
        Rate::Limited { calls, period: self.ceiling.period }
    }
}

impl Good {
    fn are_a_period_of(&mut self, rate: f64, period: Duration, sent: Instant) -> bool {
        let first = *self.first.get_or_insert(sent);
        if sent.saturating_duration_since(first) > period * 2 {
            *self = Good { first: Some(sent), answers: 0 }; // too few were wanted to tell
        }
        self.answers = self.answers.saturating_add(1);
        f64::from(self.answers) >= rate.floor()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn adaptive(floor: u32, ceiling: u32) -> (Adaptive, Instant) {
        let start = Instant::now();
        let ceiling = Limit { calls: NonZeroU32::new(ceiling).unwrap(), period: SECOND };
        (Adaptive::new(NonZeroU32::new(floor).unwrap(), ceiling, start), start)
    }

    /// Sends a period's worth of calls, spaced evenly, all of them answered well 10 ms later.
    fn a_good_period(adaptive: &mut Adaptive, from: Instant) -> Instant {
        let calls = adaptive.rate as u32;
        for call in 0..calls {
            let sent = from + SECOND * call / calls;
            adaptive.learn(sent, Sign::Good, sent + Duration::from_millis(10));
        }
        from + SECOND + Duration::from_millis(10)
    }

    #[test]
    fn it_doubles_up_to_the_limit_and_after_the_first_refusal_climbs_by_steps() {
        let (mut adaptive, mut now) = adaptive(10, 300);
        let mut rates = Vec::new();
        for period in 0..10 {
            if period == 6 {
                adaptive.learn(now, Sign::TooMuch, now);
            }
            now = a_good_period(&mut adaptive, now);
            rates.push(adaptive.rate as u32);
        }
        assert_eq!(rates, [20, 40, 80, 160, 300, 300, 219, 228, 237, 246]);
    }

    #[test]
    fn a_burst_of_refusals_is_one_decrease_and_the_floor_holds() {
        let (mut adaptive, start) = adaptive(10, 300);
        adaptive.rate = 100.0;
        let after = start + SECOND;
        assert!(adaptive.learn(start, Sign::TooMuch, after));
        for sent in [0, 5, 999, 1000, 1999] {
            assert!(!adaptive.learn(start + Duration::from_millis(sent), Sign::TooMuch, after + SECOND));
        }
        assert_eq!(adaptive.rate as u32, 70);
        for more in 1..20 {
            assert!(adaptive.learn(after + SECOND * more, Sign::TooMuch, after + SECOND * more));
        }
        assert_eq!(adaptive.rate as u32, 10);
    }

    #[test]
    fn answers_to_what_was_sent_at_a_lower_rate_do_not_raise_the_new_one() {
        let (mut adaptive, start) = adaptive(10, 300);
        let grown = a_good_period(&mut adaptive, start);
        for _ in 0..100 {
            assert!(!adaptive.learn(start, Sign::Good, grown));
        }
        assert_eq!(adaptive.rate as u32, 20);
    }

    #[test]
    fn a_rate_that_is_not_used_does_not_grow() {
        let (mut adaptive, start) = adaptive(10, 300);
        for call in 0..100 {
            let sent = start + SECOND * call;
            assert!(!adaptive.learn(sent, Sign::Good, sent));
        }
        assert_eq!(adaptive.rate as u32, 10);
    }

    #[test]
    fn only_an_overloaded_api_slows_it_down() {
        let signs = [200, 404, 429, 500, 502, 503].map(Sign::of);
        let (good, too_much) = (Some(Sign::Good), Some(Sign::TooMuch));
        assert_eq!(signs, [good, good, too_much, None, None, too_much]);
    }
}
