//! Rows as an ORC file. The writer may not change threads, so it has one of its own.

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use orc_rust::ArrowWriterBuilder;
use orc_rust::compression::CompressionType;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::rows::{Buffer, outer};

/// A file that is being written.
pub(super) struct OrcFile {
    batches: Sender<RecordBatch>,
    writing: JoinHandle<Result<()>>,
    written: Buffer,
}

impl OrcFile {
    /// Of these columns, with stripes of about so many bytes.
    pub fn new(schema: SchemaRef, codec: Option<CompressionType>, stripe_bytes: usize) -> Self {
        let (batches, coming) = channel(1);
        let written = Buffer::default();
        let to = written.clone();
        let writing = tokio::task::spawn_blocking(move || write(schema, codec, stripe_bytes, coming, to));
        OrcFile { batches, writing, written }
    }

    /// Takes a batch; returns what there is for the file.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<Bytes> {
        if self.batches.send(batch).await.is_err() {
            ended(&mut self.writing).await?;
            return Err(exec_datafusion_err!("the ORC writer has ended"));
        }
        Ok(self.written.take())
    }

    /// What is left for the file.
    pub async fn finish(self) -> Result<Bytes> {
        let OrcFile { batches, mut writing, written } = self;
        drop(batches);
        ended(&mut writing).await?;
        Ok(written.take())
    }
}

async fn ended(writing: &mut JoinHandle<Result<()>>) -> Result<()> {
    writing.await.map_err(|error| DataFusionError::External(Box::new(error)))?
}

fn write(
    schema: SchemaRef,
    codec: Option<CompressionType>,
    stripe_bytes: usize,
    mut coming: Receiver<RecordBatch>,
    to: Buffer,
) -> Result<()> {
    let mut builder = ArrowWriterBuilder::new(to, schema).with_stripe_byte_size(stripe_bytes);
    if let Some(codec) = codec {
        builder = builder.with_compression(codec);
    }
    let mut writer = builder.try_build().map_err(outer)?;
    while let Some(batch) = coming.blocking_recv() {
        writer.write(&batch).map_err(outer)?;
    }
    writer.close().map_err(outer)
}
