//! Rows of a result as Hive prints them, which is how Spark's command line and its tests do.

use arrow::record_batch::RecordBatch;

use crate::cast::normal;
use crate::text::{Style, write_value};
use crate::zone::Zone;
use crate::{DataType, Result, Settings};

/// One row, its columns joined by tabs.
///
/// # Errors
/// A column is not of its type, or the session's time zone is none.
pub fn hive_row(batch: &RecordBatch, row: usize, types: &[DataType], settings: &Settings) -> Result<String> {
    let zone = Zone::of(&settings.time_zone)?;
    let mut text = String::new();
    for (at, (column, data_type)) in batch.columns().iter().zip(types).enumerate() {
        if at > 0 {
            text.push('\t');
        }
        let column = normal(&column.slice(row, 1), data_type)?;
        write_value(&mut text, &column, 0, data_type, Style::Hive, zone);
    }
    Ok(text)
}
