//! The names that Glue has for the metrics of its own jobs, for where Glue publishes none. Pure.

use std::time::Duration;

use super::metrics::Datum;
use crate::io::counted::S3Counters;
use crate::observe::cpu::Ticks;
use crate::observe::memory::rss_share;
use crate::observe::progress::Progress;

/// The namespace of Glue's own metrics.
pub const NAMESPACE: &str = "Glue";

/// Reads progress, and knows what it was before.
#[derive(Debug)]
pub struct GlueMeter {
    job: String,
    before: Progress,
    /// Of the processors, when they were looked at last.
    ticks: Option<Ticks>,
    /// What this process sends to S3 and gets from there, of its other jobs too, and what that was before.
    s3: S3Counters,
    s3_before: (u64, u64),
}

impl GlueMeter {
    /// For a job of a name.
    pub fn new(job: &str, s3: S3Counters) -> Self {
        let s3_before = s3.bytes();
        GlueMeter { job: job.to_owned(), before: Progress::default(), ticks: Ticks::now(), s3, s3_before }
    }

    /// What happened in the time `took` since the last reading.
    pub fn read(&mut self, now: &Progress, took: Duration) -> Vec<Datum> {
        let before = std::mem::replace(&mut self.before, now.clone());
        let ticks = Ticks::now();
        let load = ticks.zip(std::mem::replace(&mut self.ticks, ticks));
        let load = load.and_then(|(now, before)| now.share_since(before));
        let (received, sent) = self.s3.bytes();
        let s3_before = std::mem::replace(&mut self.s3_before, (received, sent));
        let mut data = Vec::new();
        let mut add = |name, value: f64, unit, kind: &str| {
            let dimensions =
                vec![("JobName", self.job.clone()), ("JobRunId", "ALL".to_owned()), ("Type", kind.to_owned())];
            data.push(Datum { name, value, unit, dimensions });
        };
        let added = |of: fn(&Progress) -> u64| of(now).saturating_sub(of(&before)) as f64;
        let mut count = |name, value, unit| add(name, value, unit, "count");
        count("glue.driver.aggregate.elapsedTime", took.as_millis() as f64, "Milliseconds");
        count("glue.driver.aggregate.numCompletedStages", added(|progress| progress.plans.stages_completed), "Count");
        count("glue.driver.aggregate.numCompletedTasks", added(|progress| progress.plans.tasks_completed), "Count");
        count("glue.driver.aggregate.numFailedTasks", added(|progress| progress.plans.tasks_failed), "Count");
        count("glue.driver.aggregate.recordsRead", added(|progress| progress.moved.read_records), "Count");
        count("glue.driver.aggregate.bytesRead", added(|progress| progress.moved.read_bytes), "Bytes");
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
        let (read, written) = (received.saturating_sub(s3_before.0), sent.saturating_sub(s3_before.1));
        add("glue.driver.s3.filesystem.read_bytes", read as f64, "Bytes", "gauge");
        add("glue.driver.s3.filesystem.write_bytes", written as f64, "Bytes", "gauge");
        if let Some(load) = load {
            add("glue.driver.system.cpuSystemLoad", load, "Percent", "gauge");
            // How busy the machines of executors are is not told: of a plan in this process there are none.
            if now.executors.is_none() {
                add("glue.ALL.system.cpuSystemLoad", load, "Percent", "gauge");
            }
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
    use crate::observe::progress::{Executors, Moved, Plans};

    #[test]
    fn counts_are_what_was_added() {
        let mut meter = GlueMeter::new("nightly", S3Counters::default());
        let mut read = |completed, shuffle_remote_bytes| {
            let progress = Progress {
                plans: Plans { tasks_completed: completed, stages_completed: completed / 2, ..Plans::default() },
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
            assert!(value("glue.driver.system.cpuSystemLoad").is_none_or(|load| (0.0..=1.0).contains(&load)));
            assert_eq!(value("glue.ALL.system.cpuSystemLoad"), None, "of executors it is not known");
            let count = |name| value(name).unwrap();
            (count("numCompletedTasks"), count("numCompletedStages"), count("shuffleRemoteBytesRead"))
        };
        assert_eq!([read(5, 100), read(8, 100), read(10, 150)], [(5.0, 2.0, 100.0), (3.0, 2.0, 0.0), (2.0, 1.0, 50.0)]);
    }
}
