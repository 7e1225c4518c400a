//! Logical plan to a running, committed query.
//!
//! [`Session`] is the whole trip on one screen; [`job::run`] takes a script through it and reports.

pub mod api_call;
pub mod api_defaults;
pub mod checkpoint;
pub mod cluster;
pub mod dry_run;
pub mod enrich;
mod error;
mod fault;
pub mod io;
pub mod job;
mod network;
pub mod observe;
pub mod placement;
pub mod position;
pub mod session;
pub mod settings;
mod statements;
mod unordered;

#[cfg(feature = "demo")]
pub mod demo;

pub use error::EngineError;
pub use fault::Fault;
pub use paceline_sql::{Piece, split};
pub use session::{Destination, Handed, Outcome, Prepared, Query, Session};
pub use settings::Settings;
pub use statements::estimate::{Calls, Estimate};

/// The table of options of an API function.
pub fn function_options() -> impl Iterator<Item = &'static paceline_udfs::spec::OptionRow> {
    paceline_udfs::spec::options()
}
