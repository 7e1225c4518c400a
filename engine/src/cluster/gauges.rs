//! What is told of an executor's process to Prometheus, beside its functions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{MetricFamily, MetricType};

use super::memory::Memory;
use super::process::Process;
use super::work::Work;
use crate::observe::prometheus::{family, metric};

/// What slots are told as.
const SLOTS: (&str, &str) = ("paceline_executor_slots", "Tasks that the executor can run at once.");

/// The gauges of an executor, over all its starts in this process.
#[derive(Clone)]
pub struct ExecutorGauges {
    watched: Arc<Mutex<Watched>>,
    /// What its tasks came to.
    pub(super) work: Work,
    /// A registry tells collectors apart by these.
    described: Option<Desc>,
}

#[derive(Default)]
struct Watched {
    process: Weak<Process>,
    memory: Weak<Memory>,
    starts: u64,
}

impl Default for ExecutorGauges {
    fn default() -> Self {
        let described = Desc::new(SLOTS.0.to_owned(), SLOTS.1.to_owned(), Vec::new(), HashMap::new()).ok();
        ExecutorGauges { watched: Arc::default(), work: Work::default(), described }
    }
}

impl ExecutorGauges {
    /// Tells of these from now on.
    pub(super) fn watch(&self, process: &Arc<Process>, memory: &Arc<Memory>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let starts = watched.starts + 1;
        *watched = Watched { process: Arc::downgrade(process), memory: Arc::downgrade(memory), starts };
    }
}

impl Collector for ExecutorGauges {
    fn desc(&self) -> Vec<&Desc> {
        self.described.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let (process, memory) = (watched.process.upgrade(), watched.memory.upgrade());
        let slots = process.as_ref().map_or(0, |process| process.slots());
        let running = process.as_ref().map_or(0, |process| process.running.all().len());
        let bytes = memory.as_ref().map_or(0, |memory| memory.bytes());
        let reserved = memory.as_ref().map_or(0, |memory| memory.reserved());
        let (gauge, counter) = (MetricType::GAUGE, MetricType::COUNTER);
        let rows = [
            (SLOTS.0, SLOTS.1, gauge, slots as f64),
            ("paceline_executor_tasks_running", "Tasks that run there now.", gauge, running as f64),
            ("paceline_executor_memory_pool_bytes", "Memory for the operators of all tasks.", gauge, bytes as f64),
            ("paceline_executor_memory_reserved_bytes", "Memory that operators hold now.", gauge, reserved as f64),
            (
                "paceline_executor_starts_total",
                "How often it has begun to work for a scheduler.",
                counter,
                watched.starts as f64,
            ),
        ];
        let rows = rows.map(|(name, help, kind, value)| family(name, help, kind, vec![metric(&[], value, kind)]));
        rows.into_iter().chain(self.work.families()).collect()
    }
}

impl fmt::Debug for ExecutorGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExecutorGauges")
    }
}
