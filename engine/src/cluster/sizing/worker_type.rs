//! What a worker of AWS Glue has, in one table, and what so many workers make.
//! Never looks at this machine.

use super::byte_size::GIB;
use super::invalid::Invalid;

/// A worker type of AWS Glue.
#[derive(Debug, PartialEq)]
pub struct WorkerType {
    /// Its name, as `--worker-type` has it.
    pub name: &'static str,
    /// What is paid for.
    pub capacity: Capacity,
    /// Virtual processors.
    pub vcpus: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// Disk in bytes.
    pub disk: u64,
    /// What of it AWS says is free, in bytes, if it says so.
    pub free_disk: Option<u64>,
    /// Executors that share the worker.
    pub executors: usize,
}

/// The capacity of a worker in data processing units, by which AWS bills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// DPU: 4 vCPU and 16 GB each.
    Dpu(f64),
    /// M-DPU: 4 vCPU and 32 GB each, at a price of their own.
    MemoryDpu(f64),
}

/// Every worker type, from AWS's page "AWS Glue worker types", which has neither `Standard` and `G.025X` nor the disks of R:
/// these are as AWS had them elsewhere.
pub const WORKER_TYPES: &[WorkerType] = &[
    // name, capacity, vCPU, memory GB, disk GB, of it free GB, executors
    row("G.025X", Capacity::Dpu(0.25), 2, 4, 84, None, 1),
    row("G.1X", Capacity::Dpu(1.0), 4, 16, 94, Some(44), 1),
    row("G.2X", Capacity::Dpu(2.0), 8, 32, 138, Some(78), 1),
    row("G.4X", Capacity::Dpu(4.0), 16, 64, 256, Some(230), 1),
    row("G.8X", Capacity::Dpu(8.0), 32, 128, 512, Some(485), 1),
    row("G.12X", Capacity::Dpu(12.0), 48, 192, 768, Some(741), 1),
    row("G.16X", Capacity::Dpu(16.0), 64, 256, 1024, Some(996), 1),
    row("R.1X", Capacity::MemoryDpu(1.0), 4, 32, 94, None, 1),
    row("R.2X", Capacity::MemoryDpu(2.0), 8, 64, 138, None, 1),
    row("R.4X", Capacity::MemoryDpu(4.0), 16, 128, 256, None, 1),
    row("R.8X", Capacity::MemoryDpu(8.0), 32, 256, 512, None, 1),
    row("Standard", Capacity::Dpu(1.0), 4, 16, 50, None, 2),
];

const fn row(
    name: &'static str,
    capacity: Capacity,
    vcpus: usize,
    memory_gb: u64,
    disk_gb: u64,
    free_gb: Option<u64>,
    executors: usize,
) -> WorkerType {
    let free_disk = match free_gb {
        Some(free) => Some(free * GIB),
        None => None,
    };
    WorkerType { name, capacity, vcpus, memory: memory_gb * GIB, disk: disk_gb * GIB, free_disk, executors }
}

/// Of a disk whose free part AWS does not tell, in percent: the least that it tells is 44 of 94 GB (G.1X), rounded down.
const FREE_DISK_PERCENT: u64 = 40;

impl WorkerType {
    /// The worker type of a name, in any case.
    ///
    /// # Errors
    /// There is no such worker type; the message lists all.
    pub fn parse(name: &str) -> Result<&'static Self, Invalid> {
        let found = WORKER_TYPES.iter().find(|worker| worker.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| {
            let names: Vec<_> = WORKER_TYPES.iter().map(|worker| worker.name).collect();
            Invalid(format!("there is no worker type '{name}'; there are {}", names.join(", ")))
        })
    }

    /// Virtual processors of one executor: as many tasks run on it at once.
    pub fn executor_vcpus(&self) -> usize {
        self.vcpus / self.executors
    }

    /// One executor's part of the worker's memory, in bytes.
    pub fn executor_share(&self) -> u64 {
        self.memory / self.executors as u64
    }

    /// One executor's part of the worker's free disk, in bytes.
    pub fn executor_disk(&self) -> u64 {
        self.free_disk.unwrap_or(self.disk / 100 * FREE_DISK_PERCENT) / self.executors as u64
    }
}

/// So many workers of a type. One of them hosts the driver, which for us is the scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workers {
    kind: &'static WorkerType,
    executors: usize,
}

impl Workers {
    /// What `--worker-type` and `--number-of-workers` say.
    ///
    /// # Errors
    /// There are fewer than two workers, so that none is left beside the driver's, or more than can be counted.
    pub fn new(kind: &'static WorkerType, number: usize) -> Result<Self, Invalid> {
        let executors = number.checked_sub(1).and_then(|number| number.checked_mul(kind.executors));
        match executors {
            Some(executors) if executors > 0 => Ok(Workers { kind, executors }),
            _ => Err(Invalid(format!(
                "the number of workers is {number}, expected at least 2: one worker hosts the driver, the others run the \
                 executors"
            ))),
        }
    }

    /// More workers than any cluster has: what one executor alone takes them for.
    pub fn any_number(kind: &'static WorkerType) -> Self {
        Workers { kind, executors: u32::MAX as usize }
    }

    /// The type of each.
    pub fn kind(&self) -> &'static WorkerType {
        self.kind
    }

    /// Executors on all workers but the driver's, at least one.
    pub fn executors(&self) -> usize {
        self.executors
    }
}

#[cfg(test)]
mod tests {
    use super::super::byte_size::show;
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_table_gives_each_executor_its_part() {
        let line = |worker: &WorkerType| {
            let disk = show(worker.executor_disk());
            let memory = show(worker.executor_share());
            format!("{} {} × {} vCPU, {memory}, {disk}\n", worker.name, worker.executors, worker.executor_vcpus())
        };
        expect![[r#"
            G.025X 1 × 2 vCPU, 4 GiB, 33.5 GiB
            G.1X 1 × 4 vCPU, 16 GiB, 44 GiB
            G.2X 1 × 8 vCPU, 32 GiB, 78 GiB
            G.4X 1 × 16 vCPU, 64 GiB, 230 GiB
            G.8X 1 × 32 vCPU, 128 GiB, 485 GiB
            G.12X 1 × 48 vCPU, 192 GiB, 741 GiB
            G.16X 1 × 64 vCPU, 256 GiB, 996 GiB
            R.1X 1 × 4 vCPU, 32 GiB, 37.5 GiB
            R.2X 1 × 8 vCPU, 64 GiB, 55.1 GiB
            R.4X 1 × 16 vCPU, 128 GiB, 102.3 GiB
            R.8X 1 × 32 vCPU, 256 GiB, 204.7 GiB
            Standard 2 × 2 vCPU, 8 GiB, 10 GiB
        "#]]
        .assert_eq(&WORKER_TYPES.iter().map(line).collect::<String>());
    }

    #[test]
    fn every_capacity_is_what_a_unit_of_it_has() {
        for worker in WORKER_TYPES.iter().filter(|worker| worker.name != "G.025X") {
            let (units, gb) = match worker.capacity {
                Capacity::Dpu(units) => (units, 16.0),
                Capacity::MemoryDpu(units) => (units, 32.0),
            };
            assert_eq!(worker.vcpus as f64, units * 4.0, "{}", worker.name);
            assert_eq!((worker.memory / GIB) as f64, units * gb, "{}", worker.name);
        }
    }

    #[test]
    fn a_name_is_found_in_any_case_or_all_are_listed() {
        assert_eq!(WorkerType::parse("g.1x").unwrap().name, "G.1X");
        assert_eq!(WorkerType::parse(" STANDARD ").unwrap().name, "Standard");
        expect!["there is no worker type 'G.3X'; there are G.025X, G.1X, G.2X, G.4X, G.8X, G.12X, G.16X, R.1X, R.2X, R.4X, R.8X, Standard"]
            .assert_eq(&WorkerType::parse("G.3X").unwrap_err().to_string());
    }

    #[test]
    fn one_worker_hosts_the_driver() {
        let executors = |name, number| Workers::new(WorkerType::parse(name).unwrap(), number).map(|w| w.executors());
        assert_eq!(executors("G.1X", 10), Ok(9));
        assert_eq!(executors("Standard", 10), Ok(18));
        assert_eq!(executors("G.8X", 2), Ok(1));
        assert!(executors("G.1X", 0).is_err());
        assert!(executors("Standard", usize::MAX).is_err());
        expect![
            "the number of workers is 1, expected at least 2: one worker hosts the driver, the others run the executors"
        ]
        .assert_eq(&executors("G.1X", 1).unwrap_err().to_string());
    }
}
