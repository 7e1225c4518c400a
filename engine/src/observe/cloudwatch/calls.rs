//! Calls on their way to CloudWatch. So many may wait; of more, the oldest make room, so that what is newest arrives. Whoever adds
//! one never waits, and each that CloudWatch has not taken in the end is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::io::CallFailed;

/// Calls that wait to be sent.
pub(super) const WAITING: usize = 16;
/// How long CloudWatch may take to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the last ones may take in the end.
pub(super) const FLUSH_WITHIN: Duration = Duration::from_secs(10);

/// The way to CloudWatch.
#[derive(Debug)]
pub(super) struct Calls {
    waiting: broadcast::Sender<String>,
    sending: AbortOnDropHandle<()>,
    added: u64,
    /// Those of them that CloudWatch has taken.
    taken: Arc<AtomicU64>,
}

impl Calls {
    /// Begins to send, on the threads of `on`, one call after the other by `post`.
    pub fn start<P, F>(on: &Handle, post: P) -> Self
    where
        P: Fn(String) -> F + Send + 'static,
        F: Future<Output = Result<(), CallFailed>> + Send + 'static,
    {
        let (waiting, calls) = broadcast::channel(WAITING);
        let taken = Arc::<AtomicU64>::default();
        let sending = AbortOnDropHandle::new(on.spawn(send(post, calls, Arc::clone(&taken))));
        Calls { waiting, sending, added: 0, taken }
    }

    /// Sends a call, when its turn comes.
    pub fn add(&mut self, call: String) {
        self.added += 1;
        let _ = self.waiting.send(call); // where nobody sends any more, it is one that was not taken
    }

    /// Sends the rest, and waits a while for it. Returns how many calls CloudWatch has not taken.
    pub async fn close(self) -> u64 {
        let Calls { waiting, sending, added, taken } = self;
        drop(waiting);
        let _ = timeout(FLUSH_WITHIN, sending).await; // what is not taken by then is counted
        added.saturating_sub(taken.load(Ordering::Relaxed))
    }
}

async fn send<P, F>(post: P, mut calls: broadcast::Receiver<String>, taken: Arc<AtomicU64>)
where
    P: Fn(String) -> F,
    F: Future<Output = Result<(), CallFailed>>,
{
    let mut told = false;
    loop {
        let call = match calls.recv().await {
            Ok(call) => call,
            Err(RecvError::Lagged(_)) => continue, // they made room
            Err(RecvError::Closed) => return,
        };
        let posted = post(call);
        let why = match timeout(ANSWER_WITHIN, posted).await {
            Ok(Ok(())) => {
                taken.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Ok(Err(failed)) => failed.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(error = why, "CloudWatch does not take the job's metrics; the job goes on without them");
        }
    }
}
