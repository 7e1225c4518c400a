//! Rows as the lines of a text file.

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use paceline_functions::StructField;
use paceline_functions::records::TextWriter;

use super::codec::Encoder;
use super::columns::as_spark_has_them;
use super::format::{Form, Lines, columns};

/// The lines of one file.
pub(super) struct LineWriter {
    lines: Lines,
    fields: Vec<StructField>,
    values: TextWriter,
    encoder: Encoder,
}

impl LineWriter {
    /// Lines of such rows.
    pub fn new(lines: &Lines, schema: &Schema) -> Result<Self> {
        let (fields, values) = (columns(schema)?, lines.values()?);
        Ok(LineWriter { lines: lines.clone(), fields, values, encoder: Encoder::new(lines.codec) })
    }

    /// What the file begins with: the names of the columns, where they are wanted.
    pub async fn begin(&mut self) -> Result<Vec<u8>> {
        let Form::Csv(form) = &self.lines.form else { return Ok(Vec::new()) };
        if !form.header {
            return Ok(Vec::new());
        }
        let mut line = String::new();
        self.fields.iter().enumerate().for_each(|(at, field)| form.push(&mut line, at, Some(&field.name)));
        line.push_str(&self.lines.end);
        self.encoder.write(line.into_bytes()).await
    }

    /// What goes to the file for a batch.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let text = self.text(&as_spark_has_them(batch, &self.fields)?, batch.num_rows())?;
        self.encoder.write(text.into_bytes()).await
    }

    pub async fn finish(self) -> Result<Vec<u8>> {
        self.encoder.finish().await
    }

    fn text(&self, arrays: &[ArrayRef], rows: usize) -> Result<String> {
        let mut text = String::new();
        for row in 0..rows {
            match &self.lines.form {
                Form::Json => self.values.json(arrays, &self.fields, row, &mut text)?,
                Form::Csv(form) => {
                    for (at, (field, array)) in self.fields.iter().zip(arrays).enumerate() {
                        let value = self.values.plain(array, row, &field.data_type)?;
                        form.push(&mut text, at, value.as_deref());
                    }
                }
                Form::Text => {
                    for (field, array) in self.fields.iter().zip(arrays) {
                        text.push_str(&self.values.plain(array, row, &field.data_type)?.unwrap_or_default());
                    }
                }
            }
            text.push_str(&self.lines.end);
        }
        Ok(text)
    }
}
