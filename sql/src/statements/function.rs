//! What is said about functions: `CREATE [OR REPLACE] TEMPORARY FUNCTION name(arguments) RETURNS type USING API OPTIONS (…)`,
//! `DROP TEMPORARY FUNCTION`, `DESCRIBE FUNCTION` and `SHOW FUNCTIONS`.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::options::options;
use super::{CreateFunction, DescribeFunction, DropFunction, FunctionKinds, ShowFunctions};
use crate::SqlError;
use crate::cursor::Cursor;
use crate::types;

pub(super) fn create(mut cursor: Cursor, or_replace: bool) -> Result<CreateFunction, SqlError> {
    if cursor.take(&["if", "not", "exists"]) {
        let name = cursor.name()?;
        let both = if or_replace { "OR REPLACE and IF NOT EXISTS" } else { "TEMPORARY FUNCTION with IF NOT EXISTS" };
        return Err(SqlError::Unsupported(format!(
            "CREATE {both}, in Spark neither; write CREATE OR REPLACE TEMPORARY FUNCTION {name}"
        )));
    }
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
    Ok(CreateFunction { or_replace, name, arguments, returns, deterministic, options })
}

/// `CREATE [OR REPLACE] FUNCTION`, which would outlive the session.
pub(super) fn refuse_permanent(mut cursor: Cursor) -> SqlError {
    cursor.take(&["if", "not", "exists"]);
    match cursor.name() {
        Ok(name) => SqlError::Unsupported(format!(
            "CREATE FUNCTION {name}, which would stay after this session; write CREATE OR REPLACE TEMPORARY FUNCTION \
             {name}(…) RETURNS … USING API OPTIONS (…)"
        )),
        Err(error) => error,
    }
}

/// Behind `DROP`.
pub(super) fn drop(mut cursor: Cursor) -> Result<DropFunction, SqlError> {
    let temporary = cursor.take(&["temporary"]) || cursor.take(&["temp"]);
    if !cursor.take(&["function"]) {
        let kind = if temporary { "TEMPORARY " } else { "" };
        let words = cursor.next_words();
        return Err(SqlError::Unsupported(format!("DROP {kind}{words}; Paceline drops TEMPORARY FUNCTION")));
    }
    let if_exists = cursor.take(&["if", "exists"]);
    let name = cursor.name()?;
    cursor.end()?;
    Ok(DropFunction { name, if_exists, temporary })
}

/// Behind `DESCRIBE`.
pub(super) fn describe(mut cursor: Cursor) -> Result<DescribeFunction, SqlError> {
    if !cursor.take(&["function"]) {
        let words = cursor.next_words();
        return Err(SqlError::Unsupported(format!("DESCRIBE {words}; Paceline describes FUNCTION")));
    }
    let extended = cursor.take(&["extended"]);
    let name = cursor.string().or_else(|_| cursor.name())?;
    cursor.end()?;
    Ok(DescribeFunction { name, extended })
}

/// Behind `SHOW`.
pub(super) fn show(mut cursor: Cursor) -> Result<ShowFunctions, SqlError> {
    let words = cursor.next_words();
    let kinds = [("user", FunctionKinds::User), ("system", FunctionKinds::System), ("all", FunctionKinds::All)];
    let kinds = kinds.into_iter().find(|(word, _)| cursor.take(&[word])).map_or(FunctionKinds::All, |(_, kinds)| kinds);
    if !cursor.take(&["functions"]) {
        let known = "SHOW [USER | SYSTEM | ALL] FUNCTIONS [LIKE 'pattern']";
        return Err(SqlError::Unsupported(format!("SHOW {words}; Paceline knows {known}")));
    }
    let like = cursor.take(&["like"]);
    let pattern = if like || !cursor.at_end() { Some(cursor.string().or_else(|_| cursor.name())?) } else { None };
    cursor.end()?;
    Ok(ShowFunctions { kinds, pattern })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::parse;

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&parse(text).map_or_else(|error| error.to_string(), |statement| format!("{statement:?}")));
    }

    #[test]
    fn statements_about_functions_are_read_as_in_spark() {
        check(
            "DROP TEMPORARY FUNCTION IF EXISTS f",
            expect![[r#"DropFunction(DropFunction { name: "f", if_exists: true, temporary: true })"#]],
        );
        check(
            "drop function f",
            expect![[r#"DropFunction(DropFunction { name: "f", if_exists: false, temporary: false })"#]],
        );
        check(
            "DESC FUNCTION EXTENDED `my f`",
            expect![[r#"DescribeFunction(DescribeFunction { name: "my f", extended: true })"#]],
        );
        check(
            "DESCRIBE FUNCTION 'f'",
            expect![[r#"DescribeFunction(DescribeFunction { name: "f", extended: false })"#]],
        );
        check("SHOW FUNCTIONS", expect!["ShowFunctions(ShowFunctions { kinds: All, pattern: None })"]);
        check(
            "SHOW USER FUNCTIONS LIKE 'f*|g'",
            expect![[r#"ShowFunctions(ShowFunctions { kinds: User, pattern: Some("f*|g") })"#]],
        );
        check(
            "SHOW SYSTEM FUNCTIONS abs",
            expect![[r#"ShowFunctions(ShowFunctions { kinds: System, pattern: Some("abs") })"#]],
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        check("DROP TABLE t", expect!["not supported: DROP TABLE t; Paceline drops TEMPORARY FUNCTION"]);
        check("DESCRIBE t", expect!["not supported: DESCRIBE t; Paceline describes FUNCTION"]);
        check(
            "SHOW TABLES",
            expect!["not supported: SHOW TABLES; Paceline knows SHOW [USER | SYSTEM | ALL] FUNCTIONS [LIKE 'pattern']"],
        );
        check("SHOW FUNCTIONS LIKE", expect!["cannot parse: expected a name, but the statement ends"]);
        check(
            "DROP FUNCTION f g",
            expect!["cannot parse: expected the end of the statement, found 'g' (line 1, column 17 of the statement)"],
        );
        check(
            "EXPLAIN CODEGEN SELECT 1",
            expect!["not supported: EXPLAIN CODEGEN; there is no generated code, use EXPLAIN FORMATTED"],
        );
        check(
            "EXPLAIN SHOW FUNCTIONS",
            expect!["not supported: EXPLAIN SHOW FUNCTIONS; a query or an INSERT OVERWRITE DIRECTORY has a plan"],
        );
        check(
            "CREATE TEMPORARY FUNCTION IF NOT EXISTS f(id INT) RETURNS INT USING API",
            expect![
                "not supported: CREATE TEMPORARY FUNCTION with IF NOT EXISTS, in Spark neither; write CREATE OR REPLACE TEMPORARY FUNCTION f"
            ],
        );
        check(
            "CREATE OR REPLACE TEMPORARY FUNCTION IF NOT EXISTS f(id INT) RETURNS INT USING API",
            expect![
                "not supported: CREATE OR REPLACE and IF NOT EXISTS, in Spark neither; write CREATE OR REPLACE TEMPORARY FUNCTION f"
            ],
        );
        check(
            "CREATE FUNCTION f(id INT) RETURNS INT USING API OPTIONS ()",
            expect![
                "not supported: CREATE FUNCTION f, which would stay after this session; write CREATE OR REPLACE TEMPORARY FUNCTION f(…) RETURNS … USING API OPTIONS (…)"
            ],
        );
    }
}
