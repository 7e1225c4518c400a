//! How much of a join is kept in memory: what the executors' tasks have room for.

use ballista_core::config::BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES;
use datafusion::prelude::SessionConfig;

use super::client::Cluster;

/// A hash join keeps one side, of each partition or the whole, in memory and cannot spill it. Never more than this, in bytes.
const MOST: u64 = 128 << 20;
/// Where nobody has said how much memory there is, in bytes.
const UNKNOWN: u64 = 16 << 20;
/// Of a task's memory, the part that such a side may take: what is expected of it is an estimate, and hashes come on top.
const PART: u64 = 4;
/// What a row is taken for where only rows are known, in bytes.
const ROW: usize = 64;

impl Cluster {
    /// Bytes of a join that may be kept in memory, by what the executors say now.
    pub async fn hashed(&self) -> usize {
        let executors = self.describe().await.map_or_else(|_| Vec::new(), |description| description.executors);
        let smallest = executors.iter().filter_map(|executor| executor.share).min();
        usize::try_from(smallest.map_or(UNKNOWN, |share| (share / PART).min(MOST))).unwrap_or(usize::MAX)
    }
}

/// The configuration for plans whose joins keep so many bytes at most.
pub(crate) fn hashing(config: SessionConfig, bytes: usize) -> SessionConfig {
    config
        .set_usize("datafusion.optimizer.hash_join_single_partition_threshold", bytes)
        .set_usize("datafusion.optimizer.hash_join_single_partition_threshold_rows", bytes / ROW)
        .set_usize(BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, bytes)
}
