//! What of a task's errors passes: Ballista runs a task again after some errors, and fails the job after others.

use std::io;

use ballista_core::error::BallistaError;
use datafusion::common::DataFusionError;
use paceline_functions::Error;

/// Ballista runs a task again after an I/O error, and fails the job after any other. A store that did not answer may do so the
/// next time. A task that had all memory of an executor would be as short of it again.
pub fn told_apart(error: DataFusionError) -> DataFusionError {
    let again = || DataFusionError::IoError(io::Error::other(error.to_string()));
    match root(&error) {
        DataFusionError::ObjectStore(cause) if is_passing(cause) => again(),
        DataFusionError::ParquetError(cause) if is_passing_within(cause.as_ref()) => again(),
        // What is wrapped around these says less than they do.
        DataFusionError::ResourcesExhausted(text) => DataFusionError::ResourcesExhausted(format!(
            "out of memory, with all that the executor has; more partitions (paceline.partitions) or larger executors may help: \
             {text}"
        )),
        DataFusionError::Execution(text) => DataFusionError::Execution(text.clone()),
        // A client finds it again by this form.
        DataFusionError::External(cause) => match cause.downcast_ref::<Error>() {
            Some(cause) => DataFusionError::Execution(cause.to_string()),
            None => error,
        },
        _ => error,
    }
}

/// The error of a job that failed, from what the scheduler says: Spark's, with its class, where a task had one.
pub fn of_job(said: String) -> DataFusionError {
    match sparks(&said) {
        Some(error) => error.into(),
        None => DataFusionError::Execution(said),
    }
}

/// Ballista says what an error of a task is made of: `…Execution("[CLASS] message")…`.
fn sparks(said: &str) -> Option<Error> {
    let (_, rest) = said.split_once("Execution(\"[")?;
    let (class, rest) = rest.split_once("] ")?;
    // Spark gives the name of Java's exception where it has no class of its own.
    let is_class = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '$');
    if class.is_empty() || !class.chars().all(is_class) {
        return None;
    }
    let (mut message, mut chars) = (String::new(), rest.chars());
    loop {
        match chars.next()? {
            '"' => return Some(Error::new(class, message)),
            '\\' => message.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let code: String = chars.by_ref().skip(1).take_while(|it| *it != '}').collect();
                    char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
                }
                other => other,
            }),
            other => message.push(other),
        }
    }
}

/// Whether the task had too little memory.
pub fn is_short_of_memory(error: &DataFusionError) -> bool {
    matches!(root(error), DataFusionError::ResourcesExhausted(_))
}

/// The cause, also where Ballista wrapped it into an error of its own, which shows no source.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::External(inner) => match inner.downcast_ref::<BallistaError>() {
            Some(BallistaError::DataFusionError(inner)) => root(inner),
            _ => error.find_root(),
        },
        found => found,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let held = Arc::new(DataFusionError::ResourcesExhausted("sort".to_owned()));
        let wrapped = BallistaError::DataFusionError(Box::new(DataFusionError::Shared(Arc::clone(&held))));
        let short = DataFusionError::Shared(Arc::new(DataFusionError::External(Box::new(wrapped))));
        assert!(is_short_of_memory(&short));
        let told = told_apart(short).strip_backtrace();
        assert!(told.starts_with("Resources exhausted: out of memory") && told.ends_with(": sort"), "{told}");
        assert!(!is_again(DataFusionError::ResourcesExhausted("sort".to_owned())));
        assert!(!is_again(DataFusionError::ObjectStore(Box::new(missing()))));
        assert!(!is_again(in_parquet(missing())));
        assert!(!is_again(DataFusionError::Execution("429".to_owned())));
    }

    #[test]
    fn an_error_of_sparks_comes_back_with_its_class() {
        let error = Error::new("CAST_INVALID_INPUT", "The value \"a\nb\u{7}'ü\\\" of the type [x] cannot be cast.");
        let (class, message) = (error.class.clone(), error.message.clone());
        let wrapped = DataFusionError::Shared(Arc::new(DataFusionError::from(error)));
        let told = BallistaError::DataFusionError(Box::new(told_apart(wrapped)));
        let said = format!("Job failed due to stage 1 failed: Task failed due to runtime execution error: {told:?}\n");
        let back = Error::from(of_job(said));
        assert_eq!((back.class, back.message), (class, message));
        assert!(matches!(of_job("no [X] here".to_owned()), DataFusionError::Execution(_)));
    }
}
