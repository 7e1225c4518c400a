//! Spark's functions of the group structs.

use crate::Function;

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[];
