//! The pace on paused time, from options to requests: several limits, an unknown limit, announced limits, shared hosts.

use std::time::Duration;

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use expect_test::{Expect, expect};

use super::*;
use crate::limiter::Limit;
use crate::testing::{self, Script, Step};

const LATENCY: Duration = Duration::from_millis(50);

fn caller(options: &[(&str, &str)], script: &Arc<Script>) -> Arc<Caller> {
    testing::caller(Fields::empty(), DataType::Utf8, options, script)
}

/// Submits `requests` requests one after the other and returns their fates.
async fn call(caller: &Arc<Caller>, requests: usize) -> Vec<Fate> {
    let mut pending = Vec::new();
    for request in 0..requests {
        pending.push(caller.submit(Outgoing::json(Bytes::from(request.to_string()))).await);
    }
    let mut fates = Vec::new();
    for pending in pending {
        fates.push(pending.await.unwrap());
    }
    fates
}

/// Shows when each of some requests was sent, and how many were answered or why the job stopped.
async fn check(options: &[(&str, &str)], requests: usize, steps: &[Step], expected: Expect) {
    let script = Arc::new(Script::new(LATENCY, steps.iter().cloned()));
    let start = Instant::now();
    let fates = call(&caller(options, &script), requests).await;
    let sent: Vec<_> = script.seen().iter().map(|seen| format!("{}ms", (seen.at - start).as_millis())).collect();
    let answered = fates.iter().filter(|fate| matches!(fate, Fate::Answered { .. })).count();
    let stop = fates.iter().find_map(|fate| match fate {
        Fate::Stop(reason) => Some(format!(", stop: {reason}")),
        _ => None,
    });
    expected.assert_eq(&format!("{} | {answered} answered{}", sent.join(", "), stop.unwrap_or_default()));
}

#[tokio::test(start_paused = true)]
async fn several_limits_hold_together() {
    check(
        &[("rate_limits", "2 per second, 3 per minute, 4 per hour")],
        5,
        &[],
        expect!["0ms, 500ms, 1000ms, 60000ms, 3601000ms | 5 answered"],
    )
    .await;
}

const HEADERS: [(&str, &str); 2] = [("rate_limit_calls", "10"), ("rate_limit_headers", "true")];
const NONE_LEFT: Step = Step::Headers(200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "5")]);

#[tokio::test(start_paused = true)]
async fn an_announced_end_of_the_limit_pauses_the_quota_until_its_reset() {
    check(&HEADERS, 3, &[NONE_LEFT], expect!["0ms, 5050ms, 5150ms | 3 answered"]).await;
    check(&HEADERS[..1], 3, &[NONE_LEFT], expect!["0ms, 100ms, 200ms | 3 answered"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_too_far_ends_the_job_only_if_there_is_more_to_send() {
    let options = [&HEADERS[..], &[("max_retry_after", "4 s")]].concat();
    check(&options, 1, &[NONE_LEFT], expect!["0ms | 1 answered"]).await;
    check(&options, 2, &[NONE_LEFT], expect!["0ms | 1 answered, stop: the API asks for a pause of 5s, longer than max_retry_after (4s): run the job again later"]).await;
}

/// Calls an API that allows `allows` requests a second for `seconds` seconds; returns how many of the requests of the last
/// half of the time were answered, per second, and what percent of them were refused.
async fn adapt(allows: u32, ceiling: &str, seconds: u32) -> (u32, u32) {
    let limit = Limit { calls: NonZeroU32::new(allows).unwrap(), period: Duration::from_secs(1) };
    let script = Arc::new(Script::allowing(LATENCY, limit));
    let options = [
        ("rate_limit_calls", "adaptive"),
        ("adaptive_limit", ceiling),
        ("retry_max_attempts", "50"),
        ("breaker", "off"),
    ];
    let caller = caller(&options, &script);
    let start = Instant::now();
    let middle = start + Duration::from_secs(1) * seconds / 2;
    let (mut pending, mut refused_before) = (Vec::new(), None);
    while start.elapsed() < Duration::from_secs(1) * seconds {
        pending.push(caller.submit(Outgoing::json(Bytes::new())).await);
        if Instant::now() >= middle {
            refused_before.get_or_insert(caller.counters().rate_limit_hits.get());
        }
    }
    let refused = (caller.counters().rate_limit_hits.get() - refused_before.unwrap()) as u32;
    let sent = script.seen().iter().filter(|seen| seen.at >= middle).count() as u32;
    let worst = caller.quota().limiter().worst_period().unwrap();
    assert!(worst <= ceiling.parse().unwrap(), "{worst} in one second");
    ((sent - refused) * 2 / seconds, refused * 100 / sent)
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_rate_finds_what_the_api_allows_and_stays_near_it() {
    let (answered, refused_percent) = adapt(50, "1000", 120).await;
    assert!((40..=50).contains(&answered) && refused_percent <= 3, "{answered}/s, {refused_percent} % refused");
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_rate_stays_at_its_limit_where_the_api_allows_more() {
    let (answered, refused_percent) = adapt(50, "20", 60).await;
    assert!((19..=20).contains(&answered) && refused_percent == 0, "{answered}/s, {refused_percent} % refused");
}

#[tokio::test(start_paused = true)]
async fn functions_that_call_one_host_share_its_places() {
    let script = Arc::new(Script::new(LATENCY, []));
    let hosts = Hosts::default();
    let on_host = |per_host: &'static str| {
        let options = [("rate_limit_calls", "unlimited"), ("max_in_flight_per_host", per_host)];
        let caller = Arc::into_inner(caller(&options, &script)).unwrap().with_hosts(&hosts);
        Arc::new(caller.with_most_in_flight(NonZeroUsize::MAX))
    };
    let (wide, narrow) = (on_host("50"), on_host("2"));
    let start = Instant::now();
    tokio::join!(call(&wide, 3), call(&narrow, 3));
    let sent: Vec<_> = script.seen().iter().map(|seen| (seen.at - start).as_millis()).collect();
    assert_eq!(sent, [0, 0, 50, 50, 100, 100]);
}
