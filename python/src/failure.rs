//! Errors of the engine as Python's: which class, and what is below it.

use std::fmt::Display;

use paceline_engine::{EngineError, Fault};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

/// The module that has the classes.
const CLASSES: &str = "paceline.errors";

/// What Python raises for an error of the engine.
pub fn raised(py: Python<'_>, error: &EngineError) -> PyErr {
    let setting = error.as_setting();
    let error = setting.as_ref().unwrap_or(error);
    let class = class_of(error.fault());
    let (name, _) = error.class_and_message();
    match made(py, class, &error.to_string(), Some(&name), &error.causes()) {
        Ok(made) => made,
        Err(error) => error,
    }
}

/// A wrong argument.
pub fn configuration(py: Python<'_>, why: impl Display) -> PyErr {
    made(py, "ConfigurationError", &why.to_string(), None, &[]).unwrap_or_else(|error| error)
}

fn class_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Statement => "SqlError",
        Fault::Setting => "ConfigurationError",
        Fault::Read => "S3ReadError",
        Fault::Write => "S3WriteError",
        Fault::Api(Some("rate_limited")) => "RateLimitExceeded",
        Fault::Api(Some("breaker_open")) => "CircuitBreakerError",
        Fault::Api(Some("timeout")) => "APITimeoutError",
        Fault::Api(Some("connection")) => "APIConnectionError",
        Fault::Api(Some("bad_reply" | "too_large" | "serialization")) | Fault::Data => "ValidationError",
        Fault::Api(_) => "APIError",
        Fault::Query => "QueryError",
    }
}

/// An exception, with the causes below it as its causes.
fn made(py: Python<'_>, class: &str, text: &str, error_class: Option<&str>, causes: &[String]) -> PyResult<PyErr> {
    let errors = py.import(CLASSES)?;
    let error = PyErr::from_value(errors.getattr(class)?.call1((text, error_class))?);
    let mut cause: Option<PyErr> = None;
    for text in causes.iter().rev() {
        let below = cause.take();
        let one = PyException::new_err(text.clone());
        one.set_cause(py, below);
        cause = Some(one);
    }
    error.set_cause(py, cause);
    Ok(error)
}

/// Results of the engine as results of Python.
pub trait OrRaise<T> {
    /// The value, or what Python raises.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, EngineError> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}
