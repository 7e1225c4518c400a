//! Statements that change rows.

use super::{Expr, FileFormat, Ident, Name, PartitionSpec, Property, Query, Reference, RowFormat, Span};

/// Where the rows of an `INSERT` go.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// Where to.
    pub target: InsertTarget,
    /// Whether what is there gives way.
    pub overwrite: bool,
    /// Where it is.
    pub span: Span,
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertTarget {
    /// Into a table.
    Table {
        /// Which.
        name: Reference,
        /// `PARTITION (…)`
        partition: Option<PartitionSpec>,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// Which columns.
        columns: InsertColumns,
    },
    /// `REPLACE WHERE`: in place of the rows for which the condition holds
    Where {
        /// Which table.
        name: Reference,
        /// Which rows give way.
        condition: Expr,
    },
    /// `DIRECTORY 'path' USING format OPTIONS (…)`
    Directory {
        /// `LOCAL`
        local: bool,
        /// Where; else the option `path` says it.
        path: Option<String>,
        /// The format.
        format: Name,
        /// How it is written.
        options: Vec<Property>,
    },
    /// `DIRECTORY 'path' STORED AS …`
    HiveDirectory {
        /// `LOCAL`
        local: bool,
        /// Where.
        path: String,
        /// `ROW FORMAT`
        row_format: Option<RowFormat>,
        /// `STORED AS`
        file_format: Option<FileFormat>,
    },
}

/// Which columns an `INSERT` fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertColumns {
    /// All in their order.
    All,
    /// `BY NAME`: those that the query's columns are named after
    ByName,
    /// Those that are listed.
    Listed(Vec<Ident>),
}

/// `column = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// What is set.
    pub column: Name,
    /// To what.
    pub value: Expr,
}

/// `MERGE INTO target USING source ON condition …`
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// What is changed.
    pub target: Reference,
    /// Its alias.
    pub target_alias: Option<Ident>,
    /// By what.
    pub source: MergeSource,
    /// Its alias.
    pub source_alias: Option<Ident>,
    /// Which rows belong together.
    pub condition: Expr,
    /// `WHEN MATCHED`
    pub matched: Vec<MergeClause>,
    /// `WHEN NOT MATCHED`
    pub not_matched: Vec<MergeClause>,
    /// `WHEN NOT MATCHED BY SOURCE`
    pub not_matched_by_source: Vec<MergeClause>,
}

/// What a merge reads.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeSource {
    /// A table.
    Table(Reference),
    /// A query.
    Query(Box<Query>),
}

/// What is done with some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeClause {
    /// With which.
    pub condition: Option<Expr>,
    /// What.
    pub action: MergeAction,
}

/// What a merge does with a row.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeAction {
    /// `DELETE`
    Delete,
    /// `UPDATE SET *`
    UpdateAll,
    /// `UPDATE SET a = 1`
    Update(Vec<Assignment>),
    /// `INSERT *`
    InsertAll,
    /// `INSERT (a) VALUES (1)`
    Insert(Vec<Name>, Vec<Expr>),
}
