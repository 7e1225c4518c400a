//! The file of rows of one task, opened when the first batch comes.

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
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
    name: String,
    row_group_bytes: usize,
    open: Option<(Writer, u64)>,
}

enum Writer {
    Parquet(Box<AsyncArrowWriter<Upload>>),
    Text(Upload),
}

impl<'a> Rows<'a> {
    /// The file that will be called `name`; as many are written at once as there are `partitions`.
    pub fn new(target: &'a Target, name: String, partitions: usize) -> Self {
        let row_group_bytes = (ROW_GROUPS_BYTES / partitions.max(1)).max(LEAST_ROW_GROUP_BYTES);
        Rows { target, name, row_group_bytes, open: None }
    }

    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (writer, rows) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert((open(self.target, &self.name, batch).await?, 0)),
        };
        match (writer, &self.target.format) {
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
        *rows += batch.num_rows() as u64;
        Ok(())
    }

    pub async fn finish(self) -> Result<Option<StagedFile>> {
        let Some((writer, rows)) = self.open else { return Ok(None) };
        let upload = match writer {
            Writer::Parquet(mut writer) => {
                writer.finish().await?;
                writer.into_inner()
            }
            Writer::Text(upload) => upload,
        };
        upload.finish(rows).await.map_err(storage).map(Some)
    }
}

async fn open(target: &Target, name: &str, first: &RecordBatch) -> Result<Writer> {
    let mut upload = Upload::start(&target.folder, name, Kind::Rows).await.map_err(storage)?;
    match &target.format {
        OutputFormat::Parquet(compression) => {
            let properties = WriterProperties::builder()
                .set_compression(*compression)
                .set_created_by(concat!("paceline version ", env!("CARGO_PKG_VERSION")).to_owned())
                .build();
            Ok(Writer::Parquet(Box::new(AsyncArrowWriter::try_new(upload, first.schema(), Some(properties))?)))
        }
        OutputFormat::Csv { header: true, separator } => {
            let header: Bytes = csv_header(&first.schema(), *separator).into();
            upload.write(header).await.map_err(storage)?;
            Ok(Writer::Text(upload))
        }
        OutputFormat::Csv { .. } | OutputFormat::Json => Ok(Writer::Text(upload)),
    }
}

pub(super) fn storage(error: object_store::Error) -> DataFusionError {
    DataFusionError::ObjectStore(Box::new(error))
}
