//! `OPTIONS (key 'value', …)`, as it stands.

use datafusion::sql::sqlparser::tokenizer::Token;

use crate::SqlError;
use crate::cursor::Cursor;

/// Keys and values in the order given; keys keep their case.
pub type KeyValues = Vec<(String, String)>;

/// Reads `OPTIONS (…)` if it comes next. Between key and value `=` may stand; keys may have dots.
pub(super) fn options(cursor: &mut Cursor) -> Result<KeyValues, SqlError> {
    let mut options = Vec::new();
    if !cursor.take(&["options"]) {
        return Ok(options);
    }
    cursor.expect_token(&Token::LParen)?;
    while !cursor.take_token(&Token::RParen) {
        if !options.is_empty() {
            cursor.expect_token(&Token::Comma)?;
        }
        let mut key = cursor.string().or_else(|_| cursor.name())?;
        while cursor.take_token(&Token::Period) {
            key = format!("{key}.{}", cursor.name()?);
        }
        cursor.take_token(&Token::Eq);
        options.push((key, cursor.option_value()?));
    }
    Ok(options)
}
