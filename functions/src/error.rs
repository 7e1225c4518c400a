//! What is wrong with an expression, in Spark's classes and words.

use arrow::datatypes::DataType as Arrow;
use datafusion::common::DataFusionError;

/// Of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error as Spark would give it.
#[derive(Debug, thiserror::Error)]
#[error("[{class}] {message}")]
pub struct Error {
    /// Spark's error class, as `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`.
    pub class: String,
    /// What Spark says.
    pub message: String,
    /// How many bytes of the statement stand before what it is about.
    pub place: Option<u32>,
}

impl Error {
    /// An error of a class.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Error { class: class.into(), message: message.into(), place: None }
    }

    /// With a place, unless a part of what is there has been named already.
    #[must_use]
    pub fn at(mut self, place: u32) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// What Spark knows and Paceline does not, by name.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Error::new("UNSUPPORTED_FEATURE", format!("Paceline does not support {what} yet."))
    }

    pub(crate) fn unknown_type(arrow: &Arrow) -> Self {
        Error::new("UNSUPPORTED_DATATYPE", format!("Unsupported data type {arrow}."))
    }
}

/// An error while a query runs, which carries its class through DataFusion.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        // Operators put errors of their inputs into other errors.
        let cause = match error.find_root() {
            DataFusionError::External(inner) => inner.downcast_ref::<Error>(),
            _ => None,
        };
        match cause {
            Some(Error { class, message, place }) => {
                Error { class: class.clone(), message: message.clone(), place: *place }
            }
            None => Error::new("INTERNAL_ERROR", error.to_string()),
        }
    }
}
