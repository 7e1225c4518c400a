//! The table of Spark's functions: a row says everything that is known of one.

use std::sync::Arc;

use crate::groups::GROUPS;
use crate::{Result, Settings, Typed};

/// A function of Spark.
pub struct Function {
    /// Its name, lower case.
    pub name: &'static str,
    /// Spark's group of it.
    pub group: Group,
    /// What `DESCRIBE FUNCTION` says, in our words: `abs(expr) - The absolute value of expr.`
    pub usage: &'static str,
    /// How a call of it becomes an expression.
    pub resolve: Resolve,
}

/// Spark's groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is Spark's group of its name")]
pub enum Group {
    Aggregate,
    Array,
    Bitwise,
    Collection,
    Conditional,
    Conversion,
    Csv,
    Datetime,
    Generator,
    Hash,
    Json,
    Lambda,
    Map,
    Math,
    Misc,
    Predicate,
    String,
    Struct,
    Table,
    Url,
    Window,
    Xml,
}

/// A call that is to be resolved: its arguments are.
pub struct Call<'a> {
    /// The function's name as written; Spark shows it in some generated names.
    pub written: &'a str,
    /// The function's name in the table.
    pub name: &'static str,
    /// The arguments, in order; named ones have been put in their places.
    pub arguments: Vec<Typed>,
    /// Of the session.
    pub settings: &'a Arc<Settings>,
}

/// How a call becomes an expression.
pub enum Resolve {
    /// A value for each row.
    Scalar(fn(Call<'_>) -> Result<Typed>),
    /// An aggregate function.
    Aggregate(fn(Call<'_>) -> Result<Typed>),
    /// A function that only a window has.
    Window(fn(Call<'_>) -> Result<Typed>),
    /// Rows for each row: the resolver puts the array or map that is returned into an unnesting node.
    Generator(fn(Call<'_>) -> Result<Typed>),
    /// The resolver itself sees to it: lambdas, grouping(), and the like.
    Resolver,
    /// Refused by name.
    Refused,
}

/// The function of a name in any case.
pub fn find(name: &str) -> Option<&'static Function> {
    let name = name.to_ascii_lowercase();
    GROUPS.iter().flat_map(|rows| rows.iter()).find(|function| function.name == name)
}

/// All functions.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|rows| rows.iter())
}
