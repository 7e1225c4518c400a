//! How large a cluster is: what a worker type, Spark's settings and this machine come to, and when executors come and go.
//! Pure but for [`Machine::here`]; starts nothing.

mod allocation;
mod byte_size;
mod executor_memory;
mod executor_size;
mod invalid;
mod limits;
mod spark_conf;
mod worker_type;

pub use allocation::{Act, Allocation, Decision, Executor, Pace, Seen, Stage};
pub use byte_size::show as show_bytes;
pub use executor_memory::Overhead;
pub use executor_size::{Bound, Sizing};
pub use invalid::Invalid;
pub use limits::Machine;
pub(crate) use spark_conf::find as find_spark_key;
pub use spark_conf::{ClusterConf, Dynamic, ExecutorMemory, KEYS as SPARK_KEYS, Key as SparkKey, Treated, Warning};
pub use worker_type::{Capacity, WORKER_TYPES, WorkerType, Workers};
