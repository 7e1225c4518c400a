//! Spark SQL text to DataFusion logical plans.
//!
//! A script is cut into statements ([`split`]), each is parsed by Spark's grammar and resolved against a session's catalog into
//! an [`commands::Action`] ([`parse`], [`commands::plan`]). What cannot be done yet is an error that names the construct, never a
//! silently different answer.

pub mod catalog;
pub mod commands;
pub mod datetime;
mod error;
pub mod resolve;
mod types;

use datafusion::prelude::SessionConfig;
pub use paceline_syntax::tree::{ExplainMode, Statement};
pub use paceline_syntax::{Piece, split};

pub use error::{SqlError, root_message};
pub use types::{parse_type, type_name};

/// Parses one statement as the session's settings have it.
///
/// # Errors
/// The text is no statement of Spark's.
pub fn parse(session: &catalog::Session, text: &str) -> Result<Statement, SqlError> {
    Ok(paceline_syntax::parse_statement(text, session.grammar())?)
}

/// Settings of the session that rows need to have an order: a partition reads what the plan gave it and nothing else, so that a
/// task that is run again reads the same rows.
pub fn spark_settings(config: SessionConfig) -> SessionConfig {
    let mut config = config;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config.options_mut().execution.enable_file_stream_work_stealing = false;
    config
}
