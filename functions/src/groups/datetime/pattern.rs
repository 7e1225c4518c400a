//! Java's date and time patterns as Spark 3 takes them, and Spark's refusals of those that mean something else than before.

use crate::error::{Error, Result};

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// A letter and how often it stands there.
    Field(char, usize),
    /// What may be left out of a text that is read.
    Optional(Vec<Piece>),
}

/// A pattern for writing, or for reading.
///
/// # Errors
/// Spark refuses it: it was legal before Spark 3 with another meaning, or it never was.
pub(crate) fn pieces(pattern: &str, parses: bool) -> Result<Vec<Piece>> {
    let mut chars = pattern.chars().peekable();
    let mut stack: Vec<Vec<Piece>> = vec![Vec::new()];
    let push = |stack: &mut Vec<Vec<Piece>>, piece: Piece| {
        if let Some(top) = stack.last_mut() {
            match (top.last_mut(), piece) {
                (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
                (_, piece) => top.push(piece),
            }
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let mut text = String::new();
                if chars.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                } else {
                    loop {
                        match chars.next() {
                            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
                            Some('\'') => break,
                            Some(c) => text.push(c),
                            None => {
                                return Err(refused(
                                    pattern,
                                    &format!("Pattern ends with an incomplete string literal: {pattern}"),
                                ));
                            }
                        }
                    }
                }
                push(&mut stack, Piece::Text(text));
            }
            '[' => stack.push(Vec::new()),
            ']' => {
                let optional = stack.pop().unwrap_or_default();
                if stack.is_empty() {
                    return Err(refused(pattern, "Pattern invalid as it contains ] without previous ["));
                }
                push(&mut stack, Piece::Optional(optional));
            }
            '{' | '}' | '#' => return Err(refused(pattern, &format!("Pattern includes reserved character: '{c}'"))),
            c if c.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                check(pattern, c, count, parses)?;
                push(&mut stack, Piece::Field(c, count));
            }
            c => push(&mut stack, Piece::Text(c.to_string())),
        }
    }
    while stack.len() > 1 {
        let optional = stack.pop().unwrap_or_default();
        push(&mut stack, Piece::Optional(optional));
    }
    Ok(stack.pop().unwrap_or_default())
}

/// Whether an era is asked for: then `y` is the year of it.
pub(crate) fn has_era(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Field('G', _) => true,
        Piece::Optional(inner) => has_era(inner),
        _ => false,
    })
}

fn check(pattern: &str, letter: char, count: usize, parses: bool) -> Result<()> {
    if matches!(letter, 'Y' | 'W' | 'w' | 'u' | 'e' | 'c') {
        let message = format!(
            "All week-based patterns are unsupported since Spark 3.0, detected: {letter}, Please use the SQL function EXTRACT instead"
        );
        return Err(refused(pattern, &message));
    }
    if matches!(letter, 'A' | 'B' | 'n' | 'N' | 'p') || (parses && matches!(letter, 'E' | 'F' | 'q' | 'Q')) {
        return Err(refused(pattern, &format!("Illegal pattern character: {letter}")));
    }
    let most = match letter {
        'y' => 6,
        'G' | 'M' | 'L' | 'E' | 'Q' | 'q' | 'z' | 'O' => 4,
        'D' => 3,
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'V' => 2,
        'S' => 9,
        'a' | 'F' => 1,
        'X' | 'x' | 'Z' => 5,
        other => return Err(refused(pattern, &format!("Unknown pattern letter: {other}"))),
    };
    if count > most {
        return Err(refused(pattern, &format!("Too many pattern letters: {letter}")));
    }
    match (letter, count) {
        ('V', 1) => Err(refused(pattern, "Pattern letter count must be 2: V")),
        ('O', 2 | 3) => Err(refused(pattern, "Pattern letter count must be 1 or 4: O")),
        _ => Ok(()),
    }
}

/// What Java's old formats would have taken has an error of its own.
fn refused(pattern: &str, why: &str) -> Error {
    let mut quoted = false;
    let legacy = pattern.chars().all(|c| {
        quoted ^= c == '\'';
        quoted || !c.is_ascii_alphabetic() || "GyYMLwWDdFEuaHkKhmsSzZX".contains(c)
    });
    if legacy && !quoted {
        return Error::new(
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
            format!(
                "You may get a different result due to the upgrading to Spark >= 3.0: Fail to recognize '{pattern}' pattern \
                 in the DateTimeFormatter. 1) You can set \"spark.sql.legacy.timeParserPolicy\" to \"LEGACY\" to restore the \
                 behavior before Spark 3.0. 2) You can form a valid datetime pattern with the guide from \
                 'https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html'."
            ),
        );
    }
    Error::new("java.lang.IllegalArgumentException", why)
}
