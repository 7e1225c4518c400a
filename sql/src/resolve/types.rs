//! Types as they are written to types.

use paceline_functions::{DataType, DayTimeField, Error, Result, Settings, StructField, TimestampType, YearMonthField};
use paceline_syntax::tree::{self, IntervalUnit};

/// The type that is written.
pub(crate) fn data_type(written: &tree::DataType, settings: &Settings) -> Result<DataType> {
    use tree::DataType as Tree;
    Ok(match written {
        Tree::Boolean => DataType::Boolean,
        Tree::TinyInt => DataType::Byte,
        Tree::SmallInt => DataType::Short,
        Tree::Int => DataType::Int,
        Tree::BigInt => DataType::Long,
        Tree::Float => DataType::Float,
        Tree::Double => DataType::Double,
        Tree::Date => DataType::Date,
        Tree::Timestamp if settings.timestamp_type == TimestampType::Ntz => DataType::TimestampNtz,
        Tree::Timestamp | Tree::TimestampLtz => DataType::Timestamp,
        Tree::TimestampNtz => DataType::TimestampNtz,
        Tree::String | Tree::Char(_) | Tree::Varchar(_) => DataType::String,
        Tree::Binary => DataType::Binary,
        Tree::Decimal(precision, scale) => DataType::Decimal(*precision, *scale),
        Tree::Void => DataType::Void,
        Tree::CalendarInterval => DataType::CalendarInterval,
        Tree::YearMonthInterval(from, to) => DataType::YearMonth(year_month(*from)?, year_month(*to)?),
        Tree::DayTimeInterval(from, to) => DataType::DayTime(day_time(*from)?, day_time(*to)?),
        Tree::Array(element) => DataType::Array(Box::new(data_type(element, settings)?), true),
        Tree::Map(key, value) => {
            DataType::Map(Box::new(data_type(key, settings)?), Box::new(data_type(value, settings)?), true)
        }
        Tree::Struct(columns) => DataType::Struct(fields(columns, settings)?),
    })
}

/// Columns or fields that are written.
fn fields(columns: &[tree::ColumnDef], settings: &Settings) -> Result<Vec<StructField>> {
    let field = |column: &tree::ColumnDef| {
        Ok(StructField::new(&column.name.value, data_type(&column.data_type, settings)?, !column.not_null))
    };
    columns.iter().map(field).collect()
}

/// A unit of year-month intervals.
pub(crate) fn year_month(unit: IntervalUnit) -> Result<YearMonthField> {
    match unit {
        IntervalUnit::Year => Ok(YearMonthField::Year),
        IntervalUnit::Month => Ok(YearMonthField::Month),
        other => Err(Error::unsupported(format!("intervals of {other:?}"))),
    }
}

/// A unit of day-time intervals.
pub(crate) fn day_time(unit: IntervalUnit) -> Result<DayTimeField> {
    match unit {
        IntervalUnit::Day => Ok(DayTimeField::Day),
        IntervalUnit::Hour => Ok(DayTimeField::Hour),
        IntervalUnit::Minute => Ok(DayTimeField::Minute),
        IntervalUnit::Second => Ok(DayTimeField::Second),
        other => Err(Error::unsupported(format!("intervals of {other:?}"))),
    }
}
