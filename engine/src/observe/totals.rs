//! What all API functions of a process have come to, for Prometheus: those that are called now, and the sums of those that were.
//! A counter never falls: what a session did stays when it has ended.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use paceline_udfs::caller::Watch;
use paceline_udfs::quota::Quotas;
use prometheus::Registry;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use tokio::time::Instant;

use super::prometheus::families;
use crate::EngineError;

/// So many names of functions are told apart; what has other names is summed under one.
const NAMES: usize = 100;
/// That name. No function can have it.
const OTHERS: &str = "(others)";

/// The functions and quotas of a process, or of one session of it.
#[derive(Clone, Default)]
pub struct Totals(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    next: u64,
    live: BTreeMap<u64, Watch>,
    /// By name; each shows the sum of all that have ended.
    ended: BTreeMap<String, Watch>,
    quotas: Vec<Weak<Quotas>>,
}

/// A function that counts as called until this is dropped.
pub(crate) struct Counted {
    totals: Totals,
    number: u64,
}

impl Totals {
    /// Counts a function.
    pub(crate) fn count(&self, watch: Watch) -> Counted {
        let mut inner = self.inner();
        inner.next += 1;
        let number = inner.next;
        inner.live.insert(number, watch);
        Counted { totals: self.clone(), number }
    }

    /// Shows the limits of these quotas as long as they are there.
    pub(crate) fn show(&self, quotas: &Arc<Quotas>) {
        let mut inner = self.inner();
        inner.quotas.retain(|known| known.strong_count() > 0);
        inner.quotas.push(Arc::downgrade(quotas));
    }

    /// A registry that reads these.
    ///
    /// # Errors
    /// They are there twice.
    pub fn registry(&self) -> Result<Registry, EngineError> {
        let registry = Registry::new();
        let failed = |error| EngineError::Setting(format!("the metrics cannot be registered: {error}"));
        registry.register(Box::new(self.clone())).map_err(failed)?;
        Ok(registry)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut inner = self.totals.inner();
        let Some(watch) = inner.live.remove(&self.number) else { return };
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut sum = watch.counters().snapshot(now, wall).ended();
        sum.breaker_openings = watch.breaker().openings();
        let is_new = inner.ended.len() >= NAMES && !inner.ended.contains_key(watch.name());
        let name = if is_new { OTHERS } else { watch.name() };
        if let Some(earlier) = inner.ended.get(name) {
            let mut before = earlier.counters().snapshot(now, wall).ended();
            before.breaker_openings = earlier.breaker().openings();
            sum.add(&before);
        }
        watch.show(&sum, now, wall);
        inner.ended.insert(name.to_owned(), watch);
    }
}

impl Collector for Totals {
    /// None: which functions there are is not known before.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let inner = self.inner();
        let mut functions: BTreeMap<String, Vec<Watch>> = BTreeMap::new();
        for (name, watch) in &inner.ended {
            functions.entry(name.clone()).or_default().push(watch.clone());
        }
        for watch in inner.live.values() {
            let is_new = functions.len() >= NAMES && !functions.contains_key(watch.name());
            let name = if is_new { OTHERS } else { watch.name() };
            functions.entry(name.to_owned()).or_default().push(watch.clone());
        }
        let quotas: Vec<_> = inner.quotas.iter().filter_map(Weak::upgrade).collect();
        drop(inner);
        families(&functions, &quotas)
    }
}

impl fmt::Debug for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Totals").field("live", &self.inner().live.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").field("number", &self.number).finish_non_exhaustive()
    }
}
