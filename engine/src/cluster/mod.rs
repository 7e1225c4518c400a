//! A query on many machines: Ballista cuts plans into tasks and runs them, and what it lacks stands around it.

mod access;
mod address;
mod carried;
mod client;
mod codec;
mod describe;
mod door;
mod executor;
mod faults;
mod fetch;
mod gauges;
mod idle;
mod joins;
mod keeper;
mod killed;
mod loads;
mod local;
mod lost;
mod memory;
mod numbering;
mod pace;
mod portable;
mod process;
mod reach;
mod running;
mod scheduler;
mod service;
mod shuffle;
pub mod sizing;
mod stage;
mod stages;
mod usage;
mod watch;
mod work;

use std::sync::Arc;

use ballista_core::config::{
    BALLISTA_CLIENT_INITIAL_CONNECTION_WINDOW_SIZE, BALLISTA_CLIENT_INITIAL_STREAM_WINDOW_SIZE,
    BALLISTA_SCHEDULER_MAX_PARTITIONS_PER_TASK, BALLISTA_SHUFFLE_COMPRESSION_CODEC,
    BALLISTA_SHUFFLE_READER_MAX_BYTES_IN_FLIGHT,
};
use ballista_core::extension::SessionConfigExt;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::SessionConfig;

use crate::EngineError;

pub use access::{Access, AccessFiles};
pub use address::HostPort;
pub(crate) use carried::Carried;
pub(crate) use client::SPILLED;
pub use client::{Cluster, Ran};
pub use codec::PlanCodec;
pub use describe::{Description, Member, QuotaSeen};
pub use executor::{ExecutorOptions, run as run_executor};
pub use gauges::ExecutorGauges;
pub(crate) use joins::hashing;
pub use local::{LocalOptions, Told, run as run_local};
pub use numbering::Numbering;
pub use pace::PaceLink;
pub use reach::Reach;
pub use scheduler::{Scheduler, SchedulerOptions};
pub(crate) use work::{READ_LOCALLY, READ_REMOTELY};

/// Largest message between the processes of a cluster, in bytes: a plan that reads many files is long. Ballista's own bound,
/// 16 MiB, looks like a lost executor when it is passed.
const MESSAGE_BYTES: u32 = 256 << 20;

/// Bytes of shuffled rows on their way to one reader.
const IN_FLIGHT: usize = 4 << 20;

/// The rules that a logical plan is optimized by: Ballista's where it runs on a cluster, which cannot say NOT IN otherwise.
pub(crate) fn optimizer_rules(on_cluster: bool) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    if on_cluster { ballista_core::optimizer::ballista_default_optimizer_rules() } else { Optimizer::new().rules }
}

/// The configuration that every process of a cluster begins with.
fn config() -> SessionConfig {
    with_ballista(SessionConfig::new())
}

/// A configuration for plans that run in the cluster `at`.
pub(crate) fn at(at: &HostPort, config: SessionConfig) -> SessionConfig {
    let config = with_ballista(config);
    // What goes over no network is not worth compressing.
    if at.is_loopback() { config.set_str(BALLISTA_SHUFFLE_COMPRESSION_CODEC, "none") } else { config }
}

fn with_ballista(config: SessionConfig) -> SessionConfig {
    config
        .upgrade_for_ballista()
        // The session's planner sees to joins that do not fit.
        .set_bool("datafusion.optimizer.prefer_hash_join", true)
        .with_ballista_adaptive_query_planner(false)
        .with_ballista_grpc_client_max_message_size(MESSAGE_BYTES as usize)
        // One task for each partition: what is run again is small, and progress is what it says.
        .set_usize(BALLISTA_SCHEDULER_MAX_PARTITIONS_PER_TASK, 1)
        // What was fetched and not yet read is in no pool. Of each reader:
        .set_usize(BALLISTA_SHUFFLE_READER_MAX_BYTES_IN_FLIGHT, IN_FLIGHT)
        .set_usize(BALLISTA_CLIENT_INITIAL_CONNECTION_WINDOW_SIZE, IN_FLIGHT)
        .set_usize(BALLISTA_CLIENT_INITIAL_STREAM_WINDOW_SIZE, IN_FLIGHT)
        .with_option_extension(Carried::default())
}

/// An error of ours where DataFusion's are expected.
fn outer(error: EngineError) -> DataFusionError {
    exec_datafusion_err!("{error}")
}
