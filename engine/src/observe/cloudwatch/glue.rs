//! The names that Glue has for the metrics of its own jobs, for where Glue publishes none. Pure.

use std::time::Duration;

use super::metrics::Datum;
use crate::io::counted::S3Counters;
use crate::observe::cpu::Ticks;
use crate::observe::memory::rss_share;
use crate::observe::progress::{Executors, Progress};

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
    /// The most executors that were needed since the last reading; `None` where there are none.
    needed: Option<u64>,
}

impl GlueMeter {
    /// For a job of a name.
    pub fn new(job: &str, s3: S3Counters) -> Self {
        let s3_before = s3.bytes();
        let (job, before) = (job.to_owned(), Progress::default());
        GlueMeter { job, before, ticks: Ticks::now(), s3, s3_before, needed: None }
    }

    /// Notes what may be another when it is read.
    pub fn see(&mut self, now: &Progress) {
        self.needed = self.needed.max(needed(now));
    }

    /// What happened in the time `took` since the last reading.
    pub fn read(&mut self, now: &Progress, took: Duration) -> Vec<Datum> {
        self.see(now);
        let most_needed = std::mem::replace(&mut self.needed, needed(now));
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
        // Of a plan in one process all tasks end together, and none is killed for itself.
        if now.executors.is_some() {
            count("glue.driver.aggregate.numKilledTasks", added(|progress| progress.plans.tasks_killed), "Count");
        }
        count("glue.driver.aggregate.recordsRead", added(|progress| progress.moved.read_records), "Count");
        count("glue.driver.aggregate.bytesRead", added(|progress| progress.moved.read_bytes), "Bytes");
        let shuffled = added(|progress| progress.plans.shuffle_written_bytes);
        count("glue.driver.aggregate.shuffleBytesWritten", shuffled, "Bytes");
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
        let elsewhere = added(|progress| progress.moved.executors_s3_read_bytes);
        add("glue.ALL.s3.filesystem.read_bytes", read as f64 + elsewhere, "Bytes", "gauge");
        let elsewhere = added(|progress| progress.moved.executors_s3_written_bytes);
        add("glue.ALL.s3.filesystem.write_bytes", written as f64 + elsewhere, "Bytes", "gauge");
        if let Some(load) = load {
            add("glue.driver.system.cpuSystemLoad", load, "Percent", "gauge");
        }
        if let Some(load) = load.and_then(|load| load_of_all(load, now.executors)) {
            add("glue.ALL.system.cpuSystemLoad", load, "Percent", "gauge");
        }
        if let Some(executors) = now.executors {
            let name = "glue.driver.ExecutorAllocationManager.executors.numberAllExecutors";
            add(name, executors.count as f64, "Count", "gauge");
        }
        if let Some(needed) = most_needed {
            let name = "glue.driver.ExecutorAllocationManager.executors.numberMaxNeededExecutors";
            add(name, needed as f64, "Count", "gauge");
        }
        data
    }
}

/// The executors that the tasks which run or could run would fill, as Spark counts them.
fn needed(progress: &Progress) -> Option<u64> {
    let Executors { count, slots, .. } = progress.executors?;
    let tasks = progress.tasks.running + progress.tasks.waiting;
    (slots > 0).then(|| (tasks * count).div_ceil(slots))
}

/// How busy machines are, on average over the processes: the driver, and executors, if there are any and they have said so.
fn load_of_all(driver: f64, executors: Option<Executors>) -> Option<f64> {
    let Some(Executors { count, cpu_permille, .. }) = executors else { return Some(driver) };
    let theirs = f64::from(cpu_permille?) / 1000.0;
    Some((driver + theirs * count as f64) / (1.0 + count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::progress::{Moved, Plans, Tasks};

    /// The value of the metric whose name ends so.
    fn value(data: &[Datum], name: &str) -> Option<f64> {
        data.iter().find(|datum| datum.name.ends_with(name)).map(|datum| datum.value)
    }

    #[test]
    fn counts_are_what_was_added() {
        let mut meter = GlueMeter::new("nightly", S3Counters::default());
        let mut read = |completed, tasks_killed, shuffled| {
            let plans = Plans { tasks_completed: completed, stages_completed: completed / 2, ..Plans::default() };
            let progress = Progress {
                plans: Plans { tasks_killed, shuffle_written_bytes: shuffled, ..plans },
                moved: Moved { shuffle_remote_bytes: shuffled / 2, ..Moved::default() },
                executors: Some(Executors { count: 3, memory_permille: Some(999), ..Executors::default() }),
                ..Progress::default()
            };
            let data = meter.read(&progress, Duration::from_secs(2));
            let dimensions = data[0].dimensions.iter().map(|(name, value)| format!("{name}={value}"));
            assert_eq!(dimensions.collect::<Vec<_>>(), ["JobName=nightly", "JobRunId=ALL", "Type=count"]);
            let all = value(&data, "executors.numberAllExecutors");
            assert_eq!((value(&data, "elapsedTime"), all), (Some(2000.0), Some(3.0)));
            assert!(value(&data, "glue.ALL.jvm.heap.usage").is_none_or(|share| share >= 0.999));
            let names = ["numCompletedTasks", "numCompletedStages", "numKilledTasks"];
            let shuffled = ["shuffleBytesWritten", "shuffleRemoteBytesRead"];
            (names.map(|name| value(&data, name).unwrap()), shuffled.map(|name| value(&data, name).unwrap()))
        };
        assert_eq!(read(5, 0, 200), ([5.0, 2.0, 0.0], [200.0, 100.0]));
        assert_eq!(read(8, 2, 200), ([3.0, 2.0, 2.0], [0.0, 0.0]));
        assert_eq!(read(10, 3, 300), ([2.0, 1.0, 1.0], [100.0, 50.0]));
    }

    #[test]
    fn of_a_plan_in_one_process_all_is_the_driver() {
        let s3 = S3Counters::default();
        s3.add(0, 1000, Some(200), 1000); // before the job
        let mut meter = GlueMeter::new("nightly", s3.clone());
        for (sent, received) in [(7, 30), (0, 5)] {
            s3.add(0, sent, Some(200), received);
            let data = meter.read(&Progress::default(), Duration::from_secs(2));
            for of in ["driver", "ALL"] {
                let bytes = |what: &str| value(&data, &format!("glue.{of}.s3.filesystem.{what}_bytes"));
                assert_eq!((bytes("write"), bytes("read")), (Some(sent as f64), Some(received as f64)));
            }
            let [driver, all] = ["driver", "ALL"].map(|of| value(&data, &format!("glue.{of}.system.cpuSystemLoad")));
            assert_eq!(driver, all);
            assert!(all.is_none_or(|load| (0.0..=1.0).contains(&load)));
            assert_eq!(value(&data, "numKilledTasks"), None);
        }
    }

    #[test]
    fn of_a_cluster_all_is_the_driver_and_its_executors() {
        let s3 = S3Counters::default();
        let mut meter = GlueMeter::new("nightly", s3.clone());
        let mut read = |executors_s3_read_bytes, executors_s3_written_bytes| {
            s3.add(0, 7, Some(200), 30);
            let moved = Moved { executors_s3_read_bytes, executors_s3_written_bytes, ..Moved::default() };
            let data = meter.read(&Progress { moved, ..Progress::default() }, Duration::from_secs(2));
            let names = ["driver.s3.filesystem.read", "ALL.s3.filesystem.read", "ALL.s3.filesystem.write"];
            names.map(|name| value(&data, &format!("glue.{name}_bytes")).unwrap())
        };
        assert_eq!([read(1000, 0), read(1500, 60)], [[30.0, 1030.0, 7.0], [30.0, 530.0, 67.0]]);
    }

    #[test]
    fn each_process_s_machine_counts_once() {
        let executors = |count, cpu_permille| Some(Executors { count, cpu_permille, ..Executors::default() });
        assert_eq!(load_of_all(0.25, None), Some(0.25));
        assert_eq!(load_of_all(0.2, executors(3, Some(1000))), Some(0.8));
        assert_eq!(load_of_all(0.2, executors(3, None)), None, "they have not said");
        assert_eq!(load_of_all(0.2, executors(0, Some(0))), Some(0.2));
    }

    #[test]
    fn executors_are_needed_for_all_tasks_that_could_run_and_the_most_of_them_is_told() {
        let progress = |running, waiting, slots| Progress {
            tasks: Tasks { total: 100, running, waiting, ..Tasks::default() },
            executors: Some(Executors { count: 2, slots, ..Executors::default() }),
            ..Progress::default()
        };
        let of_tasks = |(running, waiting)| needed(&progress(running, waiting, 8));
        assert_eq!([(8, 9), (8, 8), (1, 0), (0, 0)].map(of_tasks), [5, 4, 1, 0].map(Some));
        assert_eq!((needed(&progress(1, 1, 0)), needed(&Progress::default())), (None, None));
        let mut meter = GlueMeter::new("nightly", S3Counters::default());
        let read = |meter: &mut GlueMeter, now: &Progress| {
            value(&meter.read(now, Duration::from_secs(2)), "executors.numberMaxNeededExecutors")
        };
        assert_eq!(read(&mut meter, &Progress::default()), None, "there is no cluster");
        assert_eq!(read(&mut meter, &progress(8, 4, 8)), Some(3.0));
        meter.see(&progress(8, 9, 8));
        meter.see(&progress(2, 0, 8));
        assert_eq!(read(&mut meter, &progress(0, 0, 8)), Some(5.0), "the most since it was read");
        assert_eq!(read(&mut meter, &progress(0, 0, 8)), Some(0.0));
    }
}
