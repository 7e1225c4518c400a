//! Queries: what returns rows.

use super::{Expr, Ident, Name, NamedExpr, NamedWindow, Reference, Relation, RowFormat, Span, TableAlias};

/// A query with what is done to its rows at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `WITH`
    pub ctes: Vec<Cte>,
    /// What returns the rows.
    pub body: QueryBody,
    /// `ORDER BY`
    pub order_by: Vec<SortItem>,
    /// `CLUSTER BY`
    pub cluster_by: Vec<Expr>,
    /// `DISTRIBUTE BY`
    pub distribute_by: Vec<Expr>,
    /// `SORT BY`
    pub sort_by: Vec<SortItem>,
    /// `WINDOW`
    pub windows: Vec<NamedWindow>,
    /// `LIMIT`
    pub limit: Option<Limit>,
    /// `OFFSET`
    pub offset: Option<Expr>,
    /// Where it is.
    pub span: Span,
}

/// `name (columns) AS (query)`
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: Ident,
    /// Names of its columns, if they are given.
    pub columns: Vec<Ident>,
    /// What it is.
    pub query: Query,
}

/// How many rows are wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// `LIMIT ALL`
    All,
    /// `LIMIT n`
    Rows(Expr),
}

/// What returns rows.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryBody {
    /// `SELECT`, also behind `FROM`
    Select(Box<Select>),
    /// `SELECT TRANSFORM(…) USING 'script'`, `MAP`, `REDUCE`
    Transform(Box<Transform>),
    /// `FROM t SELECT a SELECT b`: the rows of each, one after the other
    FromMany(Vec<Query>),
    /// `TABLE t`
    Table(Reference),
    /// `VALUES (1, 2), (3, 4) AS t(a, b)`
    Values(Vec<Expr>, TableAlias),
    /// `(query)`
    Nested(Box<Query>),
    /// `a UNION b EXCEPT c`: each branch is applied to all that stands before it
    SetOperations(Box<QueryBody>, Vec<SetBranch>),
}

/// `UNION ALL body`
#[derive(Clone, Debug, PartialEq)]
pub struct SetBranch {
    /// Which operation.
    pub op: SetOp,
    /// `ALL`; otherwise the result has no duplicates
    pub all: bool,
    /// The right-hand side.
    pub body: QueryBody,
    /// Where the right-hand side is.
    pub span: Span,
}

/// Operations on sets of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// `UNION`
    Union,
    /// `EXCEPT`, `MINUS`
    Except,
    /// `INTERSECT`
    Intersect,
}

/// `DISTINCT` or `ALL`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum SetQuantifier {
    All,
    Distinct,
}

/// `SELECT`
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// `/*+ … */`
    pub hints: Vec<Hint>,
    /// `DISTINCT`
    pub distinct: bool,
    /// What is selected.
    pub items: Vec<NamedExpr>,
    /// `FROM`; several mean their cross product. Empty: one row without columns
    pub from: Vec<Relation>,
    /// `LATERAL VIEW`
    pub lateral_views: Vec<LateralView>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`
    pub group_by: Option<GroupBy>,
    /// `HAVING`
    pub having: Option<Expr>,
    /// `WINDOW`
    pub windows: Vec<NamedWindow>,
    /// Where it is.
    pub span: Span,
}

/// A hint, as `BROADCAST(t)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub parameters: Vec<Expr>,
}

/// `LATERAL VIEW [OUTER] generator(…) table AS a, b`
#[derive(Clone, Debug, PartialEq)]
pub struct LateralView {
    /// `OUTER`
    pub outer: bool,
    /// The function.
    pub generator: Name,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// Name of the table that it makes.
    pub table: Ident,
    /// Names of its columns, if they are given.
    pub columns: Vec<Ident>,
    /// Where it is.
    pub span: Span,
}

/// `GROUP BY`. `GROUP BY ALL` is a column named ALL, as in Spark, where it may be one.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupBy {
    /// `GROUP BY a, CUBE(b, c)`: the cross product of its elements
    Elements(Vec<Grouping>),
    /// `GROUP BY a, b WITH CUBE`
    WithCube(Vec<Expr>),
    /// `GROUP BY a, b WITH ROLLUP`
    WithRollup(Vec<Expr>),
    /// `GROUP BY a, b GROUPING SETS ((a), (b))`
    WithSets(Vec<Expr>, Vec<Vec<Expr>>),
}

/// An element of `GROUP BY`.
#[derive(Clone, Debug, PartialEq)]
pub enum Grouping {
    /// An expression, an ordinal, or the column ALL.
    Expr(Expr),
    /// A set within `GROUPING SETS`.
    Set(Vec<Expr>),
    /// `CUBE (…)`
    Cube(Vec<Vec<Expr>>),
    /// `ROLLUP (…)`
    Rollup(Vec<Vec<Expr>>),
    /// `GROUPING SETS (…)`
    Sets(Vec<Grouping>),
}

/// An element of `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub struct SortItem {
    /// What is sorted by.
    pub value: Expr,
    /// `DESC`
    pub descending: bool,
    /// `NULLS FIRST`; without it, first if ascending
    pub nulls_first: bool,
}

/// `SELECT TRANSFORM(…) USING 'script'`
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    /// What the script gets.
    pub arguments: Vec<Expr>,
    /// `DISTINCT`
    pub distinct: bool,
    /// `ROW FORMAT` in front of `USING`
    pub input_format: Option<RowFormat>,
    /// `RECORDWRITER`
    pub writer: Option<String>,
    /// The script.
    pub script: String,
    /// What it returns.
    pub output: TransformOutput,
    /// `ROW FORMAT` behind `AS`
    pub output_format: Option<RowFormat>,
    /// `RECORDREADER`
    pub reader: Option<String>,
    /// The rest, which selects nothing.
    pub select: Select,
}

/// What a script returns.
#[derive(Clone, Debug, PartialEq)]
pub enum TransformOutput {
    /// Key and value.
    Default,
    /// Strings of these names.
    Names(Vec<Ident>),
    /// These columns.
    Columns(Vec<super::ColumnDef>),
}

impl Query {
    /// A query of nothing but a body.
    pub fn of(body: QueryBody, span: Span) -> Query {
        Query {
            ctes: Vec::new(),
            body,
            order_by: Vec::new(),
            cluster_by: Vec::new(),
            distribute_by: Vec::new(),
            sort_by: Vec::new(),
            windows: Vec::new(),
            limit: None,
            offset: None,
            span,
        }
    }
}
