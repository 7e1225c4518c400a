//! Calls that are made on a cluster, shown here as if this process made them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use datafusion::common::{DataFusionError, Result};
use paceline_udfs::Caller;
use paceline_udfs::counters::Snapshot;
use tokio::time::Instant;

use crate::cluster::Cluster;

/// The functions of a plan that runs elsewhere, each with what it had come to before.
pub(super) struct Elsewhere(HashMap<String, (Arc<Caller>, Snapshot)>);

impl Elsewhere {
    pub fn new(callers: Vec<Arc<Caller>>) -> Self {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let before = |caller: Arc<Caller>| {
            let mut before = caller.counters().snapshot(now, wall);
            before.breaker_openings = caller.watch().breaker().openings();
            (before.wanted, before.paused) = (caller.quota().time_wanted(), caller.quota().time_paused());
            (caller.api().name.clone(), (caller, before))
        };
        Elsewhere(callers.into_iter().map(before).collect())
    }

    /// Shows what they have come to now.
    ///
    /// # Errors
    /// More rows were given up, on all executors together, than a function allows. A scheduler that does not answer is none:
    /// whether the plan goes on is seen elsewhere.
    pub async fn look(&self, cluster: &Cluster, attempt: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let functions = match cluster.progress(attempt).await {
            Ok(functions) => functions,
            Err(error) => {
                tracing::debug!(%error, "no numbers of the cluster");
                return Ok(());
            }
        };
        let (now, wall) = (Instant::now(), SystemTime::now());
        for (name, snapshot) in functions {
            let Some((caller, before)) = self.0.get(&name) else { continue };
            let mut sum = before.clone();
            sum.add(&snapshot);
            caller.watch().show(&sum, now, wall);
            let (wanted, paused) = (before.wanted + snapshot.wanted, before.paused + snapshot.paused);
            caller.quota().show(wanted, paused, caller.counters().requests.get());
            if let Some(why) = caller.over_budget() {
                return Err(DataFusionError::Execution(format!("API function '{name}': {why}")));
            }
        }
        Ok(())
    }
}
