//! Every key of Spark that a cluster understands, once, with how it is treated.
//! Reads values; what they come to on given workers is decided in `clamp`.

use std::time::Duration;

use super::forms::{any, bytes, count, factor, flag, fraction, mebibytes, milliseconds, seconds, share, whole};
use Treated::{Clamped, Elsewhere, KeptOff, Mapped};

/// A key of Spark.
#[derive(Debug)]
pub struct Key {
    /// Its name; one that ends with `.*` stands for all that begin so and are not named themselves.
    pub name: &'static str,
    /// How it is treated.
    pub treated: Treated,
    /// What it comes to in Paceline, or why it does not, with its unit and default.
    pub meaning: &'static str,
    /// Checks a value, and takes it unless the key is kept off; the error is what was expected.
    pub(super) take: Take,
    /// The value at which a key that is kept off stays, and which therefore needs no warning.
    pub(super) stays: Option<&'static str>,
}

/// How a key is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treated {
    /// As given.
    Mapped,
    /// As given, as far as the workers have it; otherwise a warning says what it came to.
    Clamped,
    /// Checked, and not done: its meaning is the warning's text, unless the value is the one that it stays at.
    KeptOff,
    /// Not a matter of the cluster; handed on as it is.
    Elsewhere,
}

impl Key {
    /// Whether a value is of the key's form.
    ///
    /// # Errors
    /// What was expected.
    pub fn check(&self, value: &str) -> Result<(), &'static str> {
        (self.take)(&mut Given::default(), value)
    }

    /// Whether a key that is kept off is that way what the value says.
    pub fn stays_at(&self, value: &str) -> bool {
        self.stays.is_some_and(|stays| agree(value, stays))
    }
}

/// As texts in any case, or as numbers: `1` is `1.0`.
fn agree(value: &str, stays: &str) -> bool {
    let value = value.trim();
    value.eq_ignore_ascii_case(stays) || value.parse::<f64>().is_ok_and(|value| stays.parse() == Ok(value))
}

type Take = fn(&mut Given, &str) -> Result<(), &'static str>;

/// What was given, before anything is clamped. Sizes are in bytes.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub cores: Option<usize>,
    pub task_cpus: Option<usize>,
    pub instances: Option<usize>,
    pub heap: Option<u64>,
    pub overhead: Option<u64>,
    pub overhead_factor: Option<f64>,
    pub fraction: Option<f64>,
    pub off_heap_enabled: Option<bool>,
    pub off_heap: Option<u64>,
    pub dynamic: Option<bool>,
    pub min: Option<usize>,
    pub max: Option<usize>,
    pub initial: Option<usize>,
    pub idle_timeout: Option<Duration>,
    pub backlog_timeout: Option<Duration>,
    pub sustained_backlog_timeout: Option<Duration>,
    pub shuffle_partitions: Option<usize>,
    pub default_parallelism: Option<usize>,
    pub task_max_failures: Option<usize>,
    pub stage_max_failures: Option<usize>,
    pub network_timeout: Option<Duration>,
    pub heartbeat_interval: Option<Duration>,
}

/// A row that is taken into a field of [`Given`].
macro_rules! taken {
    ($treated:ident, $name:literal, $field:ident, $form:ident, $meaning:literal $(,)?) => {
        Key {
            name: $name,
            treated: $treated,
            meaning: $meaning,
            take: |given, text| $form(text).map(|value| given.$field = Some(value)),
            stays: None,
        }
    };
}

/// A row that is checked only; `stays` is the value that needs no warning, if there is one.
macro_rules! kept_off {
    ($name:literal, $form:ident, $stays:expr, $why:expr $(,)?) => {
        Key { name: $name, treated: KeptOff, meaning: $why, take: |_, text| $form(text).map(drop), stays: $stays }
    };
}

const fn elsewhere(name: &'static str, meaning: &'static str) -> Key {
    Key { name, treated: Elsewhere, meaning, take: |_, text| any(text), stays: None }
}

const AS_PLANNED: &str =
    "kept off: a resumed job finds its answers by the partitions that were planned, so they stay as planned";
const NO_ROWS: &str = "kept off: the scheduler holds no rows and takes what it needs of its worker";
const BOUGHT_TWICE: &str = "kept off: a second attempt beside the first would buy a task's answers twice";
const NO_CACHE: &str = "kept off: Paceline caches no tables";

/// Every key. Sizes without a suffix count in the unit that Spark gives each.
pub const KEYS: &[Key] = &[
    taken!(Clamped, "spark.executor.cores", cores, count, "cores of an executor (default: the worker's, shared out)"),
    taken!(
        Mapped,
        "spark.task.cpus",
        task_cpus,
        count,
        "cores of a task: an executor runs cores ÷ this at once (default 1)"
    ),
    taken!(
        Clamped,
        "spark.executor.instances",
        instances,
        count,
        "executors, or with dynamic allocation those at the start (default: all that the workers run)"
    ),
    taken!(
        Clamped,
        "spark.executor.memory",
        heap,
        mebibytes,
        "memory of an executor, in MiB (default 10 of the worker's 16 GB)"
    ),
    taken!(
        Clamped,
        "spark.executor.memoryOverhead",
        overhead,
        mebibytes,
        "memory beside it, in MiB (default: a tenth of it, at least 384 MiB)"
    ),
    taken!(
        Mapped,
        "spark.executor.memoryOverheadFactor",
        overhead_factor,
        factor,
        "memory beside it, as a share of it (default 0.1)"
    ),
    taken!(
        Mapped,
        "spark.memory.fraction",
        fraction,
        fraction,
        "the memory pool's share of an executor's memory (default 0.6)"
    ),
    taken!(
        Mapped,
        "spark.memory.offHeap.enabled",
        off_heap_enabled,
        flag,
        "whether off-heap memory is added to the executor's (default false)"
    ),
    taken!(Clamped, "spark.memory.offHeap.size", off_heap, bytes, "how much, in bytes; it is one memory with the heap"),
    kept_off!(
        "spark.memory.storageFraction",
        share,
        None,
        "kept off: Paceline caches no tables, so the whole pool is for running queries",
    ),
    taken!(
        Mapped,
        "spark.dynamicAllocation.enabled",
        dynamic,
        flag,
        "whether executors come and go with the work (default false)"
    ),
    taken!(Clamped, "spark.dynamicAllocation.minExecutors", min, whole, "least executors (default 0)"),
    taken!(
        Clamped,
        "spark.dynamicAllocation.maxExecutors",
        max,
        count,
        "most executors (default: all that the workers run)"
    ),
    taken!(
        Clamped,
        "spark.dynamicAllocation.initialExecutors",
        initial,
        whole,
        "executors at the start (default: the least)"
    ),
    taken!(
        Mapped,
        "spark.dynamicAllocation.executorIdleTimeout",
        idle_timeout,
        seconds,
        "idle so long an executor is given back (default 60s)"
    ),
    taken!(
        Mapped,
        "spark.dynamicAllocation.schedulerBacklogTimeout",
        backlog_timeout,
        seconds,
        "tasks wait so long before executors are added (default 1s)"
    ),
    taken!(
        Mapped,
        "spark.dynamicAllocation.sustainedSchedulerBacklogTimeout",
        sustained_backlog_timeout,
        seconds,
        "and so long before more are (default: as schedulerBacklogTimeout)"
    ),
    kept_off!(
        "spark.dynamicAllocation.shuffleTracking.enabled",
        flag,
        Some("true"),
        "kept on: an executor stays as long as its shuffle files are read",
    ),
    kept_off!(
        "spark.dynamicAllocation.shuffleTracking.timeout",
        seconds,
        None,
        "kept off: an executor stays as long as its shuffle files are read",
    ),
    kept_off!("spark.dynamicAllocation.cachedExecutorIdleTimeout", seconds, None, NO_CACHE),
    kept_off!(
        "spark.dynamicAllocation.executorAllocationRatio",
        fraction,
        Some("1.0"),
        "kept off: executors are added until every waiting task has a slot",
    ),
    kept_off!(
        "spark.shuffle.service.enabled",
        flag,
        Some("false"),
        "kept off: each executor serves its own shuffle files, and stays as long as they are read",
    ),
    kept_off!("spark.speculation", flag, Some("false"), BOUGHT_TWICE),
    kept_off!("spark.speculation.*", any, None, "kept off, as spark.speculation is"),
    taken!(
        Mapped,
        "spark.sql.shuffle.partitions",
        shuffle_partitions,
        count,
        "partitions after a shuffle, for paceline run; files and shuffles are cut into one number, the larger of this and \
         spark.default.parallelism (default: paceline.partitions, which wins over both)"
    ),
    taken!(
        Mapped,
        "spark.default.parallelism",
        default_parallelism,
        count,
        "partitions that files are cut into, for paceline run, as spark.sql.shuffle.partitions"
    ),
    kept_off!(
        "spark.sql.files.maxPartitionBytes",
        bytes,
        None,
        "kept off: files are cut into as many partitions as spark.default.parallelism says, not by size",
    ),
    kept_off!("spark.sql.adaptive.enabled", flag, Some("false"), AS_PLANNED),
    kept_off!("spark.sql.adaptive.*", any, None, AS_PLANNED),
    taken!(
        Mapped,
        "spark.task.maxFailures",
        task_max_failures,
        count,
        "failures of a task that fail its job (default 4)"
    ),
    taken!(Mapped, "spark.stage.maxConsecutiveAttempts", stage_max_failures, count, "attempts of a stage (default 4)"),
    taken!(
        Clamped,
        "spark.network.timeout",
        network_timeout,
        seconds,
        "an executor silent so long is lost, in whole seconds (default: five heartbeats)"
    ),
    taken!(
        Clamped,
        "spark.executor.heartbeatInterval",
        heartbeat_interval,
        milliseconds,
        "how often an executor reports, in whole seconds (default 1s)"
    ),
    kept_off!("spark.driver.memory", mebibytes, None, NO_ROWS),
    kept_off!("spark.driver.memoryOverhead", mebibytes, None, NO_ROWS),
    kept_off!("spark.driver.cores", count, None, NO_ROWS),
    kept_off!("spark.serializer", any, None, "kept off: rows travel as Arrow, and there are no Java objects"),
    kept_off!("spark.master", any, None, "kept off: the cluster is Paceline's own"),
    elsewhere("spark.sql.files.maxRecordsPerFile", "for paceline run"),
    elsewhere("spark.sql.sources.partitionColumnTypeInference.enabled", "for paceline run"),
    elsewhere("spark.sql.sources.partitionOverwriteMode", "for paceline run"),
    elsewhere("spark.app.name", "is the job's name in event logs and in CloudWatch; its id is --job-id"),
    elsewhere("spark.sql.session.timeZone", "for paceline run"),
];

/// The row of a key: its own, or the longest pattern's.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    let begins = |key: &&Key| key.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix));
    let own = KEYS.iter().find(|key| key.name == name);
    own.or_else(|| KEYS.iter().filter(begins).max_by_key(|key| key.name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_once_and_found() {
        for key in KEYS {
            assert_eq!(KEYS.iter().filter(|other| other.name == key.name).count(), 1, "{}", key.name);
            assert_eq!(find(key.name).unwrap().name, key.name);
            assert!(key.name.starts_with("spark.") && !key.meaning.is_empty());
        }
        assert_eq!(find("spark.speculation.quantile").unwrap().name, "spark.speculation.*");
        assert_eq!(find("spark.sql.adaptive.skewJoin.enabled").unwrap().name, "spark.sql.adaptive.*");
        assert!(find("spark.speculationQuantile").is_none());
    }
}
