//! Spark's types, the Arrow types that carry them, and how Spark writes them.
//!
//! Arrow has no room for the fields of an interval's type; a field's metadata says them (`spark.interval`, as `day to second`).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, Fields, IntervalUnit, TimeUnit};

use crate::error::{Error, Result};
use crate::{DayTimeField, YearMonthField};

/// Key of the metadata that says an interval's fields.
const INTERVAL: &str = "spark.interval";
/// The zone that a timestamp with local time zone is kept in, whatever the session's zone is.
const UTC: &str = "UTC";

/// A type of Spark.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the Spark type of its name")]
pub enum DataType {
    Void,
    Boolean,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
    /// Precision (1 to 38) and scale.
    Decimal(u8, i8),
    String,
    Binary,
    Date,
    /// With local time zone; microseconds.
    Timestamp,
    TimestampNtz,
    /// Months, days and microseconds, each for itself.
    CalendarInterval,
    /// Months.
    YearMonth(YearMonthField, YearMonthField),
    /// Microseconds.
    DayTime(DayTimeField, DayTimeField),
    /// Elements, and whether some may be NULL.
    Array(Box<DataType>, bool),
    /// Keys, values, and whether some values may be NULL.
    Map(Box<DataType>, Box<DataType>, bool),
    Struct(Vec<StructField>),
}

/// A field of a struct, or a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl StructField {
    /// A field.
    pub fn new(name: impl Into<String>, data_type: DataType, nullable: bool) -> Self {
        StructField { name: name.into(), data_type, nullable }
    }

    /// As Arrow has it.
    pub fn to_arrow(&self) -> Field {
        self.data_type.to_field(&self.name, self.nullable)
    }
}

impl DataType {
    /// `interval day to second`
    pub const DAY_TO_SECOND: DataType = DataType::DayTime(DayTimeField::Day, DayTimeField::Second);
    /// `interval year to month`
    pub const YEAR_TO_MONTH: DataType = DataType::YearMonth(YearMonthField::Year, YearMonthField::Month);
    /// What an integer or a string becomes where only a decimal will do.
    pub const SYSTEM_DECIMAL: DataType = DataType::Decimal(38, 18);

    /// An Arrow field of this type.
    pub fn to_field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.to_arrow(), nullable);
        let fields = match self {
            DataType::YearMonth(from, to) => format!("{} to {}", from.name(), to.name()),
            DataType::DayTime(from, to) => format!("{} to {}", from.name(), to.name()),
            _ => return field,
        };
        field.with_metadata(HashMap::from([(INTERVAL.to_owned(), fields)]))
    }

    /// The Arrow type; that of an interval does not say its fields, see [`DataType::to_field`].
    pub fn to_arrow(&self) -> Arrow {
        match self {
            DataType::Void => Arrow::Null,
            DataType::Boolean => Arrow::Boolean,
            DataType::Byte => Arrow::Int8,
            DataType::Short => Arrow::Int16,
            DataType::Int => Arrow::Int32,
            DataType::Long => Arrow::Int64,
            DataType::Float => Arrow::Float32,
            DataType::Double => Arrow::Float64,
            DataType::Decimal(precision, scale) => Arrow::Decimal128(*precision, *scale),
            DataType::String => Arrow::Utf8,
            DataType::Binary => Arrow::Binary,
            DataType::Date => Arrow::Date32,
            DataType::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            DataType::TimestampNtz => Arrow::Timestamp(TimeUnit::Microsecond, None),
            DataType::CalendarInterval => Arrow::Interval(IntervalUnit::MonthDayNano),
            DataType::YearMonth(..) => Arrow::Interval(IntervalUnit::YearMonth),
            DataType::DayTime(..) => Arrow::Duration(TimeUnit::Microsecond),
            DataType::Array(element, contains_null) => {
                Arrow::List(Arc::new(element.to_field(Field::LIST_FIELD_DEFAULT_NAME, *contains_null)))
            }
            DataType::Map(key, value, contains_null) => {
                let entry = Fields::from(vec![key.to_field("key", false), value.to_field("value", *contains_null)]);
                Arrow::Map(Arc::new(Field::new("entries", Arrow::Struct(entry), false)), false)
            }
            DataType::Struct(fields) => Arrow::Struct(fields.iter().map(StructField::to_arrow).collect()),
        }
    }

    /// The type of an Arrow field, also of those that files and other engines bring.
    ///
    /// # Errors
    /// Spark has no such type.
    pub fn of(field: &Field) -> Result<DataType> {
        Ok(match field.data_type() {
            Arrow::Null => DataType::Void,
            Arrow::Boolean => DataType::Boolean,
            Arrow::Int8 => DataType::Byte,
            Arrow::Int16 | Arrow::UInt8 => DataType::Short,
            Arrow::Int32 | Arrow::UInt16 => DataType::Int,
            Arrow::Int64 | Arrow::UInt32 => DataType::Long,
            Arrow::UInt64 => DataType::Decimal(20, 0),
            Arrow::Float16 | Arrow::Float32 => DataType::Float,
            Arrow::Float64 => DataType::Double,
            Arrow::Decimal32(precision, scale)
            | Arrow::Decimal64(precision, scale)
            | Arrow::Decimal128(precision, scale) => DataType::Decimal(*precision, *scale),
            Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => DataType::String,
            Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => DataType::Binary,
            Arrow::Date32 | Arrow::Date64 => DataType::Date,
            Arrow::Timestamp(_, Some(_)) => DataType::Timestamp,
            Arrow::Timestamp(_, None) => DataType::TimestampNtz,
            Arrow::Interval(IntervalUnit::MonthDayNano) => DataType::CalendarInterval,
            Arrow::Interval(IntervalUnit::YearMonth) => interval_fields(field, YearMonthField::of)
                .map_or(DataType::YEAR_TO_MONTH, |(from, to)| DataType::YearMonth(from, to)),
            Arrow::Duration(_) => interval_fields(field, DayTimeField::of)
                .map_or(DataType::DAY_TO_SECOND, |(from, to)| DataType::DayTime(from, to)),
            Arrow::List(element) | Arrow::LargeList(element) | Arrow::FixedSizeList(element, _) => {
                DataType::Array(Box::new(DataType::of(element)?), element.is_nullable())
            }
            Arrow::Map(entries, _) => match entries.data_type() {
                Arrow::Struct(fields) if fields.len() == 2 => DataType::Map(
                    Box::new(DataType::of(&fields[0])?),
                    Box::new(DataType::of(&fields[1])?),
                    fields[1].is_nullable(),
                ),
                other => return Err(Error::unknown_type(other)),
            },
            Arrow::Struct(fields) => {
                let field =
                    |field: &Arc<Field>| Ok(StructField::new(field.name(), DataType::of(field)?, field.is_nullable()));
                DataType::Struct(fields.iter().map(field).collect::<Result<_>>()?)
            }
            Arrow::Dictionary(_, value) => DataType::of(&Field::new(field.name(), value.as_ref().clone(), true))?,
            other => return Err(Error::unknown_type(other)),
        })
    }

    /// As in schemas, `struct<a:int>`: Spark's catalog string.
    pub fn catalog(&self) -> String {
        match self {
            DataType::Void => "void".to_owned(),
            DataType::Boolean => "boolean".to_owned(),
            DataType::Byte => "tinyint".to_owned(),
            DataType::Short => "smallint".to_owned(),
            DataType::Int => "int".to_owned(),
            DataType::Long => "bigint".to_owned(),
            DataType::Float => "float".to_owned(),
            DataType::Double => "double".to_owned(),
            DataType::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            DataType::String => "string".to_owned(),
            DataType::Binary => "binary".to_owned(),
            DataType::Date => "date".to_owned(),
            DataType::Timestamp => "timestamp".to_owned(),
            DataType::TimestampNtz => "timestamp_ntz".to_owned(),
            DataType::CalendarInterval => "interval".to_owned(),
            DataType::YearMonth(from, to) if from == to => format!("interval {}", from.name()),
            DataType::YearMonth(from, to) => format!("interval {} to {}", from.name(), to.name()),
            DataType::DayTime(from, to) if from == to => format!("interval {}", from.name()),
            DataType::DayTime(from, to) => format!("interval {} to {}", from.name(), to.name()),
            DataType::Array(element, _) => format!("array<{}>", element.catalog()),
            DataType::Map(key, value, _) => format!("map<{},{}>", key.catalog(), value.catalog()),
            DataType::Struct(fields) => {
                let mut text = "struct<".to_owned();
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    let _ = write!(text, "{comma}{}:{}", field.name, field.data_type.catalog());
                }
                text + ">"
            }
        }
    }

    /// As in casts, `STRUCT<a: INT>`: what Spark's generated names and messages have.
    pub fn sql(&self) -> String {
        match self {
            DataType::Array(element, _) => format!("ARRAY<{}>", element.sql()),
            DataType::Map(key, value, _) => format!("MAP<{}, {}>", key.sql(), value.sql()),
            DataType::Struct(fields) => {
                let field = |field: &StructField| {
                    let not_null = if field.nullable { "" } else { " NOT NULL" };
                    format!("{}: {}{not_null}", field.name, field.data_type.sql())
                };
                format!("STRUCT<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            other => other.catalog().to_uppercase(),
        }
    }

    /// Whether it is a number.
    pub fn is_numeric(&self) -> bool {
        self.is_integral() || matches!(self, DataType::Float | DataType::Double | DataType::Decimal(..))
    }

    /// Whether it is a whole number of a fixed width.
    pub fn is_integral(&self) -> bool {
        matches!(self, DataType::Byte | DataType::Short | DataType::Int | DataType::Long)
    }
}

fn interval_fields<F>(field: &Field, of: fn(&str) -> Option<F>) -> Option<(F, F)> {
    let (from, to) = field.metadata().get(INTERVAL)?.split_once(" to ")?;
    Some((of(from)?, of(to)?))
}
