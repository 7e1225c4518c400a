//! The one loop that joins the parts: a place in flight, the limiter, the client, the verdict.
//! The only place that waits; every decision is made elsewhere, from the time it is given.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::client::Transport;
use crate::counters::Counters;
use crate::dead_letter::{FailureKind, GivenUp};
use crate::limiter::Admit;
use crate::quota::{Quota, Wanted};
use crate::retry::{Verdict, judge};
use crate::spec::ApiFunction;

/// What became of a request. Decided once.
#[derive(Debug)]
pub enum Fate {
    /// A successful reply.
    Answered {
        /// Its body, not yet decoded.
        body: Bytes,
        /// How often the request was sent.
        attempts: u32,
    },
    /// Every attempt failed.
    GivenUp(GivenUp),
}

/// A request on its way; dropping it gives the request up without a fate.
pub type Pending = AbortOnDropHandle<Fate>;

/// Calls one API function for a whole process: one window of requests in flight, whichever batch or
/// partition they belong to.
#[derive(Debug)]
pub struct Caller {
    api: Arc<ApiFunction>,
    quota: Arc<Quota>,
    transport: Arc<dyn Transport>,
    window: Arc<Semaphore>,
    counters: Arc<Counters>,
    network: Handle,
}

impl Caller {
    /// A caller whose requests run on `network`, a runtime of their own, so that they never wait behind CPU work.
    pub fn new(api: Arc<ApiFunction>, quota: Arc<Quota>, transport: Arc<dyn Transport>, network: Handle) -> Self {
        let window = Arc::new(Semaphore::new(api.options.max_in_flight.get().min(Semaphore::MAX_PERMITS)));
        Caller { api, quota, transport, window, counters: Arc::default(), network }
    }

    /// The function that is called.
    pub fn api(&self) -> &Arc<ApiFunction> {
        &self.api
    }

    /// The limit it is called under.
    pub fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// What was done so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Starts a request. Returns when it has a place in flight, which is the back pressure on whoever makes requests.
    pub async fn submit(self: &Arc<Self>, body: Bytes) -> Pending {
        let wanted = self.quota.want();
        let place = self.place().await;
        let caller = Arc::clone(self);
        AbortOnDropHandle::new(self.network.spawn(async move { caller.call(body, wanted, place).await }))
    }

    async fn call(&self, body: Bytes, mut wanted: Wanted, mut place: Place) -> Fate {
        let mut attempt = NonZeroU32::MIN;
        loop {
            self.admitted().await;
            drop(wanted);
            let flight = self.counters.take_off(attempt.get());
            let outcome = self.transport.send(body.clone()).await;
            drop((flight, place));

            match judge(outcome, attempt, &self.api.options.retry, fastrand::f64(), SystemTime::now()) {
                Verdict::Keep(body) => return Fate::Answered { body, attempts: attempt.get() },
                Verdict::GiveUp(failure) => {
                    self.note(failure.kind);
                    return Fate::GivenUp(GivenUp { failure, attempts: attempt.get(), at: SystemTime::now() });
                }
                Verdict::Again { wait, pause, kind } => {
                    self.note(kind);
                    if let Some(pause) = pause {
                        self.quota.limiter().pause(Instant::now() + pause);
                    }
                    sleep(wait).await;
                }
            }

            wanted = self.quota.want();
            place = self.place().await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// A place in flight, in the order of asking. A request that waits for its retry holds none.
    async fn place(&self) -> Place {
        Arc::clone(&self.window).acquire_owned().await.ok()
    }

    /// Waits for the limiter, last of all, so that nothing stands between its permit and the client.
    async fn admitted(&self) {
        let _turn = self.quota.turn.lock().await;
        loop {
            let decision = self.quota.limiter().admit(Instant::now());
            match decision {
                Admit::Now => return,
                Admit::At(when) => sleep_until(when).await,
            }
        }
    }

    fn note(&self, kind: FailureKind) {
        if kind == FailureKind::RateLimited {
            self.counters.rate_limit_hits.add(1);
        }
    }
}

/// `None` never happens: the window is never closed.
type Place = Option<OwnedSemaphorePermit>;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::datatypes::{DataType, Fields};
    use expect_test::{Expect, expect};

    use super::*;
    use crate::quota::Quotas;
    use crate::testing::{Script, Step};

    const LATENCY: Duration = Duration::from_millis(50);

    fn caller(rate_limit_calls: &str, options: &[(&str, &str)], script: &Arc<Script>) -> Arc<Caller> {
        let mut given = vec![
            ("endpoint".to_owned(), "http://api.example/".to_owned()),
            ("rate_limit_calls".to_owned(), rate_limit_calls.to_owned()),
        ];
        given.extend(options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let api = Arc::new(ApiFunction::declare("f", Fields::empty(), DataType::Utf8, &given).unwrap());
        let quota = Quotas::default().get(&api.options.quota, api.options.rate).unwrap();
        let transport = Arc::clone(script) as Arc<dyn Transport>;
        Arc::new(Caller::new(api, quota, transport, Handle::current()))
    }

    /// Submits `requests` requests one after the other and shows when each attempt was sent, and each fate.
    async fn check(rate: &str, options: &[(&str, &str)], requests: usize, steps: &[Step], expected: Expect) {
        let script = Arc::new(Script::new(LATENCY, steps.iter().cloned()));
        let caller = caller(rate, options, &script);
        let start = Instant::now();
        let mut pending = Vec::new();
        for request in 0..requests {
            pending.push(caller.submit(Bytes::from(request.to_string())).await);
        }
        let mut fates = Vec::new();
        for pending in pending {
            fates.push(match pending.await.unwrap() {
                Fate::Answered { body, .. } => format!("answered {}", String::from_utf8_lossy(&body)),
                Fate::GivenUp(gone) => format!("{} after {}", gone.failure.kind, gone.attempts),
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
            expect![
                "0ms #0, 5050ms #1, 5150ms #2, 5250ms #3, 5350ms #0 | answered 0, answered 1, answered 2, answered 3"
            ],
        )
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_bounds_what_is_in_flight() {
        check("unlimited", &[("max_in_flight", "2")], 5, &[], expect!["0ms #0, 0ms #1, 50ms #2, 50ms #3, 100ms #4 | answered 0, answered 1, answered 2, answered 3, answered 4"]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waits_for_its_retry_holds_no_place() {
        let options = [("max_in_flight", "1"), ("retry_delay", "1 hour"), ("retry_max_delay", "1 hour")];
        let script = Arc::new(Script::new(LATENCY, [Step::Echo(503)]));
        let caller = caller("unlimited", &options, &script);
        let start = Instant::now();
        let first = caller.submit(Bytes::from("first")).await;
        let second = caller.submit(Bytes::from("second")).await.await.unwrap();
        assert!(matches!(second, Fate::Answered { .. }) && start.elapsed() == LATENCY * 2);
        assert!(matches!(first.await.unwrap(), Fate::Answered { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_dropped_is_not_sent() {
        let script = Arc::new(Script::new(LATENCY, []));
        let caller = caller("1", &[], &script);
        let first = caller.submit(Bytes::from("first")).await;
        drop(caller.submit(Bytes::from("dropped")).await);
        first.await.unwrap();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(script.seen().len(), 1);
        assert!(caller.quota().time_wanted() < Duration::from_secs(1));
    }
}
