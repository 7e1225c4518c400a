//! The dead letters of one task: taken from the calls below with every batch, before anything waits for the batch's rows.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::rows::storage;
use super::staged::{Kind, StagedFile};
use super::upload::Upload;
use crate::api_call::Outbox;
use crate::io::job_folder::JobFolder;

/// The file of dead letters, opened when the first one comes.
pub(super) struct Letters {
    folder: JobFolder,
    name: String,
    outboxes: Vec<Arc<Outbox>>,
    open: Option<(Upload, u64)>,
}

impl Letters {
    /// Those that a task, by its number, finds in these outboxes.
    pub fn new(folder: JobFolder, task: usize, outboxes: Vec<Arc<Outbox>>) -> Self {
        // An id of its own: rows as JSON end like dead letters, and both are staged in one folder.
        let name = format!("part-{task:05}-{}-c000.json", Uuid::new_v4());
        Letters { folder, name, outboxes, open: None }
    }

    async fn take(&mut self) -> Result<()> {
        for letter in self.outboxes.iter().flat_map(|outbox| outbox.take()).collect::<Vec<_>>() {
            let (upload, rows) = match &mut self.open {
                Some(open) => open,
                closed => {
                    let upload = Upload::start(&self.folder, "", &self.name, Kind::DeadLetters).await;
                    closed.insert((upload.map_err(storage)?, 0))
                }
            };
            upload.write(Bytes::from(format!("{letter}\n"))).await.map_err(storage)?;
            *rows += 1;
        }
        Ok(())
    }

    /// Takes what came last, and ends the file.
    pub async fn finish(&mut self) -> Result<Option<StagedFile>> {
        self.take().await?;
        match self.open.take() {
            Some((upload, rows)) => upload.finish(rows).await.map_err(storage).map(Some),
            None => Ok(None),
        }
    }
}

/// The rows as they come, whose letters are written before each batch.
pub(super) fn taking_letters(
    input: SendableRecordBatchStream,
    letters: Arc<Mutex<Letters>>,
) -> SendableRecordBatchStream {
    let schema = input.schema();
    let rows = input.then(move |batch| {
        let letters = Arc::clone(&letters);
        async move {
            let batch = batch?;
            letters.lock().await.take().await?;
            Ok(batch)
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}
