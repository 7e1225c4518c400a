//! The words that a text consists of.

use crate::tree::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name without quotes, or a keyword.
    Word,
    Backquoted,
    /// In single quotes, or raw.
    String,
    DoubleQuoted,
    Integer,
    BigInt,
    SmallInt,
    TinyInt,
    Exponent,
    Decimal,
    Float,
    Double,
    BigDecimal,
    Semicolon,
    LeftParen,
    RightParen,
    Comma,
    Dot,
    LeftBracket,
    RightBracket,
    /// `=` or `==`
    Eq,
    NullSafeEq,
    /// `<>`
    NotEq,
    /// `!=`
    BangEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Plus,
    Minus,
    Asterisk,
    Slash,
    Percent,
    Tilde,
    Ampersand,
    Pipe,
    Concat,
    Hat,
    Colon,
    Arrow,
    FatArrow,
    /// `/*+`
    HintStart,
    /// `*/`
    HintEnd,
    Question,
    Bang,
    Unrecognized,
    End,
}
