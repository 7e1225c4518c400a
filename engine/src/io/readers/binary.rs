//! Whole files as rows: their path, time, length and bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::StreamExt;

use super::Options;
use super::lines::whole;
use super::own::{Batches, FileReader, Listed, Part};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &[];

/// Files of any kind.
#[derive(Debug)]
pub(super) struct BinaryFiles {
    given: Vec<(String, String)>,
}

impl BinaryFiles {
    pub fn new(options: &Options<'_>) -> Self {
        BinaryFiles { given: options.given.to_vec() }
    }

    pub fn schema() -> Schema {
        Schema::new(vec![
            Field::new("path", DataType::Utf8, true),
            Field::new("modificationTime", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
            Field::new("length", DataType::Int64, true),
            Field::new("content", DataType::Binary, true),
        ])
    }

    pub fn check(declared: &Schema) -> Result<(), EngineError> {
        let known = BinaryFiles::schema();
        let is_known = |field: &Arc<Field>| {
            known.field_with_name(field.name()).is_ok_and(|known| known.data_type() == field.data_type())
        };
        match declared.fields().iter().find(|field| !is_known(field)) {
            None => Ok(()),
            Some(field) => Err(EngineError::Setting(format!(
                "binaryFile has the columns path STRING, modificationTime TIMESTAMP, length BIGINT and content BINARY, not \
                 '{}' of the type {}",
                field.name(),
                paceline_sql::type_name(field.data_type())
            ))),
        }
    }
}

#[async_trait]
impl FileReader for BinaryFiles {
    fn format(&self) -> &'static str {
        "binaryFile"
    }

    fn given(&self) -> &[(String, String)] {
        &self.given
    }

    fn reads_parts(&self) -> bool {
        false
    }

    async fn columns(&self, _: &Listed<'_>) -> Result<SchemaRef> {
        Ok(Arc::new(BinaryFiles::schema()))
    }

    async fn rows(&self, part: Part) -> Result<Batches> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for field in part.columns.fields() {
            columns.push(match field.name().as_str() {
                // As Hadoop writes a local path.
                "path" => Arc::new(StringArray::from(vec![part.url.replacen("file:///", "file:/", 1)])),
                "modificationTime" => {
                    let micros = part.file.last_modified.timestamp_millis().saturating_mul(1000);
                    Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
                }
                "length" => Arc::new(Int64Array::from(vec![i64::try_from(part.file.size).unwrap_or(i64::MAX)])),
                "content" => {
                    let bytes = whole(&part.store, &part.file, FileCompressionType::UNCOMPRESSED).await?;
                    Arc::new(BinaryArray::from(vec![bytes.as_slice()]))
                }
                other => return exec_err!("binaryFile has no column '{other}'"),
            });
        }
        Ok(futures::stream::iter([part.batch(columns, 1)]).boxed())
    }
}
