//! `CREATE [OR REPLACE] TEMPORARY FUNCTION name(arguments) RETURNS type USING API OPTIONS (…)`

use datafusion::sql::sqlparser::tokenizer::Token;
use paceline_udfs::ApiFunction;

use super::CreateFunction;
use super::options::options;
use crate::SqlError;
use crate::cursor::Cursor;
use crate::types;

pub(super) fn create(mut cursor: Cursor, or_replace: bool) -> Result<CreateFunction, SqlError> {
    let name = cursor.name()?;
    if !cursor.take_token(&Token::LParen) {
        return Err(cursor.expected("'(' and the arguments of an API function, as in f(id BIGINT) RETURNS … USING API"));
    }
    let arguments = types::columns(&mut cursor)?;
    cursor.expect(&["returns"])?;
    let returns = types::data_type(&mut cursor)?;
    let deterministic = cursor.take(&["deterministic"]);
    if !deterministic {
        cursor.take(&["not", "deterministic"]);
    }
    cursor.expect(&["using", "api"])?;
    let options = options(&mut cursor)?;
    cursor.end()?;
    Ok(CreateFunction { or_replace, api: ApiFunction::declare(&name, arguments, returns, deterministic, &options)? })
}
