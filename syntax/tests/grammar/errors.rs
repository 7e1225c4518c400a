//! Errors: their class, their words, their place.

use expect_test::{Expect, expect};
use paceline_syntax::{Settings, parse_statement};

fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&parse_statement(sql, Settings::default()).unwrap_err().to_string());
}

#[test]
fn errors_show_the_statement_and_the_place() {
    check(
        "SELECT a\nFROM t WHERE x y",
        expect![[r#"

        [PARSE_SYNTAX_ERROR] Syntax error at or near 'y'.(line 2, pos 15)

        == SQL ==
        SELECT a
        FROM t WHERE x y
        ---------------^^^
    "#]],
    );
    check(
        "SELECT é + ",
        expect![[r#"

        [PARSE_SYNTAX_ERROR] Syntax error at or near 'é'.(line 1, pos 7)

        == SQL ==
        SELECT é + 
        -------^^^
    "#]],
    );
    check(
        "",
        expect![[r#"

        [PARSE_EMPTY_STATEMENT] Syntax error, unexpected empty statement.(line 1, pos 0)

        == SQL ==

        ^^^
    "#]],
    );
    check(
        "SELECT 1; SELECT 2",
        expect![[r#"

        [PARSE_SYNTAX_ERROR] Syntax error at or near 'SELECT'.(line 1, pos 10)

        == SQL ==
        SELECT 1; SELECT 2
        ----------^^^
    "#]],
    );
    check(
        "SELECT 'a",
        expect![[r#"

        [PARSE_SYNTAX_ERROR] Syntax error at or near '''.(line 1, pos 7)

        == SQL ==
        SELECT 'a
        -------^^^
    "#]],
    );
    check(
        "SELECT 1 /* a",
        expect![[r#"

        [UNCLOSED_BRACKETED_COMMENT] Found an unclosed bracketed comment. Please, append */ at the end of the comment.
        == SQL ==
        SELECT 1 /* a"#]],
    );
}

#[test]
fn what_the_grammar_takes_may_still_be_refused() {
    check(
        "SELECT 200Y",
        expect![[r#"

        [INVALID_NUMERIC_LITERAL_RANGE] Numeric literal 200 is outside the valid range for tinyint with minimum value of -128 and maximum value of 127. Please adjust the value accordingly.(line 1, pos 7)

        == SQL ==
        SELECT 200Y
        -------^^^
    "#]],
    );
    check(
        "SELECT * FROM a-b",
        expect![[r#"

        [INVALID_IDENTIFIER] The identifier a-b is invalid. Please, consider quoting it with back-quotes as `a-b`.(line 1, pos 15)

        == SQL ==
        SELECT * FROM a-b
        ---------------^^^
    "#]],
    );
    check(
        "ALTER TABLE t CHANGE a",
        expect![[r#"

        Operation not allowed: ALTER TABLE table CHANGE COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER.(line 1, pos 0)

        == SQL ==
        ALTER TABLE t CHANGE a
        ^^^
    "#]],
    );
    // A text that is no sentence is told first.
    check(
        "SELECT 200Y FROM t WHERE x y z",
        expect![[r#"

        [PARSE_SYNTAX_ERROR] Syntax error at or near 'y'.(line 1, pos 27)

        == SQL ==
        SELECT 200Y FROM t WHERE x y z
        ---------------------------^^^
    "#]],
    );
}
