//! Reads tokens into a tree by recursive descent.
//! Two kinds of errors: what is no sentence of the grammar ends the reading (`Syntax`); what the grammar takes and
//! Spark refuses all the same is written down and told at the end, unless the text is no sentence anyway.

mod ahead;
mod alter;
mod create;
mod create_function;
mod create_view;
mod cursor;
mod data_type;
mod datetime;
mod expression;
mod function;
mod grouping;
mod insert;
mod interval;
mod limits;
mod literal;
mod maintenance;
mod merge;
mod names;
mod partitioning;
mod pivot;
mod predicate;
mod primary;
mod properties;
mod query;
mod refusal;
mod relation;
mod select;
mod session;
mod show;
mod special;
mod statement;
mod table_clauses;
mod table_columns;
mod transform;
mod window;

use crate::tree::{ColumnDef, DataType, Name, NamedExpr, Query, Statement};
use crate::{ParseError, Settings};
use cursor::{Parsed, Parser};

/// Reads one statement, behind which semicolons may stand.
///
/// # Errors
/// The text is no statement of Spark's grammar, or one that Spark's parser refuses.
pub fn parse_statement(text: &str, settings: Settings) -> Result<Statement, ParseError> {
    if text.trim().is_empty() {
        return Err(ParseError::new(
            "PARSE_EMPTY_STATEMENT",
            "Syntax error, unexpected empty statement.".to_owned(),
            text,
            Some(0),
        ));
    }
    all(text, settings, Parser::single_statement)
}

/// Reads one query.
///
/// # Errors
/// The text is no query.
pub fn parse_query(text: &str, settings: Settings) -> Result<Query, ParseError> {
    all(text, settings, Parser::query)
}

/// Reads an expression, perhaps with an alias.
///
/// # Errors
/// The text is no expression.
pub fn parse_expression(text: &str, settings: Settings) -> Result<NamedExpr, ParseError> {
    all(text, settings, Parser::named_expression)
}

/// Reads a data type.
///
/// # Errors
/// The text is no data type that Spark has.
pub fn parse_data_type(text: &str, settings: Settings) -> Result<DataType, ParseError> {
    all(text, settings, Parser::data_type)
}

/// Reads a schema, as `a INT NOT NULL, b STRING COMMENT 'text'`.
///
/// # Errors
/// The text is no list of columns.
pub fn parse_columns(text: &str, settings: Settings) -> Result<Vec<ColumnDef>, ParseError> {
    all(text, settings, Parser::columns)
}

/// Reads a name of one or more parts.
///
/// # Errors
/// The text is no name.
pub fn parse_name(text: &str, settings: Settings) -> Result<Name, ParseError> {
    all(text, settings, Parser::multipart_identifier)
}

fn all<'a, T>(text: &'a str, settings: Settings, read: fn(&mut Parser<'a>) -> Parsed<T>) -> Result<T, ParseError> {
    let mut parser = Parser::new(text, settings)?;
    let found = read(&mut parser).and_then(|found| parser.end().map(|()| found));
    parser.outcome(found)
}
