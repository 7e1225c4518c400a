//! Shows a tree in few words: no places, no clauses that are not there.

use std::fmt::Debug;

use expect_test::Expect;
use paceline_syntax::{ParseError, Settings, parse_expression, parse_statement};

/// The tree of a statement, or why there is none.
pub fn statement(sql: &str, expected: Expect) {
    expected.assert_eq(&shown(parse_statement(sql, Settings::default())));
}

/// The tree of an expression, or why there is none.
pub fn expression(sql: &str, expected: Expect) {
    expected.assert_eq(&shown(parse_expression(sql, Settings::default()).map(|named| (named.value, named.alias))));
}

pub fn shown<T: Debug>(found: Result<T, ParseError>) -> String {
    match found {
        Ok(tree) => sketched(&format!("{tree:?}")),
        Err(error) => refused(&error),
    }
}

pub fn refused(error: &ParseError) -> String {
    let place = error.position().map_or_else(String::new, |at| format!(" ({}:{})", at.line, at.column));
    format!("{}: {}{place}", error.class(), error.message())
}

const ABSENT: &[&str] = &[": None", ": []", ": false"];

fn sketched(debug: &str) -> String {
    let mut text = debug.to_owned();
    while let Some(start) = text.find("span: Span {") {
        let end = start + text[start..].find('}').unwrap() + 1;
        let from = if text[..start].ends_with(", ") { start - 2 } else { start };
        text.replace_range(from..end, "");
    }
    for absent in ABSENT {
        while let Some(at) = text.find(&format!("{absent},")).or_else(|| text.find(&format!("{absent} }}"))) {
            let name = text[..at].rfind(|char: char| !char.is_alphanumeric() && char != '_').unwrap() + 1;
            let end = at + absent.len() + usize::from(text[at + absent.len()..].starts_with(", ")) * 2;
            text.replace_range(name..end, "");
        }
    }
    for (long, short) in
        [("Ident { value: ", "Ident {"), (" }", "}"), ("{ ", "{"), (", }", "}"), (",}", "}"), ("{}", "")]
    {
        text = text.replace(long, short);
    }
    for wrapper in ["Ident {", "Expr {kind: ", "NamedExpr {value: ", "Name {parts: "] {
        while let Some(start) = text.find(wrapper) {
            let open = start + wrapper.find('{').unwrap();
            let close = closing(&text, open);
            let inner = text[start + wrapper.len()..close].to_owned();
            text.replace_range(start..=close, &inner);
        }
    }
    text
}

fn closing(text: &str, open: usize) -> usize {
    let (mut depth, mut quoted) = (0, false);
    let mut bytes = text.bytes().enumerate().skip(open);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 && !quoted {
            return at;
        }
    }
    text.len()
}
