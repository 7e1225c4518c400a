//! What is wrong with a text, as Spark words it.

use std::fmt;

/// Why a text is no statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    class: &'static str,
    message: String,
    position: Option<Position>,
    statement: String,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// Characters of the line in front of it.
    pub column: usize,
    /// Bytes of the text in front of it.
    pub offset: usize,
}

impl ParseError {
    pub(crate) fn new(class: &'static str, message: String, statement: &str, offset: Option<usize>) -> ParseError {
        let position = offset.map(|offset| position(statement, offset));
        ParseError { class, message, position, statement: statement.to_owned() }
    }

    /// Spark's error class, as `PARSE_SYNTAX_ERROR`.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// What is wrong, without class and place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where, unless it is about the whole text.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// The text.
    pub fn statement(&self) -> &str {
        &self.statement
    }
}

fn position(statement: &str, offset: usize) -> Position {
    let before = statement.get(..offset).unwrap_or(statement);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count(), offset }
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out)?;
        if !self.class.starts_with("_LEGACY") {
            write!(out, "[{}] ", self.class)?;
        }
        write!(out, "{}", self.message)?;
        let Some(position) = self.position else {
            return write!(out, "\n== SQL ==\n{}", self.statement);
        };
        writeln!(out, "(line {}, pos {})\n\n== SQL ==", position.line, position.column)?;
        for (at, line) in self.statement.split('\n').enumerate() {
            writeln!(out, "{line}")?;
            if at + 1 == position.line {
                writeln!(out, "{}^^^", "-".repeat(position.column))?;
            }
        }
        Ok(())
    }
}
