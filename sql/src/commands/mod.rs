//! Statements: what is to be done for each. Changes to the catalog, which is plain data, are made at once; what reads or writes rows
//! is handed to whoever runs it.

mod create;
mod describe;
mod directory;
mod file_view;
mod function;
mod insert;
mod namespace;
mod partition;
mod place;
mod rows;
mod session;
mod show;
mod table;
mod view;

use datafusion::scalar::ScalarValue;
use paceline_functions::{Error, Result};
use paceline_syntax::tree::{ExplainMode, InsertTarget, Name, Reference, Statement};

pub use directory::InsertDirectory;
pub use file_view::{FileView, of_files};
pub use function::ApiDeclaration;

use crate::catalog::{Session, Table};
pub use place::{of_text, told};

use crate::resolve::{Resolved, Resolver, resolve_query};

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Nothing more: there is no result.
    Nothing,
    /// Run a query and give its rows.
    Query(Resolved),
    /// Make a table, perhaps of the rows of a query.
    CreateTable {
        /// Its database.
        database: String,
        /// The table, which nothing reads yet.
        table: Box<Table>,
        /// Its rows.
        query: Option<Resolved>,
    },
    /// Write rows into a table.
    Insert {
        /// Its database.
        database: String,
        /// Its name in lower case.
        table: String,
        /// The rows, in the order and types of the table's columns.
        query: Resolved,
        /// Which rows give way first.
        overwrite: Overwrite,
    },
    /// Open files and show them as a view.
    OpenView(FileView),
    /// Declare a function that calls an API.
    CreateFunction(Box<ApiDeclaration>),
    /// Tell of a function that the session declared.
    DescribeFunction {
        /// Its name.
        name: String,
        /// Whether everything is told.
        extended: bool,
    },
    /// Write rows in place of the files of a directory.
    InsertDirectory(Box<InsertDirectory>),
    /// Tell how a statement would be carried out.
    Explain {
        /// How much is told.
        mode: ExplainMode,
        /// What would be done.
        action: Box<Action>,
    },
    /// Look again for the files of a table or view.
    Refresh {
        /// Its name.
        name: Vec<String>,
    },
    /// Remove the rows of a partition.
    DropPartition {
        /// The database.
        database: String,
        /// The table.
        table: Box<Table>,
        /// Its columns, without rows.
        query: Resolved,
        /// The values of its first columns of partitions.
        within: Vec<(String, ScalarValue)>,
        /// What is wrong if there is no such partition.
        missing: Option<Error>,
    },
    /// Tell which partitions a table has.
    ShowPartitions {
        /// The table.
        table: Box<Table>,
        /// Only those with these values.
        within: Vec<(String, ScalarValue)>,
    },
}

/// Which rows give way to those that are inserted.
#[derive(Clone, Debug, PartialEq)]
pub enum Overwrite {
    /// None.
    Nothing,
    /// All.
    Everything,
    /// Those of a partition: the first columns that the table is partitioned by, and their values.
    Partition(Vec<(String, ScalarValue)>),
    /// Those of the partitions that the new rows are in.
    Partitions,
}

/// Reads a statement and says what is to be done for it.
///
/// # Errors
/// As Spark would give them, or what Paceline does not do yet, by name.
pub fn plan_statement(session: &mut Session, text: &str) -> Result<Action> {
    let statement =
        paceline_syntax::parse_statement(text, session.grammar()).map_err(|error| place::of_text(&error))?;
    plan(session, &statement).map_err(|error| told(error, text))
}

/// Says what is to be done for a statement.
///
/// # Errors
/// As Spark would give them, or what Paceline does not do yet, by name.
pub fn plan(session: &mut Session, statement: &Statement) -> Result<Action> {
    match statement {
        Statement::Query(query) => resolve_query(session, query).map(Action::Query),
        Statement::Insert { ctes, insert, query } => match insert.target {
            InsertTarget::Table { .. } => insert::insert(session, ctes, insert, query),
            _ => directory::insert(session, ctes, insert, query),
        },
        Statement::MultiInsert { .. } => Err(Error::unsupported("INSERT into several tables at once")),
        Statement::Delete { .. } | Statement::Update { .. } | Statement::Merge { .. } => {
            refused_change(session, statement)
        }
        Statement::Use(_)
        | Statement::UseNamespace(_)
        | Statement::SetCatalog(_)
        | Statement::Set(_)
        | Statement::SetTimeZone(_)
        | Statement::Reset(_) => session::session(session, statement),
        Statement::CreateNamespace { .. }
        | Statement::SetNamespaceProperties { .. }
        | Statement::SetNamespaceLocation { .. }
        | Statement::DropNamespace { .. }
        | Statement::CommentOnNamespace { .. }
        | Statement::DescribeNamespace { .. } => namespace::namespace(session, statement),
        Statement::CreateTable(create) => create::create(session, create),
        Statement::CreateTableLike { target, source, if_not_exists, clauses } => {
            create::create_like(session, target, source, *if_not_exists, clauses)
        }
        Statement::AlterTable { name, is_view, action } => table::alter(session, name, *is_view, action),
        Statement::DropTable { name, if_exists, .. } => table::drop_table(session, name, *if_exists),
        Statement::CommentOnTable { name, comment } => table::comment(session, name, comment.as_deref()),
        Statement::TruncateTable { name, partition } => partition::truncate(session, name, partition.as_ref()),
        Statement::RefreshTable(name) => partition::refresh(session, name),
        Statement::RepairTable { name, .. } => partition::repair(session, name),
        Statement::AnalyzeTable { name, .. } => {
            let name = parts(session, name)?;
            match session.catalog.find(&name) {
                Some(_) => Ok(Action::Nothing),
                None => Err(crate::catalog::no_table(&name)),
            }
        }
        Statement::AnalyzeTables { .. }
        | Statement::ClearCache
        | Statement::RefreshFunction(_)
        | Statement::RefreshResource(_) => Ok(Action::Nothing),
        Statement::Cache { name, query, .. } => view::cache(session, name, query.as_deref()),
        Statement::Uncache { name, if_exists } => {
            let name = parts(session, name)?;
            match session.catalog.find(&name) {
                None if !if_exists => Err(crate::catalog::no_table(&name)),
                _ => Ok(Action::Nothing),
            }
        }
        Statement::CreateView { .. } | Statement::AlterView { .. } | Statement::DropView { .. } => {
            view::view(session, statement)
        }
        Statement::DescribeTable { name, partition, extended, column } => {
            describe::table(session, name, partition.is_some(), *extended, column.as_deref())
        }
        Statement::DescribeQuery { query, .. } => describe::query(session, query),
        Statement::DescribeFunction { name, extended } => function::describe(session, name, *extended),
        Statement::Show(show) => show::show(session, show),
        Statement::Explain { mode: ExplainMode::Codegen, .. } => Err(Error::unsupported("EXPLAIN CODEGEN")),
        Statement::Explain { mode, statement } => {
            // What a statement changes in the session stays as it is.
            let mut copy = session.clone();
            let action = plan(&mut copy, statement);
            session.want_as(&copy);
            Ok(Action::Explain { mode: *mode, action: Box::new(action?) })
        }
        Statement::CreateViewUsing { name, or_replace, global, columns, provider, options } => {
            file_view::create(session, name, (*or_replace, *global), columns, provider, options)
        }
        Statement::LoadData { .. } => Err(Error::unsupported("LOAD DATA")),
        Statement::CreateIndex { .. } | Statement::DropIndex { .. } => Err(Error::unsupported("indexes")),
        Statement::CreateFunction(created) => function::create(session, created),
        Statement::DropFunction { name, temporary, if_exists } => {
            function::drop_function(session, name, *temporary, *if_exists)
        }
        Statement::AddResource { .. } | Statement::ListResource { .. } => {
            Err(Error::unsupported("ADD and LIST of files"))
        }
    }
}

fn refused_change(session: &mut Session, statement: &Statement) -> Result<Action> {
    let (table, what) = match statement {
        Statement::Delete { table, .. } => (table, "DELETE"),
        Statement::Update { table, .. } => (table, "UPDATE TABLE"),
        Statement::Merge { merge, .. } => (&merge.target, "MERGE INTO TABLE"),
        _ => return Err(Error::new("INTERNAL_ERROR", "No change of rows.")),
    };
    let name = parts(session, table)?;
    if session.catalog.find(&name).is_none() {
        return Err(crate::catalog::no_table(&name));
    }
    Err(Error::new(
        "UNSUPPORTED_FEATURE.TABLE_OPERATION",
        format!("The feature is not supported: Table {} does not support {what}.", crate::catalog::quoted(&name)),
    ))
}

/// The parts of a name.
fn parts(session: &Session, reference: &Reference) -> Result<Vec<String>> {
    let name = Resolver::new(session).reference(reference)?;
    Ok(name_parts(&name))
}

fn name_parts(name: &Name) -> Vec<String> {
    name.parts.iter().map(|it| it.value.clone()).collect()
}
