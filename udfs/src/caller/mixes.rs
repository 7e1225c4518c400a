//! What holds for every mix of outcomes, tried at random on paused time: the limit, the pauses, the breaker.

use std::future::Future;
use std::time::Duration;

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::testing::{self, Script, Step};

/// Runs `work` on a runtime whose time stands still while there is something to do.
fn on_paused_time<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(work)
}

/// What came of a number of requests that were all submitted as early as their places allowed.
struct Course {
    caller: Arc<Caller>,
    script: Arc<Script>,
    fates: Vec<Fate>,
}

impl Course {
    async fn run(requests: usize, latency: Duration, steps: &[Step], options: &[(&str, String)]) -> Course {
        let options: Vec<_> = options.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let script = Arc::new(Script::new(latency, steps.iter().cloned()));
        let caller = testing::caller(Fields::empty(), DataType::Utf8, &options, &script);
        let mut pending = Vec::with_capacity(requests);
        for request in 0..requests {
            pending.push(caller.submit(Outgoing::json(Bytes::from(request.to_string()))).await);
        }
        let mut fates = Vec::with_capacity(requests);
        for pending in pending {
            fates.push(pending.await.unwrap());
        }
        Course { caller, script, fates }
    }

    fn sent_at(&self) -> Vec<Instant> {
        self.script.seen().iter().map(|seen| seen.at).collect()
    }

    /// Most requests in any half-open window of one period, counted where they arrive.
    fn most_in(&self, period: Duration) -> usize {
        let (sent, mut start, mut most) = (self.sent_at(), 0, 0);
        for (end, at) in sent.iter().enumerate() {
            while *at - sent[start] >= period {
                start += 1;
            }
            most = most.max(end - start + 1);
        }
        most
    }

    /// Every request was sent as often as its fate says, and at least once.
    fn attempts_add_up(&self) -> bool {
        let attempts = |fate: &Fate| match fate {
            Fate::Answered { attempts, .. } => u64::from(*attempts),
            Fate::GivenUp(gone) => u64::from(gone.attempts),
            Fate::Stop(_) => 0,
        };
        let told: Vec<_> = self.fates.iter().map(attempts).collect();
        let counters = self.caller.counters();
        told.iter().all(|attempts| *attempts > 0)
            && told.iter().sum::<u64>() == counters.requests.get()
            && counters.retries.get() == counters.requests.get() - self.fates.len() as u64
            && counters.in_flight() == 0
    }
}

/// Whatever an API may say to an attempt, the good answer as often as all others.
fn outcome() -> impl Strategy<Value = Step> {
    let bad = prop_oneof![
        Just(Step::Echo(429)),
        prop::sample::select(vec!["0", "1", "2", "7"]).prop_map(|after| Step::RetryAfter(429, after)),
        prop::sample::select(vec!["1", "3"]).prop_map(|after| Step::RetryAfter(503, after)),
        prop::sample::select(vec![408, 425, 500, 502, 400, 404]).prop_map(Step::Echo),
        Just(Step::Reset),
        Just(Step::Late),
    ];
    prop_oneof![Just(Step::Echo(200)), bad]
}

fn breaker() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["off", "share", "consecutive"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_mix_of_retries_breaks_the_limit(
        calls in prop_oneof![1usize..20, 180usize..320],
        period_ms in prop::sample::select(vec![100u64, 1000, 3000]),
        latency_ms in 0u64..300,
        steps in prop::collection::vec(outcome(), 0..600),
        attempts in 1u32..6,
        breaker in breaker(),
    ) {
        let options = [
            ("rate_limit_calls", calls.to_string()),
            ("rate_limit_period", format!("{period_ms} ms")),
            ("retry_max_attempts", attempts.to_string()),
            ("retry_delay", "50 ms".to_owned()),
            ("breaker", breaker.to_owned()),
            ("breaker_open_for", "2 s".to_owned()),
        ];
        let latency = Duration::from_millis(latency_ms);
        let course = on_paused_time(Course::run(calls * 2 + 5, latency, &steps, &options));
        let worst = course.most_in(Duration::from_millis(period_ms));
        prop_assert!(worst <= calls, "{worst} requests in one period of {calls}");
        prop_assert_eq!(course.caller.quota().limiter().worst_period(), Some(worst));
        prop_assert!(course.attempts_add_up(), "{:?}", course.fates);
    }

    #[test]
    fn nothing_is_sent_in_a_pause(
        latency_ms in 0u64..200,
        steps in prop::collection::vec(outcome(), 1..200),
        in_flight in 1usize..50,
    ) {
        let options = [
            ("rate_limit_calls", "unlimited".to_owned()),
            ("max_in_flight", in_flight.to_string()),
            ("breaker", "off".to_owned()),
        ];
        let latency = Duration::from_millis(latency_ms);
        let course = on_paused_time(Course::run(200, latency, &steps, &options));
        let sent = course.sent_at();
        for (at, step) in sent.iter().zip(&steps) {
            let Step::RetryAfter(_, after) = step else { continue };
            let pause = *at + latency..*at + latency + Duration::from_secs(after.parse().unwrap());
            // What takes off in the very millisecond of the reply may have been on its way before it.
            let early = sent.iter().filter(|at| pause.contains(at) && **at != pause.start).count();
            prop_assert_eq!(early, 0, "requests in the pause that {:?} asked for", step);
        }
    }

    #[test]
    fn a_429_never_opens_the_breaker_and_neither_does_a_refusal(
        steps in prop::collection::vec(
            prop::sample::select(vec![200, 400, 404, 422, 429]).prop_map(Step::Echo), 1..300
        ),
    ) {
        for breaker in ["consecutive", "share"] {
            let options = [
                ("rate_limit_calls", "unlimited".to_owned()),
                ("breaker", breaker.to_owned()),
                ("breaker_failures", "1".to_owned()),
                ("breaker_failed_percent", "1".to_owned()),
                ("breaker_min_attempts", "1".to_owned()),
            ];
            let course = on_paused_time(Course::run(150, Duration::from_millis(20), &steps, &options));
            prop_assert_eq!(course.caller.watch().breaker().openings(), 0);
        }
    }

    #[test]
    fn an_open_breaker_lets_one_request_through_at_a_time(
        failing in 1usize..12,
        in_flight in 1usize..40,
        latency_ms in 1u64..500,
    ) {
        let options = [
            ("rate_limit_calls", "unlimited".to_owned()),
            ("max_in_flight", in_flight.to_string()),
            ("retry_max_attempts", "100".to_owned()),
            ("breaker", "consecutive".to_owned()),
            ("breaker_failures", "1".to_owned()),
            ("breaker_open_for", "10 s".to_owned()),
        ];
        // The first failure opens it; those sent beside it are late and change nothing; then probes fail.
        let steps = vec![Step::Echo(500); in_flight + failing];
        let latency = Duration::from_millis(latency_ms);
        let course = on_paused_time(Course::run(in_flight, latency, &steps, &options));
        let sent = course.sent_at();
        let probes = &sent[in_flight..=in_flight + failing];
        let apart = Duration::from_secs(10) + latency;
        prop_assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= apart), "{probes:?}");
        prop_assert!(probes[0] - sent[0] >= apart);
        prop_assert_eq!(course.caller.watch().breaker().openings(), 1 + failing as u64);
        let answered = course.fates.iter().filter(|fate| matches!(fate, Fate::Answered { .. })).count();
        prop_assert_eq!(answered, in_flight);
    }
}

#[test]
fn five_thousand_a_second_are_never_more_whatever_fails() {
    let failures: [&[Step]; 4] = [
        &[],
        &[Step::Echo(503), Step::Echo(200), Step::Reset],
        &[Step::Echo(429), Step::Late, Step::Echo(200), Step::Echo(200), Step::Echo(200)],
        &[Step::RetryAfter(429, "1")],
    ];
    for (mix, failures) in failures.iter().enumerate() {
        // The failures come in the middle, where they meet a full window; the retries meet fresh requests.
        let good = vec![Step::Echo(200); 3000];
        let bad = failures.iter().cycle().take(4000 * failures.len().min(1)).cloned();
        let steps: Vec<_> = good.iter().cloned().chain(bad).collect();
        let options = [
            ("rate_limit_calls", "5000".to_owned()),
            ("retry_delay", "300 ms".to_owned()),
            ("retry_max_attempts", "50".to_owned()),
            ("breaker", "off".to_owned()),
        ];
        let course = on_paused_time(Course::run(12_000, Duration::from_millis(50), &steps, &options));
        let worst = course.most_in(Duration::from_secs(1));
        assert!((4900..=5000).contains(&worst), "mix {mix}: {worst} in one second");
        assert_eq!(course.caller.quota().limiter().worst_period(), Some(worst), "mix {mix}");
        assert!(course.attempts_add_up(), "mix {mix}");
    }
}
