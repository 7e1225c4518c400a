//! Renews the leases of a process: one task, one message for all its quotas. The only place of `lease` that waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Ask, Grant, LEASE, Leases, LinkError, RENEWAL, Refused};
use crate::quota::Quota;

/// Two messages are never closer together.
const CLOSEST: Duration = Duration::from_millis(10);
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
    loop {
        let stopping = shared.stopping.load(Ordering::SeqCst);
        let begin = Instant::now();
        let asks = shared.asks(stopping, begin);
        let mut again = RENEWAL;
        if !asks.is_empty() {
            let names: Vec<_> = asks.iter().map(|ask| ask.quota.clone()).collect();
            let late = || LinkError("no answer in time".into());
            match timeout(ANSWERED_WITHIN, link.ask(asks)).await.unwrap_or_else(|_| Err(late())) {
                Ok(answers) => {
                    again = shared.take_in(&names, answers);
                    reached = true;
                }
                Err(error) => {
                    if reached {
                        let cause = crate::client::causes(&error);
                        tracing::warn!(process, cause, lease = ?LEASE, "calls stop when the lease ends");
                    }
                    reached = false;
                }
            }
        }
        if stopping {
            return;
        }
        sleep_until(begin + CLOSEST).await;
        tokio::select! {
            () = sleep_until(begin + again) => {}
            () = shared.hurry.notified() => {}
        }
    }
}

impl Shared {
    fn asks(&self, stopping: bool, now: Instant) -> Vec<Ask> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = |quota: &Arc<Quota>| {
            let unused = Arc::strong_count(quota) == 1; // the map's
            quota.ask(stopping || unused, now)
        };
        quotas.values().filter_map(ask).collect()
    }

    /// Returns when to ask again.
    fn take_in(&self, names: &[String], answers: Vec<Result<Grant, Refused>>) -> Duration {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut again = RENEWAL;
        for (name, answer) in names.iter().zip(answers) {
            let Some(quota) = quotas.get(name) else { continue };
            if let Ok(grant) = &answer {
                again = again.min(grant.ask_again);
            }
            quota.take_in(answer, now);
        }
        again
    }
}
