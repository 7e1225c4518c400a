//! Statements. A field is the clause of its name.

use super::{
    AlterTable, Assignment, ColumnDef, CreateFunction, CreateTable, Cte, Expr, Ident, Insert, Interval, Merge, Name,
    PartitionSpec, Query, Reference, Statistics, TableAlias,
};

/// `key = 'value'`, the value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key; parts are joined by dots.
    pub key: String,
    /// The value; numbers as written, booleans in lower case.
    pub value: String,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the statement, and each field the clause, of its name")]
pub enum Statement {
    Query(Box<Query>),
    /// Reads a query, writes its rows.
    Insert {
        ctes: Vec<Cte>,
        insert: Insert,
        query: Box<Query>,
    },
    /// `FROM t INSERT … SELECT … INSERT … SELECT …`: each query has the relations it reads.
    MultiInsert {
        ctes: Vec<Cte>,
        inserts: Vec<(Insert, Query)>,
    },
    Delete {
        ctes: Vec<Cte>,
        table: Reference,
        alias: TableAlias,
        filter: Option<Expr>,
    },
    Update {
        ctes: Vec<Cte>,
        table: Reference,
        alias: TableAlias,
        assignments: Vec<Assignment>,
        filter: Option<Expr>,
    },
    Merge {
        ctes: Vec<Cte>,
        merge: Box<Merge>,
    },

    Use(Reference),
    UseNamespace(Reference),
    SetCatalog(String),
    Set(SetStatement),
    SetTimeZone(TimeZone),
    /// `RESET key`; all keys without one
    Reset(Option<String>),

    CreateNamespace {
        name: Reference,
        if_not_exists: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: Vec<Property>,
    },
    SetNamespaceProperties {
        name: Reference,
        properties: Vec<Property>,
    },
    SetNamespaceLocation {
        name: Reference,
        location: String,
    },
    DropNamespace {
        name: Reference,
        if_exists: bool,
        cascade: bool,
    },
    CommentOnNamespace {
        name: Reference,
        comment: Option<String>,
    },

    CreateTable(Box<CreateTable>),
    /// `CREATE TABLE target LIKE source`
    CreateTableLike {
        target: Name,
        source: Name,
        if_not_exists: bool,
        clauses: Box<super::TableClauses>,
    },
    AlterTable {
        name: Reference,
        is_view: bool,
        action: Box<AlterTable>,
    },
    DropTable {
        name: Reference,
        if_exists: bool,
        purge: bool,
    },
    CommentOnTable {
        name: Reference,
        comment: Option<String>,
    },
    RefreshTable(Reference),
    TruncateTable {
        name: Reference,
        partition: Option<PartitionSpec>,
    },
    RepairTable {
        name: Reference,
        add: bool,
        drop: bool,
    },
    AnalyzeTable {
        name: Reference,
        partition: Option<PartitionSpec>,
        statistics: Statistics,
    },
    AnalyzeTables {
        namespace: Option<Reference>,
        no_scan: bool,
    },
    LoadData {
        path: String,
        local: bool,
        overwrite: bool,
        table: Reference,
        partition: Option<PartitionSpec>,
    },
    /// `CACHE TABLE name AS query`
    Cache {
        name: Reference,
        lazy: bool,
        options: Vec<Property>,
        query: Option<Box<Query>>,
    },
    Uncache {
        name: Reference,
        if_exists: bool,
    },
    ClearCache,
    CreateIndex {
        name: Ident,
        if_not_exists: bool,
        table: Reference,
        kind: Option<Ident>,
        columns: Vec<(Name, Vec<Property>)>,
        options: Vec<Property>,
    },
    DropIndex {
        name: Ident,
        if_exists: bool,
        table: Reference,
    },

    /// `CREATE VIEW name (columns) AS query`
    CreateView {
        name: Reference,
        or_replace: bool,
        temporary: bool,
        global: bool,
        if_not_exists: bool,
        columns: Vec<(Ident, Option<String>)>,
        comment: Option<String>,
        properties: Vec<Property>,
        query: Box<Query>,
        /// The query's text.
        text: String,
    },
    /// `CREATE TEMPORARY VIEW name (columns) USING format OPTIONS (…)`
    CreateViewUsing {
        name: Name,
        or_replace: bool,
        global: bool,
        columns: Vec<ColumnDef>,
        provider: Name,
        options: Vec<Property>,
    },
    /// `ALTER VIEW name AS query`
    AlterView {
        name: Reference,
        query: Box<Query>,
        text: String,
    },
    DropView {
        name: Reference,
        if_exists: bool,
    },

    CreateFunction(Box<CreateFunction>),
    DropFunction {
        name: Reference,
        temporary: bool,
        if_exists: bool,
    },
    RefreshFunction(Reference),

    Explain {
        mode: ExplainMode,
        statement: Box<Statement>,
    },
    DescribeFunction {
        name: DescribeFunctionName,
        extended: bool,
    },
    DescribeNamespace {
        name: Reference,
        extended: bool,
    },
    DescribeTable {
        name: Reference,
        partition: Option<PartitionSpec>,
        extended: bool,
        column: Option<Vec<Ident>>,
    },
    DescribeQuery {
        query: Box<Query>,
        text: String,
    },
    Show(Show),

    /// `ADD JAR path …`
    AddResource {
        kind: ResourceKind,
        paths: Vec<String>,
    },
    ListResource {
        kind: ResourceKind,
        paths: Vec<String>,
    },
    RefreshResource(String),
}

/// `SET`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetStatement {
    /// `SET`: all that is set
    All,
    /// `SET -v`: all that there is, with what it means
    Verbose,
    /// `SET key`
    Get(String),
    /// `SET key = value`, the value as it stands
    Assign(String, String),
}

/// `SET TIME ZONE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeZone {
    /// `LOCAL`
    Local,
    /// By name.
    Named(String),
    /// By its distance to UTC.
    Offset(Interval),
}

/// How much `EXPLAIN` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the keyword of its name")]
pub enum ExplainMode {
    Simple,
    Extended,
    Formatted,
    Codegen,
    Cost,
}

/// What `DESCRIBE FUNCTION` names.
#[derive(Clone, Debug, PartialEq)]
pub enum DescribeFunctionName {
    /// A function.
    Function(Reference),
    /// A text or an operator, as written.
    Text(String),
}

/// What `ADD` adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the keyword of its name")]
pub enum ResourceKind {
    File,
    Jar,
    Archive,
}

/// What a list is limited to: `IN namespace LIKE 'pattern'`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// `IN`, `FROM`
    pub namespace: Option<Reference>,
    /// `LIKE`
    pub pattern: Option<String>,
}

/// `SHOW`
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the statement, and each field the clause, of its name")]
pub enum Show {
    Namespaces(Limits),
    Tables(Limits),
    TableExtended {
        limits: Limits,
        partition: Option<PartitionSpec>,
    },
    TableProperties {
        table: Reference,
        key: Option<String>,
    },
    Columns {
        table: Reference,
        namespace: Option<Name>,
    },
    Views(Limits),
    Partitions {
        table: Reference,
        partition: Option<PartitionSpec>,
    },
    /// `SHOW USER FUNCTIONS`: of the session or of Spark; the name is a pattern as older versions write it.
    Functions {
        user: bool,
        system: bool,
        limits: Limits,
        name: Option<Name>,
    },
    CreateTable {
        table: Reference,
        as_serde: bool,
    },
    CurrentNamespace,
    Catalogs {
        pattern: Option<String>,
    },
}
