//! The scripted in-memory transport: the only fake API of the tests on paused time.

mod secrets;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::client::{Exchange, Outgoing, Reply, SendError, Transport};
use crate::limiter::Limit;
use crate::quota::Quotas;
use crate::{ApiFunction, Caller};

pub use secrets::secrets;

/// What the script does with one request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Replies with this status and the request's own body.
    Echo(u16),
    /// Replies with this status and body.
    Reply(u16, &'static str),
    /// Replies with this status and this `Retry-After`.
    RetryAfter(u16, &'static str),
    /// Refuses credentials (401) that are no longer the newest.
    OldCredentials,
    /// Replies with this status and these headers.
    Headers(u16, &'static [(&'static str, &'static str)]),
    /// The connection breaks.
    Reset,
    /// Nothing comes within the timeout.
    Late,
}

type Answer = dyn Fn(usize, &Outgoing) -> (Duration, Result<Reply, SendError>) + Send + Sync;

/// Answers requests as a script says.
pub struct Script {
    answer: Box<Answer>,
    seen: Mutex<Vec<Seen>>,
}

/// A request that reached the script.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was handed over.
    pub at: Instant,
    /// Its body.
    pub body: Bytes,
    /// Its headers.
    pub headers: HeaderMap,
}

impl Script {
    /// A script that takes `latency` for each request and answers the n-th, in order of arrival, with its n-th step; past its
    /// end it echoes with status 200.
    pub fn new(latency: Duration, steps: impl IntoIterator<Item = Step>) -> Self {
        let steps: Vec<_> = steps.into_iter().collect();
        Script::answering(move |number, request| {
            let outcome = match steps.get(number).cloned().unwrap_or(Step::Echo(200)) {
                Step::Echo(status) => Ok(Reply { status, headers: HeaderMap::new(), body: request.body.clone() }),
                Step::Reply(status, text) => Ok(reply(status, None, text)),
                Step::RetryAfter(status, when) => Ok(reply(status, Some(when), "")),
                Step::Headers(status, headers) => {
                    let header = |(name, value): &(&'static str, &'static str)| {
                        (HeaderName::from_static(name), HeaderValue::from_static(value))
                    };
                    let headers = headers.iter().map(header).collect();
                    Ok(Reply { status, headers, body: request.body.clone() })
                }
                Step::OldCredentials => Err(SendError::Refused(Box::new(reply(401, None, "")))),
                Step::Reset => Err(SendError::Connection("connection reset by script".into())),
                Step::Late => Err(SendError::Timeout("the script's".to_owned())),
            };
            (latency, outcome)
        })
    }

    /// A script that answers 429 to every request that comes when a period has seen as many as `limit` says, and echoes
    /// the others. Refused requests count too.
    pub fn allowing(latency: Duration, limit: Limit) -> Self {
        let arrivals = Mutex::new(Vec::new());
        Script::answering(move |_, request| {
            let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            arrivals.push(now);
            let recent = arrivals.iter().rev().take_while(|at| now - **at < limit.period).count();
            let status = if recent > limit.calls.get() as usize { 429 } else { 200 };
            (latency, Ok(Reply { status, headers: HeaderMap::new(), body: request.body.clone() }))
        })
    }

    /// A script that answers the n-th request, in order of arrival, as `answer` says: after how long, and with what.
    pub fn answering(
        answer: impl Fn(usize, &Outgoing) -> (Duration, Result<Reply, SendError>) + Send + Sync + 'static,
    ) -> Self {
        Script { answer: Box::new(answer), seen: Mutex::default() }
    }

    /// Every request so far, in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn arrive(&self, request: &Outgoing) -> (Duration, Result<Reply, SendError>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Seen { at: Instant::now(), body: request.body.clone(), headers: request.headers.clone() });
        (self.answer)(seen.len() - 1, request)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Transport for Script {
    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a> {
        Box::pin(async move {
            let (latency, outcome) = self.arrive(request);
            sleep(latency).await;
            outcome
        })
    }
}

/// A reply with this status, `Retry-After` and body.
pub fn reply(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Reply {
    let headers = retry_after.map(|when| (RETRY_AFTER, HeaderValue::from_static(when)));
    Reply { status, headers: headers.into_iter().collect(), body: Bytes::from_static(body.as_bytes()) }
}

/// A caller of a function `f` with these options, whose requests go to the script, on the runtime that this is called on.
///
/// # Panics
/// An option is wrong.
pub fn caller(arguments: Fields, returns: DataType, options: &[(&str, &str)], script: &Arc<Script>) -> Arc<Caller> {
    declared(arguments, returns, false, options, script)
}

/// The same, of a function that is declared DETERMINISTIC.
///
/// # Panics
/// An option is wrong.
pub fn deterministic(
    arguments: Fields,
    returns: DataType,
    options: &[(&str, &str)],
    script: &Arc<Script>,
) -> Arc<Caller> {
    declared(arguments, returns, true, options, script)
}

#[expect(clippy::unwrap_used, reason = "a test that is set up wrongly stops")]
fn declared(
    arguments: Fields,
    returns: DataType,
    deterministic: bool,
    options: &[(&str, &str)],
    script: &Arc<Script>,
) -> Arc<Caller> {
    let mut given = vec![("endpoint".to_owned(), "http://api.example/".to_owned())];
    given.extend(options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let api = Arc::new(ApiFunction::declare("f", arguments, returns, deterministic, &given).unwrap());
    let quota = Quotas::default().get(&api.options.pace.quota, &api.options.pace.limits, SystemTime::now()).unwrap();
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    Arc::new(Caller::new(api, quota, transport, Handle::current()))
}
