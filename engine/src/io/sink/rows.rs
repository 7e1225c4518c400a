//! One file of rows.

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::parquet::arrow::AsyncArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;

use super::format::{OutputFormat, csv, csv_header, json};
use super::node::Target;
use super::staged::{Kind, StagedFile};
use super::upload::Upload;

/// Row groups that are being made, of all partitions together, take about this many bytes, so that memory stays bounded
/// however large the files grow and however many there are.
const ROW_GROUPS_BYTES: usize = 16 * 1024 * 1024;

/// A row group is not closed before it has this size: smaller ones cost more than they spare.
const LEAST_ROW_GROUP_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Rows<'a> {
    target: &'a Target,
    row_group_bytes: usize,
    writer: Writer,
    rows: u64,
}

enum Writer {
    Parquet(Box<AsyncArrowWriter<Upload>>),
    Text(Upload),
}

impl<'a> Rows<'a> {
    /// Opens a file of this name in `folder`; as many are written at once as there are `tasks`.
    pub async fn open(target: &'a Target, folder: &str, name: &str, tasks: usize, schema: SchemaRef) -> Result<Self> {
        let row_group_bytes = (ROW_GROUPS_BYTES / tasks.max(1)).max(LEAST_ROW_GROUP_BYTES);
        let mut upload = Upload::start(&target.folder, folder, name, Kind::Rows).await.map_err(storage)?;
        let writer = match &target.format {
            OutputFormat::Parquet(compression) => {
                let properties = WriterProperties::builder()
                    .set_compression(*compression)
                    .set_created_by(concat!("paceline version ", env!("CARGO_PKG_VERSION")).to_owned())
                    .build();
                Writer::Parquet(Box::new(AsyncArrowWriter::try_new(upload, schema, Some(properties))?))
            }
            OutputFormat::Csv { header: true, separator } => {
                let header: Bytes = csv_header(&schema, *separator).into();
                upload.write(header).await.map_err(storage)?;
                Writer::Text(upload)
            }
            OutputFormat::Csv { .. } | OutputFormat::Json => Writer::Text(upload),
        };
        Ok(Rows { target, row_group_bytes, writer, rows: 0 })
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match (&mut self.writer, &self.target.format) {
            (Writer::Parquet(writer), _) => {
                writer.write(batch).await?;
                if writer.in_progress_size() >= self.row_group_bytes {
                    writer.flush().await?;
                }
            }
            (Writer::Text(upload), OutputFormat::Csv { separator, .. }) => {
                upload.write(csv(batch, *separator)?.into()).await.map_err(storage)?;
            }
            (Writer::Text(upload), _) => upload.write(json(batch)?.into()).await.map_err(storage)?,
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    pub async fn finish(self) -> Result<StagedFile> {
        let upload = match self.writer {
            Writer::Parquet(mut writer) => {
                writer.finish().await?;
                writer.into_inner()
            }
            Writer::Text(upload) => upload,
        };
        upload.finish(self.rows).await.map_err(storage)
    }
}

pub(super) fn storage(error: object_store::Error) -> DataFusionError {
    DataFusionError::ObjectStore(Box::new(error))
}
