//! What can be seen of a job: while it runs and when it has ended.

mod cloudwatch;
pub(crate) mod cpu;
pub mod event_log;
pub mod executors;
pub mod function;
mod letters;
mod masked;
pub(crate) mod memory;
pub mod progress;
pub mod prometheus;
pub mod recorder;
pub mod report;
pub mod rows;
pub mod stages;
pub mod table;
mod totals;

pub use cloudwatch::CloudWatchSettings;
pub use letters::dead_letters;
pub use masked::masked;
pub(crate) use totals::Counted;
pub use totals::Totals;
