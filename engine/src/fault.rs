//! What kind of thing went wrong, for programs that act on it.

use std::error::Error;

use datafusion::error::DataFusionError;
use paceline_udfs::batch::BatchError;
use paceline_udfs::client::causes;

use crate::EngineError;
use crate::api_call::failure_kind;

/// What has to be changed, or where one has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The statement.
    Statement,
    /// A setting, option or path.
    Setting,
    /// Files could not be read.
    Read,
    /// Files could not be written.
    Write,
    /// A call of an API, by the kind of its last failure (see [`paceline_udfs::dead_letter::FailureKind`]), where that is known.
    Api(Option<&'static str>),
    /// What is not as it was declared: rows that no request can carry, records that are malformed.
    Data,
    /// Anything else while rows were computed; its class says what.
    Query,
}

impl EngineError {
    /// What kind of thing went wrong. Errors of a cluster come as text, and are told apart by it.
    pub fn fault(&self) -> Fault {
        match self {
            EngineError::Sql(_) => Fault::Statement,
            EngineError::Setting(_) => Fault::Setting,
            EngineError::Statement { source, .. } => source.fault(),
            EngineError::Storage { action, .. } if action.contains("read") || action.contains("list") => Fault::Read,
            EngineError::Storage { .. } => Fault::Write,
            EngineError::Query(error) => of_query(error),
        }
    }

    /// The errors below it, the outermost first, each once.
    pub fn causes(&self) -> Vec<String> {
        let mut said = vec![self.to_string()];
        let mut source = match self {
            EngineError::Statement { source, .. } => source.source(),
            other => other.source(),
        };
        while let Some(cause) = source {
            let text = cause.to_string();
            if !said.iter().any(|known| known.contains(&text)) {
                said.push(text);
            }
            source = cause.source();
        }
        said.remove(0);
        said
    }
}

fn of_query(error: &DataFusionError) -> Fault {
    match error.find_root() {
        DataFusionError::ObjectStore(cause) if is_upload(&causes(cause.as_ref())) => Fault::Write,
        DataFusionError::ObjectStore(_) => Fault::Read,
        DataFusionError::External(cause) => match cause.downcast_ref::<BatchError>() {
            Some(BatchError::Types { .. }) => Fault::Data,
            Some(BatchError::Stop { .. } | BatchError::Request(_)) => Fault::Api(None),
            Some(BatchError::Journal(_)) => Fault::Read,
            None => match cause.downcast_ref::<EngineError>() {
                Some(error) => error.fault(),
                None => of_text(&cause.to_string()),
            },
        },
        root => of_text(&root.to_string()),
    }
}

fn of_text(text: &str) -> Fault {
    match text.find("API function '") {
        Some(at) => Fault::Api(failure_kind(&text[at..])),
        None if text.contains("is malformed (mode FAILFAST)") => Fault::Data,
        None => Fault::Query,
    }
}

/// What S3's requests that write have in their path.
fn is_upload(text: &str) -> bool {
    ["partNumber=", "uploadId=", "uploads", "CreateMultipart", "PutPart"].iter().any(|sign| text.contains(sign))
}
