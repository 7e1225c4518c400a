//! How tables, and functions, are made and changed.

use super::{ColumnDef, DataType, Expr, Ident, Literal, Name, Property, Query, Reference};

/// `(a = 1, b)`: keys of a partition, some perhaps without a value
pub type PartitionSpec = Vec<PartitionValue>;

/// `a = 1`
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionValue {
    /// The column.
    pub name: Ident,
    /// Its value, if it is given.
    pub value: Option<Literal>,
}

/// `CREATE TABLE`, `REPLACE TABLE`
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the clause of its name")]
pub struct CreateTable {
    pub name: Reference,
    /// Whether it has to be new: `CREATE` without `OR REPLACE`.
    pub create: bool,
    /// Whether an older one gives way.
    pub replace: bool,
    pub temporary: bool,
    pub external: bool,
    pub if_not_exists: bool,
    pub columns: Vec<TableColumn>,
    pub clauses: TableClauses,
    pub query: Option<Box<Query>>,
}

/// A column of a new table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub data_type: DataType,
    /// What else is said of it.
    pub options: Vec<ColumnOption>,
}

/// What is said of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnOption {
    /// `NOT NULL`
    NotNull,
    /// `DEFAULT`, and its text
    Default(Expr, String),
    /// `GENERATED ALWAYS AS`, and its text
    Generated(Expr, String),
    /// `COMMENT`
    Comment(String),
    /// `FIRST`, `AFTER`
    Position(ColumnPosition),
}

/// Clauses of `CREATE TABLE` that stand in any order.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is the clause of its name")]
pub struct TableClauses {
    pub provider: Option<Name>,
    pub options: Vec<(String, Expr)>,
    pub partitioned_by: Vec<PartitionField>,
    pub skew: Option<SkewSpec>,
    pub buckets: Option<BucketSpec>,
    pub row_format: Option<RowFormat>,
    pub file_format: Option<FileFormat>,
    pub location: Option<String>,
    pub comment: Option<String>,
    pub properties: Vec<Property>,
}

/// What `PARTITIONED BY` lists.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionField {
    /// A new column.
    Column(ColumnDef),
    /// A column, or a transformation of one.
    Transformation(Transformation),
}

/// `bucket(4, a)`; a column alone has no function
#[derive(Clone, Debug, PartialEq)]
pub struct Transformation {
    /// The function.
    pub function: Option<Ident>,
    /// Its arguments.
    pub arguments: Vec<TransformationArgument>,
}

/// An argument of a transformation.
#[derive(Clone, Debug, PartialEq)]
pub enum TransformationArgument {
    /// A column.
    Column(Name),
    /// A constant.
    Literal(Literal),
}

/// `CLUSTERED BY (a) SORTED BY (b) INTO 4 BUCKETS`
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the clause of its name")]
pub struct BucketSpec {
    pub clustered_by: Vec<Ident>,
    pub sorted_by: Vec<Ident>,
    pub buckets: u32,
}

/// `SKEWED BY (a) ON (1)`, which Spark refuses
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkewSpec {
    /// The columns.
    pub columns: Vec<Ident>,
}

/// `ROW FORMAT`
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the clause of its name")]
pub enum RowFormat {
    Serde {
        name: String,
        properties: Vec<Property>,
    },
    Delimited {
        fields: Option<String>,
        escape: Option<String>,
        items: Option<String>,
        keys: Option<String>,
        lines: Option<String>,
        null: Option<String>,
    },
}

/// `STORED AS`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// A format by its name.
    Named(Ident),
    /// `INPUTFORMAT '…' OUTPUTFORMAT '…'`
    Classes(String, String),
    /// `STORED BY '…'`, which Spark refuses
    Handler(String),
}

/// `FIRST`, `AFTER a`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnPosition {
    /// In front of all.
    First,
    /// Behind that one.
    After(Ident),
}

/// A column that is added to a table.
#[derive(Clone, Debug, PartialEq)]
pub struct NewColumn {
    /// Its name; parts in front are structs that it is added to.
    pub name: Name,
    /// Its type.
    pub data_type: DataType,
    /// What else is said of it.
    pub options: Vec<ColumnOption>,
}

/// What is changed about a table or view.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the action, and each field the clause, of its name")]
pub enum AlterTable {
    AddColumns(Vec<NewColumn>),
    ReplaceColumns(Vec<NewColumn>),
    RenameColumn {
        from: Name,
        to: Ident,
    },
    DropColumns {
        columns: Vec<Name>,
        if_exists: bool,
    },
    AlterColumn {
        column: Name,
        change: AlterColumn,
    },
    /// `CHANGE COLUMN a a INT`, as Hive writes it
    ChangeColumn {
        column: Name,
        definition: ColumnDef,
        position: Option<ColumnPosition>,
    },
    Rename(Name),
    SetProperties(Vec<Property>),
    UnsetProperties {
        keys: Vec<String>,
        if_exists: bool,
    },
    SetSerde {
        partition: Option<PartitionSpec>,
        serde: Option<String>,
        properties: Vec<Property>,
    },
    AddPartitions {
        partitions: Vec<(PartitionSpec, Option<String>)>,
        if_not_exists: bool,
    },
    RenamePartition {
        from: PartitionSpec,
        to: PartitionSpec,
    },
    DropPartitions {
        partitions: Vec<PartitionSpec>,
        if_exists: bool,
        purge: bool,
    },
    SetLocation {
        partition: Option<PartitionSpec>,
        location: String,
    },
    RecoverPartitions,
}

/// What is changed about a column.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the action of its name")]
pub enum AlterColumn {
    Type(DataType),
    Comment(String),
    Position(ColumnPosition),
    SetNotNull,
    DropNotNull,
    SetDefault(Expr, String),
    DropDefault,
}

/// What `ANALYZE TABLE` counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// Rows and bytes.
    Table,
    /// `NOSCAN`: bytes only
    NoScan,
    /// `FOR COLUMNS a, b`
    Columns(Vec<Ident>),
    /// `FOR ALL COLUMNS`
    AllColumns,
}

/// `CREATE FUNCTION`
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the clause of its name")]
pub enum CreateFunction {
    /// `CREATE FUNCTION f AS 'class' USING JAR '…'`
    Class {
        name: Reference,
        or_replace: bool,
        temporary: bool,
        if_not_exists: bool,
        class: String,
        /// Kind and place.
        resources: Vec<(super::ResourceKind, String)>,
    },
    /// `CREATE TEMPORARY FUNCTION f(a INT) RETURNS INT DETERMINISTIC USING API OPTIONS (…)`
    Api {
        name: Ident,
        or_replace: bool,
        arguments: Vec<ColumnDef>,
        returns: DataType,
        deterministic: bool,
        options: Vec<Property>,
    },
}
