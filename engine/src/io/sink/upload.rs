//! Writes one staged file: to S3 as the parts of an upload that nobody completes yet, locally as a file beside.

use bytes::Bytes;
use datafusion::parquet::arrow::async_writer::AsyncFileWriter;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutPayloadMut};

use super::staged::{Kind, Staged, StagedFile};
use crate::io::job_folder::JobFolder;
use crate::io::stores::Store;

/// Size of the first parts. S3 takes no part under 5 MiB but the last, and at most 10,000 parts, so later ones are larger.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// A file being staged.
pub(super) struct Upload {
    store: Store,
    path: Path,
    kind: Kind,
    way: Way,
    buffer: PutPayloadMut,
    bytes: u64,
}

enum Way {
    Parts { id: String, parts: Vec<PartId> },
    Beside { path: Path, file: Box<dyn MultipartUpload> },
}

impl Upload {
    /// Starts a file within a folder of the destination. On S3 its upload is noted in the job's folder first, so that it can
    /// always be aborted. The name is used once only, whatever the folder.
    pub async fn start(folder: &JobFolder, within: &str, name: &str, kind: Kind) -> object_store::Result<Self> {
        let store = folder.store().clone();
        let path = folder.destination(within, name, kind)?;
        let way = match store.multipart() {
            Some(multipart) => {
                let id = multipart.create_multipart(&path).await?;
                if let Err(error) = folder.note_upload(name, &path, &id).await {
                    multipart.abort_multipart(&path, &id).await.ok();
                    return Err(error);
                }
                Way::Parts { id, parts: Vec::new() }
            }
            None => {
                let beside = folder.staging(name);
                let file = store.objects().put_multipart_opts(&beside, Default::default()).await?;
                Way::Beside { path: beside, file }
            }
        };
        Ok(Upload { store, path, kind, way, buffer: PutPayloadMut::new(), bytes: 0 })
    }

    pub async fn write(&mut self, bytes: Bytes) -> object_store::Result<()> {
        self.bytes += bytes.len() as u64;
        self.buffer.push(bytes);
        if self.buffer.content_length() >= self.part_bytes() {
            self.put_part().await?;
        }
        Ok(())
    }

    /// 10,000 parts hold 268 GiB.
    fn part_bytes(&self) -> usize {
        match &self.way {
            Way::Parts { parts, .. } => PART_BYTES * (1 + parts.len() / 1000),
            Way::Beside { .. } => PART_BYTES,
        }
    }

    /// Sends what is left. The file is complete then, but not visible.
    pub async fn finish(mut self, rows: u64) -> object_store::Result<StagedFile> {
        self.put_part().await?;
        let staged = match self.way {
            Way::Parts { id, parts } => {
                Staged::Upload { id, parts: parts.into_iter().map(|part| part.content_id).collect() }
            }
            Way::Beside { path, mut file } => {
                file.complete().await?;
                Staged::File { path: path.to_string() }
            }
        };
        Ok(StagedFile { path: self.path.to_string(), kind: self.kind, staged, rows, bytes: self.bytes })
    }

    async fn put_part(&mut self) -> object_store::Result<()> {
        let part = PutPayload::from(std::mem::take(&mut self.buffer));
        match &mut self.way {
            Way::Parts { id, parts } => {
                // An empty file is one empty part.
                if part.content_length() > 0 || parts.is_empty() {
                    let multipart: &dyn MultipartStore =
                        self.store.multipart().ok_or(object_store::Error::NotImplemented {
                            operation: "multipart upload".to_owned(),
                            implementer: self.store.objects().to_string(),
                        })?;
                    parts.push(multipart.put_part(&self.path, id, parts.len(), part).await?);
                }
            }
            Way::Beside { file, .. } => file.put_part(part).await?,
        }
        Ok(())
    }
}

impl AsyncFileWriter for Upload {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, ParquetResult<()>> {
        async move { Upload::write(self, bytes).await.map_err(|error| ParquetError::External(Box::new(error))) }.boxed()
    }

    /// Nothing: [`Upload::finish`] does it and returns what was staged.
    fn complete(&mut self) -> BoxFuture<'_, ParquetResult<()>> {
        async { Ok(()) }.boxed()
    }
}
