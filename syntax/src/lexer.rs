//! Cuts a text into tokens, by the longest match. Comments and space are left out; never fails, except for a
//! comment that is not closed: what is no token comes out as such.

use crate::token::{Kind, Token};
use crate::tree::Span;

/// A comment that is never closed.
pub(crate) struct UnclosedComment;

/// The tokens of `text`; the last is `End`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, UnclosedComment> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let (kind, length) = match skipped(rest)? {
            0 => token(rest),
            length => {
                at += length;
                continue;
            }
        };
        tokens.push(Token { kind, span: span(at, at + length) });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, span: span(at, at) });
    Ok(tokens)
}

fn span(start: usize, end: usize) -> Span {
    let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: offset(start), end: offset(end) }
}

/// Length of the space or comment at the start of `text`.
fn skipped(text: &str) -> Result<usize, UnclosedComment> {
    match text.as_bytes() {
        [b' ' | b'\t' | b'\r' | b'\n', ..] => Ok(1),
        [b'-', b'-', ..] => Ok(line_comment(text.as_bytes())),
        [b'/', b'*', b'+', ..] => Ok(0),
        [b'/', b'*', ..] => bracketed_comment(text.as_bytes()).ok_or(UnclosedComment),
        _ => Ok(0),
    }
}

/// To the end of the line, or of the next if a backslash stands at its end.
pub(crate) fn line_comment(text: &[u8]) -> usize {
    let ends = |&at: &usize| match text[at] {
        b'\n' => text[at - 1] != b'\\',
        b'\r' => true,
        _ => false,
    };
    (2..text.len()).find(ends).unwrap_or(text.len())
}

/// Comments nest; a hint within a comment is part of it, and opens none.
pub(crate) fn bracketed_comment(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < text.len() {
        match &text[at..] {
            [b'/', b'*', b'+', ..] if at > 0 => at += 3,
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn token(text: &str) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let first = bytes.first().copied().unwrap_or_default();
    match (first, bytes.get(1)) {
        (b'r' | b'R', Some(&quote @ (b'\'' | b'"'))) => {
            let end = bytes[2..].iter().position(|&byte| byte == quote);
            end.map_or((Kind::Word, word_length(bytes)), |end| (Kind::String, end + 3))
        }
        (b'\'', _) => quoted(bytes, Kind::String),
        (b'"', _) => quoted(bytes, Kind::DoubleQuoted),
        (b'`', _) => backquoted(bytes),
        (b'0'..=b'9', _) => number_or_word(bytes),
        (b'.', Some(b'0'..=b'9')) => number(bytes).unwrap_or((Kind::Dot, 1)),
        (b'a'..=b'z' | b'A'..=b'Z' | b'_', _) => (Kind::Word, word_length(bytes)),
        _ => symbol(text),
    }
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// A name, or an address, as `s3://bucket/key`, which only `ADD JAR` and its like can use.
fn word_length(bytes: &[u8]) -> usize {
    let length = bytes.iter().take_while(|byte| is_word(byte)).count();
    let letters = bytes[..length].iter().all(u8::is_ascii_alphabetic);
    let is_address = |byte: &&u8| is_word(byte) || b"/-.?=&#%".contains(byte);
    match bytes[length..].strip_prefix(b"://") {
        Some(rest) if letters => match rest.iter().take_while(is_address).count() {
            0 => length,
            address => length + 3 + address,
        },
        _ => length,
    }
}

fn quoted(bytes: &[u8], kind: Kind) -> (Kind, usize) {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == bytes[0] => return (kind, at + 1),
            _ => at += 1,
        }
    }
    (Kind::Unrecognized, 1)
}

fn backquoted(bytes: &[u8]) -> (Kind, usize) {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'`', Some(b'`')) => at += 2,
            (b'`', _) => return (Kind::Backquoted, at + 1),
            _ => at += 1,
        }
    }
    (Kind::Unrecognized, 1)
}

/// `1a` is a name, `1L` a number, `1.a` a number, a dot and a name.
fn number_or_word(bytes: &[u8]) -> (Kind, usize) {
    let word = word_length(bytes);
    match number(bytes) {
        Some((kind, length)) if length >= word => (kind, length),
        _ => (Kind::Word, word),
    }
}

fn number(bytes: &[u8]) -> Option<(Kind, usize)> {
    let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let plain = (whole > 0).then_some((Kind::Integer, whole));
    let dotted = (bytes.get(whole) == Some(&b'.')).then(|| whole + 1 + digits(whole + 1)).filter(|&end| end > 1);
    let forms = [dotted.map(|end| (end, true)), (whole > 0).then_some((whole, false))];
    for (end, dotted) in forms.into_iter().flatten() {
        let found = with_suffix(bytes, end, dotted);
        if found.is_some() {
            return found;
        }
    }
    plain
}

/// A number whose digits end at `end`: with an exponent and a suffix, if nothing of a name follows.
fn with_suffix(bytes: &[u8], end: usize, dotted: bool) -> Option<(Kind, usize)> {
    let exponent = exponent_length(&bytes[end..]);
    let digits = end + exponent;
    let (kind, suffix) = match bytes.get(digits..).unwrap_or_default() {
        [b'f' | b'F', ..] => (Kind::Float, 1),
        [b'd' | b'D', ..] => (Kind::Double, 1),
        [b'b' | b'B', b'd' | b'D', ..] => (Kind::BigDecimal, 2),
        [b'l' | b'L', ..] if !dotted && exponent == 0 => (Kind::BigInt, 1),
        [b's' | b'S', ..] if !dotted && exponent == 0 => (Kind::SmallInt, 1),
        [b'y' | b'Y', ..] if !dotted && exponent == 0 => (Kind::TinyInt, 1),
        _ if exponent > 0 => (Kind::Exponent, 0),
        _ if dotted => (Kind::Decimal, 0),
        _ => (Kind::Integer, 0),
    };
    let length = digits + suffix;
    bytes.get(length).is_none_or(|byte| !is_word(byte)).then_some((kind, length))
}

fn exponent_length(bytes: &[u8]) -> usize {
    let [b'e' | b'E', rest @ ..] = bytes else { return 0 };
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    match rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn symbol(text: &str) -> (Kind, usize) {
    let found = SYMBOLS.iter().find(|(symbol, _)| text.starts_with(symbol));
    let unrecognized = (Kind::Unrecognized, text.chars().next().map_or(1, char::len_utf8));
    found.map_or(unrecognized, |(symbol, kind)| (*kind, symbol.len()))
}

/// Longer ones first.
const SYMBOLS: &[(&str, Kind)] = &[
    ("/*+", Kind::HintStart),
    ("<=>", Kind::NullSafeEq),
    ("*/", Kind::HintEnd),
    ("==", Kind::Eq),
    ("=>", Kind::FatArrow),
    ("<>", Kind::NotEq),
    ("!=", Kind::BangEq),
    ("<=", Kind::LtEq),
    ("!>", Kind::LtEq),
    (">=", Kind::GtEq),
    ("!<", Kind::GtEq),
    ("||", Kind::Concat),
    ("->", Kind::Arrow),
    (";", Kind::Semicolon),
    ("(", Kind::LeftParen),
    (")", Kind::RightParen),
    (",", Kind::Comma),
    (".", Kind::Dot),
    ("[", Kind::LeftBracket),
    ("]", Kind::RightBracket),
    ("=", Kind::Eq),
    ("<", Kind::Lt),
    (">", Kind::Gt),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
    ("*", Kind::Asterisk),
    ("/", Kind::Slash),
    ("%", Kind::Percent),
    ("~", Kind::Tilde),
    ("&", Kind::Ampersand),
    ("|", Kind::Pipe),
    ("^", Kind::Hat),
    (":", Kind::Colon),
    ("?", Kind::Question),
    ("!", Kind::Bang),
];
