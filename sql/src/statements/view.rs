//! `CREATE [OR REPLACE] TEMPORARY VIEW name …`

use datafusion::sql::sqlparser::tokenizer::Token;

use super::options::options;
use super::{CreateView, ViewSource};
use crate::SqlError;
use crate::cursor::Cursor;
use crate::types;

pub(super) fn create(mut cursor: Cursor, or_replace: bool) -> Result<CreateView, SqlError> {
    let name = cursor.name()?;
    if cursor.take(&["as"]) {
        return Ok(CreateView { name, or_replace, source: ViewSource::Query(cursor.query()?) });
    }
    let columns = if cursor.take_token(&Token::LParen) { Some(types::columns(&mut cursor)?) } else { None };
    if !cursor.take(&["using"]) {
        return Err(cursor.expected("USING or AS"));
    }
    let format = cursor.name()?.to_lowercase();
    let options = options(&mut cursor)?;
    cursor.end()?;
    Ok(CreateView { name, or_replace, source: ViewSource::Files { format, columns, options } })
}
