//! What can go wrong with a request to the job service, one variant for each way to answer it.

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such job.
    #[error("there is no job '{0}'")]
    NotFound(String),
    /// What was sent cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The job's state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// As many runs of the job as may run at once do, and it does not wait.
    #[error("{0}")]
    ConcurrentRunsExceeded(String),
    /// The service is at fault.
    #[error("{0}")]
    Internal(String),
}
