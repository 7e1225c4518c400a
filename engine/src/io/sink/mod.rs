//! The sink: each task writes its rows to files that stay invisible, and returns what it staged as rows. The driver
//! makes them visible ([`super::commit`]).

mod codec;
mod columns;
mod csv_form;
mod exec;
mod files;
mod folders;
mod format;
mod in_order;
mod layout;
mod letters;
mod lines;
mod node;
mod orc;
mod rows;
mod staged;
mod upload;

pub use exec::{PlanWriteFiles, WriteFilesExec};
pub(crate) use folders::{partition_folder, partition_folders};
pub use layout::Layout;
pub use node::{Target, WriteFiles};
pub use staged::{Kind, Staged, StagedFile};
