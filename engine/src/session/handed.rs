//! Rows that the program around the engine hands to a session as a view.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::exec_datafusion_err;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::PartitionStream;
use paceline_functions::DataType;
use paceline_sql::commands::FileView;

use super::Session;
use crate::EngineError;

/// Batches that are there before they are taken.
const AHEAD: usize = 2;

/// Rows that can be read again, from the first one.
pub trait Handed: fmt::Debug + Send + Sync {
    /// Their columns.
    fn schema(&self) -> SchemaRef;

    /// Begins to read them. It may block.
    ///
    /// # Errors
    /// They cannot be read, or not again.
    fn read(&self) -> Result<Box<dyn RecordBatchReader + Send>, ArrowError>;
}

impl Session {
    /// Shows rows as a temporary view, in place of an older one of that name. They are read when a statement needs them; for
    /// a cluster they are read now.
    ///
    /// # Errors
    /// A column has a type that Spark has not, or the rows cannot be read.
    pub async fn hand_over(&self, name: &str, rows: Arc<dyn Handed>) -> Result<(), EngineError> {
        let rows = Arc::new(OfSpark::new(rows, self.context.copied_config().batch_size())?);
        let schema = Arc::clone(&rows.schema);
        let table: Arc<dyn TableProvider> = if self.calls_elsewhere() {
            let read = tokio::task::spawn_blocking(move || rows.batches()?.collect::<Result<Vec<_>, _>>());
            let read = read.await.map_err(|error| exec_datafusion_err!("reading '{name}' broke down: {error}"))?;
            Arc::new(MemTable::try_new(schema, vec![read.map_err(DataFusionError::from)?])?)
        } else {
            Arc::new(StreamingTable::try_new(schema, vec![rows])?)
        };
        FileView::replacing(name).show(&mut self.catalog(), provider_as_source(table))?;
        Ok(())
    }
}

/// Rows with the Arrow types that Spark's types have here.
#[derive(Debug)]
struct OfSpark {
    rows: Arc<dyn Handed>,
    schema: SchemaRef,
    most: usize,
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

impl OfSpark {
    fn new(rows: Arc<dyn Handed>, most: usize) -> Result<Self, EngineError> {
        let field = |field: &Arc<Field>| Ok(DataType::of(field)?.to_field(field.name(), true));
        let fields = rows.schema().fields().iter().map(field).collect::<Result<Vec<_>, EngineError>>()?;
        Ok(OfSpark { rows, schema: Arc::new(Schema::new(fields)), most })
    }

    fn batches(&self) -> Result<Batches, ArrowError> {
        let (schema, most) = (Arc::clone(&self.schema), self.most);
        let read = self.rows.read()?;
        Ok(Box::new(read.flat_map(move |batch| match batch.and_then(|batch| conform(&batch, &schema)) {
            Ok(batch) => pieces(&batch, most),
            Err(error) => vec![Err(error)],
        })))
    }
}

impl PartitionStream for OfSpark {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), AHEAD);
        let again = OfSpark { rows: Arc::clone(&self.rows), schema: Arc::clone(&self.schema), most: self.most };
        let taken = stream.tx();
        stream.spawn_blocking(move || {
            for batch in again.batches()? {
                if taken.blocking_send(batch.map_err(DataFusionError::from)).is_err() {
                    break; // nobody wants more
                }
            }
            Ok(())
        });
        stream.build()
    }
}

fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() != schema.fields().len() {
        let (has, expected) = (batch.num_columns(), schema.fields().len());
        return Err(ArrowError::SchemaError(format!("a batch has {has} columns where {expected} were announced")));
    }
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &options)
}

/// Frames of other libraries are often one batch; a view of a part of it costs nothing.
fn pieces(batch: &RecordBatch, most: usize) -> Vec<Result<RecordBatch, ArrowError>> {
    let starts = (0..batch.num_rows()).step_by(most.max(1));
    starts.map(|start| Ok(batch.slice(start, most.min(batch.num_rows() - start)))).collect()
}
