//! What of a task's errors passes: Ballista runs a task again after some errors, and fails the job after others.

use std::io;
use std::sync::Arc;

use ballista_core::error::BallistaError;
use datafusion::common::DataFusionError;

/// Ballista runs a task again after an I/O error, and fails the job after any other. A store that did not answer may do so the
/// next time. A task that had all memory of an executor would be as short of it again.
pub fn told_apart(error: DataFusionError) -> DataFusionError {
    let again = |error: DataFusionError| DataFusionError::IoError(io::Error::other(error.to_string()));
    let error = without_wrapper(error);
    match error.find_root() {
        DataFusionError::ObjectStore(cause) if is_passing(cause) => again(error),
        DataFusionError::ParquetError(cause) if is_passing_within(cause.as_ref()) => again(error),
        _ => error,
    }
}

/// What Ballista wrapped into an error of its own, which shows no source.
pub fn without_wrapper(error: DataFusionError) -> DataFusionError {
    let is_ballistas = |error: &DataFusionError| match error {
        DataFusionError::External(inner) => inner.is::<BallistaError>(),
        _ => false,
    };
    match error {
        DataFusionError::Shared(shared) => match Arc::try_unwrap(shared) {
            Ok(error) => without_wrapper(error),
            Err(shared) => DataFusionError::Shared(shared),
        },
        error if is_ballistas(&error) => match BallistaError::from(error) {
            BallistaError::DataFusionError(inner) => without_wrapper(*inner),
            other => DataFusionError::External(Box::new(other)),
        },
        error => error,
    }
}

fn is_passing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}

fn is_passing_within(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(store) = error.downcast_ref::<object_store::Error>() {
            return is_passing(store);
        }
        next = error.source();
    }
    false
}

/// Whether the task had too little memory.
pub fn is_short_of_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let generic = || object_store::Error::Generic { store: "S3", source: "503".into() };
        let missing = || object_store::Error::NotFound { path: "x".to_owned(), source: "404".into() };
        let in_parquet = |error| {
            DataFusionError::ParquetError(Box::new(datafusion::parquet::errors::ParquetError::External(Box::new(
                error,
            ))))
        };
        let is_again = |error| matches!(told_apart(error), DataFusionError::IoError(_));
        assert!(is_again(DataFusionError::ObjectStore(Box::new(generic()))));
        assert!(is_again(DataFusionError::ObjectStore(Box::new(generic())).context("reading")));
        assert!(is_again(in_parquet(generic())));
        let wrapped = BallistaError::DataFusionError(Box::new(DataFusionError::ObjectStore(Box::new(generic()))));
        assert!(is_again(DataFusionError::Shared(Arc::new(DataFusionError::External(Box::new(wrapped))))));
        assert!(!is_again(DataFusionError::ResourcesExhausted("sort".to_owned())));
        assert!(!is_again(DataFusionError::ObjectStore(Box::new(missing()))));
        assert!(!is_again(in_parquet(missing())));
        assert!(!is_again(DataFusionError::Execution("429".to_owned())));
    }
}
