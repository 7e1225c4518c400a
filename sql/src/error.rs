//! What can be wrong with a statement.

use datafusion::error::DataFusionError;

/// A statement that cannot be carried out as written.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The text is not SQL that Paceline reads.
    #[error("cannot parse: {0}")]
    Parse(String),
    /// The construct is known, but not done yet.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// An API function's declaration is wrong.
    #[error(transparent)]
    Function(#[from] paceline_udfs::spec::SpecError),
    /// The query does not fit the tables, columns or types there are.
    #[error("{}", root_message(.0))]
    Plan(#[from] DataFusionError),
}

/// What really went wrong, without DataFusion's names for the layers it came through.
pub fn root_message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::External(cause) => cause.to_string(),
        DataFusionError::ArrowError(cause, _) => cause.to_string(),
        DataFusionError::Execution(message)
        | DataFusionError::NotImplemented(message)
        | DataFusionError::Plan(message) => message.clone(),
        root => root.strip_backtrace(),
    }
}

impl From<datafusion::sql::sqlparser::parser::ParserError> for SqlError {
    fn from(error: datafusion::sql::sqlparser::parser::ParserError) -> Self {
        use datafusion::sql::sqlparser::parser::ParserError::{ParserError, RecursionLimitExceeded, TokenizerError};
        match error {
            TokenizerError(message) | ParserError(message) => SqlError::Parse(message),
            RecursionLimitExceeded => SqlError::Parse("the statement is nested too deeply".to_owned()),
        }
    }
}
