//! The options of a CSV view, as in Spark's `DataFrameReader.csv`.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::execution::session_state::SessionState;

use super::Options;
use crate::EngineError;

/// Their names.
pub(super) const OPTIONS: &[&str] =
    &["path", "header", "inferSchema", "sep", "delimiter", "quote", "escape", "multiLine"];

/// How a CSV file is read.
#[derive(Debug)]
pub(super) struct CsvOptions {
    header: bool,
    infer_schema: bool,
    separator: u8,
    quote: u8,
    escape: u8,
    multi_line: bool,
}

impl CsvOptions {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        let separator = if options.get("sep").is_some() { "sep" } else { "delimiter" };
        Ok(CsvOptions {
            header: options.flag("header")?,
            infer_schema: options.flag("inferSchema")?,
            separator: options.character(separator, b',')?,
            quote: options.character("quote", b'"')?,
            escape: options.character("escape", b'\\')?,
            multi_line: options.flag("multiLine")?,
        })
    }

    pub fn format(&self, state: &SessionState, compression: FileCompressionType) -> CsvFormat {
        CsvFormat::default()
            .with_options(state.default_table_options().csv)
            .with_file_compression_type(compression)
            .with_has_header(self.header)
            .with_delimiter(self.separator)
            .with_quote(self.quote)
            .with_escape(Some(self.escape))
            .with_newlines_in_values(self.multi_line)
            .with_schema_infer_max_rec(if self.infer_schema { usize::MAX } else { 1 }) // for names one line is enough
    }

    /// The column that an inferred one stands for: names from the header, or `_c0`, `_c1`, …
    pub fn field(&self, at: usize, inferred: &Field) -> Field {
        let name = if self.header { inferred.name().clone() } else { format!("_c{at}") };
        let known = self.infer_schema && !inferred.data_type().is_null();
        Field::new(name, if known { inferred.data_type().clone() } else { DataType::Utf8 }, true)
    }
}
