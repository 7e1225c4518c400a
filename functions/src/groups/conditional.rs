//! Spark's functions of the group conditional.

use crate::Function;

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[];
