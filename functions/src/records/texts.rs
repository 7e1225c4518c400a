//! Values as texts: dates and times in, values of every type out.

use arrow::array::ArrayRef;

use super::unchanged;
use crate::error::Result;
use crate::groups::json::options::Options;
use crate::groups::json::read::{self, How};
use crate::groups::json::text::quote;
use crate::groups::json::write::Form;
use crate::{DataType, Settings, StructField};

/// Reads dates and times: `dateFormat`, `timestampFormat`, `timestampNTZFormat`, `timeZone`.
pub struct Times(How);

impl Times {
    /// # Errors
    /// Spark refuses a pattern, or there is no such time zone.
    pub fn new(options: &[(String, String)], settings: &Settings) -> Result<Times> {
        Ok(Times(Options::given(options).how(settings)?))
    }

    /// Days since 1970.
    pub fn date(&self, text: &str) -> Option<i32> {
        read::date(text, &self.0)
    }

    /// Microseconds since 1970.
    pub fn timestamp(&self, text: &str) -> Option<i64> {
        read::timestamp(text, &self.0)
    }

    /// Microseconds since 1970, without a zone.
    pub fn timestamp_ntz(&self, text: &str) -> Option<i64> {
        read::timestamp_ntz(text, &self.0)
    }

    /// Whether dates have a pattern.
    pub fn has_date_format(&self) -> bool {
        self.0.date.is_some()
    }

    /// Whether timestamps with a zone, or else those without one, have a pattern.
    pub fn has_timestamp_format(&self) -> bool {
        self.0.timestamp.is_some()
    }

    /// # Errors
    /// A text was read that Java's older parser would have taken: what Spark says then.
    pub fn check(&self) -> Result<()> {
        unchanged(&self.0)
    }
}

impl std::fmt::Debug for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Times")
    }
}

/// Writes values as texts: the formats as [`Times`], and `ignoreNullFields`.
pub struct TextWriter(Form);

impl TextWriter {
    /// # Errors
    /// Spark refuses a pattern, or there is no such time zone.
    pub fn new(options: &[(String, String)], settings: &Settings) -> Result<TextWriter> {
        Ok(TextWriter(Form::new(&Options::given(options), settings)?))
    }

    /// A value of no parts; nothing for NULL.
    ///
    /// # Errors
    /// A pattern has no text for the value.
    pub fn plain(&self, array: &ArrayRef, row: usize, data_type: &DataType) -> Result<Option<String>> {
        self.0.plain(array, row, data_type)
    }

    /// A row as a JSON object.
    ///
    /// # Errors
    /// A value cannot be written.
    pub fn json(&self, columns: &[ArrayRef], fields: &[StructField], row: usize, to: &mut String) -> Result<()> {
        to.push('{');
        let mut first = true;
        for (field, column) in fields.iter().zip(columns) {
            let is_null = row >= column.len() || column.is_null(row) || field.data_type == DataType::Void;
            if is_null && self.0.skips_null() {
                continue;
            }
            if !std::mem::take(&mut first) {
                to.push(',');
            }
            quote(&field.name, to);
            to.push(':');
            self.0.write(column, row, &field.data_type, to)?;
        }
        to.push('}');
        Ok(())
    }
}

impl std::fmt::Debug for TextWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextWriter")
    }
}
