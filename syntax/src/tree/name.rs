//! Names as they are written, with their place in the statement.
//! What a name stands for is never decided here.

use super::Expr;

/// Bytes `start..end` of the statement's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// From the start of this one to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.start) }
    }
}

/// One part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name, case kept, quotes undone.
    pub value: String,
    /// Whether it was quoted.
    pub quoted: bool,
    /// Where it is.
    pub span: Span,
}

/// A name of one or more parts, as `catalog.schema.table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// At least one.
    pub parts: Vec<Ident>,
    /// Where it is.
    pub span: Span,
}

/// How an object is referred to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// By its name.
    Named(Name),
    /// `IDENTIFIER(expression)`: by a constant string that is read as a name.
    Computed(Expr),
}
