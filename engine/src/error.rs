//! What can go wrong with a job, one variant per different next step.

use std::error::Error;

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
    #[error("{action} {url}: {}", reason(.source))]
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

impl From<paceline_functions::Error> for EngineError {
    fn from(error: paceline_functions::Error) -> Self {
        EngineError::Sql(error.into())
    }
}

impl EngineError {
    /// Spark's error class, where it has one for this, and what is wrong.
    pub fn class_and_message(&self) -> (String, String) {
        match self {
            EngineError::Sql(error) => error.class_and_message(),
            EngineError::Query(error) => match error.find_root() {
                DataFusionError::External(cause) => match cause.downcast_ref::<paceline_functions::Error>() {
                    Some(error) => (error.class.clone(), error.message.clone()),
                    None => ("INTERNAL_ERROR".to_owned(), cause.to_string()),
                },
                _ => ("INTERNAL_ERROR".to_owned(), self.to_string()),
            },
            EngineError::Statement { source, .. } => source.class_and_message(),
            EngineError::Setting(message) => ("INVALID_OPTIONS".to_owned(), message.clone()),
            EngineError::Storage { .. } => ("CANNOT_ACCESS_FILES".to_owned(), self.to_string()),
        }
    }
}

/// What a store said, down to the cause: the outer layers say no more than that a request failed.
fn reason(error: &object_store::Error) -> String {
    let mut text = match error {
        object_store::Error::Generic { source, .. } => source.to_string(), // without "Generic S3 error"
        other => other.to_string(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    if ["redirect without LOCATION", "AuthorizationHeaderMalformed"].iter().any(|sign| text.contains(sign)) {
        text.push_str("; the bucket is in another region: name that with paceline.s3.region or AWS_REGION");
    }
    text
}
