//! Databases, tables and views.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion::logical_expr::{ScalarUDF, TableSource};
use paceline_functions::{DataType, Settings, StructField};
use paceline_syntax::tree::Query;

/// A database.
#[derive(Clone, Debug, Default)]
pub struct Database {
    /// Its name as written.
    pub name: String,
    /// `COMMENT`
    pub comment: String,
    /// `LOCATION`
    pub location: String,
    /// `WITH DBPROPERTIES`
    pub properties: BTreeMap<String, String>,
    /// Tables and views, by name in lower case.
    pub objects: BTreeMap<String, Object>,
}

impl Database {
    /// An empty database.
    pub fn named(name: &str) -> Self {
        let location = format!("file:/spark-warehouse/{name}.db");
        Database { name: name.to_owned(), location, ..Database::default() }
    }
}

/// What a database holds.
#[derive(Clone, Debug)]
pub enum Object {
    /// Rows of its own.
    Table(Table),
    /// A query.
    View(View),
}

impl Object {
    /// Its name as written.
    pub fn name(&self) -> &str {
        match self {
            Object::Table(table) => &table.name,
            Object::View(view) => &view.name,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name, type, and whether it may be NULL.
    pub field: StructField,
    /// `COMMENT`
    pub comment: Option<String>,
    /// `DEFAULT`, as text.
    pub default: Option<String>,
}

/// A table.
#[derive(Clone)]
pub struct Table {
    /// Its name as written.
    pub name: String,
    /// Its columns, those of its partitions last.
    pub columns: Vec<Column>,
    /// `USING`
    pub provider: String,
    /// Names of the columns that it is partitioned by.
    pub partitioned_by: Vec<String>,
    /// `CLUSTERED BY … INTO n BUCKETS`: the clause.
    pub buckets: Option<String>,
    /// `TBLPROPERTIES`
    pub properties: BTreeMap<String, String>,
    /// `OPTIONS`
    pub options: BTreeMap<String, String>,
    /// `COMMENT`
    pub comment: Option<String>,
    /// `LOCATION`
    pub location: Option<String>,
    /// What reads it; whoever runs the statement that makes the table sets it.
    pub source: Option<Arc<dyn TableSource>>,
}

impl Table {
    /// Where its files are; `None` where it lives in memory.
    pub fn place(&self) -> Option<&str> {
        let option = self.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
        self.location.as_deref().or(option.map(|(_, path)| path.as_str()))
    }

    /// Whether it has files of its own.
    pub fn is_elsewhere(&self) -> bool {
        self.place().is_some()
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.name).field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// What a view shows.
#[derive(Clone, Debug)]
pub enum ViewSource {
    /// A query, resolved each time.
    Query(Arc<Query>),
    /// Files.
    Files(Box<Table>),
}

/// A function that the session was told of.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its name as written.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<StructField>,
    /// The type of its value.
    pub returns: DataType,
    /// What a plan calls.
    pub function: Arc<ScalarUDF>,
}

/// A view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name as written.
    pub name: String,
    /// Its columns as they were when it was made; comments may be given.
    pub columns: Vec<Column>,
    /// Names that were given to its columns; empty if none were.
    pub names: Vec<String>,
    /// What it shows.
    pub source: ViewSource,
    /// The query's text.
    pub text: String,
    /// The settings under which it was made.
    pub settings: Arc<Settings>,
    /// The database that was current.
    pub database: String,
    /// `COMMENT`
    pub comment: Option<String>,
    /// `TBLPROPERTIES`
    pub properties: BTreeMap<String, String>,
    /// Whether it is temporary.
    pub temporary: bool,
}
