//! One file of rows.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_avro::writer::{AvroWriter, WriterBuilder};
use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::parquet::arrow::AsyncArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;

use super::columns::{Stored, in_avro, in_orc, in_parquet};
use super::format::{OutputFormat, columns};
use super::lines::LineWriter;
use super::node::Target;
use super::orc::OrcFile;
use super::staged::{Kind, StagedFile};
use super::upload::Upload;
use crate::io::spark_schema;

/// Row groups that are being made, of all partitions together, take about this many bytes, so that memory stays bounded
/// however large the files grow and however many there are.
const ROW_GROUPS_BYTES: usize = 16 * 1024 * 1024;

/// A row group is not closed before it has this size: smaller ones cost more than they spare.
const LEAST_ROW_GROUP_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Rows {
    row_group_bytes: usize,
    writer: Writer,
    rows: u64,
}

enum Writer {
    Parquet(Box<AsyncArrowWriter<Upload>>, Stored),
    Orc(OrcFile, Upload, Stored),
    Avro(Box<AvroWriter<Buffer>>, Buffer, Upload, Stored),
    Lines(Box<LineWriter>, Upload),
}

/// Where writers write that know no uploads.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Rows {
    /// Opens a file of this name in `folder`; as many are written at once as there are `tasks`.
    pub async fn open(target: &Target, folder: &str, name: &str, tasks: usize, schema: SchemaRef) -> Result<Self> {
        let row_group_bytes = (ROW_GROUPS_BYTES / tasks.max(1)).max(LEAST_ROW_GROUP_BYTES);
        let mut upload = Upload::start(&target.folder, folder, name, Kind::Rows).await.map_err(storage)?;
        let writer = match &target.format {
            OutputFormat::Parquet(compression) => {
                let fields = columns(&schema)?;
                let noted = spark_schema::to_json(&fields);
                let stored = Stored::new(fields, in_parquet);
                let properties = WriterProperties::builder()
                    .set_compression(*compression)
                    .set_created_by(concat!("paceline version ", env!("CARGO_PKG_VERSION")).to_owned())
                    .set_key_value_metadata(Some(vec![KeyValue::new(spark_schema::KEY.to_owned(), noted)]))
                    .build();
                // What Arrow notes of types would bring back what was stored, not what it stands for.
                let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
                let writer = AsyncArrowWriter::try_new_with_options(upload, Arc::clone(&stored.schema), options)?;
                Writer::Parquet(Box::new(writer), stored)
            }
            OutputFormat::Orc(codec) => {
                let stored = Stored::new(columns(&schema)?, in_orc);
                let file = OrcFile::new(Arc::clone(&stored.schema), *codec, row_group_bytes);
                Writer::Orc(file, upload, stored)
            }
            OutputFormat::Avro(codec) => {
                let stored = Stored::new(columns(&schema)?, in_avro);
                let plain = stored.schema.as_ref().clone();
                let buffer = Buffer::default();
                let writer = WriterBuilder::new(plain).with_compression(*codec).build(buffer.clone()).map_err(outer)?;
                Writer::Avro(Box::new(writer), buffer, upload, stored)
            }
            OutputFormat::Lines(lines) => {
                let mut lines = LineWriter::new(lines, &schema)?;
                let begin = lines.begin().await?;
                if !begin.is_empty() {
                    upload.write(begin.into()).await.map_err(storage)?;
                }
                Writer::Lines(Box::new(lines), upload)
            }
        };
        Ok(Rows { row_group_bytes, writer, rows: 0 })
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.writer {
            Writer::Parquet(writer, stored) => {
                writer.write(&stored.batch(batch)?).await?;
                if writer.in_progress_size() >= self.row_group_bytes {
                    writer.flush().await?;
                }
            }
            Writer::Orc(file, upload, stored) => {
                let bytes = file.write(stored.batch(batch)?).await?;
                upload.write(bytes).await.map_err(storage)?;
            }
            Writer::Avro(writer, buffer, upload, stored) => {
                if batch.num_rows() > 0 {
                    writer.write(&stored.batch(batch)?).map_err(outer)?;
                }
                upload.write(buffer.take()).await.map_err(storage)?;
            }
            Writer::Lines(lines, upload) => {
                let bytes = lines.write(batch).await?;
                upload.write(bytes.into()).await.map_err(storage)?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    pub async fn finish(self) -> Result<StagedFile> {
        let upload = match self.writer {
            Writer::Parquet(mut writer, _) => {
                writer.finish().await?;
                writer.into_inner()
            }
            Writer::Orc(file, mut upload, _) => {
                upload.write(file.finish().await?).await.map_err(storage)?;
                upload
            }
            Writer::Avro(mut writer, buffer, mut upload, _) => {
                writer.finish().map_err(outer)?;
                upload.write(buffer.take()).await.map_err(storage)?;
                upload
            }
            Writer::Lines(lines, mut upload) => {
                upload.write(lines.finish().await?.into()).await.map_err(storage)?;
                upload
            }
        };
        upload.finish(self.rows).await.map_err(storage)
    }
}

pub(super) fn storage(error: object_store::Error) -> DataFusionError {
    DataFusionError::ObjectStore(Box::new(error))
}

pub(super) fn outer(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
