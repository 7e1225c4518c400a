//! The scripted in-memory transport: the only fake API of the tests on paused time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::datatypes::{DataType, Fields};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::client::{Exchange, Reply, SendError, Transport};
use crate::quota::Quotas;
use crate::{ApiFunction, Caller};

/// What the script does with one request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Replies with this status and the request's own body.
    Echo(u16),
    /// Replies with this status and body.
    Reply(u16, &'static str),
    /// Replies with this status and this `Retry-After`.
    RetryAfter(u16, &'static str),
    /// The connection breaks.
    Reset,
    /// Nothing comes within the timeout.
    Late,
}

/// Takes `latency` for each request and answers as the script says; past its end it echoes with status 200.
#[derive(Debug)]
pub struct Script {
    latency: Duration,
    steps: Vec<Step>,
    seen: Mutex<Vec<Seen>>,
}

/// A request that reached the script.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was handed over.
    pub at: Instant,
    /// Its body.
    pub body: Bytes,
}

impl Script {
    /// A script that answers the n-th request, in order of arrival, with its n-th step.
    pub fn new(latency: Duration, steps: impl IntoIterator<Item = Step>) -> Self {
        Script { latency, steps: steps.into_iter().collect(), seen: Mutex::default() }
    }

    /// Every request so far, in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn arrive(&self, body: &Bytes) -> Step {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Seen { at: Instant::now(), body: body.clone() });
        self.steps.get(seen.len() - 1).cloned().unwrap_or(Step::Echo(200))
    }
}

impl Transport for Script {
    fn send(&self, body: Bytes) -> Exchange<'_> {
        Box::pin(async move {
            let step = self.arrive(&body);
            sleep(self.latency).await;
            let (status, retry_after, body) = match step {
                Step::Echo(status) => (status, None, body),
                Step::Reply(status, text) => (status, None, Bytes::from_static(text.as_bytes())),
                Step::RetryAfter(status, when) => (status, Some(when.to_owned()), Bytes::new()),
                Step::Reset => return Err(SendError::Connection("connection reset by script".into())),
                Step::Late => return Err(SendError::Timeout("the script's".to_owned())),
            };
            Ok(Reply { status, retry_after, body })
        })
    }
}

/// A caller of a function `f` with these options, whose requests go to the script, on the runtime that this is called on.
///
/// # Panics
/// An option is wrong.
#[expect(clippy::unwrap_used, reason = "a test that is set up wrongly stops")]
pub fn caller(arguments: Fields, returns: DataType, options: &[(&str, &str)], script: &Arc<Script>) -> Arc<Caller> {
    let mut given = vec![("endpoint".to_owned(), "http://api.example/".to_owned())];
    given.extend(options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let api = Arc::new(ApiFunction::declare("f", arguments, returns, &given).unwrap());
    let quota = Quotas::default().get(&api.options.quota, api.options.rate).unwrap();
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    Arc::new(Caller::new(api, quota, transport, Handle::current()))
}
