//! The session's settings that change the grammar.

/// What the grammar depends on; the default is Spark's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Keywords that the SQL standard reserves are no names: `spark.sql.ansi.enabled` and
    /// `spark.sql.ansi.enforceReservedKeywords` together.
    pub reserved_keywords: bool,
    /// `"a"` is a name: `spark.sql.ansi.enabled` and `spark.sql.ansi.doubleQuotedIdentifiers` together.
    pub double_quoted_identifiers: bool,
    /// `1e3` is a decimal: `spark.sql.legacy.exponentLiteralAsDecimal.enabled`.
    pub exponent_as_decimal: bool,
    /// Set operations are done from left to right: `spark.sql.legacy.setopsPrecedence.enabled`.
    pub set_operations_in_order: bool,
    /// Backslashes stand for themselves: `spark.sql.parser.escapedStringLiterals`.
    pub literal_backslashes: bool,
}
