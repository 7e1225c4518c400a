//! Renews the leases of a process: one task, one message for all its quotas. The only place of `lease` that waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Ask, CLOSEST, Grant, LEASE, LOOK, Leases, LinkError, RENEWAL, Refused};
use crate::quota::Quota;

/// An answer that takes longer is not waited for: the next ask may have more luck.
const ANSWERED_WITHIN: Duration = Duration::from_millis(500);

/// Quotas by name. The lock is held whenever the driver uses one, so that it never counts as somebody who uses it.
pub(crate) type ByName = Arc<Mutex<HashMap<String, Arc<Quota>>>>;

/// The task that renews; dropped, it says goodbye.
#[derive(Debug)]
pub(crate) struct Driver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    quotas: ByName,
    /// Somebody wants to call and has no lease, or the end has come.
    hurry: Arc<Notify>,
    stopping: AtomicBool,
}

impl Driver {
    /// Starts to renew the leases of `quotas` on `runtime`, as the process `process`, which is for the log.
    pub fn start(quotas: ByName, link: Arc<dyn Leases>, process: String, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared { quotas, hurry: Arc::default(), stopping: AtomicBool::new(false) });
        runtime.spawn(renew(Arc::clone(&shared), link, process));
        Driver(shared)
    }

    /// Makes it renew at once.
    pub fn hurry(&self) -> &Arc<Notify> {
        &self.0.hurry
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.hurry.notify_one();
    }
}

async fn renew(shared: Arc<Shared>, link: Arc<dyn Leases>, process: String) {
    let mut reached = true;
    let mut earliest = Instant::now();
    let mut answers = FuturesUnordered::new();
    loop {
        let stopping = shared.stopping.load(Ordering::SeqCst);
        let begin = Instant::now();
        if stopping || begin >= earliest {
            let asks = shared.asks(stopping, begin);
            if !asks.is_empty() {
                earliest = begin + CLOSEST;
                answers.push(answered(link.as_ref(), asks));
            }
        }
        if stopping {
            answers.collect::<Vec<_>>().await;
            return;
        }
        let next = shared.looks_at(Instant::now()).max(earliest);
        tokio::select! {
            // The next ask does not wait for the answer to the last.
            Some((names, answers)) = answers.next() => match answers {
                Ok(answers) => {
                    shared.take_in(&names, answers);
                    reached = true;
                }
                Err(error) => {
                    if reached {
                        let cause = crate::client::causes(&error);
                        tracing::warn!(process, cause, lease = ?LEASE, "calls stop when the lease ends");
                    }
                    reached = false;
                    earliest = Instant::now() + RENEWAL;
                }
            },
            () = sleep_until(next) => {}
            () = shared.hurry.notified() => {}
        }
    }
}

type Answers = Result<Vec<Result<Grant, Refused>>, LinkError>;

/// The names of the quotas that were asked for, and the answers.
async fn answered(link: &dyn Leases, asks: Vec<Ask>) -> (Vec<String>, Answers) {
    let names = asks.iter().map(|ask| ask.quota.clone()).collect();
    let late = || LinkError("no answer in time".into());
    (names, timeout(ANSWERED_WITHIN, link.ask(asks)).await.unwrap_or_else(|_| Err(late())))
}

impl Shared {
    /// Asks for all quotas that are due soon, if one of them is due now.
    fn asks(&self, stopping: bool, now: Instant) -> Vec<Ask> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |quota: &Arc<Quota>| {
            let at = quota.asks_at(now)?;
            Some(if stopping || unused(quota) { now } else { at })
        };
        let due: Vec<_> = quotas.values().filter_map(|quota| Some((quota, due(quota)?))).collect();
        if due.iter().all(|(_, at)| *at > now) {
            return Vec::new();
        }
        let due = due.into_iter().filter(|(_, at)| *at <= now + RENEWAL / 2);
        due.filter_map(|(quota, _)| quota.ask(stopping || unused(quota), now)).collect()
    }

    /// When to look again whether something has to be asked.
    fn looks_at(&self, now: Instant) -> Instant {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quota: &Arc<Quota>| {
            let at = quota.asks_at(now)?;
            Some(if quota.is_wanted() { at.min(now + LOOK) } else { at })
        };
        quotas.values().filter_map(at).min().unwrap_or(now + RENEWAL)
    }

    fn take_in(&self, names: &[String], answers: Vec<Result<Grant, Refused>>) {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        for (name, answer) in names.iter().zip(answers) {
            if let Some(quota) = quotas.get(name) {
                quota.take_in(answer, now);
            }
        }
    }
}

/// Whether only the map has it.
fn unused(quota: &Arc<Quota>) -> bool {
    Arc::strong_count(quota) == 1
}
