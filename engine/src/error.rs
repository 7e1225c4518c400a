//! What can go wrong with a job, one variant per different next step.

use datafusion::error::DataFusionError;
use paceline_sql::{SqlError, root_message};

/// Why a statement or a job failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The statement must be changed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A setting, option or path must be changed.
    #[error("{0}")]
    Setting(String),
    /// Running the query failed.
    #[error("{}", root_message(.0))]
    Query(#[from] DataFusionError),
    /// Files could not be read or written.
    #[error("{action} {url}: {source}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// Where.
        url: String,
        /// Why it failed.
        source: object_store::Error,
    },
    /// A statement of a job failed.
    #[error("statement {number} (line {line}): {source}")]
    Statement {
        /// Which statement of the script, from 1.
        number: usize,
        /// The line of the script that it starts in.
        line: usize,
        /// Why.
        source: Box<EngineError>,
    },
}
