//! Values of every type as text, in the two ways that Spark has: that of casts, and that of Hive's result rows.

mod digits;
mod instants;
mod intervals;
mod numbers;

pub(crate) use instants::{Years, date_text, timestamp_text};
pub(crate) use intervals::{calendar_text, interval_text};
pub(crate) use numbers::{decimal_java, decimal_plain, java_digits, java_double, java_float};

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, TimestampMicrosecondType,
};

use crate::zone::Zone;
use crate::{DataType, Result};

/// Which of the ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Style {
    /// A cast to STRING; decimals may have an exponent where ANSI mode is off.
    Cast {
        /// Decimals never have an exponent.
        plain: bool,
    },
    /// A column of a result row.
    Hive,
    /// A part of a nested value of a result row.
    HiveNested,
}

impl Style {
    /// A cast's.
    pub(crate) fn cast(plain: bool) -> Style {
        Style::Cast { plain }
    }

    fn nested(self) -> Style {
        match self {
            Style::Cast { .. } => self,
            Style::Hive | Style::HiveNested => Style::HiveNested,
        }
    }
}

/// A column of values as strings; NULL stays NULL.
pub(crate) fn strings_of(array: &ArrayRef, data_type: &DataType, style: Style, zone: Zone) -> Result<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
        } else {
            write_value(&mut builder, array, row, data_type, style, zone);
            builder.append_value("");
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// One value, which may be NULL; the array is in the form that its type has here (`DataType::to_arrow`).
pub(crate) fn write_value(
    out: &mut impl Write,
    array: &dyn Array,
    row: usize,
    data_type: &DataType,
    style: Style,
    zone: Zone,
) {
    // Writing to memory does not fail.
    let _ = try_write(out, array, row, data_type, style, zone);
}

fn try_write(
    out: &mut impl Write,
    array: &dyn Array,
    row: usize,
    data_type: &DataType,
    style: Style,
    zone: Zone,
) -> std::fmt::Result {
    if array.is_null(row) || *data_type == DataType::Void {
        return out.write_str(if style == Style::Hive { "NULL" } else { "null" });
    }
    let hive = !matches!(style, Style::Cast { .. });
    let years = if hive { Years::OfEra } else { Years::Signed };
    match data_type {
        DataType::Void => Ok(()),
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row)),
        DataType::Byte => write!(out, "{}", array.as_primitive::<Int8Type>().value(row)),
        DataType::Short => write!(out, "{}", array.as_primitive::<Int16Type>().value(row)),
        DataType::Int => write!(out, "{}", array.as_primitive::<Int32Type>().value(row)),
        DataType::Long => write!(out, "{}", array.as_primitive::<Int64Type>().value(row)),
        DataType::Float => out.write_str(&java_float(array.as_primitive::<Float32Type>().value(row))),
        DataType::Double => out.write_str(&java_double(array.as_primitive::<Float64Type>().value(row))),
        DataType::Decimal(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            if style == Style::cast(false) {
                out.write_str(&numbers::decimal_java(value, *scale))
            } else {
                out.write_str(&decimal_plain(value, *scale))
            }
        }
        DataType::String => {
            let text = array.as_string::<i32>().value(row);
            if style == Style::HiveNested { write!(out, "\"{text}\"") } else { out.write_str(text) }
        }
        DataType::Binary => out.write_str(&String::from_utf8_lossy(array.as_binary::<i32>().value(row))),
        DataType::Date => out.write_str(&date_text(i64::from(array.as_primitive::<Date32Type>().value(row)), years)),
        DataType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            out.write_str(&timestamp_text(zone.local(micros), years))
        }
        DataType::TimestampNtz => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            out.write_str(&timestamp_text(micros, Years::Signed))
        }
        DataType::CalendarInterval => {
            out.write_str(&calendar_text(array.as_primitive::<IntervalMonthDayNanoType>().value(row)))
        }
        DataType::YearMonth(..) => {
            let months = i64::from(array.as_primitive::<IntervalYearMonthType>().value(row));
            out.write_str(&interval_text(months, data_type, style).unwrap_or_default())
        }
        DataType::DayTime(..) => {
            let micros = array.as_primitive::<DurationMicrosecondType>().value(row);
            out.write_str(&interval_text(micros, data_type, style).unwrap_or_default())
        }
        DataType::Array(element, _) => {
            let values = array.as_list::<i32>().value(row);
            out.write_char('[')?;
            for at in 0..values.len() {
                out.write_str(separator(at, hive))?;
                try_write(out, &values, at, element, style.nested(), zone)?;
            }
            out.write_char(']')
        }
        DataType::Map(key, value, _) => {
            let entries = array.as_map().value(row);
            out.write_char('{')?;
            for at in 0..entries.len() {
                out.write_str(separator(at, hive))?;
                try_write(out, entries.column(0), at, key, style.nested(), zone)?;
                out.write_str(if hive { ":" } else { " -> " })?;
                try_write(out, entries.column(1), at, value, style.nested(), zone)?;
            }
            out.write_char('}')
        }
        DataType::Struct(fields) => {
            let structs = array.as_struct();
            out.write_char('{')?;
            for (at, field) in fields.iter().enumerate() {
                out.write_str(separator(at, hive))?;
                if hive {
                    write!(out, "\"{}\":", field.name)?;
                }
                try_write(out, structs.column(at), row, &field.data_type, style.nested(), zone)?;
            }
            out.write_char('}')
        }
    }
}

fn separator(at: usize, hive: bool) -> &'static str {
    match (at, hive) {
        (0, _) => "",
        (_, true) => ",",
        (_, false) => ", ",
    }
}
