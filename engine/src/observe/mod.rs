//! What can be seen of a job: while it runs and when it has ended.

mod memory;
pub mod progress;
pub mod prometheus;
pub mod report;
pub mod rows;
pub mod table;
