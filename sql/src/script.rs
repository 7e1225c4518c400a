//! Cuts a script into statements, as Spark's own shell does: at each `;` outside quotes and comments.

/// One statement of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its text, without the `;`.
    pub text: &'a str,
    /// The line of the script that it starts in, from 1.
    pub line: usize,
}

/// The statements of `script` in order; pieces that hold nothing but space and comments are left out.
///
/// Quotes are `'`, `"` and `` ` ``; a backslash escapes the next character in the first two. Comments are `-- …` to
/// the end of the line and `/* … */`, which nest.
pub fn split(script: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut start, mut rest) = (Vec::new(), None, script);
    let mut begin = 0;
    while !rest.is_empty() {
        let at = script.len() - rest.len();
        let length = token_length(rest);
        let token = &rest[..length];
        if token == ";" {
            pieces.extend(start.take().map(|start| piece(script, start, at)));
            begin = at + 1;
        } else if !is_blank(token) {
            start.get_or_insert(at.max(begin));
        }
        rest = &rest[length..];
    }
    pieces.extend(start.map(|start| piece(script, start, script.len())));
    pieces
}

fn piece(script: &str, start: usize, end: usize) -> Piece<'_> {
    let line = script[..start].matches('\n').count() + 1;
    Piece { text: script[start..end].trim_end(), line }
}

fn is_blank(token: &str) -> bool {
    token.starts_with("--") || token.starts_with("/*") || token.chars().all(char::is_whitespace)
}

/// Length in bytes of the quoted text, comment or character at the start of `text`, which is not empty.
fn token_length(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    match text.as_bytes() {
        [quote @ (b'\'' | b'"' | b'`'), ..] => quoted_length(text, *quote),
        [b'-', b'-', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => comment_length(text),
        _ => first,
    }
}

fn quoted_length(text: &str, quote: u8) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && quote != b'`' {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    text.len()
}

fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(script: &str, expected: Expect) {
        let shown: Vec<_> = split(script).iter().map(|piece| format!("{}: {}", piece.line, piece.text)).collect();
        expected.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn statements_end_at_semicolons() {
        check("SELECT 1;\n\nSELECT 2", expect!["1: SELECT 1\n3: SELECT 2"]);
        check(" ; ;\n-- nothing\n;/* a */", expect![""]);
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        check("SELECT ';' ; SELECT \";\\\";\"", expect!["1: SELECT ';'\n1: SELECT \";\\\";\""]);
        check("SELECT `a;b`", expect!["1: SELECT `a;b`"]);
        check(
            "SELECT 1 -- one; two\n+ 2; /* a /* ; */ ; */ SELECT 3",
            expect!["1: SELECT 1 -- one; two\n+ 2\n2: SELECT 3"],
        );
    }

    #[test]
    fn what_is_never_closed_goes_to_the_end() {
        check("SELECT 'a; b", expect!["1: SELECT 'a; b"]);
        check("SELECT 1; /* a; b", expect!["1: SELECT 1"]);
    }
}
