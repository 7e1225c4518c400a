//! The numbers of one function in one process, as they travel to whoever adds those of all processes up.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Counter, Counters, LONGEST_US};

/// What counters said at one moment, and what else is told of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Every counter, in the order of [`Counters`].
    counters: Vec<u64>,
    /// When the first request was sent, in milliseconds since 1970; by the wall clock, for processes have no other in common.
    first_ms: Option<u64>,
    by_second: Vec<u64>,
    /// (µs, how many)
    latency: Vec<(u64, u64)>,
    /// (µs, how many)
    wait: Vec<(u64, u64)>,
    /// How often the breaker has opened.
    pub breaker_openings: u64,
    /// How long calls were waiting to be sent, in the process where that was longest.
    pub wanted: Duration,
    /// How long pauses were that the API asked for, in the process where that was longest.
    pub paused: Duration,
}

/// Where among the counters those requests stand that came back.
const LANDED: usize = 14;

impl Counters {
    /// What they say at `now`, which is `wall` by the wall clock.
    pub fn snapshot(&self, now: Instant, wall: SystemTime) -> Snapshot {
        let times = self.times();
        let first = times.first.and_then(|first| wall.checked_sub(now.saturating_duration_since(first)));
        let first = first.and_then(|first| first.duration_since(SystemTime::UNIX_EPOCH).ok());
        Snapshot {
            counters: self.all().map(Counter::get).collect(),
            first_ms: first.and_then(|first| u64::try_from(first.as_millis()).ok()),
            by_second: times.by_second.clone(),
            latency: recorded(times.latency_us.as_ref()),
            wait: recorded(times.wait_us.as_ref()),
            ..Snapshot::default()
        }
    }

    /// Says what `snapshot` says from now on.
    pub fn show(&self, snapshot: &Snapshot, now: Instant, wall: SystemTime) {
        self.all().zip(&snapshot.counters).for_each(|(counter, value)| counter.set(*value));
        let first = snapshot.first_ms.map(|first| SystemTime::UNIX_EPOCH + Duration::from_millis(first));
        let ago = first.and_then(|first| wall.duration_since(first).ok()).unwrap_or_default();
        let mut times = self.times();
        times.first = first.map(|_| now.checked_sub(ago).unwrap_or(now));
        times.by_second.clone_from(&snapshot.by_second);
        times.latency_us = histogram(&snapshot.latency);
        times.wait_us = histogram(&snapshot.wait);
    }

    fn all(&self) -> impl Iterator<Item = &Counter> {
        let named = [
            &self.requests,
            &self.retries,
            &self.rate_limit_hits,
            &self.wanted,
            &self.replied,
            &self.answered,
            &self.reused,
            &self.journal_hits,
            &self.cache_hits,
            &self.shared_requests,
            &self.polls,
            &self.bytes_sent,
            &self.bytes_received,
            &self.split_requests,
            &self.landed,
            &self.answers,
            &self.refusals,
        ];
        named.into_iter().chain(&self.given_up).chain(&self.retries_by_cause)
    }
}

impl Snapshot {
    /// As it stays when nothing is called any more: no request is in flight, and the single seconds are forgotten.
    #[must_use]
    pub fn ended(mut self) -> Self {
        if let Some(requests) = self.counters.first().copied()
            && let Some(landed) = self.counters.get_mut(LANDED)
        {
            *landed = requests;
        }
        (self.first_ms, self.by_second) = (None, Vec::new());
        self
    }

    /// Adds what another process did.
    pub fn add(&mut self, other: &Snapshot) {
        let length = self.counters.len().max(other.counters.len());
        self.counters.resize(length, 0);
        self.counters.iter_mut().zip(&other.counters).for_each(|(sum, value)| *sum += value);
        let first = self.first_ms.into_iter().chain(other.first_ms).min();
        let mut seconds = Vec::new();
        for part in [&*self, other] {
            let late = part.first_ms.zip(first).map_or(0, |(own, first)| (own - first) / 1000);
            for (second, requests) in (usize::try_from(late).unwrap_or(0)..).zip(&part.by_second) {
                if seconds.len() <= second {
                    seconds.resize(second + 1, 0);
                }
                seconds[second] += requests;
            }
        }
        (self.first_ms, self.by_second) = (first, seconds);
        self.latency.extend(&other.latency);
        self.wait.extend(&other.wait);
        self.breaker_openings += other.breaker_openings;
        self.wanted = self.wanted.max(other.wanted);
        self.paused = self.paused.max(other.paused);
    }
}

fn recorded(times: Option<&Histogram<u64>>) -> Vec<(u64, u64)> {
    let values = times.into_iter().flat_map(Histogram::iter_recorded);
    values.map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
}

fn histogram(values: &[(u64, u64)]) -> Option<Histogram<u64>> {
    let mut times = Histogram::new_with_bounds(1, LONGEST_US, 3).ok().filter(|_| !values.is_empty())?;
    values.iter().for_each(|(value, count)| times.saturating_record_n(*value, *count));
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn numbers_of_two_processes_add_up_by_the_wall_clock() {
        let (one, other, shown) = (Counters::default(), Counters::default(), Counters::default());
        let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        one.take_off(1, 10, Duration::ZERO);
        one.learn(Some(200), 5, Duration::from_millis(10));
        tokio::time::advance(Duration::from_secs(2)).await;
        other.take_off(2, 7, Duration::from_millis(3));
        other.learn(Some(429), 5, Duration::from_millis(30));
        let (now, later) = (Instant::now(), wall + Duration::from_secs(2));
        let mut sum = one.snapshot(now, later);
        let text = serde_json::to_vec(&other.snapshot(now, later)).unwrap();
        sum.add(&serde_json::from_slice(&text).unwrap());
        shown.show(&sum, now, later);
        assert_eq!(shown.requests_by_second(), [1, 0, 1]);
        assert_eq!((shown.requests.get(), shown.retries.get(), shown.bytes_sent.get()), (2, 1, 17));
        assert_eq!((shown.rate_limit_hits.get(), shown.in_flight()), (1, 0));
        let latency = shown.latency().unwrap();
        assert!((9.0..11.0).contains(&latency.p50) && (29.0..31.0).contains(&latency.max), "{latency:?}");
        assert_eq!(shown.requests_last_second(start + Duration::from_secs(3)), 1);

        let _in_flight = shown.take_off(1, 1, Duration::ZERO);
        assert_eq!(shown.in_flight(), 1);
        let ended = shown.snapshot(now, later).ended();
        shown.show(&ended, now, later);
        assert_eq!((shown.requests.get(), shown.in_flight(), shown.requests_by_second()), (3, 0, vec![]));
    }
}
