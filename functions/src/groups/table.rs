//! Spark's functions that are tables; the resolver sees to them, and to generators in FROM.

use crate::function::Resolve::Resolver;
use crate::{Function, Group};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    Function {
        name: "range",
        group: Group::Table,
        usage: "range(start, end[, step[, numPartitions]]), range(end) - A table of the numbers from start to before end, its column is id.",
        resolve: Resolver,
    },
    Function {
        name: "sql_keywords",
        group: Group::Table,
        usage: "sql_keywords() - A table of the keywords of SQL.",
        resolve: Resolver,
    },
];
