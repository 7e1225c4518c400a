//! Expressions. Function names stay as written, since names of result columns are made of them.

use super::{DataType, Ident, Literal, Name, Query, Reference, SortItem, Span, Window};

/// An expression and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: Box<ExprKind>,
    /// Where it is.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `a` or `t.a.b`: a column, or fields of one.
    Column(Vec<Ident>),
    /// `IDENTIFIER(expression)`: a column whose name is a constant string.
    ComputedColumn(Expr),
    /// `*` or `t.*`
    Star(Vec<Ident>),
    /// `base.name`, where base is not a name.
    Field(Expr, Ident),
    /// `base[index]`
    Subscript(Expr, Expr),
    /// `-a`
    Unary(UnaryOp, Expr),
    /// `a + b`
    Binary(Expr, BinaryOp, Expr),
    /// `a AND b AND …`
    And(Vec<Expr>),
    /// `a OR b OR …`
    Or(Vec<Expr>),
    /// `NOT a`
    Not(Expr),
    /// `a [NOT] IN (…)` and its like.
    Predicate {
        /// What is looked at.
        operand: Expr,
        /// Whether `NOT` is there.
        negated: bool,
        /// What is asked.
        predicate: Predicate,
    },
    /// `CASE`
    Case {
        /// What each `WHEN` is compared with.
        operand: Option<Expr>,
        /// At least one.
        whens: Vec<When>,
        /// `ELSE`
        otherwise: Option<Expr>,
    },
    /// `CAST(a AS type)`
    Cast {
        /// What is cast.
        operand: Expr,
        /// To what.
        to: DataType,
        /// `TRY_CAST`: NULL instead of an error.
        or_null: bool,
    },
    /// `struct(a, b AS c)`
    Struct(Vec<NamedExpr>),
    /// `(a, b)`
    Row(Vec<NamedExpr>),
    /// `f(…)`
    Call(FunctionCall),
    /// A function with a syntax of its own.
    Special(SpecialForm),
    /// `EXISTS (query)`
    Exists(Box<Query>),
    /// `(query)`
    Subquery(Box<Query>),
    /// `(x, y) -> body`
    Lambda(Vec<Ident>, Expr),
    /// `:name`
    NamedParameter(Ident),
    /// `?`
    PositionalParameter,
}

/// An expression with the name that is given to it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExpr {
    /// The expression.
    pub value: Expr,
    /// `AS`
    pub alias: Option<WrittenAlias>,
}

/// What stands behind `AS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenAlias {
    /// One name.
    Name(Ident),
    /// `(a, b)`: names for what a generator returns.
    Names(Vec<Ident>),
}

/// `WHEN condition THEN result`
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    /// When.
    pub condition: Expr,
    /// What then.
    pub result: Expr,
}

/// Operators of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum UnaryOp {
    Minus,
    Plus,
    BitNot,
}

/// Operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum BinaryOp {
    Multiply,
    Divide,
    Modulo,
    IntegralDivide,
    Add,
    Subtract,
    Concat,
    BitAnd,
    BitXor,
    BitOr,
    Eq,
    NullSafeEq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

/// What is asked of an operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `BETWEEN low AND high`
    Between(Expr, Expr),
    /// `IN (a, b)`
    InList(Vec<Expr>),
    /// `IN (query)`
    InQuery(Box<Query>),
    /// `RLIKE pattern`
    Rlike(Expr),
    /// `LIKE pattern ESCAPE 'c'`, `ILIKE …`
    Like {
        /// What it is like.
        pattern: Expr,
        /// `ESCAPE`; a backslash if it isn't given.
        escape: Option<char>,
        /// `ILIKE`
        ignore_case: bool,
    },
    /// `LIKE ANY (…)`, `ILIKE ALL (…)`
    LikeQuantified {
        /// Any or all.
        quantifier: Quantifier,
        /// At least one.
        patterns: Vec<Expr>,
        /// `ILIKE`
        ignore_case: bool,
    },
    /// `IS NULL`
    IsNull,
    /// `IS TRUE`
    Is(Truth),
    /// `IS DISTINCT FROM other`
    DistinctFrom(Expr),
}

/// How many patterns have to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `ANY`, `SOME`
    Any,
    /// `ALL`
    All,
}

/// A truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Truth {
    True,
    False,
    Unknown,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCall {
    /// Its name as written.
    pub name: Reference,
    /// `DISTINCT`
    pub distinct: bool,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// `FILTER (WHERE …)`
    pub filter: Option<Expr>,
    /// `IGNORE NULLS`, `RESPECT NULLS`
    pub nulls: Option<Nulls>,
    /// `OVER`
    pub over: Option<Window>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name => value`
    pub name: Option<Ident>,
    /// What is given.
    pub value: Expr,
}

/// Whether NULLs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Nulls {
    Ignore,
    Respect,
}

/// Functions with a syntax of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum SpecialForm {
    /// `CURRENT_DATE` and its like, without parentheses.
    Current(CurrentValue, Ident),
    /// `EXTRACT(field FROM source)`
    Extract(Ident, Expr),
    /// `SUBSTRING(text FROM start FOR length)`
    Substring(Expr, Expr, Option<Expr>),
    /// `TRIM(LEADING characters FROM text)`
    Trim {
        /// `BOTH`, `LEADING` or `TRAILING`, lower case; both if it isn't given.
        side: &'static str,
        /// Spaces if they aren't given.
        characters: Option<Expr>,
        /// What is trimmed.
        text: Expr,
    },
    /// `OVERLAY(input PLACING replacement FROM start FOR length)`
    Overlay(Expr, Expr, Expr, Option<Expr>),
    /// `POSITION(part IN text)`
    Position(Expr, Expr),
    /// `TIMESTAMPADD(unit, amount, timestamp)`, `DATEADD`, `DATE_ADD`: the name is kept
    TimestampAdd(Ident, WrittenUnit, Expr, Expr),
    /// `TIMESTAMPDIFF(unit, from, to)`, `DATEDIFF`, `DATE_DIFF`: the name is kept
    TimestampDiff(Ident, WrittenUnit, Expr, Expr),
    /// `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a)`
    Percentile(Box<Percentile>),
}

/// What `CURRENT_…` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum CurrentValue {
    Date,
    Timestamp,
    User,
}

/// A unit, and the word for it as written, of which the names of columns are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenUnit {
    /// The unit.
    pub unit: DatetimeUnit,
    /// Its word.
    pub word: Ident,
}

/// Units of `TIMESTAMPADD` and `TIMESTAMPDIFF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum DatetimeUnit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
}

/// `PERCENTILE_CONT` and `PERCENTILE_DISC`.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentile {
    /// The name as written.
    pub name: Name,
    /// Whether a value of the input is wanted instead of one in between.
    pub discrete: bool,
    /// Which.
    pub fraction: Expr,
    /// Of what.
    pub order_by: SortItem,
    /// `FILTER (WHERE …)`
    pub filter: Option<Expr>,
    /// `OVER`
    pub over: Option<Window>,
}
