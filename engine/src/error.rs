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
