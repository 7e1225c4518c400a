//! Spark's functions of the group predicate.

use crate::Function;

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[];
