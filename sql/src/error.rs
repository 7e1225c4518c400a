//! What can be wrong with a statement.

use datafusion::error::DataFusionError;
use paceline_functions::Error;
use paceline_syntax::ParseError;

/// A statement that cannot be carried out as written.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The text is not SQL that Spark reads.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It does not fit the session, or is not done yet.
    #[error(transparent)]
    Resolve(#[from] Error),
    /// An API function's declaration is wrong.
    #[error(transparent)]
    Function(#[from] paceline_udfs::spec::SpecError),
}

impl SqlError {
    /// Spark's error class and message.
    pub fn class_and_message(&self) -> (String, String) {
        match self {
            SqlError::Parse(error) => {
                let told = crate::commands::of_text(error);
                (told.class, told.message)
            }
            SqlError::Resolve(error) => (error.class.clone(), error.message.clone()),
            SqlError::Function(error) => ("INVALID_API_FUNCTION".to_owned(), error.to_string()),
        }
    }
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
