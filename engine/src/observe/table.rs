//! Rows as a table of text.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::util::display::FormatOptions;
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;

/// The rows under their column names, NULL spelled out.
pub fn format(schema: &SchemaRef, batches: &[RecordBatch]) -> String {
    let options = FormatOptions::default().with_null("NULL");
    // An empty batch in front, so that a result without rows still has its columns.
    let rows: Vec<_> = [RecordBatch::new_empty(schema.clone())].into_iter().chain(batches.iter().cloned()).collect();
    match pretty_format_batches_with_options(&rows, &options) {
        Ok(table) => table.to_string(),
        Err(error) => format!("(the rows cannot be shown: {error})"),
    }
}
