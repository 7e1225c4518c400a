//! Values as JSON.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};

use super::options::Options;
use super::text::quote;
use crate::columns::{Carrier, carried};
use crate::error::{Error, Result};
use crate::groups::datetime::write::Writer;
use crate::groups::string::base64_in_lines;
use crate::intervals::{CalendarInterval, Style, day_time_text, year_month_text};
use crate::text::{decimal_java, java_double, java_float};
use crate::{DataType, Settings};

/// How dates and times are written, and whether NULLs are.
pub(crate) struct Form {
    pub(crate) date: Writer,
    pub(crate) timestamp: Writer,
    pub(crate) timestamp_ntz: Writer,
    skips_null: bool,
}

impl Form {
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Form> {
        let zone = options.zone(settings)?;
        let pattern = |key: &str, default: &'static str| options.get(key).unwrap_or(default).to_owned();
        Ok(Form {
            date: Writer::new(&pattern("dateformat", "yyyy-MM-dd"), None)?,
            timestamp: Writer::new(&pattern("timestampformat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"), Some(zone))?,
            timestamp_ntz: Writer::new(&pattern("timestampntzformat", "yyyy-MM-dd'T'HH:mm:ss.SSS"), None)?,
            skips_null: options.is_true("ignorenullfields", true),
        })
    }

    /// Whether fields that are NULL are left out.
    pub(crate) fn skips_null(&self) -> bool {
        self.skips_null
    }

    /// A value that has no parts, as plain text; `None` for one that has, or is NULL.
    pub(crate) fn plain(&self, array: &ArrayRef, row: usize, data_type: &DataType) -> Result<Option<String>> {
        if row >= array.len() || array.is_null(row) || *data_type == DataType::Void {
            return Ok(None);
        }
        Ok(Some(match data_type {
            DataType::Boolean => array.as_boolean().value(row).to_string(),
            DataType::Byte => array.as_primitive::<Int8Type>().value(row).to_string(),
            DataType::Short => array.as_primitive::<Int16Type>().value(row).to_string(),
            DataType::Int => array.as_primitive::<Int32Type>().value(row).to_string(),
            DataType::Long => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float => java_float(array.as_primitive::<Float32Type>().value(row)),
            DataType::Double => java_double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal(_, scale) => decimal_java(array.as_primitive::<Decimal128Type>().value(row), *scale),
            DataType::String => array.as_string::<i32>().value(row).to_owned(),
            DataType::Binary => base64_in_lines(array.as_binary::<i32>().value(row)),
            DataType::Date => self.date.write(i64::from(int(array, row)?).saturating_mul(crate::civil::DAY))?,
            DataType::Timestamp => self.timestamp.write(long(array, row)?)?,
            DataType::TimestampNtz => self.timestamp_ntz.write(long(array, row)?)?,
            DataType::YearMonth(from, to) => year_month_text(int(array, row)?, Style::Ansi, *from, *to),
            DataType::DayTime(from, to) => day_time_text(long(array, row)?, Style::Ansi, *from, *to),
            DataType::CalendarInterval => {
                let value = array.as_primitive::<arrow::datatypes::IntervalMonthDayNanoType>().value(row);
                CalendarInterval::of_arrow(value).to_string()
            }
            DataType::Void | DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) => return Ok(None),
        }))
    }

    /// A value as JSON.
    pub(crate) fn write(&self, array: &ArrayRef, row: usize, data_type: &DataType, to: &mut String) -> Result<()> {
        if row >= array.len() || array.is_null(row) || *data_type == DataType::Void {
            to.push_str("null");
            return Ok(());
        }
        match data_type {
            DataType::Boolean
            | DataType::Byte
            | DataType::Short
            | DataType::Int
            | DataType::Long
            | DataType::Decimal(..) => {
                to.push_str(&self.plain(array, row, data_type)?.unwrap_or_default());
            }
            DataType::Float | DataType::Double => {
                let text = self.plain(array, row, data_type)?.unwrap_or_default();
                if text.ends_with(|c: char| c.is_ascii_digit()) { to.push_str(&text) } else { quote(&text, to) }
            }
            DataType::Array(element, _) => {
                let items = array.as_list::<i32>().value(row);
                to.push('[');
                for at in 0..items.len() {
                    if at > 0 {
                        to.push(',');
                    }
                    self.write(&items, at, element, to)?;
                }
                to.push(']');
            }
            DataType::Map(key, value, _) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                to.push('{');
                for at in 0..entries.len() {
                    if at > 0 {
                        to.push(',');
                    }
                    quote(&self.key(keys, at, key)?, to);
                    to.push(':');
                    self.write(values, at, value, to)?;
                }
                to.push('}');
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct();
                to.push('{');
                let mut first = true;
                for (field, column) in fields.iter().zip(columns.columns()) {
                    if self.skips_null && (column.is_null(row) || field.data_type == DataType::Void) {
                        continue;
                    }
                    if !std::mem::take(&mut first) {
                        to.push(',');
                    }
                    quote(&field.name, to);
                    to.push(':');
                    self.write(column, row, &field.data_type, to)?;
                }
                to.push('}');
            }
            _ => quote(&self.plain(array, row, data_type)?.unwrap_or_default(), to),
        }
        Ok(())
    }

    /// A key of a map; one that is a struct is written as Spark prints its row.
    fn key(&self, keys: &ArrayRef, at: usize, data_type: &DataType) -> Result<String> {
        match data_type {
            DataType::Struct(fields) => {
                let parts = fields.iter().zip(keys.as_struct().columns());
                let parts = parts.map(|(field, column)| {
                    Ok(self.plain(column, at, &field.data_type)?.unwrap_or_else(|| "null".to_owned()))
                });
                Ok(format!("[{}]", parts.collect::<Result<Vec<_>>>()?.join(",")))
            }
            DataType::Date
            | DataType::Timestamp
            | DataType::TimestampNtz
            | DataType::Array(..)
            | DataType::Map(..)
            | DataType::Binary => {
                Err(Error::unsupported(format!("maps with keys that are {} in to_json", data_type.sql())))
            }
            _ => Ok(self.plain(keys, at, data_type)?.unwrap_or_else(|| "null".to_owned())),
        }
    }
}

fn int(array: &ArrayRef, row: usize) -> Result<i32> {
    let array = carried(array.slice(row, 1), &<arrow::array::Int32Array as Carrier>::TYPE)?;
    Ok(array.as_primitive::<Int32Type>().value(0))
}

fn long(array: &ArrayRef, row: usize) -> Result<i64> {
    let array = carried(array.slice(row, 1), &<arrow::array::Int64Array as Carrier>::TYPE)?;
    Ok(array.as_primitive::<Int64Type>().value(0))
}
