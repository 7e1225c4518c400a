//! What callers did, counted as it happens, for progress and the report.

mod snapshot;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::dead_letter::FailureKind;
use crate::retry::Failure;
use crate::spec::Budget;
pub use snapshot::Snapshot;

/// If so many answers in a row, from the first on, are refusals, the credentials are wrong.
pub(crate) const AUTHENTICATION_SAMPLE: u64 = 100;

/// A share of failed rows says nothing before so many rows.
const BUDGET_SAMPLE: u64 = 1000;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one function in one process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests handed to the client, retries included.
    pub requests: Counter,
    /// Requests that were a second or later attempt.
    pub retries: Counter,
    /// Replies with status 429.
    pub rate_limit_hits: Counter,
    /// Rows that were handed over to be answered.
    pub wanted: Counter,
    /// Rows whose request came back well. They are answered once the batch has been read.
    pub replied: Counter,
    /// Rows with an answer.
    pub answered: Counter,
    /// Rows whose answer was there without a request, from wherever.
    pub reused: Counter,
    /// Those of them that an earlier run of the job had paid for.
    pub journal_hits: Counter,
    /// Those of them that were in the cache of a deterministic function.
    pub cache_hits: Counter,
    /// Those of them that shared the request of another row of a deterministic function.
    pub shared_requests: Counter,
    /// Requests that asked for a reply that was not ready before.
    pub polls: Counter,
    /// Bytes of bodies sent.
    pub bytes_sent: Counter,
    /// Bytes of bodies received.
    pub bytes_received: Counter,
    /// Requests made of others that failed as a whole.
    pub split_requests: Counter,
    given_up: [Counter; FailureKind::ALL.len()],
    retries_by_cause: [Counter; FailureKind::ALL.len()],
    landed: Counter,
    answers: Counter,
    refusals: Counter,
    times: Mutex<Times>,
}

/// What needs more than a number.
#[derive(Debug, Default)]
struct Times {
    first: Option<Instant>,
    by_second: Vec<u64>,
    latency_us: Option<Histogram<u64>>,
    /// From being ready to be sent to being sent.
    wait_us: Option<Histogram<u64>>,
}

/// Times, in milliseconds: latencies of the attempts that got a reply, or waits of requests.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Latency {
    /// Half were quicker.
    pub p50: f64,
    /// Nine of ten were quicker.
    pub p90: f64,
    /// 99 of 100 were quicker.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
    /// Their mean.
    #[serde(default)]
    pub mean: f64,
}

impl Counters {
    /// Notes that a row is given up.
    pub(crate) fn give_up(&self, kind: FailureKind) {
        if let Some(counter) = FailureKind::ALL.iter().position(|k| *k == kind).and_then(|at| self.given_up.get(at)) {
            counter.add(1);
        }
    }

    /// Notes that a request will be sent again, and why.
    pub(crate) fn retry(&self, cause: FailureKind) {
        if let Some(counter) =
            FailureKind::ALL.iter().position(|k| *k == cause).and_then(|at| self.retries_by_cause.get(at))
        {
            counter.add(1);
        }
    }

    /// Requests sent again, by what had failed, in the order of [`FailureKind::ALL`].
    pub fn retries_by_cause(&self) -> [u64; FailureKind::ALL.len()] {
        std::array::from_fn(|at| self.retries_by_cause[at].get())
    }

    /// Rows given up, by kind, in the order of [`FailureKind::ALL`].
    pub fn given_up(&self) -> [u64; FailureKind::ALL.len()] {
        std::array::from_fn(|at| self.given_up[at].get())
    }

    /// Requests that were handed to the client and have not come back.
    pub fn in_flight(&self) -> u64 {
        let landed = self.landed.get();
        self.requests.get().saturating_sub(landed)
    }

    /// Notes that a request is handed to the client; it is in flight while the returned value lives.
    /// `waited` is how long breaker and limiter held it.
    pub(crate) fn take_off(&self, attempt: u32, bytes: usize, waited: Duration) -> Flight<'_> {
        self.requests.add(1);
        self.bytes_sent.add(bytes as u64);
        if attempt > 1 {
            self.retries.add(1);
        }
        let now = Instant::now();
        let mut times = self.times();
        let first = *times.first.get_or_insert(now);
        let second = (now - first).as_secs() as usize;
        if times.by_second.len() <= second {
            times.by_second.resize(second + 1, 0);
        }
        times.by_second[second] += 1;
        record(&mut times.wait_us, waited);
        drop(times);
        Flight(self)
    }

    /// Notes an outcome; `status` and `bytes` are there if a reply was.
    pub(crate) fn learn(&self, status: Option<u16>, bytes: usize, latency: Duration) {
        let Some(status) = status else { return };
        self.bytes_received.add(bytes as u64);
        self.answers.add(1);
        if matches!(status, 401 | 403) {
            self.refusals.add(1);
        }
        if status == 429 {
            self.rate_limit_hits.add(1);
        }
        record(&mut self.times().latency_us, latency);
    }

    /// Whether this refusal is one of a row of refusals that began with the first answer and is long enough.
    pub(crate) fn refused_from_the_start(&self, failure: &Failure) -> bool {
        let refusals = self.refusals.get();
        matches!(failure.status, Some(401 | 403)) && refusals >= AUTHENTICATION_SAMPLE && refusals == self.answers.get()
    }

    /// Why the job must end, if more rows were given up than the budget allows.
    pub(crate) fn over(&self, budget: &Budget) -> Option<String> {
        let failed: u64 = self.given_up().iter().sum();
        let rows = failed + self.answered.get();
        if budget.records.is_some_and(|most| failed > most) {
            return Some(format!("{failed} of {rows} rows were given up, more than max_failed_records"));
        }
        if rows >= BUDGET_SAMPLE && failed * 100 > rows * u64::from(budget.percent) {
            return Some(format!(
                "{failed} of {rows} rows were given up, more than max_failed_percent {}",
                budget.percent
            ));
        }
        None
    }

    /// Requests handed to the client in each second from the first on.
    pub fn requests_by_second(&self) -> Vec<u64> {
        self.times().by_second.clone()
    }

    /// Requests handed to the client in the last full second before `now`.
    pub fn requests_last_second(&self, now: Instant) -> u64 {
        let times = self.times();
        let second = times.first.map(|first| now.saturating_duration_since(first).as_secs() as usize);
        second.and_then(|second| times.by_second.get(second.checked_sub(1)?)).copied().unwrap_or(0)
    }

    /// Latencies, if there was a reply.
    pub fn latency(&self) -> Option<Latency> {
        self.times().latency_us.as_ref().map(quantiles)
    }

    /// How long requests that were ready waited for breaker and limiter, if there was one.
    pub fn wait(&self) -> Option<Latency> {
        self.times().wait_us.as_ref().map(quantiles)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to an hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

fn record(times: &mut Option<Histogram<u64>>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    if times.is_none() {
        *times = Histogram::new_with_bounds(1, LONGEST_US, 3).ok();
    }
    if let Some(times) = times {
        times.saturating_record(micros);
    }
}

fn quantiles(times: &Histogram<u64>) -> Latency {
    let ms = |micros: u64| micros as f64 / 1000.0;
    let at = |quantile| ms(times.value_at_quantile(quantile));
    Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: ms(times.max()), mean: times.mean() / 1000.0 }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Flight<'a>(&'a Counters);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.landed.add(1);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_counted_by_second_from_the_first_on() {
        let counters = Counters::default();
        assert_eq!((counters.requests_by_second(), counters.latency()), (vec![], None));
        let first = counters.take_off(1, 10, Duration::ZERO);
        tokio::time::advance(Duration::from_millis(2500)).await;
        let second = counters.take_off(2, 10, Duration::from_millis(7));
        assert_eq!(counters.requests_by_second(), [1, 0, 1]);
        assert_eq!((counters.requests.get(), counters.retries.get(), counters.in_flight()), (2, 1, 2));
        assert_eq!(counters.requests_last_second(Instant::now() + Duration::from_secs(1)), 1);
        assert_eq!(counters.requests_last_second(Instant::now() + Duration::from_secs(2)), 0);
        drop((first, second));
        assert_eq!(counters.in_flight(), 0);
    }

    #[test]
    fn latencies_are_those_of_replies() {
        let counters = Counters::default();
        counters.learn(None, 0, Duration::from_secs(9));
        assert_eq!(counters.latency(), None);
        for ms in 1..=100 {
            counters.learn(Some(if ms == 7 { 429 } else { 200 }), 5, Duration::from_millis(ms));
        }
        let latency = counters.latency().unwrap();
        let near = |found: f64, wanted: f64| (found - wanted).abs() < 0.1;
        assert!(near(latency.p50, 50.0) && near(latency.p90, 90.0) && near(latency.max, 100.0), "{latency:?}");
        assert_eq!(counters.rate_limit_hits.get(), 1);
    }

    #[test]
    fn the_budget_is_of_rows_and_after_a_thousand_of_percent() {
        let (counters, percent) = (Counters::default(), |percent| Budget { percent, records: None });
        counters.answered.add(889);
        (0..110).for_each(|_| counters.give_up(FailureKind::Timeout));
        assert_eq!(counters.over(&percent(10)), None, "999 rows say nothing");
        assert_eq!(counters.over(&Budget { percent: 100, records: Some(110) }), None);
        let over = counters.over(&Budget { percent: 100, records: Some(109) }).unwrap();
        assert_eq!(over, "110 of 999 rows were given up, more than max_failed_records");
        counters.answered.add(1);
        assert_eq!(counters.over(&percent(11)), None);
        let over = counters.over(&percent(10)).unwrap();
        assert_eq!(over, "110 of 1000 rows were given up, more than max_failed_percent 10");
        let kinds: Vec<_> = FailureKind::ALL.iter().zip(counters.given_up()).filter(|(_, rows)| *rows > 0).collect();
        assert_eq!(kinds, [(&FailureKind::Timeout, 110)]);
    }

    #[test]
    fn one_good_answer_shows_that_the_credentials_are_right() {
        let refusal =
            Failure { kind: FailureKind::Http4xx, message: String::new(), status: Some(401), body: Bytes::new() };
        let (wrong, right) = (Counters::default(), Counters::default());
        right.learn(Some(200), 5, Duration::ZERO);
        for _ in 0..AUTHENTICATION_SAMPLE {
            assert!(!wrong.refused_from_the_start(&refusal));
            wrong.learn(Some(403), 5, Duration::ZERO);
            right.learn(Some(401), 5, Duration::ZERO);
        }
        assert!(wrong.refused_from_the_start(&refusal) && !right.refused_from_the_start(&refusal));
    }
}
