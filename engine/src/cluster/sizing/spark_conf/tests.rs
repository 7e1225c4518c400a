//! What settings of Spark come to on given workers, and what is said of them.

use super::*;
use crate::cluster::sizing::byte_size::show;
use crate::cluster::sizing::worker_type::WorkerType;
use expect_test::expect;

fn read(worker: &str, number: usize, conf: &str) -> Result<ClusterConf, Invalid> {
    let pairs = conf.lines().filter_map(|line| line.trim().split_once('='));
    let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    ClusterConf::read(&pairs, Workers::new(WorkerType::parse(worker).unwrap(), number).unwrap())
}

/// What ten G.1X make of settings, one a line: the warnings, or the error.
fn said(conf: &str) -> String {
    match read("G.1X", 10, conf) {
        Ok(conf) => conf.warnings.iter().map(|warning| format!("{warning}\n")).collect(),
        Err(error) => format!("error: {error}\n"),
    }
}

const THE_PYTHON_JOB: &str = "spark.memory.fraction=0.8
    spark.memory.storageFraction=0.3
    spark.memory.offHeap.enabled=true
    spark.memory.offHeap.size=10g
    spark.default.parallelism=200
    spark.sql.shuffle.partitions=200
    spark.speculation=true
    spark.dynamicAllocation.enabled=true
    spark.dynamicAllocation.minExecutors=2
    spark.dynamicAllocation.maxExecutors=20";

#[test]
fn the_python_job_s_settings_make_a_working_cluster_of_ten_workers() {
    expect![[r#"
        spark.memory.storageFraction 0.3: kept off: Paceline caches no tables, so the whole pool is for running queries
        spark.memory.offHeap.size 10g: clamped to 930 MiB: G.1X has 10.9 GiB for heap and off-heap together, and the heap is 10 GiB
        spark.speculation true: kept off: a second attempt beside the first would buy a task's answers twice
        spark.dynamicAllocation.maxExecutors 20: clamped to 9, the executors of the workers beside the driver's
    "#]]
    .assert_eq(&said(THE_PYTHON_JOB));
    let conf = read("G.1X", 10, THE_PYTHON_JOB).unwrap();
    expect![[r#"
        ClusterConf {
            cores: 4,
            task_cpus: 1,
            executors: 2,
            dynamic: Some(
                Dynamic {
                    min: 2,
                    max: 9,
                    idle_timeout: 60s,
                    backlog_timeout: 1s,
                    sustained_backlog_timeout: 1s,
                },
            ),
            memory: ExecutorMemory {
                heap: 10737418240,
                heap_given: false,
                off_heap: 975175680,
                overhead: Factor(
                    0.1,
                ),
                fraction: 0.8,
            },
            shuffle_partitions: Some(
                200,
            ),
            default_parallelism: Some(
                200,
            ),
            task_max_failures: 4,
            stage_max_failures: 4,
            network_timeout: 5s,
            heartbeat_interval: 1s,
            elsewhere: [],
            warnings: [],
        }
    "#]]
    .assert_debug_eq(&ClusterConf { warnings: Vec::new(), ..conf });
}

#[test]
fn without_settings_every_worker_but_the_driver_s_runs_what_glue_runs() {
    let conf = read("Standard", 10, "").unwrap();
    assert_eq!((conf.executors, conf.cores, conf.slots(), conf.dynamic), (18, 2, 2, None));
    assert_eq!((show(conf.memory.heap), conf.memory.off_heap, conf.warnings.len()), ("5 GiB".to_owned(), 0, 0));
}

#[test]
fn what_fits_is_taken_without_a_word() {
    let conf = "spark.executor.memory=8g
        spark.executor.memoryOverhead=2048
        spark.executor.cores=4
        spark.task.cpus=2
        spark.executor.instances=3
        spark.memory.offHeap.enabled=TRUE
        spark.memory.offHeap.size=1073741824
        spark.task.maxFailures=8
        spark.stage.maxConsecutiveAttempts=2
        spark.network.timeout=5min
        spark.executor.heartbeatInterval=20000
        spark.speculation=false
        spark.sql.adaptive.enabled=False
        spark.shuffle.service.enabled=false
        spark.sql.session.timeZone=UTC";
    expect![""].assert_eq(&said(conf));
    let conf = read("G.1X", 10, conf).unwrap();
    assert_eq!((conf.slots(), conf.executors, conf.task_max_failures, conf.stage_max_failures), (2, 3, 8, 2));
    assert_eq!((show(conf.memory.heap), show(conf.memory.off_heap)), ("8 GiB".to_owned(), "1 GiB".to_owned()));
    assert_eq!((conf.network_timeout.as_secs(), conf.heartbeat_interval.as_secs()), (300, 20));
    assert_eq!(conf.elsewhere, [("spark.sql.session.timeZone".to_owned(), "UTC".to_owned())]);
}

#[test]
fn what_the_workers_do_not_have_is_clamped() {
    expect![[r#"
        spark.executor.cores 8: clamped to 4, the vCPUs that G.1X gives an executor
        spark.task.cpus 5: clamped to 4, the cores of an executor
        spark.executor.instances 30: clamped to 9, the executors of the workers beside the driver's
        spark.executor.memory 16g: clamped to 6 GiB, the most that G.1X has for an executor beside its overhead
        spark.executor.memoryOverhead 8g: clamped to 6 GiB, half of what an executor and its overhead may have
        spark.executor.memoryOverheadFactor 0.4: has no effect: spark.executor.memoryOverhead says how much
        spark.executor.heartbeatInterval 500ms: rounded up to 1s: executors are watched in whole seconds
    "#]]
    .assert_eq(&said(
        "spark.executor.cores=8
        spark.task.cpus=5
        spark.executor.instances=30
        spark.executor.memory=16g
        spark.executor.memoryOverhead=8g
        spark.executor.memoryOverheadFactor=0.4
        spark.executor.heartbeatInterval=500ms",
    ));
}

#[test]
fn dynamic_allocation_stays_between_its_bounds() {
    let check = |conf: &str| {
        let conf = read("G.1X", 10, &format!("spark.dynamicAllocation.enabled=true\n{conf}")).unwrap();
        let dynamic = conf.dynamic.unwrap();
        let said: Vec<_> = conf.warnings.iter().map(|warning| format!("; {}", warning.done)).collect();
        format!("{} of {} to {}{}\n", conf.executors, dynamic.min, dynamic.max, said.concat())
    };
    let cases = [
        "",
        "spark.executor.instances=4",
        "spark.dynamicAllocation.initialExecutors=5\nspark.dynamicAllocation.maxExecutors=3",
        "spark.dynamicAllocation.initialExecutors=1\nspark.dynamicAllocation.minExecutors=2",
        "spark.dynamicAllocation.minExecutors=12",
        "spark.executor.instances=5\nspark.dynamicAllocation.maxExecutors=3",
        "spark.executor.instances=30\nspark.dynamicAllocation.maxExecutors=3",
    ];
    expect![[r#"
        0 of 0 to 9
        4 of 0 to 9
        3 of 0 to 3; clamped to 3, the most executors
        2 of 2 to 9; raised to 2, the least executors
        9 of 9 to 9; clamped to 9, the executors of the workers beside the driver's
        3 of 0 to 3; clamped to 3, the most executors
        3 of 0 to 3; clamped to 3, the most executors
    "#]]
    .assert_eq(&cases.map(check).concat());
}

#[test]
fn nothing_is_ignored_in_silence() {
    expect![[r#"
        spark.foo.bar 1: has no effect: it is not known to Paceline
        spark.dynamicAllocation.foo 1: has no effect: it is not known to Paceline
        spark.dynamicAllocation.maxExecutors 20: has no effect: spark.dynamicAllocation.enabled is not true
        spark.dynamicAllocation.shuffleTracking.enabled true: has no effect: spark.dynamicAllocation.enabled is not true
        spark.memory.offHeap.size 1g: has no effect: spark.memory.offHeap.enabled is not true
        spark.speculation.quantile 0.9: kept off, as spark.speculation is
        spark.sql.adaptive.coalescePartitions.enabled true: kept off: a resumed job finds its answers by the partitions that were planned, so they stay as planned
        spark.serializer org.apache.spark.serializer.KryoSerializer: kept off: rows travel as Arrow, and there are no Java objects
        spark.driver.memory 4g: kept off: the scheduler holds no rows and takes what it needs of its worker
        spark.sql.files.maxPartitionBytes 134217728: kept off: files are cut into as many partitions as spark.default.parallelism says, not by size
    "#]]
    .assert_eq(&said(
        "spark.foo.bar=1
        spark.dynamicAllocation.foo=1
        spark.dynamicAllocation.maxExecutors=20
        spark.dynamicAllocation.shuffleTracking.enabled=true
        spark.memory.offHeap.size=1g
        spark.speculation.quantile=0.9
        spark.sql.adaptive.coalescePartitions.enabled=true
        spark.serializer=org.apache.spark.serializer.KryoSerializer
        spark.driver.memory=4g
        spark.sql.files.maxPartitionBytes=134217728",
    ));
}

#[test]
fn every_key_has_at_most_one_warning_and_the_last_value_counts() {
    expect![[r#"
        spark.foo 2: has no effect: it is not known to Paceline
        spark.executor.cores 9: clamped to 4, the vCPUs that G.1X gives an executor
    "#]]
    .assert_eq(&said("spark.foo=1\nspark.executor.cores=one\nspark.foo=2\nspark.executor.cores=9"));
}

#[test]
fn a_mistake_names_key_value_and_what_was_expected() {
    let cases = [
        "spark.executor.memory=1.5g",
        "spark.memory.offHeap.size=lots",
        "spark.executor.cores=0",
        "spark.memory.fraction=1.2",
        "spark.memory.fraction=NaN",
        "spark.memory.storageFraction=1",
        "spark.executor.memoryOverheadFactor=-1",
        "spark.speculation=maybe",
        "spark.dynamicAllocation.minExecutors=-1",
        "spark.network.timeout=soon",
        "spark.network.timeout=1s",
        "spark.memory.offHeap.enabled=true",
        "spark.dynamicAllocation.enabled=true\nspark.dynamicAllocation.minExecutors=5\nspark.dynamicAllocation.maxExecutors=3",
        "paceline.partitions=3",
    ];
    expect![[r#"
        error: setting 'spark.executor.memory' is '1.5g', expected a size as 10g, 512m or 1024, which counts in MiB
        error: setting 'spark.memory.offHeap.size' is 'lots', expected a size as 10g, 512m or 1024, which counts in bytes
        error: setting 'spark.executor.cores' is '0', expected a whole number above zero
        error: setting 'spark.memory.fraction' is '1.2', expected a number above 0 and at most 1, as 0.6
        error: setting 'spark.memory.fraction' is 'NaN', expected a number above 0 and at most 1, as 0.6
        error: setting 'spark.memory.storageFraction' is '1', expected a number from 0 to below 1, as 0.5
        error: setting 'spark.executor.memoryOverheadFactor' is '-1', expected a number above 0, as 0.1
        error: setting 'spark.speculation' is 'maybe', expected true or false
        error: setting 'spark.dynamicAllocation.minExecutors' is '-1', expected a whole number, zero or above
        error: setting 'spark.network.timeout' is 'soon', expected a time as 60s, 2min, 500ms or 60, which counts in seconds
        error: setting 'spark.network.timeout' is 1s, expected longer than spark.executor.heartbeatInterval, which is 1s
        error: spark.memory.offHeap.enabled is true, expected a spark.memory.offHeap.size above zero beside it
        error: setting 'spark.dynamicAllocation.minExecutors' is '5', expected at most spark.dynamicAllocation.maxExecutors, which is '3'
        error: 'paceline.partitions' is no key of Spark: those begin with spark.
    "#]]
    .assert_eq(&cases.map(said).concat());
}

#[test]
fn whatever_is_said_no_key_has_two_warnings_and_every_cluster_works() {
    let values = ["0", "1", "7", "99999", "true", "0.5", "10g", "9999p", "3h"];
    for switches in ["", "spark.dynamicAllocation.enabled=true", "spark.memory.offHeap.enabled=true"] {
        for (first, second) in KEYS.iter().flat_map(|first| KEYS.iter().map(move |second| (first, second))) {
            for value in values {
                let text = format!("{switches}\n{}={value}\n{}={value}", first.name, second.name);
                let Ok(conf) = read("G.1X", 10, &text) else { continue };
                let mut keys: Vec<_> = conf.warnings.iter().map(|warning| &warning.key).collect();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), conf.warnings.len(), "{text}");
                let most = conf.dynamic.map_or(9, |dynamic| dynamic.max);
                assert!(conf.slots() >= 1 && conf.slots() <= 4 && conf.executors <= most && most <= 9, "{text}");
                let memory = conf.memory;
                assert!(memory.heap + memory.off_heap <= 12 << 30 && memory.fraction <= 1.0, "{text}");
                assert!(conf.network_timeout > conf.heartbeat_interval, "{text}");
            }
        }
    }
}
