//! How much of a machine's memory an executor may have.
//! Pure arithmetic on bytes, by the numbers with which AWS Glue runs Spark's executors.
//!
//! A G.1X of 16 GB runs an executor with `spark.executor.memory` 10g, a G.2X 20g, a Standard two with 5g (AWS's Knowledge
//! Center, "Container killed by YARN for exceeding memory limits", Glue 3.0): ten sixteenths of the executor's part. For
//! other types AWS gives no number, and the same share is taken. The most for a container was 12,288 MB in a log of
//! Glue's YARN of 2019, taken here as that of a worker of 16 GB: it holds the 10g and their overhead, and the last quarter is the
//! system's. Any other machine is treated alike.

use super::byte_size::MIB;

/// Of the executor's part of a worker, what it has unless the user says: 10 of 16.
const HEAP: (u64, u64) = (10, 16);
/// Of the executor's part of a machine, what it and its overhead may have together: 12 of 16.
const CONTAINER: (u64, u64) = (12, 16);
/// Spark's default of `spark.executor.memoryOverheadFactor`.
const OVERHEAD_FACTOR: f64 = 0.1;
/// Spark's least overhead where a factor gives it.
const LEAST_OVERHEAD: u64 = 384 * MIB;

/// Memory beside an executor's own, for what it does not account for: connections, buffers, the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Overhead {
    /// So many bytes.
    Bytes(u64),
    /// This share of the executor's memory, at least 384 MiB.
    Factor(f64),
}

impl Default for Overhead {
    fn default() -> Self {
        Overhead::Factor(OVERHEAD_FACTOR)
    }
}

/// Memory in bytes that an executor has unless the user says, of its part of a worker, in bytes.
pub fn unless_said(share: u64) -> u64 {
    part(share, HEAP)
}

/// The most overhead in bytes that is kept on a part of a machine, in bytes: half of what executor and overhead may have.
pub fn most_overhead(share: u64) -> u64 {
    part(share, CONTAINER) / 2
}

/// The most memory in bytes, in whole MiB as Spark counts, that an executor may have, heap and off-heap, on its part of a
/// machine, in bytes.
pub fn most(share: u64, overhead: Overhead) -> u64 {
    let container = part(share, CONTAINER);
    let beside = |overhead: u64| container - overhead.min(most_overhead(share));
    let most = match overhead {
        Overhead::Bytes(bytes) => beside(bytes),
        // A size beside which its own share still has room; 2^53 bytes are 8 PiB.
        Overhead::Factor(factor) => {
            let scaled = (container as f64 / (1.0 + factor.max(0.0))) as u64;
            scaled.clamp(container - most_overhead(share), container).min(beside(LEAST_OVERHEAD))
        }
    };
    most / MIB * MIB
}

fn part(whole: u64, (of, sixteenths): (u64, u64)) -> u64 {
    whole / sixteenths * of
}

#[cfg(test)]
mod tests {
    use super::super::byte_size::{GIB, show};
    use super::*;
    use expect_test::expect;

    #[test]
    fn glue_s_own_numbers_come_out() {
        // Standard's executors, G.1X, G.2X: 5g, 10g and 20g, which with their overhead of a tenth fit.
        assert_eq!([8, 16, 32].map(|gib| unless_said(gib * GIB)), [5, 10, 20].map(|gib| gib * GIB));
        for share in [4, 8, 16, 32, 256].map(|gib| gib * GIB) {
            assert!(unless_said(share) <= most(share, Overhead::default()), "{}", show(share));
        }
    }

    #[test]
    fn overhead_is_kept_but_never_more_than_half() {
        let check = |gib: u64, overhead| show(most(gib * GIB, overhead));
        let cases = [
            check(16, Overhead::default()),
            check(16, Overhead::Bytes(0)),
            check(16, Overhead::Bytes(2 * GIB)),
            check(16, Overhead::Bytes(20 * GIB)),
            check(16, Overhead::Factor(0.5)),
            check(16, Overhead::Factor(9.0)),
            check(2, Overhead::default()),
            check(0, Overhead::default()),
        ];
        expect!["10.9 GiB, 12 GiB, 10 GiB, 6 GiB, 8 GiB, 6 GiB, 1.1 GiB, 0 bytes"].assert_eq(&cases.join(", "));
    }
}
