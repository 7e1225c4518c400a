//! Constants. Values of dates, timestamps and intervals stay text, since their meaning depends on the session;
//! their form has been checked.

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `NULL`
    Null,
    /// `TRUE` or `FALSE`
    Boolean(bool),
    /// `1Y`
    TinyInt(i8),
    /// `1S`
    SmallInt(i16),
    /// `1`
    Int(i32),
    /// `1L`, or an integer that is too large for `INT`
    BigInt(i64),
    /// `1.10`, `1.0BD`, or an integer too large for `BIGINT`: the digits as written, with sign and without suffix
    Decimal(String),
    /// `1.0F`
    Float(f32),
    /// `1e3`, `1D`
    Double(f64),
    /// `'…'`, escapes undone
    String(String),
    /// `X'1F'`
    Binary(Vec<u8>),
    /// `DATE '…'`
    Date(String),
    /// `TIMESTAMP '…'`: of the type that the session calls TIMESTAMP
    Timestamp(String),
    /// `TIMESTAMP_LTZ '…'`
    TimestampLtz(String),
    /// `TIMESTAMP_NTZ '…'`
    TimestampNtz(String),
    /// `INTERVAL …`
    Interval(Interval),
}

/// An interval as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interval {
    /// `INTERVAL '1 day 2 hours'`, without `INTERVAL`
    Text(String),
    /// `INTERVAL 1 day -2 hours`
    Units(Vec<IntervalPart>),
    /// `INTERVAL '1-2' YEAR TO MONTH`
    Range {
        /// Whether a minus stands in front of the text.
        negative: bool,
        /// What the string says.
        value: String,
        /// The first field.
        from: IntervalUnit,
        /// The last field.
        to: IntervalUnit,
    },
}

/// A number of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalPart {
    /// The number as written, with its sign.
    pub value: String,
    /// Of what.
    pub unit: IntervalUnit,
}

/// Units of intervals, of which the larger compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum IntervalUnit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}
