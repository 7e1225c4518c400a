//! What is wrong with what a user said of a cluster.

/// A mistake in the size or the settings of a cluster: what was said, and what is expected instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);
