//! The names that Glue has for the metrics of its own jobs, for where Glue publishes none. Pure.

use std::time::Duration;

use super::metrics::Datum;
use crate::observe::memory::rss_share;
use crate::observe::progress::Progress;

/// The namespace of Glue's own metrics.
pub const NAMESPACE: &str = "Glue";

/// Reads progress, and knows what it was before.
#[derive(Debug)]
pub struct GlueMeter {
    job: String,
    before: Progress,
}

impl GlueMeter {
    /// For a job of a name.
    pub fn new(job: &str) -> Self {
        GlueMeter { job: job.to_owned(), before: Progress::default() }
    }

    /// What happened in the time `took` since the last reading.
    pub fn read(&mut self, now: &Progress, took: Duration) -> Vec<Datum> {
        let before = std::mem::replace(&mut self.before, now.clone());
        let mut data = Vec::new();
        let mut add = |name, value: f64, unit, kind: &str| {
            let dimensions =
                vec![("JobName", self.job.clone()), ("JobRunId", "ALL".to_owned()), ("Type", kind.to_owned())];
            data.push(Datum { name, value, unit, dimensions });
        };
        // Tasks are those of one plan; the next one begins at 0.
        let added = |of: fn(&Progress) -> u64| {
            let (now, before) = (of(now), of(&before));
            (if now >= before { now - before } else { now }) as f64
        };
        let mut count = |name, value, unit| add(name, value, unit, "count");
        count("glue.driver.aggregate.elapsedTime", took.as_millis() as f64, "Milliseconds");
        count("glue.driver.aggregate.numCompletedTasks", added(|progress| progress.tasks.completed), "Count");
        count("glue.driver.aggregate.numFailedTasks", added(|progress| progress.tasks.failed), "Count");
        let local = added(|progress| progress.moved.shuffle_local_bytes);
        count("glue.driver.aggregate.shuffleLocalBytesRead", local, "Bytes");
        let remote = added(|progress| progress.moved.shuffle_remote_bytes);
        count("glue.driver.aggregate.shuffleRemoteBytesRead", remote, "Bytes");
        if let Some(share) = rss_share() {
            add("glue.driver.jvm.heap.usage", share, "Percent", "gauge");
            let fullest = now.executors.and_then(|executors| executors.memory_permille);
            let fullest = fullest.map_or(share, |permille| share.max(f64::from(permille) / 1000.0));
            add("glue.ALL.jvm.heap.usage", fullest, "Percent", "gauge");
        }
        if let Some(executors) = now.executors {
            let name = "glue.driver.ExecutorAllocationManager.executors.numberAllExecutors";
            add(name, executors.count as f64, "Count", "gauge");
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::progress::{Executors, Moved, Tasks};

    #[test]
    fn counts_are_what_was_added_and_tasks_those_of_each_plan() {
        let mut meter = GlueMeter::new("nightly");
        let mut read = |completed, shuffle_remote_bytes| {
            let progress = Progress {
                tasks: Tasks { completed, ..Tasks::default() },
                moved: Moved { shuffle_remote_bytes, ..Moved::default() },
                executors: Some(Executors { count: 3, memory_permille: Some(999) }),
                ..Progress::default()
            };
            let data = meter.read(&progress, Duration::from_secs(2));
            let value = |name: &str| data.iter().find(|datum| datum.name.ends_with(name)).map(|datum| datum.value);
            let dimensions = data[0].dimensions.iter().map(|(name, value)| format!("{name}={value}"));
            assert_eq!(dimensions.collect::<Vec<_>>(), ["JobName=nightly", "JobRunId=ALL", "Type=count"]);
            assert_eq!((value("elapsedTime"), value("numberAllExecutors")), (Some(2000.0), Some(3.0)));
            assert!(value("glue.ALL.jvm.heap.usage").is_none_or(|share| share >= 0.999));
            (value("numCompletedTasks").unwrap(), value("shuffleRemoteBytesRead").unwrap())
        };
        assert_eq!([read(5, 100), read(8, 100), read(2, 150)], [(5.0, 100.0), (3.0, 0.0), (2.0, 50.0)]);
    }
}
