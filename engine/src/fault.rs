//! What kind of thing went wrong, for programs that act on it.

use std::error::Error;

use datafusion::error::DataFusionError;
use paceline_udfs::batch::BatchError;
use paceline_udfs::client::causes;

use crate::EngineError;
use crate::api_call::failure_kind;

/// How a quota is named where it says that it cannot be had.
const QUOTA: &str = "quota '";
/// How that goes on and ends, as [`paceline_udfs::quota::QuotaError`] has it: it is in use under other limits, or is asked
/// for a rate that a cluster cannot keep.
const REFUSALS: &[(&str, &str)] = &[
    (" for another function, this one says ", "or this one a quota of its own"),
    (" is adaptive, which the processes of a cluster cannot share", "or run the job in one process"),
];

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
            EngineError::Query(_) if self.as_setting().is_some() => Fault::Setting,
            EngineError::Query(error) => of_query(error),
        }
    }

    /// The error of a setting that only showed when the query ran, as a check beforehand would have it. Whether a quota
    /// can be had is known when a function is declared, but on a cluster when it is called.
    pub fn as_setting(&self) -> Option<EngineError> {
        match self {
            EngineError::Query(_) => refusal(&self.to_string()).map(|said| EngineError::Setting(said.to_owned())),
            _ => None,
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

/// What a quota says in a text that has more around it.
fn refusal(text: &str) -> Option<&str> {
    REFUSALS.iter().find_map(|(middle, end)| {
        let at = text.find(middle)?;
        let from = text[..at].rfind(QUOTA)?;
        let to = at + text[at..].find(end)? + end.len();
        Some(&text[from..to])
    })
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::{Duration, SystemTime};

    use expect_test::expect;
    use paceline_udfs::limiter::{Limits, Rate};
    use paceline_udfs::quota::{QuotaError, Quotas};

    use super::*;

    /// What a quota says to a second function with other limits, and to one without fixed limits on a cluster.
    fn refusals() -> [String; 2] {
        let second = Duration::from_secs(1);
        let limits = |calls| Limits::from(Rate::Limited { calls: NonZeroU32::new(calls).unwrap(), period: second });
        let quotas = Quotas::default();
        let _in_use = quotas.get("vendor", &limits(20), SystemTime::now()).unwrap();
        let conflict = quotas.get("vendor", &limits(30), SystemTime::now()).unwrap_err();
        [conflict.to_string(), QuotaError::Adaptive { quota: "vendor".to_owned() }.to_string()]
    }

    /// The error of a job as a cluster has it, whose task failed by `error`.
    fn of_cluster(error: &DataFusionError) -> EngineError {
        let task = format!("Task failed due to runtime execution error: DataFusionError({error:?})");
        EngineError::Query(DataFusionError::Execution(format!("Job failed due to stage 1 failed: {task}\n")))
    }

    #[test]
    fn a_quota_that_cannot_be_had_is_a_setting_wherever_that_shows() {
        for said in refusals() {
            let stop = || DataFusionError::External(Box::new(stopped(&said)));
            let bound = DataFusionError::Execution(said.clone()); // a task that could not begin
            for error in [EngineError::Query(stop()), of_cluster(&stop()), of_cluster(&bound)] {
                assert_eq!(error.fault(), Fault::Setting, "{error}");
                let (class, message) = error.as_setting().unwrap().class_and_message();
                assert_eq!((class.as_str(), &message), ("INVALID_OPTIONS", &said));
            }
        }
        let [conflict, _] = refusals();
        expect!["quota 'vendor' allows 20 calls per 1s for another function, this one says 30 calls per 1s: give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"].assert_eq(&conflict);
    }

    #[test]
    fn other_errors_of_a_cluster_are_what_they_were() {
        let given_up = "API function 'enrich': status 500 (http_5xx, attempts: 1); with on_error 'null' …";
        let given_up = of_cluster(&DataFusionError::Execution(given_up.to_owned()));
        assert_eq!(given_up.fault(), Fault::Api(Some("http_5xx")));
        let paused = stopped("quota 'vendor' is paused for longer than max_retry_after");
        let paused = EngineError::Query(DataFusionError::External(Box::new(paused)));
        assert_eq!(paused.fault(), Fault::Api(None));
        let divided = of_cluster(&DataFusionError::Execution("a division by zero".to_owned()));
        assert_eq!(divided.fault(), Fault::Query);
        assert!([given_up, paused, divided].iter().all(|error| error.as_setting().is_none()));
    }

    fn stopped(reason: &str) -> BatchError {
        BatchError::Stop { function: "enrich".to_owned(), reason: reason.to_owned() }
    }
}
