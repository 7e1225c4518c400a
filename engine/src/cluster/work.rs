//! What the tasks of an executor came to, beside their calls: rows that were spilled, and those that went from stage to stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ballista_core::serde::protobuf::ShuffleWritePartition;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::MetricsSet;
use prometheus::proto::{MetricFamily, MetricType};

use crate::observe::prometheus::{family, metric};

/// The names of what tasks read of earlier stages, in bytes: off the disks of this machine, and over the network.
pub(crate) const READ_LOCALLY: &str = "shuffle_local_bytes";
pub(crate) const READ_REMOTELY: &str = "shuffle_remote_bytes";

/// The sums of an executor, over all its starts in this process. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Work(Arc<Sums>);

#[derive(Debug, Default)]
struct Sums {
    completed: AtomicU64,
    failed: AtomicU64,
    spills: AtomicU64,
    spilled_bytes: AtomicU64,
    spilled_rows: AtomicU64,
    written_bytes: AtomicU64,
    written_rows: AtomicU64,
    read_locally: AtomicU64,
    read_remotely: AtomicU64,
}

impl Work {
    /// A task has ended, and its operators counted this.
    pub fn ended(&self, done: &Result<Vec<ShuffleWritePartition>>, counted: &[MetricsSet]) {
        let Sums { completed, failed, spills, spilled_bytes, spilled_rows, .. } = &*self.0;
        let Sums { written_bytes, written_rows, read_locally, read_remotely, .. } = &*self.0;
        let add = |sum: &AtomicU64, number: u64| {
            sum.fetch_add(number, Ordering::Relaxed);
        };
        let all = |number: &dyn Fn(&MetricsSet) -> Option<usize>| {
            counted.iter().filter_map(number).map(|number| number as u64).sum::<u64>()
        };
        add(if done.is_ok() { completed } else { failed }, 1);
        add(spills, all(&|set| set.spill_count()));
        add(spilled_bytes, all(&|set| set.spilled_bytes()));
        add(spilled_rows, all(&|set| set.spilled_rows()));
        let named = |name: &'static str| move |set: &MetricsSet| Some(set.sum_by_name(name)?.as_usize());
        add(read_locally, all(&named(READ_LOCALLY)));
        add(read_remotely, all(&named(READ_REMOTELY)));
        for written in done.iter().flatten() {
            add(written_bytes, written.num_bytes);
            add(written_rows, written.num_rows);
        }
    }

    /// The sums, for Prometheus.
    pub fn families(&self) -> Vec<MetricFamily> {
        let sums = &*self.0;
        let kind = MetricType::COUNTER;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed) as f64;
        let one = |name, help, number| family(name, help, kind, vec![metric(&[], read(number), kind)]);
        let two = |name, help, label, parts: [(&str, &AtomicU64); 2]| {
            let part = |(value, number): (&str, &AtomicU64)| metric(&[(label, value)], read(number), kind);
            family(name, help, kind, parts.map(part).into())
        };
        vec![
            two(
                "paceline_executor_tasks_total",
                "Tasks that have ended there.",
                "outcome",
                [("completed", &sums.completed), ("failed", &sums.failed)],
            ),
            one("paceline_executor_spills_total", "How often operators of tasks spilled.", &sums.spills),
            one("paceline_executor_spilled_bytes_total", "Bytes that they spilled to disk.", &sums.spilled_bytes),
            one("paceline_executor_spilled_rows_total", "Rows that they spilled to disk.", &sums.spilled_rows),
            one(
                "paceline_executor_shuffle_written_bytes_total",
                "Bytes written for later stages.",
                &sums.written_bytes,
            ),
            one("paceline_executor_shuffle_written_rows_total", "Rows written for later stages.", &sums.written_rows),
            two(
                "paceline_executor_shuffle_read_bytes_total",
                "Bytes of earlier stages that were read, off this machine's disks or over the network.",
                "from",
                [("disk", &sums.read_locally), ("network", &sums.read_remotely)],
            ),
        ]
    }
}
