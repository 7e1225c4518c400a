//! The statements Paceline knows, one file per group.

mod explain;
mod function;
mod insert;
mod options;
mod view;

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::sql::sqlparser::ast::Query;

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
    /// `DROP TEMPORARY FUNCTION`
    DropFunction(DropFunction),
    /// `DESCRIBE FUNCTION`
    DescribeFunction(DescribeFunction),
    /// `SHOW FUNCTIONS`
    ShowFunctions(ShowFunctions),
    /// `EXPLAIN`
    Explain(Explain),
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

/// An API function of this session, as it is declared.
#[derive(Clone, Debug)]
pub struct CreateFunction {
    /// Whether an older function of that name gives way.
    pub or_replace: bool,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Fields,
    /// Type of its value.
    pub returns: DataType,
    /// Whether the same arguments always have the same answer.
    pub deterministic: bool,
    /// The options that are given.
    pub options: KeyValues,
}

/// A function that the session is to forget.
#[derive(Clone, Debug)]
pub struct DropFunction {
    /// Its name.
    pub name: String,
    /// Whether it may be missing.
    pub if_exists: bool,
    /// Whether the statement says `TEMPORARY`.
    pub temporary: bool,
}

/// A function that somebody wants to know about.
#[derive(Clone, Debug)]
pub struct DescribeFunction {
    /// Its name.
    pub name: String,
    /// Whether everything is told.
    pub extended: bool,
}

/// Which functions are listed.
#[derive(Clone, Debug)]
pub struct ShowFunctions {
    /// Of whom.
    pub kinds: FunctionKinds,
    /// Names that are wanted: `*` stands for anything, `|` for or.
    pub pattern: Option<String>,
}

/// Whose functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKinds {
    /// Those of this session.
    User,
    /// Those that are built in.
    System,
    /// Both.
    All,
}

/// A statement whose plan is wanted.
#[derive(Clone, Debug)]
pub struct Explain {
    /// How much is told.
    pub mode: ExplainMode,
    /// A query or an INSERT.
    pub statement: Box<Statement>,
}

/// How much `EXPLAIN` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainMode {
    /// The physical plan.
    Simple,
    /// The logical plans too.
    Extended,
    /// The physical plan, and each API function in detail.
    Formatted,
    /// The optimized and the physical plan, and what the API functions cost.
    Cost,
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
    statement(Cursor::new(text)?)
}

fn statement(mut cursor: Cursor) -> Result<Statement, SqlError> {
    if cursor.take(&["create"]) {
        let or_replace = cursor.take(&["or", "replace"]);
        if cursor.take(&["temporary", "view"]) || cursor.take(&["temp", "view"]) {
            return view::create(cursor, or_replace).map(Statement::CreateView);
        }
        if cursor.take(&["temporary", "function"]) || cursor.take(&["temp", "function"]) {
            return function::create(cursor, or_replace).map(|function| Statement::CreateFunction(Box::new(function)));
        }
        if cursor.take(&["function"]) {
            return Err(function::refuse_permanent(cursor));
        }
        return Err(SqlError::Unsupported(format!(
            "CREATE {}; Paceline creates TEMPORARY VIEW and TEMPORARY FUNCTION … USING API",
            cursor.next_words()
        )));
    }
    if cursor.take(&["drop"]) {
        // Views are replaced, and end with the session.
        return function::drop(cursor).map(Statement::DropFunction);
    }
    if cursor.take(&["describe"]) || cursor.take(&["desc"]) {
        return function::describe(cursor).map(Statement::DescribeFunction);
    }
    if cursor.take(&["show"]) {
        return function::show(cursor).map(Statement::ShowFunctions);
    }
    if cursor.take(&["explain"]) {
        return explain::explain(cursor).map(Statement::Explain);
    }
    if cursor.take(&["insert"]) {
        return insert::directory(cursor).map(Statement::InsertDirectory);
    }
    if cursor.at_query() {
        return cursor.query().map(Statement::Query);
    }
    Err(SqlError::Unsupported(format!("the statement '{}'", cursor.next_words())))
}
