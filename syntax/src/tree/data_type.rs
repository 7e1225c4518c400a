//! Data types and columns as they are declared.

use super::Ident;

/// A type. Synonyms are gone: `LONG` is `BigInt`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "most say what they are")]
pub enum DataType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Date,
    /// What the session calls TIMESTAMP.
    Timestamp,
    TimestampLtz,
    TimestampNtz,
    String,
    Char(u32),
    Varchar(u32),
    Binary,
    /// Precision and scale.
    Decimal(u8, i8),
    Void,
    /// `INTERVAL` with no field: months, days and microseconds.
    CalendarInterval,
    /// First and last field.
    YearMonthInterval(super::IntervalUnit, super::IntervalUnit),
    /// First and last field.
    DayTimeInterval(super::IntervalUnit, super::IntervalUnit),
    Array(Box<DataType>),
    Map(Box<DataType>, Box<DataType>),
    Struct(Vec<StructField>),
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructField {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub data_type: DataType,
    /// `NOT NULL`
    pub not_null: bool,
    /// `COMMENT '…'`
    pub comment: Option<String>,
}

/// A column of a schema.
pub type ColumnDef = StructField;
