//! Spark's functions of the group xml.

use crate::Function;

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[];
