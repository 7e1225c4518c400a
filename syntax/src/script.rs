//! Cuts a script into statements, as Spark's own shell does: at each `;` outside quotes and comments.

use crate::lexer::{bracketed_comment, line_comment};

/// One statement of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its text, without the `;`.
    pub text: &'a str,
    /// Bytes of the script in front of it.
    pub offset: usize,
    /// The line of the script that it starts in, from 1.
    pub line: usize,
}

/// The statements of `script` in order; pieces that hold nothing but space and comments are left out.
///
/// Quotes are `'`, `"` and `` ` ``; a backslash escapes the next character in the first two, unless `r` stands in
/// front of them. Comments are `-- …` to the end of the line and `/* … */`, which nest.
pub fn split(script: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut start, mut at) = (Vec::new(), None, 0);
    let mut line = Lines { script, counted: 0, line: 1 };
    while at < script.len() {
        let rest = &script[at..];
        let length = length(script, at);
        if rest.starts_with(';') {
            pieces.extend(start.take().map(|start| line.piece(start, at)));
        } else if !is_blank(&rest[..length]) {
            start.get_or_insert(at);
        }
        at += length;
    }
    pieces.extend(start.map(|start| line.piece(start, script.len())));
    pieces
}

/// Whether there is nothing but space and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let blank = rest.starts_with("--")
            || (rest.starts_with("/*") && !rest.starts_with("/*+"))
            || rest.starts_with(char::is_whitespace);
        if !blank {
            return false;
        }
        at += length(text, at);
    }
    true
}

/// Counts each line once.
struct Lines<'a> {
    script: &'a str,
    counted: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn piece(&mut self, start: usize, end: usize) -> Piece<'a> {
        self.line += self.script[self.counted..start].matches('\n').count();
        self.counted = start;
        Piece { text: self.script[start..end].trim_end(), offset: start, line: self.line }
    }
}

/// Length in bytes of the quoted text, comment or character at `at`.
fn length(script: &str, at: usize) -> usize {
    let text = &script[at..];
    let bytes = text.as_bytes();
    let first = text.chars().next().map_or(1, char::len_utf8);
    match bytes {
        [quote @ (b'\'' | b'"'), ..] => quoted(text, *quote, !is_raw(script, at)),
        [b'`', ..] => quoted(text, b'`', false),
        [b'-', b'-', ..] => line_comment(bytes),
        [b'/', b'*', ..] => bracketed_comment(bytes).unwrap_or(text.len()),
        _ => first,
    }
}

/// Whether an `r` that ends no longer word stands in front of the quote.
fn is_raw(script: &str, quote: usize) -> bool {
    let mut before = script[..quote].bytes().rev();
    matches!(before.next(), Some(b'r' | b'R'))
        && !before.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn quoted(text: &str, quote: u8, escapes: bool) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && escapes {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    text.len()
}
