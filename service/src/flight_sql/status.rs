//! Errors as gRPC tells them: Spark's class in front of the message, and alone in a header.

use paceline_engine::EngineError;
use tonic::{Code, Status};

/// The header that has the class.
const CLASS: &str = "paceline-error-class";

/// Messages travel in a header, of which Java's drivers take 8 KiB.
const LONGEST: usize = 2000;

/// What an error of a statement is to who sent it.
pub fn of(error: &EngineError) -> Status {
    let (class, message) = error.class_and_message();
    let mut text: String = format!("[{class}] {message}").chars().take(LONGEST + 1).collect();
    if text.chars().count() > LONGEST {
        text.pop();
        text.push('…');
    }
    let mut status = Status::new(code(error, &class), text);
    if let Ok(value) = class.parse() {
        status.metadata_mut().insert(CLASS, value);
    }
    status
}

fn code(error: &EngineError, class: &str) -> Code {
    match error {
        EngineError::Storage { .. } => Code::Unavailable,
        EngineError::Query(_) if class == "INTERNAL_ERROR" => Code::Internal,
        EngineError::Statement { source, .. } => code(source, class),
        _ if class.ends_with("_NOT_FOUND") => Code::NotFound,
        _ if class.ends_with("_ALREADY_EXISTS") => Code::AlreadyExists,
        _ if class.starts_with("UNSUPPORTED_") || class == "FEATURE_NOT_SUPPORTED" => Code::Unimplemented,
        _ => Code::InvalidArgument,
    }
}
