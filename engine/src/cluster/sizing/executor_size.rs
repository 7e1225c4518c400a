//! How large an executor is on this machine: the smallest of what settings, worker type, cgroup and host give it.
//! Pure: the machine's limits come in as arguments. Says which limit won.

use std::num::NonZeroUsize;

use super::byte_size::{MIB, show};
use super::executor_memory;
use super::invalid::Invalid;
use super::limits::Machine;
use super::spark_conf::ClusterConf;
use super::worker_type::WorkerType;

/// A sort reserves 10 MiB before it takes rows (DataFusion's `sort_spill_reservation_bytes`); with less than this it cannot run.
const LEAST_POOL_OF_A_SLOT: u64 = 16 * MIB;
/// Of the host's free disk, in percent. The rest is for what else lies there: logs, the state of jobs.
const HOST_DISK_PERCENT: u64 = 90;

/// How large one executor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Tasks that run at once, at least one.
    pub slots: NonZeroUsize,
    /// Bytes of memory that the executor plans with.
    pub executor_memory: u64,
    /// Of these, bytes of the memory pool that all its tasks share.
    pub memory_pool: u64,
    /// Bytes on disk that may be filled by what does not fit into the pool.
    pub spill_limit: u64,
    /// Bytes on disk that are left for shuffle files. Nothing enforces them, so spill never gets them.
    pub shuffle_room: u64,
    /// What the memory is bounded by.
    pub memory_by: Bound,
    /// What the disk is bounded by.
    pub disk_by: Bound,
    /// Slots, memory and disk, each with what won and why: lines for the log.
    pub why: [String; 3],
}

/// What a size is bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Settings of the user.
    Settings,
    /// The worker type.
    Worker,
    /// The limit of this process's cgroup.
    Cgroup,
    /// The machine itself.
    Host,
}

impl Sizing {
    /// Sizes one of `executors_here` executors, which share this machine evenly.
    ///
    /// # Errors
    /// The memory pool is too small for its slots.
    pub fn derive(
        worker: &WorkerType,
        conf: &ClusterConf,
        machine: &Machine,
        executors_here: NonZeroUsize,
    ) -> Result<Self, Invalid> {
        let slots = NonZeroUsize::new(conf.slots()).unwrap_or(NonZeroUsize::MIN);
        let (executor_memory, memory_by, why_memory) = memory(worker, conf, machine, executors_here);
        let memory_pool = (executor_memory as f64 * conf.memory.fraction) as u64;
        let why_memory = format!("memory pool {}: {} of {why_memory}", show(memory_pool), conf.memory.fraction);
        let of_a_slot = memory_pool / slots.get() as u64;
        if of_a_slot < LEAST_POOL_OF_A_SLOT {
            return Err(Invalid(format!(
                "{why_memory}: that is {} for each of {slots} slots, expected at least {}; give more memory, run fewer \
                 executors on this machine, or lower spark.executor.cores",
                show(of_a_slot),
                show(LEAST_POOL_OF_A_SLOT)
            )));
        }
        let (disk, disk_by, why_disk) = disk(worker, machine, executors_here);
        let half = disk / 2;
        let why_disk = format!("disk {} for spill and as much for shuffle: halves of {why_disk}", show(half));
        let why_slots = match conf.task_cpus {
            1 => format!("slots {slots}: {}", cores(worker, conf)),
            cpus => format!("slots {slots}: {}, {cpus} for a task", cores(worker, conf)),
        };
        Ok(Sizing {
            slots,
            executor_memory,
            memory_pool,
            spill_limit: half,
            shuffle_room: half,
            memory_by,
            disk_by,
            why: [why_slots, why_memory, why_disk],
        })
    }
}

fn cores(worker: &WorkerType, conf: &ClusterConf) -> String {
    if conf.cores < worker.executor_vcpus() {
        format!("{} cores (spark.executor.cores)", conf.cores)
    } else {
        format!("{} vCPU ({})", conf.cores, worker.name)
    }
}

/// The memory of an executor, what bounds it, and the words for that.
fn memory(worker: &WorkerType, conf: &ClusterConf, machine: &Machine, here: NonZeroUsize) -> (u64, Bound, String) {
    let memory = &conf.memory;
    let asked = memory.heap.saturating_add(memory.off_heap);
    let (by, from) = match (memory.heap_given, memory.off_heap > 0) {
        (false, false) => (Bound::Worker, worker.name.to_owned()),
        (false, true) => (Bound::Settings, format!("{} and spark.memory.offHeap.size", worker.name)),
        (true, false) => (Bound::Settings, "spark.executor.memory".to_owned()),
        (true, true) => (Bound::Settings, "spark.executor.memory and spark.memory.offHeap.size".to_owned()),
    };
    let of = |bytes: u64| executor_memory::most(bytes / here.get() as u64, memory.overhead);
    let cgroup = machine.cgroup_memory.map(|bytes| (of(bytes), Bound::Cgroup, "the cgroup", bytes));
    let host = machine.host_memory.map(|bytes| (of(bytes), Bound::Host, "the machine", bytes));
    match [cgroup, host].into_iter().flatten().min_by_key(|(most, ..)| *most) {
        Some((most, by, whose, bytes)) if most < asked => {
            let why = format!(
                "{} that {whose}'s {} leave; {from} would have {}",
                show(most),
                shared(bytes, here),
                show(asked)
            );
            (most, by, why)
        }
        _ => (asked, by, format!("{} ({from})", show(asked))),
    }
}

/// The disk of an executor, what bounds it, and the words for that.
fn disk(worker: &WorkerType, machine: &Machine, here: NonZeroUsize) -> (u64, Bound, String) {
    let asked = worker.executor_disk();
    match machine.free_disk.map(|free| (free / 100 * HOST_DISK_PERCENT / here.get() as u64, free)) {
        Some((most, free)) if most < asked => {
            let free = shared(free, here);
            let why = format!(
                "{}, {HOST_DISK_PERCENT} % of the machine's free {free}; {} would have {}",
                show(most),
                worker.name,
                show(asked)
            );
            (most, Bound::Host, why)
        }
        _ => (asked, Bound::Worker, format!("{} ({})", show(asked), worker.name)),
    }
}

fn shared(bytes: u64, here: NonZeroUsize) -> String {
    match here.get() {
        1 => show(bytes),
        executors => format!("{} / {executors} executors", show(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::byte_size::GIB;
    use super::super::worker_type::Workers;
    use super::*;
    use expect_test::{Expect, expect};

    const LARGE: Machine =
        Machine { cgroup_memory: None, host_memory: Some(1024 * GIB), free_disk: Some(10_000 * GIB) };

    fn derive(worker: &str, conf: &str, machine: Machine, here: usize) -> Result<Sizing, Invalid> {
        let worker = WorkerType::parse(worker).unwrap();
        let pairs = conf.split_whitespace().filter_map(|pair| pair.split_once('='));
        let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let conf = ClusterConf::read(&pairs, Workers::new(worker, 10).unwrap()).unwrap();
        Sizing::derive(worker, &conf, &machine, NonZeroUsize::new(here).unwrap())
    }

    fn check(worker: &str, conf: &str, machine: Machine, here: usize, expected: Expect) {
        let sizing = match derive(worker, conf, machine, here) {
            Ok(sizing) => {
                assert!(sizing.memory_pool <= sizing.executor_memory);
                format!("{}\n", sizing.why.join("\n"))
            }
            Err(error) => format!("error: {error}\n"),
        };
        expected.assert_eq(&sizing);
    }

    #[test]
    fn on_a_worker_the_type_decides() {
        check(
            "G.1X",
            "",
            LARGE,
            1,
            expect![[r#"
            slots 4: 4 vCPU (G.1X)
            memory pool 6 GiB: 0.6 of 10 GiB (G.1X)
            disk 22 GiB for spill and as much for shuffle: halves of 44 GiB (G.1X)
        "#]],
        );
        check(
            "Standard",
            "",
            LARGE,
            2,
            expect![[r#"
                slots 2: 2 vCPU (Standard)
                memory pool 3 GiB: 0.6 of 5 GiB (Standard)
                disk 5 GiB for spill and as much for shuffle: halves of 10 GiB (Standard)
            "#]],
        );
        check(
            "G.025X",
            "",
            LARGE,
            1,
            expect![[r#"
            slots 2: 2 vCPU (G.025X)
            memory pool 1.5 GiB: 0.6 of 2.5 GiB (G.025X)
            disk 16.7 GiB for spill and as much for shuffle: halves of 33.5 GiB (G.025X)
        "#]],
        );
    }

    #[test]
    fn a_real_worker_whose_kernel_keeps_a_little_changes_nothing() {
        let worker = Machine { host_memory: Some(154 * GIB / 10), free_disk: Some(50 * GIB), ..LARGE };
        let sizing = derive("G.1X", "", worker, 1).unwrap();
        assert_eq!((sizing.executor_memory, sizing.memory_by), (10 * GIB, Bound::Worker));
        assert_eq!((sizing.spill_limit, sizing.disk_by), (22 * GIB, Bound::Worker));
    }

    #[test]
    fn settings_decide_where_they_fit() {
        check(
            "G.2X",
            "spark.executor.memory=4g spark.task.cpus=4 spark.memory.fraction=0.5",
            LARGE,
            1,
            expect![[r#"
            slots 2: 8 vCPU (G.2X), 4 for a task
            memory pool 2 GiB: 0.5 of 4 GiB (spark.executor.memory)
            disk 39 GiB for spill and as much for shuffle: halves of 78 GiB (G.2X)
        "#]],
        );
        let python = "spark.memory.fraction=0.8 spark.memory.offHeap.enabled=true spark.memory.offHeap.size=10g";
        check(
            "G.1X",
            &format!("{python} spark.executor.cores=2"),
            LARGE,
            1,
            expect![[r#"
            slots 2: 2 cores (spark.executor.cores)
            memory pool 8.7 GiB: 0.8 of 10.9 GiB (G.1X and spark.memory.offHeap.size)
            disk 22 GiB for spill and as much for shuffle: halves of 44 GiB (G.1X)
        "#]],
        );
    }

    #[test]
    fn executors_on_one_machine_share_it() {
        let machine = Machine { cgroup_memory: Some(4 * GIB), host_memory: Some(24 * GIB), free_disk: Some(100 * GIB) };
        check(
            "G.1X",
            "",
            machine,
            3,
            expect![[r#"
                slots 4: 4 vCPU (G.1X)
                memory pool 383.3 MiB: 0.6 of 639 MiB that the cgroup's 4 GiB / 3 executors leave; G.1X would have 10 GiB
                disk 15 GiB for spill and as much for shuffle: halves of 30 GiB, 90 % of the machine's free 100 GiB / 3 executors; G.1X would have 44 GiB
            "#]],
        );
        check(
            "G.1X",
            "",
            Machine { cgroup_memory: Some(64 * GIB), ..machine },
            9,
            expect![[r#"
                slots 4: 4 vCPU (G.1X)
                memory pool 997.7 MiB: 0.6 of 1.6 GiB that the machine's 24 GiB / 9 executors leave; G.1X would have 10 GiB
                disk 5 GiB for spill and as much for shuffle: halves of 10 GiB, 90 % of the machine's free 100 GiB / 9 executors; G.1X would have 44 GiB
            "#]],
        );
    }

    #[test]
    fn all_executors_of_a_machine_together_fit_into_it() {
        for gib in [2, 4, 16, 24, 64] {
            for here in 1..20 {
                let machine = Machine { cgroup_memory: Some(gib * GIB), host_memory: None, free_disk: Some(gib * GIB) };
                let Ok(sizing) = derive("G.1X", "", machine, here) else { continue };
                assert!(sizing.executor_memory * here as u64 <= gib * GIB * 3 / 4, "{gib} GiB, {here} executors");
                assert!((sizing.spill_limit + sizing.shuffle_room) * here as u64 <= gib * GIB);
            }
        }
    }

    #[test]
    fn too_little_memory_is_an_error_that_says_what_to_do() {
        let machine = Machine { cgroup_memory: Some(GIB), ..LARGE };
        check(
            "G.8X",
            "",
            machine,
            3,
            expect![[r#"
                error: memory pool 76.1 MiB: 0.6 of 127 MiB that the cgroup's 1 GiB / 3 executors leave; G.8X would have 80 GiB: that is 2.3 MiB for each of 32 slots, expected at least 16 MiB; give more memory, run fewer executors on this machine, or lower spark.executor.cores
            "#]],
        );
    }

    #[test]
    fn a_machine_that_tells_nothing_is_taken_for_its_worker_type() {
        let sizing = derive("R.1X", "", Machine::default(), 1).unwrap();
        assert_eq!(
            (sizing.executor_memory, sizing.memory_by, sizing.disk_by),
            (20 * GIB, Bound::Worker, Bound::Worker)
        );
    }
}
