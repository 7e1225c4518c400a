//! Words: quotes, escapes, comments, and keywords as names.

use expect_test::expect;
use paceline_syntax::{Settings, parse_expression, parse_statement, split};

use crate::sketch::{expression as check, shown, statement};

#[test]
fn escapes_are_undone_but_for_those_of_like() {
    check(r"'a\n\t\'\\\u0041\101\%\_\q'", expect![[r#"(Literal(String("a\n\t'\\AA\\%\\_q")), None)"#]]);
    check(r"'\uD83D\uDE00\U0001F600'", expect![[r#"(Literal(String("😀😀")), None)"#]]);
    check(r#"r'a\n' R"b\t""#, expect![[r#"(Literal(String("a\\nb\\t")), None)"#]]);
    check(r#""a""b""#, expect![[r#"(Literal(String("ab")), None)"#]]);
}

#[test]
fn backslashes_stand_for_themselves_where_the_session_says_so() {
    let settings = Settings { literal_backslashes: true, ..Settings::default() };
    expect![[r#"Literal(String("a\\nb"))"#]].assert_eq(&shown(parse_expression(r"'a\nb'", settings)));
}

#[test]
fn names_may_begin_with_digits_and_be_quoted() {
    check("1a.2b", expect![[r#"(Column(["1a", "2b"]), None)"#]]);
    check("`a``b`.`c d`", expect![[r#"(Column(["a`b", quoted: true, "c d", quoted: true]), None)"#]]);
    check("1.5e", expect![[r#"(Field(Literal(Int(1)), "5e"), None)"#]]);
    check("a.1", expect!["PARSE_SYNTAX_ERROR: Syntax error at or near '.1'. (1:1)"]);
}

#[test]
fn double_quotes_are_names_where_the_session_says_so() {
    let settings = Settings { double_quoted_identifiers: true, ..Settings::default() };
    expect!["PARSE_SYNTAX_ERROR: Syntax error at or near '+'. (1:7)"]
        .assert_eq(&shown(parse_expression(r#""a""b" + 'c'"#, settings)));
}

#[test]
fn every_keyword_is_a_name_unless_they_are_reserved() {
    statement(
        "SELECT select, from, where FROM order WHERE",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["select"]), Column(["from"]), Column(["where"])], from: [Relation {kind: Table {name: Named(["order"]), alias: TableAlias {name: Some("WHERE")}}}]})})"#
        ]],
    );
    statement(
        "SELECT FROM t",
        expect![[r#"Query(Query {body: Select(Select {items: [Column(["FROM"]), alias: Some(Name("t"))]})})"#]],
    );
    statement(
        "SELECT a AS FROM t",
        expect![[
            r#"Query(Query {body: Select(Select {items: [Column(["a"]), alias: Some(Name("AS"))], from: [Relation {kind: Table {name: Named(["t"]), alias: TableAlias }}]})})"#
        ]],
    );
    let reserved = Settings { reserved_keywords: true, ..Settings::default() };
    expect!["PARSE_SYNTAX_ERROR: Syntax error at or near 'AS'. (1:9)"]
        .assert_eq(&shown(parse_statement("SELECT a AS from", reserved)));
    expect![[
        r#"Query(Query {body: Select(Select {items: [Special(Current(Date, "current_date")), Column(["date"])]})})"#
    ]]
    .assert_eq(&shown(parse_statement("SELECT current_date, date", reserved)));
}

#[test]
fn comments_nest_and_go_on_behind_a_backslash() {
    check("1 /* a /* b */ ; */ + -- c \\\n d \n 2", expect!["(Binary(Literal(Int(1)), Add, Literal(Int(2))), None)"]);
    check(
        "1 /* a",
        expect![
            "UNCLOSED_BRACKETED_COMMENT: Found an unclosed bracketed comment. Please, append */ at the end of the comment."
        ],
    );
}

fn pieces(script: &str) -> String {
    let shown = split(script).into_iter().map(|piece| format!("{}@{}: {}", piece.line, piece.offset, piece.text));
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn scripts_are_cut_at_semicolons_outside_quotes_and_comments() {
    expect![[r#"
        1@0: SELECT 1
        3@11: SELECT 2"#]]
    .assert_eq(&pieces("SELECT 1;\n\nSELECT 2"));
    expect![""].assert_eq(&pieces(" ; ;\n-- nothing\n;/* a */"));
    expect![[r#"
        1@0: SELECT ';'
        1@13: SELECT ";\";"
        1@28: SELECT `a;b`"#]]
    .assert_eq(&pieces("SELECT ';' ; SELECT \";\\\";\"; SELECT `a;b`"));
    expect![[r#"
        1@0: SELECT r'\'
        1@13: SELECT 2"#]]
    .assert_eq(&pieces("SELECT r'\\'; SELECT 2"));
    expect![[r#"
        1@0: SELECT 1 -- one; two
        + 2
        2@44: SELECT 3"#]]
    .assert_eq(&pieces("SELECT 1 -- one; two\n+ 2; /* a /* ; */ ; */ SELECT 3"));
    expect!["1@0: SELECT 'a; b"].assert_eq(&pieces("SELECT 'a; b"));
    expect!["1@0: SELECT 1"].assert_eq(&pieces("SELECT 1; /* a; b"));
}
