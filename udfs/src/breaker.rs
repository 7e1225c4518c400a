//! Decides whether a failing API is called at all: closed, open, or half open with one probe on its way.
//! Time comes in as an argument; `caller` does the waiting.
//!
//! A failure is one that says something of the API, not of the row: no connection, no reply in time, a status of 500
//! or above. A 429 is none; the limiter's pause answers it.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// How long other processes leave the probe to the one whose breaker opened, while they hear nothing of it.
const PROBE: Duration = Duration::from_secs(2);

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// What opens it.
    pub opens: Opens,
    /// Time from opening to the probe.
    pub open_for: Duration,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opens {
    /// At least `percent` of the attempts that ended in the last `window` failed, and there were `attempts` of them.
    OnShare {
        /// Percent that failed, 1 to 100.
        percent: u8,
        /// How far back.
        window: Duration,
        /// Fewer attempts say nothing.
        attempts: NonZeroU32,
    },
    /// So many attempts failed one after the other.
    OnRun {
        /// How many.
        failures: NonZeroU32,
    },
    /// Nothing does.
    Never,
}

/// The right to make one attempt; its result is reported with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    opening: u64,
    probe: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Ask again at this time.
    Until(Instant),
    /// Ask again when the probe has come back.
    ByProbe,
}

/// A breaker for one function.
#[derive(Debug)]
pub struct Breaker {
    policy: Policy,
    state: State,
    /// How often it has opened: results of attempts from before the last time are ignored.
    openings: u64,
    recent: Recent,
    opened_at: Option<Instant>,
    open_total: Duration,
    /// Another process's is open until then.
    held_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(policy: Policy) -> Self {
        let recent = Recent::default();
        let (openings, open_total) = (0, Duration::ZERO);
        Breaker { policy, state: State::Closed, openings, recent, opened_at: None, open_total, held_until: None }
    }

    /// What stands in the way of an attempt at `now`. Claims nothing.
    pub fn blocked(&self, now: Instant) -> Option<Blocked> {
        if let Some(until) = self.held_until.filter(|until| now < *until) {
            return Some(Blocked::Until(until));
        }
        match self.state {
            State::Closed => None,
            State::Open { until } if now < until => Some(Blocked::Until(until)),
            State::Open { .. } => None,
            State::HalfOpen => Some(Blocked::ByProbe),
        }
    }

    /// The right to an attempt at `now`; the first one after the time open is the probe.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn claim(&mut self, now: Instant) -> Result<Pass, Blocked> {
        if let Some(blocked) = self.blocked(now) {
            return Err(blocked);
        }
        let probe = self.state != State::Closed;
        if probe {
            self.state = State::HalfOpen;
        }
        Ok(Pass { opening: self.openings, probe })
    }

    /// Takes the result of an attempt. A result from before the last opening changes nothing.
    pub fn report(&mut self, pass: Pass, failed: bool, now: Instant) {
        if pass.opening != self.openings {
            return;
        }
        match (pass.probe, failed) {
            (true, true) => self.open(now),
            (true, false) => {
                self.state = State::Closed;
                self.open_total += self.opened_at.take().map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            }
            (false, failed) => {
                if self.recent.must_open(self.policy.opens, failed, now) {
                    self.open(now);
                }
            }
        }
    }

    /// Gives a probe back that was never sent, so that another can be.
    pub fn give_back(&mut self, pass: Pass, now: Instant) {
        if pass.probe && pass.opening == self.openings && self.state == State::HalfOpen {
            self.state = State::Open { until: now };
        }
    }

    /// Lets nothing through until then, because the breaker of another process is open, which sends the probe; `None` ends
    /// it. Returns whether whoever waits must look again.
    pub fn hold_open(&mut self, until: Option<Instant>) -> bool {
        let earlier = self.held_until.is_some() && until.is_none();
        self.held_until = until;
        earlier
    }

    /// How much longer the other processes must not call: until the probe of this one should have come back. Where it has
    /// nothing to send a probe with, the others do not wait for it.
    pub fn keeps_others_out(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until } => {
                Some((until + PROBE).saturating_duration_since(now)).filter(|left| !left.is_zero())
            }
            State::HalfOpen => Some(PROBE),
        }
    }

    /// Whether calls stop, until a probe has come back well.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Says that it has opened so often, in other processes.
    pub(crate) fn show(&mut self, openings: u64) {
        self.openings = openings;
    }

    /// How often it has opened.
    pub fn openings(&self) -> u64 {
        self.openings
    }

    /// How long it was not closed, up to `now`.
    pub fn time_open(&self, now: Instant) -> Duration {
        self.open_total + self.opened_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
    }

    /// A failed probe opens it again and counts as an opening, which makes its pass worthless.
    fn open(&mut self, now: Instant) {
        self.openings += 1;
        self.state = State::Open { until: now + self.policy.open_for };
        self.opened_at.get_or_insert(now);
        self.recent = Recent::default();
    }
}

/// The results that the decision rests on.
#[derive(Debug, Default)]
struct Recent {
    results: VecDeque<(Instant, bool)>,
    failed: usize,
    run: u32,
}

impl Recent {
    fn must_open(&mut self, opens: Opens, failed: bool, now: Instant) -> bool {
        match opens {
            Opens::Never => false,
            Opens::OnRun { failures } => {
                self.run = if failed { self.run + 1 } else { 0 };
                self.run >= failures.get()
            }
            Opens::OnShare { percent, window, attempts } => {
                self.results.push_back((now, failed));
                self.failed += usize::from(failed);
                while let Some((_, old_failed)) =
                    self.results.front().copied().filter(|(at, _)| now.saturating_duration_since(*at) > window)
                {
                    self.results.pop_front();
                    self.failed -= usize::from(old_failed);
                }
                let enough = self.results.len() >= attempts.get() as usize;
                enough && self.failed * 100 >= self.results.len() * usize::from(percent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPEN_FOR: Duration = Duration::from_secs(10);

    fn on_run(failures: u32) -> Breaker {
        let opens = Opens::OnRun { failures: NonZeroU32::new(failures).unwrap() };
        Breaker::new(Policy { opens, open_for: OPEN_FOR })
    }

    fn on_share(attempts: u32) -> Breaker {
        let attempts = NonZeroU32::new(attempts).unwrap();
        let opens = Opens::OnShare { percent: 50, window: Duration::from_secs(10), attempts };
        Breaker::new(Policy { opens, open_for: OPEN_FOR })
    }

    fn attempt(breaker: &mut Breaker, failed: bool, now: Instant) {
        let pass = breaker.claim(now).unwrap();
        breaker.report(pass, failed, now);
    }

    #[test]
    fn a_run_of_failures_opens_it_and_a_success_in_between_does_not() {
        let (mut breaker, now) = (on_run(3), Instant::now());
        for failed in [true, true, false, true, true] {
            attempt(&mut breaker, failed, now);
        }
        assert_eq!(breaker.blocked(now), None);
        attempt(&mut breaker, true, now);
        assert_eq!(breaker.claim(now), Err(Blocked::Until(now + OPEN_FOR)));
    }

    #[test]
    fn half_of_enough_recent_attempts_opens_it() {
        let (mut breaker, now) = (on_share(4), Instant::now());
        for failed in [true, true, true] {
            attempt(&mut breaker, failed, now);
        }
        assert_eq!(breaker.openings(), 0, "three attempts say nothing");
        let later = now + Duration::from_secs(11);
        for failed in [false, false, false, true, false] {
            attempt(&mut breaker, failed, later);
        }
        assert_eq!(breaker.openings(), 0, "the old failures are forgotten");
        for failed in [true, true, true] {
            attempt(&mut breaker, failed, later);
        }
        assert_eq!(breaker.openings(), 1);
    }

    #[test]
    fn one_probe_decides() {
        let (mut breaker, now) = (on_run(1), Instant::now());
        attempt(&mut breaker, true, now);
        let then = now + OPEN_FOR;
        let probe = breaker.claim(then).unwrap();
        assert_eq!(breaker.claim(then), Err(Blocked::ByProbe));
        breaker.report(probe, true, then);
        assert_eq!(breaker.claim(then), Err(Blocked::Until(then + OPEN_FOR)));
        let then = then + OPEN_FOR;
        let probe = breaker.claim(then).unwrap();
        breaker.give_back(probe, then);
        let probe = breaker.claim(then).unwrap();
        breaker.report(probe, false, then);
        assert_eq!((breaker.blocked(then), breaker.openings()), (None, 2));
        assert_eq!(breaker.time_open(then + OPEN_FOR), OPEN_FOR * 2);
    }

    #[test]
    fn it_is_held_open_for_another_process_and_keeps_its_own_state() {
        let (mut breaker, now) = (on_run(1), Instant::now());
        assert!(!breaker.hold_open(Some(now + OPEN_FOR)));
        assert_eq!(breaker.claim(now), Err(Blocked::Until(now + OPEN_FOR)));
        assert_eq!(breaker.keeps_others_out(now), None, "it did not open itself");
        assert!(breaker.hold_open(None), "who waits must look again");
        assert!(breaker.claim(now).is_ok());
        breaker.hold_open(Some(now + OPEN_FOR));
        assert!(breaker.claim(now + OPEN_FOR).is_ok(), "nobody said any more");
    }

    #[test]
    fn others_wait_for_its_probe_but_not_for_one_that_it_cannot_send() {
        let (mut breaker, now) = (on_run(1), Instant::now());
        attempt(&mut breaker, true, now);
        assert_eq!(breaker.keeps_others_out(now), Some(OPEN_FOR + PROBE));
        assert_eq!(breaker.keeps_others_out(now + OPEN_FOR + PROBE), None);
        let probe = breaker.claim(now + OPEN_FOR).unwrap();
        assert_eq!(breaker.keeps_others_out(now + OPEN_FOR * 9), Some(PROBE));
        breaker.report(probe, false, now + OPEN_FOR);
        assert_eq!(breaker.keeps_others_out(now + OPEN_FOR), None);
    }

    #[test]
    fn results_from_before_it_opened_are_ignored() {
        let (mut breaker, now) = (on_run(1), Instant::now());
        let (early, late) = (breaker.claim(now).unwrap(), breaker.claim(now).unwrap());
        breaker.report(early, true, now);
        breaker.report(late, false, now);
        assert_eq!(breaker.blocked(now), Some(Blocked::Until(now + OPEN_FOR)));
        breaker.report(late, true, now + Duration::from_secs(5));
        assert_eq!(breaker.openings(), 1);
    }

    proptest! {
        #[test]
        fn while_it_is_not_closed_at_most_one_attempt_is_on_its_way(
            steps in prop::collection::vec((0u64..8, any::<bool>(), any::<bool>()), 1..300)
        ) {
            let (mut breaker, mut now) = (on_run(2), Instant::now());
            let mut out: Vec<Pass> = Vec::new();
            for (seconds, ask, failed) in steps {
                now += Duration::from_secs(seconds);
                if ask {
                    out.extend(breaker.claim(now).ok());
                } else if let Some(pass) = out.pop() {
                    breaker.report(pass, failed, now);
                }
                let probes = out.iter().filter(|pass| pass.probe && pass.opening == breaker.openings()).count();
                prop_assert!(probes <= 1);
            }
        }
    }
}
