//! Rows as text.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::error::DataFusionError;
use paceline_functions::{DataType, hive_row};
use serde_json::json;

use super::table;
use crate::{EngineError, Outcome, Session};

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// With a header.
    Csv,
    /// An object a line.
    Json,
}

/// The rows in a format.
///
/// # Errors
/// The format has no text for a type.
pub fn shown(format: Format, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String, EngineError> {
    let arrow = DataFusionError::from;
    Ok(match format {
        Format::Table => table::format(schema, batches) + "\n",
        Format::Csv => {
            let mut bytes = Vec::new();
            let mut writer = WriterBuilder::new().with_header(true).build(&mut bytes);
            let first = RecordBatch::new_empty(schema.clone());
            for batch in std::iter::once(&first).chain(batches) {
                writer.write(batch).map_err(arrow)?;
            }
            drop(writer);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Format::Json => {
            let mut bytes = Vec::new();
            let mut writer = LineDelimitedWriter::new(&mut bytes);
            for batch in batches {
                writer.write(batch).map_err(arrow)?;
            }
            writer.finish().map_err(arrow)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    })
}

/// What a statement led to, as one JSON object: Spark's schema and rows as Spark prints them, or the error.
pub fn answer(outcome: &Result<Outcome, EngineError>, session: &Session) -> String {
    let answer = match outcome {
        Ok(Outcome::Rows { schema, batches }) => with_rows(schema, batches, session),
        Ok(_) => Ok(json!({ "schema": "struct<>", "rows": [] })),
        Err(error) => {
            let (class, message) = error.class_and_message();
            Ok(json!({ "error": { "class": class, "message": message } }))
        }
    };
    let answer: Result<_, paceline_functions::Error> = answer;
    let failed =
        |error: paceline_functions::Error| json!({ "error": { "class": error.class, "message": error.message } });
    answer.unwrap_or_else(failed).to_string()
}

fn with_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    session: &Session,
) -> Result<serde_json::Value, paceline_functions::Error> {
    let types = schema.fields().iter().map(|field| DataType::of(field)).collect::<Result<Vec<_>, _>>()?;
    let columns: Vec<_> =
        schema.fields().iter().zip(&types).map(|(field, it)| format!("{}:{}", field.name(), it.catalog())).collect();
    Ok(json!({ "schema": format!("struct<{}>", columns.join(",")), "rows": hive(batches, &types, session)? }))
}

/// Each row as Spark prints it, its columns between tabs.
fn hive(
    batches: &[RecordBatch],
    types: &[DataType],
    session: &Session,
) -> Result<Vec<String>, paceline_functions::Error> {
    let settings = session.expression_settings();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(hive_row(batch, row, types, &settings)?);
        }
    }
    Ok(rows)
}
