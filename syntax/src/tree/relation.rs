//! Relations: what stands in `FROM`.

use super::{Argument, Expr, Ident, Name, NamedExpr, Query, Reference, Span};

/// A relation and what is done with it, in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// `LATERAL`: it may refer to what stands left of it
    pub lateral: bool,
    /// Where the rows are from.
    pub kind: RelationKind,
    /// Joins and pivots; each takes all that stands before it.
    pub steps: Vec<Step>,
    /// Where it is.
    pub span: Span,
}

/// Where rows are from.
#[derive(Clone, Debug, PartialEq)]
pub enum RelationKind {
    /// A table or view, or `` format.`path` ``.
    Table {
        /// Its name.
        name: Reference,
        /// Which state of it.
        as_of: Option<AsOf>,
        /// `TABLESAMPLE`
        sample: Option<Sample>,
        /// Its alias.
        alias: TableAlias,
    },
    /// `(query)`
    Subquery {
        /// The query.
        query: Box<Query>,
        /// `TABLESAMPLE`
        sample: Option<Sample>,
        /// Its alias.
        alias: TableAlias,
    },
    /// `(a JOIN b)`
    Nested {
        /// The relation.
        relation: Box<Relation>,
        /// `TABLESAMPLE`
        sample: Option<Sample>,
        /// Its alias.
        alias: TableAlias,
    },
    /// `VALUES`
    Values(Vec<Expr>, TableAlias),
    /// `range(10)`
    Function {
        /// The function.
        name: Reference,
        /// Its arguments.
        arguments: Vec<TableArgument>,
        /// Its alias.
        alias: TableAlias,
    },
}

/// `AS t(a, b)`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableAlias {
    /// The name.
    pub name: Option<Ident>,
    /// Names of the columns, if they are given.
    pub columns: Vec<Ident>,
}

/// An argument of a table-valued function.
#[derive(Clone, Debug, PartialEq)]
pub enum TableArgument {
    /// An expression.
    Expr(Argument),
    /// `name => TABLE t`
    Table(Option<Ident>, Reference),
    /// `name => TABLE (query)`
    Query(Option<Ident>, Box<Query>),
}

/// Which state of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum AsOf {
    /// `VERSION AS OF`
    Version(String),
    /// `TIMESTAMP AS OF`
    Timestamp(Expr),
}

/// `TABLESAMPLE (…) REPEATABLE (seed)`
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// How many.
    pub method: SampleMethod,
    /// `REPEATABLE`
    pub seed: Option<i64>,
}

/// How many rows a sample has.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleMethod {
    /// `n PERCENT`, in percent
    Percent(f64),
    /// `n ROWS`
    Rows(Expr),
    /// `BUCKET x OUT OF y`
    Bucket(u32, u32),
}

/// What is done with a relation.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `JOIN`
    Join(Box<Join>),
    /// `PIVOT`
    Pivot(Box<Pivot>),
    /// `UNPIVOT`
    Unpivot(Box<Unpivot>),
}

/// `JOIN right ON …`
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Which rows are wanted.
    pub kind: JoinKind,
    /// `NATURAL`
    pub natural: bool,
    /// The right-hand side, which has no steps.
    pub right: Relation,
    /// Which rows belong together.
    pub constraint: Option<JoinConstraint>,
}

/// Which rows a join returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum JoinKind {
    Inner,
    Cross,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    LeftAnti,
}

/// Which rows belong together.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinConstraint {
    /// `ON`
    On(Expr),
    /// `USING`
    Using(Vec<Ident>),
}

/// `PIVOT (aggregates FOR columns IN (values))`
#[derive(Clone, Debug, PartialEq)]
pub struct Pivot {
    /// What is aggregated.
    pub aggregates: Vec<NamedExpr>,
    /// Whose values become columns.
    pub columns: Vec<Ident>,
    /// Which values; a row if there are several columns.
    pub values: Vec<PivotValue>,
    /// Where it is.
    pub span: Span,
}

/// A value that becomes a column.
#[derive(Clone, Debug, PartialEq)]
pub struct PivotValue {
    /// The value.
    pub value: Expr,
    /// The column's name.
    pub alias: Option<Ident>,
}

/// `UNPIVOT (values FOR name IN (columns))`
#[derive(Clone, Debug, PartialEq)]
pub struct Unpivot {
    /// `INCLUDE NULLS`
    pub include_nulls: bool,
    /// Names of the columns that get the values.
    pub values: Vec<Ident>,
    /// Whether these stand in parentheses, even if there is one.
    pub multiple: bool,
    /// Name of the column that gets the names.
    pub name: Ident,
    /// Which columns become rows.
    pub columns: Vec<UnpivotColumn>,
    /// Its alias.
    pub alias: Option<Ident>,
    /// Where it is.
    pub span: Span,
}

/// Columns that become a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpivotColumn {
    /// As many as there are value columns.
    pub columns: Vec<Name>,
    /// What the name column says.
    pub alias: Option<Ident>,
}
