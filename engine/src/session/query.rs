//! Queries that a program holds: planned once, carried out as often as it asks for their rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Field, Int64Type, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SendableRecordBatchStream};
use futures::{StreamExt, TryStreamExt};
use paceline_functions::cast::{CastMode, convert};
use paceline_functions::{DataType, StructField, Typed};
use paceline_sql::commands::{Action, InsertDirectory, Overwrite};
use paceline_sql::resolve::Resolved;

use super::{Outcome, Session, plan};
use crate::EngineError;
use crate::api_call::Run;
use crate::checkpoint::{Begun, Step};

/// Batches of each partition that are there before they are taken.
const AHEAD: usize = 4;

/// A query that was planned, and is carried out when its rows are asked for.
#[derive(Clone, Debug)]
pub struct Query {
    resolved: Resolved,
    schema: SchemaRef,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// A query.
    Query(Box<Query>),
    /// A command, which was carried out.
    Done(Outcome),
}

impl Query {
    /// Its columns, under the names that Spark gives them.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Each column's name, Spark's name of its type, as `array<int>`, and whether it may be NULL.
    pub fn columns(&self) -> impl Iterator<Item = (&str, String, bool)> {
        self.resolved.output.iter().map(|field| (field.name.as_str(), field.data_type.catalog(), field.nullable))
    }

    /// Its first rows.
    ///
    /// # Errors
    /// DataFusion refuses the plan.
    pub fn limit(&self, rows: usize) -> Result<Self, EngineError> {
        let plan = LogicalPlanBuilder::from(self.resolved.plan.clone()).limit(0, Some(rows))?.build()?;
        Ok(Query { resolved: Resolved { plan, ..self.resolved.clone() }, schema: Arc::clone(&self.schema) })
    }

    /// The same on another plan, with other columns.
    fn on(&self, plan: LogicalPlan, output: Vec<StructField>) -> Result<Resolved, EngineError> {
        Ok(Resolved { plan, output, names: self.resolved.names.clone() })
    }
}

impl Session {
    /// Carries out a command, or plans a query. `job` is as in [`Session::sql`].
    ///
    /// # Errors
    /// As [`Session::sql`].
    pub async fn prepare(&self, text: &str, job: &str) -> Result<Prepared, EngineError> {
        match self.plan(text).await? {
            Action::Query(query) => Ok(Prepared::Query(Box::new(self.query(query).await?))),
            action => {
                let begun = Begun::new(job, text, Default::default());
                let outcome = self.act(action, text, &Step { begun: &begun, statement: 1, again: false }).await?;
                Ok(Prepared::Done(outcome))
            }
        }
    }

    /// The rows of a command as a query.
    ///
    /// # Errors
    /// A column has a type that Spark has not.
    pub async fn query_of_rows(&self, schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<Query, EngineError> {
        let field = |field: &Arc<Field>| Ok(StructField::new(field.name(), DataType::of(field)?, true));
        let output = schema.fields().iter().map(field).collect::<Result<_, paceline_functions::Error>>()?;
        let table = provider_as_source(Arc::new(MemTable::try_new(schema, vec![rows])?));
        let plan = LogicalPlanBuilder::scan("rows", table, None)?.build()?;
        self.query(Resolved { plan, output, names: Default::default() }).await
    }

    async fn query(&self, resolved: Resolved) -> Result<Query, EngineError> {
        let schema = plan::named(&self.physical_in_order(&resolved).await?.schema(), &resolved.output);
        Ok(Query { resolved, schema })
    }

    /// All rows of a query, in the order of its partitions.
    ///
    /// # Errors
    /// Running it failed.
    pub async fn rows_of(&self, query: &Query) -> Result<Vec<RecordBatch>, EngineError> {
        Ok(self.collect_query(&query.resolved, scope()).await?.1)
    }

    /// The rows of a query as they are taken, in the order of its partitions; those of a cluster when all are there.
    ///
    /// # Errors
    /// It cannot be planned; running it may fail later.
    pub async fn stream_of(&self, query: &Query) -> Result<SendableRecordBatchStream, EngineError> {
        let schema = Arc::clone(&query.schema);
        if self.calls_elsewhere() {
            let rows = self.rows_of(query).await?;
            let rows = futures::stream::iter(rows.into_iter().map(Ok));
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)));
        }
        let physical = self.physical_in_order(&query.resolved).await?;
        let context = self.task_context(Run { scope: scope(), ..Run::default() });
        let names = Arc::clone(&schema);
        let rows = in_order(&physical, &context).map(move |batch| plan::renamed(&batch?, &names));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    /// How many rows a query has. Its API functions are called.
    ///
    /// # Errors
    /// Running it failed.
    pub async fn count_of(&self, query: &Query) -> Result<u64, EngineError> {
        let rows = count(lit(1_i64)).alias("count");
        let plan =
            LogicalPlanBuilder::from(query.resolved.plan.clone()).aggregate(Vec::<Expr>::new(), [rows])?.build()?;
        let counted = query.on(plan, vec![StructField::new("count", DataType::Long, false)])?;
        let (_, batches) = self.collect_query(&counted, scope()).await?;
        let counts = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
        Ok(counts.sum::<i64>().unsigned_abs())
    }

    /// The first rows of a query, each value as CAST to STRING has it, NULL as `None`.
    ///
    /// # Errors
    /// Running it failed.
    pub async fn text_of(&self, query: &Query, rows: usize) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        let Query { resolved, .. } = query.limit(rows)?;
        let settings = self.expression_settings();
        let columns = resolved.plan.schema().columns().into_iter().zip(&resolved.output).enumerate();
        let texts = columns.map(|(at, (column, field))| {
            let name = format!("text{at}");
            let value = Typed {
                expr: col(column),
                data_type: field.data_type.clone(),
                nullable: true,
                name: field.name.clone(),
                foldable: false,
            };
            Ok(convert(value, &DataType::String, CastMode::Legacy, &settings)?.expr.alias(name))
        });
        let texts = texts.collect::<Result<Vec<_>, paceline_functions::Error>>()?;
        let output =
            resolved.output.iter().map(|field| StructField::new(&field.name, DataType::String, true)).collect();
        let plan = LogicalPlanBuilder::from(resolved.plan.clone()).project(texts)?.build()?;
        let (_, batches) = self.collect_query(&query.on(plan, output)?, scope()).await?;
        let mut shown = Vec::new();
        for batch in &batches {
            let columns: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
            let row = |row| columns.iter().map(|column| text_at(column, row)).collect::<Vec<_>>();
            shown.extend((0..batch.num_rows()).map(row));
        }
        Ok(shown)
    }

    /// Writes the rows of a query to a folder, as `INSERT` does: over what is there, or beside it.
    ///
    /// # Errors
    /// As [`Session::sql`].
    pub async fn write_of(&self, query: &Query, to: Destination, job: &str) -> Result<Outcome, EngineError> {
        let Destination { directory, format, options, overwrite } = to;
        let overwrite = if overwrite { Overwrite::Everything } else { Overwrite::Nothing };
        let text = format!("-- a query written to {directory}");
        let insert = InsertDirectory { directory, format, options, query: query.resolved.clone(), overwrite };
        let begun = Begun::new(job, &text, Default::default());
        self.insert(&insert, &text, &Step { begun: &begun, statement: 1, again: false }).await
    }

    /// Whether files of earlier writes are at a place.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub async fn has_files(&self, place: &str) -> Result<bool, EngineError> {
        crate::io::readers::has_files(&self.stores.place(place)?).await
    }

    /// A query as a table for another DataFusion, whose every scan carries it out in this session.
    ///
    /// # Errors
    /// DataFusion refuses the schema.
    pub fn table_of(self: &Arc<Self>, query: &Query) -> Result<Arc<dyn TableProvider>, EngineError> {
        let rows = Arc::new(Rows { session: Arc::clone(self), query: query.clone() });
        Ok(Arc::new(StreamingTable::try_new(Arc::clone(&query.schema), vec![rows])?))
    }
}

/// Where and how the rows of a query are written.
#[derive(Clone, Debug)]
pub struct Destination {
    /// A path or URL.
    pub directory: String,
    /// The format, in lower case.
    pub format: String,
    /// Options of the format.
    pub options: Vec<(String, String)>,
    /// Whether what is there gives way.
    pub overwrite: bool,
}

/// Calls of two runs of a query are never the same.
fn scope() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn text_at(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

/// The rows of a plan, one partition behind the other; each partition runs a little ahead.
fn in_order(plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> SendableRecordBatchStream {
    let partition = |number| {
        let (plan, context) = (Arc::clone(plan), Arc::clone(context));
        let mut stream = RecordBatchReceiverStream::builder(plan.schema(), AHEAD);
        let taken = stream.tx();
        stream.spawn(async move {
            let mut rows = plan.execute(number, context)?;
            while let Some(batch) = rows.next().await {
                let failed = batch.is_err();
                if taken.send(batch).await.is_err() || failed {
                    break; // nobody wants more, or there is no more
                }
            }
            Ok(())
        });
        stream.build()
    };
    // All of them begin now.
    let partitions: Vec<_> = (0..plan.output_partitioning().partition_count()).map(partition).collect();
    Box::pin(RecordBatchStreamAdapter::new(plan.schema(), futures::stream::iter(partitions).flatten()))
}

/// The rows of a query, each time they are scanned.
#[derive(Debug)]
struct Rows {
    session: Arc<Session>,
    query: Query,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        self.query.schema()
    }

    /// In this session's own context: the other DataFusion knows neither its stores nor its functions.
    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (session, query) = (Arc::clone(&self.session), self.query.clone());
        let rows = async move {
            let rows = session.stream_of(&query).await.map_err(|error| DataFusionError::External(Box::new(error)))?;
            // The session lives until its last row was taken.
            Ok::<_, DataFusionError>(rows.inspect(move |_| drop(Arc::clone(&session))))
        };
        let rows = futures::stream::once(rows).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.query.schema()), rows))
    }
}
