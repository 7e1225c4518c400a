//! Exact timelines on paused time: when each attempt was sent, and what became of each request.

use std::time::Duration;

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use expect_test::{Expect, expect};

use super::*;
use crate::client::{Exchange, Readiness};
use crate::testing::{self, Script, Step};

const LATENCY: Duration = Duration::from_millis(50);

fn caller(rate_limit_calls: &str, options: &[(&str, &str)], script: &Arc<Script>) -> Arc<Caller> {
    testing::caller(
        Fields::empty(),
        DataType::Utf8,
        &[&[("rate_limit_calls", rate_limit_calls)], options].concat(),
        script,
    )
}

/// Submits `requests` requests one after the other and shows when each attempt was sent, and each fate.
async fn check(rate: &str, options: &[(&str, &str)], requests: usize, steps: &[Step], expected: Expect) {
    let script = Arc::new(Script::new(LATENCY, steps.iter().cloned()));
    let caller = caller(rate, options, &script);
    let start = Instant::now();
    let mut pending = Vec::new();
    for request in 0..requests {
        pending.push(caller.submit(Outgoing::json(Bytes::from(request.to_string()))).await);
    }
    let mut fates = Vec::new();
    for pending in pending {
        fates.push(match pending.await.unwrap() {
            Fate::Answered { reply, .. } => format!("answered {}", String::from_utf8_lossy(&reply.body)),
            Fate::GivenUp(gone) => format!("{} after {}", gone.failure.kind, gone.attempts),
            Fate::Stop(reason) => format!("stop: {reason}"),
        });
    }
    let sent: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| format!("{}ms #{}", (seen.at - start).as_millis(), String::from_utf8_lossy(&seen.body)))
        .collect();
    expected.assert_eq(&format!("{} | {}", sent.join(", "), fates.join(", ")));
    assert_eq!(caller.counters().requests.get(), sent.len() as u64);
    assert_eq!(caller.counters().in_flight(), 0);
}

/// Makes every random wait before a retry shorter than the limiter's spacing.
const AT_ONCE: (&str, &str) = ("retry_delay", "1 ms");

#[tokio::test(start_paused = true)]
async fn calls_are_spaced_as_the_limit_says() {
    check(
        "2",
        &[],
        4,
        &[],
        expect!["0ms #0, 500ms #1, 1000ms #2, 1500ms #3 | answered 0, answered 1, answered 2, answered 3"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_pays_the_limiter() {
    check("1", &[AT_ONCE], 2, &[Step::Echo(503)], expect!["0ms #0, 1000ms #1, 2000ms #0 | answered 0, answered 1"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn with_other_credentials_a_request_is_sent_again_and_pays_the_limiter() {
    check("1", &[], 2, &[Step::OldCredentials], expect!["0ms #0, 1000ms #1, 2000ms #0 | answered 0, answered 1"]).await;
    let attempts = ("retry_max_attempts", "2");
    check(
        "1",
        &[attempts],
        1,
        &[Step::OldCredentials, Step::OldCredentials],
        expect!["0ms #0, 1000ms #0 | http_4xx after 2"],
    )
    .await;
    // It says nothing against the API.
    let breaker = [("breaker", "consecutive"), ("breaker_failures", "1")];
    check("1", &breaker, 1, &[Step::OldCredentials, Step::Echo(200)], expect!["0ms #0, 1000ms #0 | answered 0"]).await;
}

/// A script that is ready at some time.
#[derive(Debug)]
struct ReadyAt(Instant, Arc<Script>);

impl Transport for ReadyAt {
    fn ready(&self) -> Readiness<'_> {
        Box::pin(async {
            sleep_until(self.0).await;
            Ok(())
        })
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a> {
        self.1.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_waited_for_credentials_are_not_sent_all_at_once() {
    let script = Arc::new(Script::new(LATENCY, []));
    let (like, start) = (caller("1", &[], &script), Instant::now());
    let transport = Arc::new(ReadyAt(start + Duration::from_millis(2500), Arc::clone(&script)));
    let (api, quota) = (Arc::clone(like.api()), Arc::clone(like.quota()));
    let caller = Arc::new(Caller::new(api, quota, transport, Handle::current()));
    let mut pending = Vec::new();
    for _ in 0..3 {
        pending.push(caller.submit(Outgoing::json(Bytes::from("1"))).await);
    }
    futures::future::join_all(pending).await;
    let sent: Vec<_> = script.seen().iter().map(|seen| (seen.at - start).as_millis()).collect();
    assert_eq!(sent, [2500, 3500, 4500]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_tried_again_and_a_refusal_is_not() {
    check(
        "1",
        &[AT_ONCE],
        2,
        &[Step::Reset, Step::Echo(400)],
        expect!["0ms #0, 1000ms #1, 2000ms #0 | answered 0, http_4xx after 1"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn attempts_end() {
    let steps = [Step::Echo(500), Step::Echo(500), Step::Echo(500)];
    check("1", &[AT_ONCE, ("retry_max_attempts", "2")], 1, &steps, expect!["0ms #0, 1000ms #0 | http_5xx after 2"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_stops_every_call_of_the_quota() {
    check(
        "10",
        &[],
        4,
        &[Step::RetryAfter(429, "5")],
        expect!["0ms #0, 5050ms #1, 5150ms #2, 5250ms #3, 5350ms #0 | answered 0, answered 1, answered 2, answered 3"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_also_when_the_row_is_given_up() {
    let options = [("retry_max_attempts", "1")];
    check(
        "10",
        &options,
        3,
        &[Step::RetryAfter(429, "5")],
        expect!["0ms #0, 5050ms #1, 5150ms #2 | rate_limited after 1, answered 1, answered 2"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_window_bounds_what_is_in_flight() {
    check(
        "unlimited",
        &[("max_in_flight", "2")],
        5,
        &[],
        expect![
            "0ms #0, 0ms #1, 50ms #2, 50ms #3, 100ms #4 | answered 0, answered 1, answered 2, answered 3, answered 4"
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_retry_holds_no_place() {
    let options = [("max_in_flight", "1"), ("retry_delay", "1 hour"), ("retry_max_delay", "1 hour")];
    let script = Arc::new(Script::new(LATENCY, [Step::Echo(503)]));
    let caller = caller("unlimited", &options, &script);
    let start = Instant::now();
    let first = caller.submit(Outgoing::json(Bytes::from("first"))).await;
    let second = caller.submit(Outgoing::json(Bytes::from("second"))).await.await.unwrap();
    assert!(matches!(second, Fate::Answered { .. }) && start.elapsed() == LATENCY * 2);
    assert!(matches!(first.await.unwrap(), Fate::Answered { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_not_sent() {
    let script = Arc::new(Script::new(LATENCY, []));
    let caller = caller("1", &[], &script);
    let first = caller.submit(Outgoing::json(Bytes::from("first"))).await;
    drop(caller.submit(Outgoing::json(Bytes::from("dropped"))).await);
    first.await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(script.seen().len(), 1);
    assert!(caller.quota().time_wanted() < Duration::from_secs(1));
}

const ONE_FAILURE_OPENS: [(&str, &str); 4] =
    [("breaker", "consecutive"), ("breaker_failures", "1"), ("breaker_open_for", "10 s"), ("retry_max_attempts", "9")];

#[tokio::test(start_paused = true)]
async fn an_open_breaker_waits_and_lets_one_probe_through() {
    let steps = [Step::Echo(500), Step::Echo(500), Step::Echo(500)];
    let options = [&ONE_FAILURE_OPENS[..], &[AT_ONCE, ("max_in_flight", "2")]].concat();
    check("unlimited", &options, 4, &steps, expect!["0ms #0, 0ms #1, 10050ms #2, 20100ms #3, 20150ms #0, 20150ms #1, 20200ms #2 | answered 0, answered 1, answered 2, answered 3"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_may_give_rows_up_at_once() {
    let options = [&ONE_FAILURE_OPENS[..], &[AT_ONCE, ("breaker_when_open", "give_up")]].concat();
    check(
        "1",
        &options,
        3,
        &[Step::Echo(500)],
        expect!["0ms #0 | breaker_open after 1, breaker_open after 0, breaker_open after 0"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_makes_way_for_another() {
    let script = Arc::new(Script::new(LATENCY, [Step::Echo(500)]));
    let options = [&ONE_FAILURE_OPENS[..2], &[("retry_max_attempts", "1"), ("breaker_open_for", "1 s")]].concat();
    let caller = caller("unlimited", &options, &script);
    caller.submit(Outgoing::json(Bytes::from("opens it"))).await.await.unwrap();
    let probe = caller.submit(Outgoing::json(Bytes::from("probe"))).await;
    sleep(Duration::from_millis(1010)).await;
    assert_eq!(script.seen().len(), 2);
    drop(probe);
    let next = caller.submit(Outgoing::json(Bytes::from("next"))).await.await.unwrap();
    assert!(matches!(next, Fate::Answered { .. }), "{next:?}");
}

#[tokio::test(start_paused = true)]
async fn refusals_from_the_start_and_long_pauses_stop_the_job() {
    let refusals = vec![Step::Echo(401); 100];
    let script = Arc::new(Script::new(LATENCY, refusals));
    let caller = caller("unlimited", &[("max_in_flight", "1")], &script);
    let mut last = None;
    for _ in 0..100 {
        last = Some(caller.submit(Outgoing::json(Bytes::new())).await.await.unwrap());
    }
    assert!(matches!(&last, Some(Fate::Stop(reason)) if reason.contains("check the credentials")), "{last:?}");
    check("1", &[("max_retry_after", "1 minute")], 1, &[Step::RetryAfter(429, "61")], expect!["0ms #0 | stop: the API asks for a pause of 1m 1s, longer than max_retry_after (1m): run the job again later"]).await;
}

#[tokio::test(start_paused = true)]
async fn paused_time_is_counted_once() {
    let script = Arc::new(Script::new(LATENCY, [Step::RetryAfter(503, "5")]));
    let caller = caller("10", &[], &script);
    let mut pending = Vec::new();
    for _ in 0..3 {
        pending.push(caller.submit(Outgoing::json(Bytes::new())).await);
    }
    for pending in pending {
        pending.await.unwrap();
    }
    assert_eq!(caller.quota().time_paused(), Duration::from_millis(4950));
}
