//! What pages that show everything look at: jobs and executors, read once for all of them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use paceline_engine::cluster::{Cluster, Description};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::watched::Jobs;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How long the scheduler may take to say who is there.
const WITHIN: Duration = Duration::from_secs(2);
/// Jobs on it.
const JOBS: usize = 100;

/// The board. Clones are the same.
#[derive(Clone)]
pub struct Board {
    seen: Arc<RwLock<Option<Description>>>,
    text: watch::Sender<Arc<str>>,
}

impl Default for Board {
    fn default() -> Self {
        Board { seen: Arc::default(), text: watch::channel(Arc::from("{}")).0 }
    }
}

impl Board {
    /// A board with nothing on it yet, and the work of writing on it, to be polled as long as it is shown.
    pub fn new(jobs: Jobs, cluster: Option<Cluster>) -> (Self, impl Future<Output = ()>) {
        let board = Board::default();
        (board.clone(), board.keep(jobs, cluster))
    }

    /// The cluster as it was seen last.
    pub fn cluster(&self) -> Option<Description> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its text as JSON, now and whenever it changes.
    pub fn follow(&self) -> watch::Receiver<Arc<str>> {
        let mut receiver = self.text.subscribe();
        receiver.mark_changed();
        receiver
    }

    async fn keep(self, jobs: Jobs, cluster: Option<Cluster>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(cluster) = &cluster {
                let seen = tokio::time::timeout(WITHIN, cluster.describe()).await.ok().and_then(Result::ok);
                seen.iter().for_each(|seen| jobs.see(&seen.executors));
                *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
            }
            if self.text.receiver_count() == 0 {
                continue;
            }
            match jobs.list().await {
                Ok(mut list) => {
                    let all = list.len();
                    list.truncate(JOBS);
                    let text: Arc<str> =
                        json!({ "jobs": list, "total": all, "executors": executors(&self) }).to_string().into();
                    self.text.send_if_modified(|shown| {
                        let other = *shown != text;
                        *shown = text;
                        other
                    });
                }
                Err(error) => tracing::warn!(%error, "the jobs cannot be shown"),
            }
        }
    }
}

/// The executors of the cluster as JSON; `null` where there is none, or it does not answer.
pub fn executors(board: &Board) -> serde_json::Value {
    let Some(seen) = board.cluster() else { return serde_json::Value::Null };
    let executors = seen.executors.iter().map(|executor| {
        json!({
            "id": executor.id,
            "slots": executor.slots,
            "running": executor.running,
            "memory_per_task_bytes": executor.share,
            "memory_used": executor.memory_permille.map(|permille| f64::from(permille) / 1000.0),
        })
    });
    executors.collect()
}
