//! What arrived at the API and when, in memory that depends on the rate and not on how long it runs.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use serde::Serialize;

/// The limit that the API itself keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLimit {
    /// Requests that may arrive in any sliding period; those above are refused, and count all the same.
    pub requests: NonZeroU32,
    /// Length of the period.
    pub period: Duration,
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// Requests to the API itself.
    pub requests: usize,
    /// Records in those that were answered.
    pub records: usize,
    /// Requests per second from the first to the last.
    pub requests_per_s: f64,
    /// Most requests in any sliding period: that of the API's own limit, or a second.
    pub worst_period: usize,
    /// Requests that were answered with 429.
    pub refused: usize,
    /// Refused requests that arrived in a pause that an earlier refusal had asked for.
    pub refused_in_pause: usize,
    /// Requests with an `Idempotency-Key` that an earlier one had.
    pub repeated_keys: usize,
}

#[derive(Debug)]
pub(super) struct Arrivals {
    limit: Option<OwnLimit>,
    period: Duration,
    requests: usize,
    pub records: usize,
    first_and_last: Option<(Instant, Instant)>,
    /// Those of the last period.
    recent: VecDeque<Instant>,
    worst: usize,
    refused: usize,
    refused_in_pause: usize,
    paused_until: Option<Instant>,
    /// Hashes, as the keys themselves would take several times the memory in a run of millions.
    keys: HashSet<u64>,
    repeated_keys: usize,
}

/// What the API says to a request before it looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    /// It is request number so and so, from 1 on.
    Number(usize),
    /// Too many; come back after this many whole seconds.
    After(u64),
}

impl Arrivals {
    pub fn new(limit: Option<OwnLimit>) -> Self {
        Arrivals {
            limit,
            period: limit.map_or(Duration::from_secs(1), |limit| limit.period),
            requests: 0,
            records: 0,
            first_and_last: None,
            recent: VecDeque::new(),
            worst: 0,
            refused: 0,
            refused_in_pause: 0,
            paused_until: None,
            keys: HashSet::new(),
            repeated_keys: 0,
        }
    }

    /// Counts a request that arrives `now`.
    pub fn arrive(&mut self, key: Option<&[u8]>, now: Instant) -> Welcome {
        self.requests += 1;
        let first = self.first_and_last.map_or(now, |(first, _)| first);
        self.first_and_last = Some((first, now));
        while self.recent.front().is_some_and(|arrival| now.saturating_duration_since(*arrival) >= self.period) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.worst = self.worst.max(self.recent.len());
        if let Some(key) = key {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            self.repeated_keys += usize::from(!self.keys.insert(hasher.finish()));
        }
        self.room_again(now).map_or(Welcome::Number(self.requests), |again| self.refuse(now, again))
    }

    /// When there is room for a request, if there is none for the latest.
    fn room_again(&self, now: Instant) -> Option<Duration> {
        let most = self.limit?.requests.get() as usize;
        // Room is there once all but `most - 1` of those in the window have left it.
        let last_to_leave = self.recent.get(self.recent.len().checked_sub(most + 1)? + 1)?;
        Some((*last_to_leave + self.period).saturating_duration_since(now))
    }

    fn refuse(&mut self, now: Instant, again: Duration) -> Welcome {
        let seconds = again.as_nanos().div_ceil(1_000_000_000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.refused += 1;
        self.refused_in_pause += usize::from(self.paused_until.is_some_and(|until| now < until));
        let until = now + Duration::from_secs(seconds);
        self.paused_until = Some(self.paused_until.map_or(until, |old| old.max(until)));
        Welcome::After(seconds)
    }

    pub fn stats(&self) -> Stats {
        let span = self.first_and_last.map_or(Duration::ZERO, |(first, last)| last - first);
        let gaps = self.requests.saturating_sub(1) as f64;
        Stats {
            requests: self.requests,
            records: self.records,
            requests_per_s: if span.is_zero() { 0.0 } else { gaps / span.as_secs_f64() },
            worst_period: self.worst,
            refused: self.refused,
            refused_in_pause: self.refused_in_pause,
            repeated_keys: self.repeated_keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn of_two_a_second() -> Arrivals {
        let requests = NonZeroU32::MIN.saturating_add(1);
        Arrivals::new(Some(OwnLimit { requests, period: ms(1000) }))
    }

    #[test]
    fn what_is_above_the_limit_is_refused_and_counts() {
        let (mut arrivals, start) = (of_two_a_second(), Instant::now());
        let mut at = |time: u64| arrivals.arrive(None, start + ms(time));
        assert_eq!([at(0), at(400), at(999)], [Welcome::Number(1), Welcome::Number(2), Welcome::After(1)]);
        assert_eq!(at(1000), Welcome::After(1), "those at 400 and 999 are in its window");
        assert_eq!(at(2000), Welcome::Number(5));
        let stats = arrivals.stats();
        assert_eq!((stats.requests, stats.worst_period), (5, 3));
        assert_eq!((stats.refused, stats.refused_in_pause), (2, 1));
        assert_eq!(stats.requests_per_s, 2.0);
    }

    #[test]
    fn a_pause_lasts_until_there_is_room_in_whole_seconds() {
        let limit = OwnLimit { requests: NonZeroU32::MIN, period: ms(2500) };
        let (mut arrivals, start) = (Arrivals::new(Some(limit)), Instant::now());
        assert_eq!(arrivals.arrive(None, start), Welcome::Number(1));
        assert_eq!(arrivals.arrive(None, start + ms(100)), Welcome::After(3));
        assert_eq!(arrivals.arrive(None, start + ms(2600)), Welcome::Number(3));
    }

    #[test]
    fn a_window_is_half_open_and_old_arrivals_take_no_memory() {
        let (mut arrivals, start) = (Arrivals::new(None), Instant::now());
        for request in 0..100_000 {
            assert_eq!(arrivals.arrive(None, start + ms(10) * request), Welcome::Number(request as usize + 1));
        }
        assert_eq!((arrivals.stats().worst_period, arrivals.recent.len()), (100, 100));
        assert!(arrivals.recent.capacity() < 1000);
    }

    #[test]
    fn keys_that_come_again_are_counted() {
        let (mut arrivals, now) = (Arrivals::new(None), Instant::now());
        for key in [Some(&b"a"[..]), Some(b"b"), None, Some(b"a"), None, Some(b"a")] {
            arrivals.arrive(key, now);
        }
        assert_eq!(arrivals.stats().repeated_keys, 2);
    }
}
