//! A task's rows, sorted by their folders, so that one file is open at a time. Rows of a folder stay in the order in which
//! they came. Memory is bounded: what is more goes to temporary files.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::compute::kernels::cmp::eq;
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SendableRecordBatchStream};
use futures::StreamExt;
use futures::stream::BoxStream;

/// What all tasks of a plan hold together while they sort.
const SORT_BYTES: usize = 256 * 1024 * 1024;
/// What a task may hold however many there are.
const LEAST_SORT_BYTES: usize = 16 * 1024 * 1024;
/// A merge of temporary files reads batches of about this size.
const BATCH_BYTES: usize = 512 * 1024;

/// Whether the rows of each task come by these columns already.
pub(super) fn is_in_order(input: &Arc<dyn ExecutionPlan>, columns: &[usize]) -> Result<bool> {
    let by = columns.iter().map(|at| by(&input.schema(), *at));
    input.equivalence_properties().ordering_satisfy(by.collect::<Vec<_>>())
}

/// Sorts rows by these columns, as one of so many tasks.
pub(super) fn in_order(
    input: SendableRecordBatchStream,
    columns: Vec<usize>,
    tasks: usize,
    context: Arc<TaskContext>,
) -> SendableRecordBatchStream {
    let schema = input.schema();
    let most = (SORT_BYTES / tasks.max(1)).max(LEAST_SORT_BYTES);
    let sorted = futures::stream::once(async move { sorted(input, &columns, most, &context).await });
    let sorted = sorted.flat_map(|sorted| match sorted {
        Ok((_, rows)) => rows,
        Err(error) => futures::stream::once(async move { Err(error) }).boxed(),
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, sorted))
}

async fn sorted(
    mut input: SendableRecordBatchStream,
    columns: &[usize],
    most: usize,
    context: &TaskContext,
) -> Result<(SortExec, BoxStream<'static, Result<RecordBatch>>)> {
    let schema = input.schema();
    let first = input.next().await.transpose()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&schema)));
    let row_bytes = first.get_array_memory_size() / first.num_rows().max(1);
    let batch_rows = (BATCH_BYTES / row_bytes.max(1)).clamp(16, context.session_config().batch_size().max(16));

    let numbered = with_numbers(&schema);
    let rows = futures::stream::once(async move { Ok(first) }).chain(input);
    let rows = rows.scan(0, {
        let (numbered, columns) = (Arc::clone(&numbered), columns.to_vec());
        move |before, batch| {
            let batch = batch.and_then(|batch| number(&numbered, before, &batch, &columns));
            futures::future::ready(Some(batch))
        }
    });
    let rows = RecordBatchStreamAdapter::new(Arc::clone(&numbered), rows);
    let rows = Arc::new(Once { schema: Arc::clone(&numbered), rows: Mutex::new(Some(Box::pin(rows))) });
    let source = StreamingTableExec::try_new(Arc::clone(&numbered), vec![rows], None, [], false, None)?;

    let by = columns.iter().copied().chain([schema.fields().len()]).map(|at| by(&numbered, at));
    let ordering = LexOrdering::new(by).ok_or_else(|| exec_datafusion_err!("there is nothing to sort by"))?;
    let pool = Arc::new(SortPool { most, used: AtomicUsize::new(0) });
    let runtime = RuntimeEnvBuilder::from_runtime_env(&context.runtime_env()).with_memory_pool(pool).build_arc()?;
    let config = context.session_config().clone().with_batch_size(batch_rows);
    let config = config.with_sort_spill_reservation_bytes(most / 4);
    let context = TaskContext::default().with_session_config(config).with_runtime(runtime);
    let sort = SortExec::new(ordering, Arc::new(source));
    let own: Vec<_> = (0..schema.fields().len()).collect();
    let rows = sort.execute(0, Arc::new(context))?.map(move |batch| Ok(batch?.project(&own)?));
    Ok((sort, rows.boxed()))
}

/// As Spark sorts: upwards, NULLs first.
fn by(schema: &Schema, at: usize) -> PhysicalSortExpr {
    PhysicalSortExpr::new_default(Arc::new(Column::new(schema.field(at).name(), at))).asc().nulls_first()
}

fn with_numbers(schema: &SchemaRef) -> SchemaRef {
    let number = Arc::new(Field::new("__row", DataType::UInt64, false));
    let nullable = schema.fields().iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
    Arc::new(Schema::new(nullable.chain([number]).collect::<Vec<_>>()))
}

/// The rows with their numbers, by which rows of a folder stay in their order. Empty strings are NULL, as they have one folder.
fn number(schema: &SchemaRef, before: &mut u64, batch: &RecordBatch, folded: &[usize]) -> Result<RecordBatch> {
    let start = *before;
    *before += batch.num_rows() as u64;
    let mut columns = batch.columns().to_vec();
    for at in folded.iter().copied().filter(|at| *schema.field(*at).data_type() == DataType::Utf8) {
        columns[at] = nullif(&columns[at], &eq(&columns[at], &StringArray::new_scalar(""))?)?;
    }
    columns.push(Arc::new(UInt64Array::from_iter_values(start..*before)));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Rows that are taken once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rows of a task")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::empty()))
        })
    }
}

/// What one sort may hold. Whoever holds nothing gets what it asks for: a batch that is larger than the whole is slow, but
/// no reason to fail.
#[derive(Debug)]
struct SortPool {
    most: usize,
    used: AtomicUsize,
}

impl fmt::Display for SortPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.reserved(), self.most)
    }
}

impl MemoryPool for SortPool {
    fn name(&self) -> &str {
        "sort by folder"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let used = self.used.fetch_add(additional, Ordering::Relaxed) + additional;
        if used <= self.most || reservation.size() == 0 {
            return Ok(());
        }
        self.used.fetch_sub(additional, Ordering::Relaxed);
        Err(DataFusionError::ResourcesExhausted(format!("{used} bytes of {} are wanted", self.most)))
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.most)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array};
    use datafusion::arrow::datatypes::{Int32Type, UInt64Type};
    use futures::TryStreamExt;

    use super::*;

    /// Sorts so many rows, each with its id so many times, in batches, into seven folders; returns how often rows went to the disk.
    async fn check(rows: u64, width: usize, batch_rows: u64, most: usize) -> usize {
        let schema = Arc::new(Schema::new(vec![
            Field::new("k", DataType::Int32, true),
            Field::new("id", DataType::UInt64, true),
            Field::new("text", DataType::Utf8, true),
        ]));
        let batch = {
            let schema = Arc::clone(&schema);
            move |start: u64| {
                let ids = start..(start + batch_rows).min(rows);
                let k: Int32Array = ids.clone().map(|id| i32::try_from(id * 31 % 7).ok().filter(|k| *k > 0)).collect();
                let text: StringArray = ids.clone().map(|id| Some(id.to_string().repeat(width))).collect();
                let columns: Vec<ArrayRef> =
                    vec![Arc::new(k), Arc::new(UInt64Array::from_iter_values(ids)), Arc::new(text)];
                Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
            }
        };
        let starts = (0..rows).step_by(usize::try_from(batch_rows).unwrap());
        let input = RecordBatchStreamAdapter::new(Arc::clone(&schema), futures::stream::iter(starts).map(batch));
        let (sort, sorted) = sorted(Box::pin(input), &[0], most, &TaskContext::default()).await.unwrap();
        let mut found = Vec::new();
        for batch in sorted.try_collect::<Vec<_>>().await.unwrap() {
            assert_eq!(batch.schema().fields(), schema.fields());
            let ids = batch.column(1).as_primitive::<UInt64Type>().values().to_vec();
            found.extend(batch.column(0).as_primitive::<Int32Type>().iter().zip(ids));
        }
        assert!(found.is_sorted() && found.len() as u64 == rows);
        sort.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or_default()
    }

    #[tokio::test]
    async fn rows_are_sorted_in_little_memory_whatever_their_width() {
        assert_eq!(check(10_000, 2, 1000, LEAST_SORT_BYTES).await, 0);
        assert_eq!(check(0, 2, 1000, LEAST_SORT_BYTES).await, 0);
        // 100 MB, in batches of 1 MB and in batches that are larger than all that may be held.
        assert!(check(100_000, 200, 1000, LEAST_SORT_BYTES).await > 2);
        assert!(check(100_000, 200, 50_000, LEAST_SORT_BYTES).await > 0);
        // Rows of 1 MB.
        assert!(check(100, 500_000, 10, LEAST_SORT_BYTES).await > 2);
    }
}
