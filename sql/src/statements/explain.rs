//! `EXPLAIN [EXTENDED | FORMATTED | COST] statement`

use super::{Explain, ExplainMode, Statement, statement};
use crate::SqlError;
use crate::cursor::Cursor;

pub(super) fn explain(mut cursor: Cursor) -> Result<Explain, SqlError> {
    if cursor.take(&["codegen"]) {
        return Err(SqlError::Unsupported(
            "EXPLAIN CODEGEN; there is no generated code, use EXPLAIN FORMATTED".to_owned(),
        ));
    }
    let modes =
        [("extended", ExplainMode::Extended), ("formatted", ExplainMode::Formatted), ("cost", ExplainMode::Cost)];
    let mode = modes.into_iter().find(|(word, _)| cursor.take(&[word])).map_or(ExplainMode::Simple, |(_, mode)| mode);
    let what = cursor.next_words();
    match statement(cursor)? {
        statement @ (Statement::Query(_) | Statement::InsertDirectory(_)) => {
            Ok(Explain { mode, statement: Box::new(statement) })
        }
        _ => Err(SqlError::Unsupported(format!("EXPLAIN {what}; a query or an INSERT OVERWRITE DIRECTORY has a plan"))),
    }
}
