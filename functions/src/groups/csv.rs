//! Spark's functions of the group csv.

use crate::Function;

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[];
