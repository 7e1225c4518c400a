//! The sink: each task writes its rows to files that stay invisible, and returns what it staged as rows. The driver
//! makes them visible ([`super::commit`]).

mod exec;
mod format;
mod node;
mod rows;
mod staged;
mod upload;

pub use exec::{PlanWriteFiles, WriteFilesExec};
pub use node::{Target, WriteFiles};
pub use staged::{Kind, Staged, StagedFile};
