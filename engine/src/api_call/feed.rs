//! The feeder of the operator `ApiCall`: reads the input, sends its rows, and keeps what waits for its turn within bounds
//! of batches and bytes.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, UInt64Array};
use datafusion::arrow::compute::take_arrays;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::StreamExt;
use paceline_udfs::Caller;
use paceline_udfs::batch::{self, BatchError, Sent};
use paceline_udfs::key::Lane;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::exec::Asked;
use super::run::Run;

/// Batches of a partition that wait for their turn in order, beside the one being sent and the one being read.
const BATCHES_BEHIND: usize = 4;

/// Bytes of rows that are sent and wait for their turn, in KiB. Each partition has its own share: one share for all could be
/// held by rows that nobody takes before those of another partition.
const ROOM_KIB: usize = 64 * 1024;

/// A larger batch is cut into pieces of about this size; no share is smaller.
const PIECE_BYTES: usize = 8 * 1024 * 1024;

/// What one partition needs to send its rows.
pub(super) struct Feed {
    asked: Asked,
    caller: Arc<Caller>,
    /// Its number in the whole plan.
    partition: usize,
    run: Option<Arc<Run>>,
    schema: SchemaRef,
    room: Arc<Semaphore>,
    room_kib: usize,
    memory: MemoryReservation,
}

/// A batch whose requests are on their way.
pub(super) struct Fed {
    pub batch: RecordBatch,
    pub sent: Sent,
    /// The rows that were called, where not all were.
    pub called: Option<Vec<usize>>,
    /// Held until the rows have left the operator.
    pub room: Room,
}

/// The bytes that a batch takes, out of the bound and out of DataFusion's memory pool.
pub(super) struct Room {
    _share: Option<OwnedSemaphorePermit>,
    _memory: MemoryReservation,
}

impl Feed {
    /// The feeder of one partition among so many, called on behalf of `run`.
    pub fn new(
        asked: Asked,
        caller: Arc<Caller>,
        run: Option<Arc<Run>>,
        (partition, partitions): (usize, usize),
        context: &TaskContext,
    ) -> Self {
        let consumer = MemoryConsumer::new(format!("ApiCall {} [{partition}]", asked.caller.api().name));
        let schema = Arc::new(Schema::new(asked.caller.api().arguments.clone()));
        let room_kib = (ROOM_KIB / partitions.max(1)).max(PIECE_BYTES / 1024);
        let room = Arc::new(Semaphore::new(room_kib));
        let memory = consumer.register(context.memory_pool());
        Feed { asked, caller, partition, run, schema, room, room_kib, memory }
    }

    /// Starts to read and send. The task lives as long as whoever holds it.
    pub fn start(self, input: SendableRecordBatchStream) -> (mpsc::Receiver<Result<Fed>>, SpawnedTask<()>) {
        let (sender, receiver) = mpsc::channel(BATCHES_BEHIND);
        (receiver, SpawnedTask::spawn(self.run(input, sender)))
    }

    async fn run(self, mut input: SendableRecordBatchStream, sender: mpsc::Sender<Result<Fed>>) {
        let mut lane = match self.lane().await {
            Ok(lane) => lane,
            Err(error) => {
                sender.send(Err(error)).await.ok();
                return;
            }
        };
        while let Some(batch) = input.next().await {
            let pieces = match batch {
                Ok(batch) => pieces(batch),
                Err(error) => {
                    sender.send(Err(error)).await.ok();
                    return;
                }
            };
            for (piece, bytes) in pieces {
                let fed = self.send(&mut lane, piece, bytes).await;
                let failed = fed.is_err();
                if sender.send(fed).await.is_err() || failed {
                    return;
                }
            }
        }
    }

    async fn lane(&self) -> Result<Lane> {
        let api = self.asked.caller.api();
        match &self.run {
            Some(run) => run.lane(api, &self.asked.site, self.partition).await,
            None => Ok(Lane::alone(api)),
        }
    }

    async fn send(&self, lane: &mut Lane, batch: RecordBatch, bytes: usize) -> Result<Fed> {
        let kib = u32::try_from((bytes / 1024).clamp(1, self.room_kib)).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.room).acquire_many_owned(kib).await.ok();
        let memory = self.memory.new_empty();
        memory.try_grow(bytes)?;
        let room = Room { _share: share, _memory: memory };

        let called = self.asked.guard.as_ref().map(|guard| rows_called(guard, &batch)).transpose()?;
        // Arguments of rows that are not called are not even looked at: they may not be computable there.
        let asking = match &called {
            Some(rows) => rows_of(&batch, rows)?,
            None => batch.clone(),
        };
        let rows = asking.num_rows();
        let columns = self.asked.arguments.iter().map(|argument| argument.evaluate(&asking)?.into_array(rows));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let columns = columns.collect::<Result<_>>()?;
        let arguments = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        let sent = batch::send(&self.caller, lane, &arguments).await.map_err(batch_error)?;
        Ok(Fed { batch, sent, called, room })
    }
}

/// A batch, or its rows in several, each with the bytes that it takes.
fn pieces(batch: RecordBatch) -> Vec<(RecordBatch, usize)> {
    let (rows, bytes) = (batch.num_rows(), batch.get_array_memory_size());
    if bytes <= PIECE_BYTES || rows <= 1 {
        return vec![(batch, bytes)];
    }
    let rows_each = rows.div_ceil(bytes.div_ceil(PIECE_BYTES)).max(1);
    let starts = (0..rows).step_by(rows_each);
    let piece = |start: usize| {
        let length = rows_each.min(rows - start);
        (batch.slice(start, length), bytes / rows * length) // a slice itself would count all that it is cut from
    };
    starts.map(piece).collect()
}

pub(super) fn rows_of(batch: &RecordBatch, rows: &[usize]) -> Result<RecordBatch> {
    let places = UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
    // A batch may have no column at all, so its number of rows must be said.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), take_arrays(batch.columns(), &places, None)?, &options)?)
}

fn rows_called(guard: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<Vec<usize>> {
    let mask = guard.evaluate(batch)?.into_array(batch.num_rows())?;
    let mask = as_boolean_array(&mask)?;
    Ok(mask.iter().enumerate().filter(|(_, called)| *called == Some(true)).map(|(row, _)| row).collect())
}

pub(super) fn batch_error(error: BatchError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn a_large_batch_is_cut_into_pieces_with_every_row_once() {
        let text = "x".repeat(1024);
        let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..50_000).map(|row| format!("{row} {text}"))));
        let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
        let cut = pieces(batch.clone());
        assert!((6..=9).contains(&cut.len()), "{} pieces", cut.len());
        assert!(cut.iter().all(|(_, bytes)| *bytes <= PIECE_BYTES));
        let whole: Vec<_> = cut.into_iter().map(|(piece, _)| piece).collect();
        let together = datafusion::arrow::compute::concat_batches(&batch.schema(), &whole).unwrap();
        assert_eq!(together, batch);
        assert_eq!(pieces(batch.slice(0, 0)).len(), 1);
    }
}
