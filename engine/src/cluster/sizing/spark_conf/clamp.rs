//! Brings what was given down to what the workers have, and says so.

use std::time::Duration;

use super::{ClusterConf, Dynamic, ExecutorMemory, Given, Said, keys};
use crate::cluster::sizing::byte_size::show;
use crate::cluster::sizing::executor_memory::{self, Overhead};
use crate::cluster::sizing::invalid::Invalid;
use crate::cluster::sizing::worker_type::Workers;

const MIN_EXECUTORS: &str = "spark.dynamicAllocation.minExecutors";
const MAX_EXECUTORS: &str = "spark.dynamicAllocation.maxExecutors";
const INITIAL_EXECUTORS: &str = "spark.dynamicAllocation.initialExecutors";
const INSTANCES: &str = "spark.executor.instances";
const OFF_HEAP: &str = "spark.memory.offHeap.size";

/// How often an executor reports, unless the user says.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// So many missing reports make a lost executor, unless the user says.
const HEARTBEATS_MISSED: u32 = 5;

pub(super) fn clamp(given: &Given, workers: Workers, said: &mut Said) -> Result<ClusterConf, Invalid> {
    let (cores, task_cpus) = cores(given, workers, said);
    let (executors, dynamic) = executors(given, workers, said)?;
    let (network_timeout, heartbeat_interval) = timeouts(given, said)?;
    Ok(ClusterConf {
        cores,
        task_cpus,
        executors,
        dynamic,
        memory: memory(given, workers, said)?,
        shuffle_partitions: given.shuffle_partitions,
        default_parallelism: given.default_parallelism,
        task_max_failures: given.task_max_failures.unwrap_or(4),
        stage_max_failures: given.stage_max_failures.unwrap_or(4),
        network_timeout,
        heartbeat_interval,
        elsewhere: Vec::new(),
        warnings: Vec::new(),
    })
}

fn cores(given: &Given, workers: Workers, said: &mut Said) -> (usize, usize) {
    let kind = workers.kind();
    let most = kind.executor_vcpus();
    let cores = given.cores.unwrap_or(most).min(most);
    if given.cores.is_some_and(|given| given > most) {
        let done = format!("clamped to {most}, the vCPUs that {} gives an executor", kind.name);
        said.warn("spark.executor.cores", done);
    }
    let task_cpus = given.task_cpus.unwrap_or(1).min(cores);
    if given.task_cpus.is_some_and(|given| given > cores) {
        said.warn("spark.task.cpus", format!("clamped to {cores}, the cores of an executor"));
    }
    (cores, task_cpus)
}

fn memory(given: &Given, workers: Workers, said: &mut Said) -> Result<ExecutorMemory, Invalid> {
    let kind = workers.kind();
    let share = kind.executor_share();
    let overhead = overhead(given, share, said);
    let most = executor_memory::most(share, overhead);
    let heap = given.heap.unwrap_or_else(|| executor_memory::unless_said(share)).min(most);
    if given.heap.is_some_and(|given| given > most) {
        let done =
            format!("clamped to {}, the most that {} has for an executor beside its overhead", show(most), kind.name);
        said.warn("spark.executor.memory", done);
    }
    let off_heap = match (given.off_heap_enabled.unwrap_or(false), given.off_heap.unwrap_or(0)) {
        (true, 0) => {
            let missing =
                "spark.memory.offHeap.enabled is true, expected a spark.memory.offHeap.size above zero beside it";
            return Err(Invalid(missing.to_owned()));
        }
        (true, size) => size,
        (false, _) => {
            said.warn(OFF_HEAP, "has no effect: spark.memory.offHeap.enabled is not true".to_owned());
            0
        }
    };
    let room = most - heap;
    if off_heap > room {
        let (room, most, heap) = (show(room), show(most), show(heap));
        let done = format!(
            "clamped to {room}: {} has {most} for heap and off-heap together, and the heap is {heap}",
            kind.name
        );
        said.warn(OFF_HEAP, done);
    }
    Ok(ExecutorMemory {
        heap,
        heap_given: given.heap.is_some(),
        off_heap: off_heap.min(room),
        overhead,
        fraction: given.fraction.unwrap_or(0.6),
    })
}

fn overhead(given: &Given, share: u64, said: &mut Said) -> Overhead {
    let most = executor_memory::most_overhead(share);
    match (given.overhead, given.overhead_factor) {
        (Some(bytes), factor) => {
            if factor.is_some() {
                let done = "has no effect: spark.executor.memoryOverhead says how much".to_owned();
                said.warn("spark.executor.memoryOverheadFactor", done);
            }
            if bytes > most {
                let done = format!("clamped to {}, half of what an executor and its overhead may have", show(most));
                said.warn("spark.executor.memoryOverhead", done);
            }
            Overhead::Bytes(bytes.min(most))
        }
        (None, Some(factor)) => Overhead::Factor(factor),
        (None, None) => Overhead::default(),
    }
}

fn executors(given: &Given, workers: Workers, said: &mut Said) -> Result<(usize, Option<Dynamic>), Invalid> {
    let all = workers.executors();
    for (key, number) in [(MIN_EXECUTORS, given.min), (MAX_EXECUTORS, given.max)] {
        if number.is_some_and(|number| number > all) {
            said.warn(key, format!("clamped to {all}, the executors of the workers beside the driver's"));
        }
    }
    if given.dynamic != Some(true) {
        without_dynamic(said);
        if given.instances.is_some_and(|instances| instances > all) {
            said.warn(INSTANCES, format!("clamped to {all}, the executors of the workers beside the driver's"));
        }
        return Ok((given.instances.unwrap_or(all).min(all), None));
    }
    if let (Some(min), Some(max)) = (given.min, given.max)
        && min > max
    {
        return Err(Invalid(format!(
            "setting '{MIN_EXECUTORS}' is '{min}', expected at most {MAX_EXECUTORS}, which is '{max}'"
        )));
    }
    let min = given.min.unwrap_or(0).min(all);
    let max = given.max.unwrap_or(all).min(all);
    // As Spark: the largest of the three.
    let initial = given.initial.unwrap_or(min).max(given.instances.unwrap_or(0)).clamp(min, max);
    match given.initial {
        Some(number) if number > max => said.warn(INITIAL_EXECUTORS, format!("clamped to {max}, the most executors")),
        Some(number) if number < min => said.warn(INITIAL_EXECUTORS, format!("raised to {min}, the least executors")),
        _ => {}
    }
    if given.instances.is_some_and(|instances| instances > max) {
        said.warn(INSTANCES, format!("clamped to {max}, the most executors"));
    }
    let backlog_timeout = given.backlog_timeout.unwrap_or(Duration::from_secs(1));
    let dynamic = Dynamic {
        min,
        max,
        idle_timeout: given.idle_timeout.unwrap_or(Duration::from_secs(60)),
        backlog_timeout,
        sustained_backlog_timeout: given.sustained_backlog_timeout.unwrap_or(backlog_timeout),
    };
    Ok((initial, Some(dynamic)))
}

/// Says of each key of dynamic allocation that it is off, whatever was said of the key before.
fn without_dynamic(said: &mut Said) {
    const SWITCH: &str = "spark.dynamicAllocation.enabled";
    for (name, _) in said.pairs {
        if name.starts_with("spark.dynamicAllocation.") && name != SWITCH && keys::find(name).is_some() {
            said.warnings.retain(|warning| warning.key != *name);
            said.warn(name, format!("has no effect: {SWITCH} is not true"));
        }
    }
}

/// How long an executor may be silent, and how often it reports.
fn timeouts(given: &Given, said: &mut Said) -> Result<(Duration, Duration), Invalid> {
    // Not Spark's 120 and 10 s: while a lost executor is waited for, its part of the pace is.
    let interval = given.heartbeat_interval.unwrap_or(HEARTBEAT);
    let timeout = given.network_timeout.unwrap_or(interval.saturating_mul(HEARTBEATS_MISSED));
    if timeout <= interval {
        return Err(Invalid(format!(
            "setting 'spark.network.timeout' is {timeout:?}, expected longer than \
             spark.executor.heartbeatInterval, which is {interval:?}"
        )));
    }
    let interval = whole_seconds("spark.executor.heartbeatInterval", interval, said);
    let timeout = whole_seconds("spark.network.timeout", timeout, said);
    // Rounding may have made them one.
    Ok((timeout.max(interval.saturating_add(Duration::from_secs(1))), interval))
}

fn whole_seconds(key: &str, time: Duration, said: &mut Said) -> Duration {
    let whole = Duration::from_secs(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1));
    if whole != time {
        said.warn(key, format!("rounded up to {whole:?}: executors are watched in whole seconds"));
    }
    whole
}
