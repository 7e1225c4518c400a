//! The statements Paceline knows, one file per group.

mod function;
mod insert;
mod options;
mod view;

use datafusion::arrow::datatypes::Fields;
use datafusion::sql::sqlparser::ast::Query;
use paceline_udfs::ApiFunction;

pub use self::options::KeyValues;
use crate::SqlError;
use crate::cursor::Cursor;

/// One parsed statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `CREATE [OR REPLACE] TEMPORARY VIEW`
    CreateView(CreateView),
    /// `CREATE [OR REPLACE] TEMPORARY FUNCTION … USING API`
    CreateFunction(Box<CreateFunction>),
    /// `INSERT OVERWRITE DIRECTORY`
    InsertDirectory(InsertDirectory),
    /// A query whose rows are the result.
    Query(Box<Query>),
}

/// A view of this session.
#[derive(Clone, Debug)]
pub struct CreateView {
    /// Its name.
    pub name: String,
    /// Whether an older view of that name gives way.
    pub or_replace: bool,
    /// What it shows.
    pub source: ViewSource,
}

/// What a view shows.
#[derive(Clone, Debug)]
pub enum ViewSource {
    /// `[(columns)] USING format OPTIONS (…)`
    Files {
        /// Name of the format, lower case.
        format: String,
        /// Declared columns, if any.
        columns: Option<Fields>,
        /// Where the files are and how they are read.
        options: KeyValues,
    },
    /// `AS query`
    Query(Box<Query>),
}

/// An API function of this session.
#[derive(Clone, Debug)]
pub struct CreateFunction {
    /// Whether an older function of that name gives way.
    pub or_replace: bool,
    /// Its declaration, checked.
    pub api: ApiFunction,
}

/// A query whose rows replace the files of a directory.
#[derive(Clone, Debug)]
pub struct InsertDirectory {
    /// Where to.
    pub directory: String,
    /// Name of the format, lower case.
    pub format: String,
    /// How it is written.
    pub options: KeyValues,
    /// What is written.
    pub query: Box<Query>,
}

/// Parses one statement.
///
/// # Errors
/// The text is not one of the statements that Paceline knows.
pub fn parse(text: &str) -> Result<Statement, SqlError> {
    let mut cursor = Cursor::new(text)?;
    if cursor.take(&["create"]) {
        let or_replace = cursor.take(&["or", "replace"]);
        if cursor.take(&["temporary", "view"]) || cursor.take(&["temp", "view"]) {
            return view::create(cursor, or_replace).map(Statement::CreateView);
        }
        if cursor.take(&["temporary", "function"]) || cursor.take(&["temp", "function"]) {
            return function::create(cursor, or_replace).map(|function| Statement::CreateFunction(Box::new(function)));
        }
        return Err(SqlError::Unsupported(format!(
            "CREATE {}; Paceline creates TEMPORARY VIEW and TEMPORARY FUNCTION … USING API",
            cursor.next_words()
        )));
    }
    if cursor.take(&["insert"]) {
        return insert::directory(cursor).map(Statement::InsertDirectory);
    }
    if cursor.at_query() {
        return cursor.query().map(Statement::Query);
    }
    Err(SqlError::Unsupported(format!("the statement '{}'", cursor.next_words())))
}
