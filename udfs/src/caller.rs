//! The one loop that joins the parts: a place in flight, the limiter, the client, the verdict.
//! The only place that waits; every decision is made elsewhere, from the time it is given.

mod watch;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::allowance;
use crate::breaker::{Blocked, Breaker, Pass};
use crate::client::{Outgoing, Reply, SendError, Transport, causes};
use crate::counters::{AUTHENTICATION_SAMPLE, Counters};
use crate::dead_letter::GivenUp;
use crate::hosts::Hosts;
use crate::limiter::{Admit, Sign};
use crate::primed::Primed;
use crate::quota::{Quota, Wanted};
use crate::retry::{Failure, Verdict, judge, too_long_a_pause};
use crate::shared::Shared;
use crate::spec::{ApiFunction, WhenOpen};
use crate::window::{Place, Window};
use crate::wire;

pub use watch::Watch;

/// What became of a request. Decided once.
#[derive(Debug)]
pub enum Fate {
    /// A successful reply.
    Answered {
        /// The reply, not yet taken apart.
        reply: Reply,
        /// How often the request was sent.
        attempts: u32,
        /// How long the last attempt took.
        latency: Duration,
    },
    /// Every attempt failed.
    GivenUp(GivenUp),
    /// The whole job must end; the message says why.
    Stop(String),
}

impl Fate {
    fn given_up(failure: Failure, attempts: u32) -> Self {
        Fate::GivenUp(GivenUp { failure, attempts, at: SystemTime::now() })
    }
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
    window: Window,
    breaker: Arc<Mutex<Breaker>>,
    /// Wakes those who wait for the probe.
    breaker_changed: Arc<Notify>,
    counters: Arc<Counters>,
    primed: Primed,
    /// Answers that several rows may have, where the function says so.
    shared: Option<Arc<Shared>>,
    network: Handle,
}

impl Caller {
    /// A caller whose requests run on `network`, a runtime of their own, so that they never wait behind CPU work.
    pub fn new(api: Arc<ApiFunction>, quota: Arc<Quota>, transport: Arc<dyn Transport>, network: Handle) -> Self {
        let window = Window::new(api.options.pace.max_in_flight, api.options.pace.limits.finest(), NonZeroUsize::MAX);
        let breaker = Arc::new(Mutex::new(Breaker::new(api.options.failure.breaker)));
        let breaker_changed = Arc::new(Notify::new());
        let key = format!("{} at {}", api.name, api.options.wire.endpoint);
        quota.guards.add(key, Arc::downgrade(&breaker), Arc::downgrade(&breaker_changed));
        let (counters, primed) = (Arc::default(), Primed::default());
        let shared = api.deterministic.then(|| Arc::new(Shared::new(&api.options.answers)));
        Caller { api, quota, transport, window, breaker, breaker_changed, counters, primed, shared, network }
    }

    /// Never more than `most` requests in flight, whatever the function says: what the process can carry.
    pub fn with_most_in_flight(mut self, most: NonZeroUsize) -> Self {
        let pace = &self.api.options.pace;
        self.window = Window::new(pace.max_in_flight, pace.limits.finest(), most).at_host(self.window.take_host());
        self
    }

    /// Shares the places at the endpoint's host with every other caller of `hosts` that calls it.
    pub fn with_hosts(mut self, hosts: &Hosts) -> Self {
        let options = &self.api.options;
        let host = hosts.join(&options.wire.endpoint, options.pace.max_in_flight_per_host);
        self.window = self.window.at_host(Some(host));
        self
    }

    /// The function that is called.
    pub fn api(&self) -> &Arc<ApiFunction> {
        &self.api
    }

    /// The limit it is called under.
    pub fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// Answers that need no request.
    pub fn primed(&self) -> &Primed {
        &self.primed
    }

    /// Answers that several rows may have.
    pub(crate) fn shared(&self) -> Option<&Arc<Shared>> {
        self.shared.as_ref()
    }

    /// What was done so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Why the job must end, if more rows were given up than the function allows.
    pub fn over_budget(&self) -> Option<String> {
        self.counters.over(&self.api.options.failure.budget)
    }

    /// What can be seen of it, also when it is gone.
    pub fn watch(&self) -> Watch {
        let (name, quota) = (self.api.name.clone(), self.quota.name().to_owned());
        Watch { name, quota, counters: Arc::clone(&self.counters), breaker: Arc::clone(&self.breaker) }
    }

    /// The breaker, for one decision; never held across a wait.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a request. Returns when it has a place in flight, which is the back pressure on whoever makes requests.
    pub async fn submit(self: &Arc<Self>, request: Outgoing) -> Pending {
        let reserved = self.reserve().await;
        let caller = Arc::clone(self);
        self.on_network(async move { caller.call(request, reserved).await })
    }

    /// Waits for a place in flight.
    pub(crate) async fn reserve(&self) -> Reserved {
        let wanted = self.quota.want();
        Reserved { wanted, place: self.window.place().await }
    }

    /// Runs something beside the requests; it ends with whoever waits for it.
    pub(crate) fn on_network<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        AbortOnDropHandle::new(self.network.spawn(work))
    }

    /// Sends a request until it has its fate.
    pub(crate) async fn call(&self, mut request: Outgoing, mut reserved: Reserved) -> Fate {
        let mut attempt = NonZeroU32::MIN;
        let mut polls = Polls::default();
        loop {
            // Before the permit: requests that wait for a token after it would all go out at once.
            let ready = self.transport.ready().await;
            let begin = Instant::now();
            let pass = match self.admitted().await {
                Ok(pass) => pass,
                Err(NotSent::BreakerOpen) => {
                    let failure = Failure::of_breaker(self.api.options.failure.breaker.open_for);
                    return Fate::given_up(failure, polls.sent + attempt.get() - 1);
                }
                Err(NotSent::Stop(reason)) => return Fate::Stop(reason),
            };
            drop(reserved.wanted);
            let sent = Instant::now();
            let flight = self.counters.take_off(attempt.get(), request.body.len(), sent - begin);
            let outcome = match ready {
                Ok(()) => self.transport.send(&request).await,
                Err(error) => Err(error),
            };
            let latency = sent.elapsed();
            self.learn(pass, &outcome, latency);
            let verdict = judge(outcome, attempt, &self.api.options.failure.retry, fastrand::f64(), SystemTime::now());
            self.pause(verdict.pause());
            drop((flight, reserved.place)); // after the pause: whoever gets the place must meet it

            match verdict {
                Verdict::Keep(reply) => match wire::poll(&self.api, &request, &reply) {
                    None => return Fate::Answered { reply, attempts: polls.sent + attempt.get(), latency },
                    Some(next) => {
                        polls.since.get_or_insert_with(Instant::now);
                        if polls.since.is_some_and(|since| since.elapsed() >= self.api.options.wire.poll_timeout) {
                            let failure = Failure::of_polling(self.api.options.wire.poll_timeout, reply);
                            return Fate::given_up(failure, polls.sent + attempt.get());
                        }
                        request = next;
                        sleep(wire::poll_wait(polls.number)).await;
                        polls.number += 1;
                        self.counters.polls.add(1);
                        polls.sent += attempt.get();
                        attempt = NonZeroU32::MIN;
                        reserved = self.reserve().await;
                        continue;
                    }
                },
                Verdict::GiveUp { failure, .. } if self.counters.refused_from_the_start(&failure) => {
                    return Fate::Stop(format!(
                        "the first {AUTHENTICATION_SAMPLE} answers were all refusals (401 or 403): check the credentials; \
                         the last one: {}",
                        failure.message
                    ));
                }
                Verdict::GiveUp { failure, .. } => {
                    return Fate::given_up(failure, polls.sent + attempt.get());
                }
                Verdict::Stop(reason) => return Fate::Stop(reason),
                Verdict::Again { wait, cause, .. } => {
                    self.counters.retry(cause);
                    sleep(wait).await;
                }
            }

            reserved = self.reserve().await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Waits for the breaker and then for the limiter, last of all, so that nothing stands between its permit and the
    /// client.
    async fn admitted(&self) -> Result<PassOfBreaker<'_>, NotSent> {
        loop {
            self.breaker_lets_through().await.ok_or(NotSent::BreakerOpen)?;
            let _turn = self.quota.turn.lock().await;
            loop {
                // Whoever waits for a breaker must not hold up the other functions of the quota.
                let now = Instant::now();
                let lease_changed = self.quota.lease_changed.notified();
                tokio::pin!(lease_changed);
                lease_changed.as_mut().enable(); // from here on no change is missed
                let Ok(pass) = self.breaker().claim(now) else { break };
                let pass = PassOfBreaker { caller: self, pass: Some(pass) };
                let decision = self.quota.admit(now, SystemTime::now());
                match decision.map_err(|error| NotSent::Stop(causes(&error)))? {
                    Admit::Now => return Ok(pass),
                    Admit::At(when) => {
                        drop(pass);
                        tokio::select! {
                            () = sleep_until(when) => {}
                            () = lease_changed => {}
                        }
                    }
                    Admit::NoLease => {
                        drop(pass);
                        lease_changed.await;
                    }
                    Admit::PausedUntil(when) => {
                        drop(pass);
                        let longest = self.api.options.failure.retry.max_retry_after;
                        if when - now > longest {
                            return Err(NotSent::Stop(too_long_a_pause(when - now, longest)));
                        }
                        let _pause = self.quota.pausing();
                        sleep_until(when).await;
                    }
                }
            }
        }
    }

    fn pause(&self, asked: Option<Duration>) {
        if let Some(asked) = asked {
            self.quota.limiter().pause(Instant::now() + asked);
        }
    }

    async fn breaker_lets_through(&self) -> Option<()> {
        loop {
            if self.breaker().blocked(Instant::now()).is_none() {
                return Some(());
            }
            let changed = self.breaker_changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable(); // from here on no change is missed
            let Some(blocked) = self.breaker().blocked(Instant::now()) else { return Some(()) };
            if self.api.options.failure.when_open == WhenOpen::GiveUp {
                return None;
            }
            match blocked {
                Blocked::Until(when) => tokio::select! {
                    () = sleep_until(when) => {}
                    () = changed => {}
                },
                Blocked::ByProbe => changed.await,
            }
        }
    }

    /// Takes from an outcome what it says of the API.
    fn learn(&self, pass: PassOfBreaker<'_>, outcome: &Result<Reply, SendError>, latency: Duration) {
        let (failed, status) = match outcome {
            Ok(reply) => (reply.status >= 500, Some(reply.status)),
            Err(SendError::Refused(reply)) => (false, Some(reply.status)),
            Err(
                SendError::TooLarge { .. }
                | SendError::Encoding(_)
                | SendError::Forbidden(_)
                | SendError::Credentials(_),
            ) => (false, None),
            Err(_) => (true, None),
        };
        pass.report(failed);
        self.window.learn(latency);
        self.counters.learn(status, outcome.as_ref().map_or(0, |reply| reply.body.len()), latency);
        self.learn_pace(outcome, latency);
    }

    /// Takes from an outcome what it says of the pace.
    fn learn_pace(&self, outcome: &Result<Reply, SendError>, latency: Duration) {
        let Ok(reply) = outcome else { return };
        let now = Instant::now();
        let mut limiter = self.quota.limiter();
        if let Some(sign) = Sign::of(reply.status) {
            limiter.learn(now.checked_sub(latency).unwrap_or(now), sign, now);
        }
        if self.api.options.pace.rate_limit_headers {
            let others = self.counters.in_flight().saturating_sub(1);
            if let Some(pause) = allowance::pause(&reply.headers, others, SystemTime::now()) {
                limiter.pause(now + pause);
            }
        }
    }
}

/// Why a request is not sent.
#[derive(Debug)]
enum NotSent {
    /// The breaker is open, and the function says not to wait for it.
    BreakerOpen,
    /// The whole job must end; the message says why.
    Stop(String),
}

/// How often the API was asked whether the reply is there.
#[derive(Debug, Default)]
struct Polls {
    since: Option<Instant>,
    number: u32,
    /// Requests sent before the one that is being sent now.
    sent: u32,
}

/// A place in flight for one attempt, and the note that somebody wants to send.
#[derive(Debug)]
pub(crate) struct Reserved {
    wanted: Wanted,
    place: Place,
}

/// The breaker's pass for one attempt; dropped without a report, it is given back.
struct PassOfBreaker<'a> {
    caller: &'a Caller,
    pass: Option<Pass>,
}

impl PassOfBreaker<'_> {
    fn report(mut self, failed: bool) {
        if let Some(pass) = self.pass.take() {
            self.caller.breaker().report(pass, failed, Instant::now());
            self.caller.breaker_changed.notify_waiters();
        }
    }
}

impl Drop for PassOfBreaker<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.caller.breaker().give_back(pass, Instant::now());
            self.caller.breaker_changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod mixes;
#[cfg(test)]
mod paces;
#[cfg(test)]
mod timelines;
