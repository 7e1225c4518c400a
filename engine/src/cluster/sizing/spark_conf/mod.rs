//! What Spark's own settings come to in a cluster of Paceline.
//! Each key is mapped, clamped to what the workers have, or kept off with a warning; none is ignored in silence.

mod clamp;
mod forms;
mod keys;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::executor_memory::Overhead;
use super::invalid::Invalid;
use super::worker_type::Workers;
use keys::Given;
pub(crate) use keys::find;
pub use keys::{KEYS, Key, Treated};

/// What was set of a cluster, as its workers can bear it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConf {
    /// Cores of an executor.
    pub cores: usize,
    /// Cores that a task takes, at most those of an executor.
    pub task_cpus: usize,
    /// Executors that are started at first.
    pub executors: usize,
    /// How executors come and go; `None` where their number stays.
    pub dynamic: Option<Dynamic>,
    /// An executor's memory.
    pub memory: ExecutorMemory,
    /// Partitions after a shuffle; `None` for the session's own number.
    pub shuffle_partitions: Option<usize>,
    /// Partitions that files are cut into; `None` for the session's own number.
    pub default_parallelism: Option<usize>,
    /// Failures of a task that fail its job.
    pub task_max_failures: usize,
    /// Attempts of a stage.
    pub stage_max_failures: usize,
    /// An executor silent so long is lost: whole seconds, longer than `heartbeat_interval`.
    pub network_timeout: Duration,
    /// How often an executor reports: whole seconds, at least one.
    pub heartbeat_interval: Duration,
    /// Keys that are no matter of the cluster, as they were given, in that order.
    pub elsewhere: Vec<(String, String)>,
    /// What was not taken as given, at most one for each key, in the order of the keys.
    pub warnings: Vec<Warning>,
}

/// Memory of an executor, as settings and worker type have it; a machine may have less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExecutorMemory {
    /// `spark.executor.memory` in bytes, or what Glue gives.
    pub heap: u64,
    /// Whether the user said so.
    pub heap_given: bool,
    /// `spark.memory.offHeap.size` in bytes, zero where it is off. Paceline has no heap: the two are one memory.
    pub off_heap: u64,
    /// What stays free beside them.
    pub overhead: Overhead,
    /// The memory pool's share of heap and off-heap: above 0, at most 1.
    pub fraction: f64,
}

/// How executors come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamic {
    /// Least executors.
    pub min: usize,
    /// Most executors, at least one and `min`.
    pub max: usize,
    /// An executor that was idle for so long is given back.
    pub idle_timeout: Duration,
    /// Tasks wait so long before the first executors are added.
    pub backlog_timeout: Duration,
    /// And so long before more are.
    pub sustained_backlog_timeout: Duration,
}

/// A key that was not taken as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key.
    pub key: String,
    /// What the user said.
    pub said: String,
    /// What Paceline does instead, and why.
    pub done: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { key, said, done } = self;
        write!(f, "{key} {said}: {done}")
    }
}

impl ClusterConf {
    /// What settings of Spark, keys and values, come to on these workers. Of a key that is given twice the last value counts.
    ///
    /// # Errors
    /// A value is not of its key's form, or two keys contradict each other as Spark does not allow either; a key is none
    /// of Spark's.
    pub fn read(pairs: &[(String, String)], workers: Workers) -> Result<Self, Invalid> {
        let later = |at: usize, name: &str| pairs.iter().skip(at + 1).any(|(other, _)| other == name);
        let pairs: Vec<_> =
            pairs.iter().enumerate().filter(|(at, pair)| !later(*at, &pair.0)).map(|(_, pair)| pair).collect();
        let mut given = Given::default();
        let mut said = Said { pairs: &pairs, warnings: Vec::new() };
        let mut elsewhere = Vec::new();
        for (name, value) in &pairs {
            if !name.starts_with("spark.") {
                return Err(Invalid(format!("'{name}' is no key of Spark: those begin with spark.")));
            }
            let Some(key) = keys::find(name) else {
                said.warn(name, "has no effect: it is not known to Paceline".to_owned());
                continue;
            };
            let taken = (key.take)(&mut given, value);
            taken.map_err(|expected| Invalid(format!("setting '{name}' is '{value}', expected {expected}")))?;
            match key.treated {
                Treated::Mapped | Treated::Clamped => {}
                Treated::KeptOff if key.stays_at(value) => {}
                Treated::KeptOff => said.warn(name, key.meaning.to_owned()),
                Treated::Elsewhere => elsewhere.push((name.clone(), value.clone())),
            }
        }
        let mut conf = clamp::clamp(&given, workers, &mut said)?;
        conf.elsewhere = elsewhere;
        conf.warnings = said.warnings;
        conf.warnings.sort_by_key(|warning| pairs.iter().position(|(name, _)| *name == warning.key));
        Ok(conf)
    }

    /// Keys that were given to a cluster and are a matter of the sessions that use it.
    pub fn left_to_sessions(&self, pairs: &[(String, String)]) -> Vec<Warning> {
        const OF_SESSIONS: [&str; 2] = ["spark.sql.shuffle.partitions", "spark.default.parallelism"];
        let is_theirs = |name: &str| OF_SESSIONS.contains(&name) || self.elsewhere.iter().any(|(key, _)| key == name);
        let mut warnings: Vec<Warning> = Vec::new();
        for (key, said) in pairs.iter().rev().filter(|(name, _)| is_theirs(name)) {
            if warnings.iter().all(|warning| warning.key != *key) {
                let done = "has no effect on a cluster: give it to paceline run".to_owned();
                warnings.insert(0, Warning { key: key.clone(), said: said.clone(), done });
            }
        }
        warnings
    }

    /// Tasks that an executor runs at once, at least one.
    pub fn slots(&self) -> usize {
        (self.cores / self.task_cpus.max(1)).max(1)
    }
}

/// What was said, and what was answered to it.
struct Said<'a> {
    pairs: &'a [&'a (String, String)],
    warnings: Vec<Warning>,
}

impl Said<'_> {
    /// Warns of a key, if it was given.
    fn warn(&mut self, key: &str, done: String) {
        let said = self.pairs.iter().find(|(name, _)| name == key);
        if let Some((_, said)) = said {
            self.warnings.push(Warning { key: key.to_owned(), said: said.clone(), done });
        }
    }
}
