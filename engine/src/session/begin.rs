//! Statements whose rows are read as they come, for who does not want to hold all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SendableRecordBatchStream};
use futures::{StreamExt, stream};
use paceline_sql::commands::Action;
use paceline_sql::resolve::Resolved;

use super::{Outcome, Session, plan};
use crate::EngineError;
use crate::api_call::Run;
use crate::checkpoint::{Begun, Step};
use crate::statements::{explain, functions};

/// Batches of each partition that may wait to be read.
const AHEAD: usize = 2;

/// What a statement led to.
#[derive(Debug)]
pub enum Opened {
    /// It is a query, which has not begun.
    Query(Planned),
    /// It was carried out.
    Done(Outcome),
}

/// A query and its plan.
#[derive(Clone, Debug)]
pub struct Planned {
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
}

impl Planned {
    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Session {
    /// Plans a statement; one that is no query is carried out. `job` is the id under which an INSERT stages its files.
    ///
    /// # Errors
    /// As [`Session::sql`].
    pub async fn begin(&self, text: &str, job: &str) -> Result<Opened, EngineError> {
        match self.plan(text).await? {
            Action::Query(query) => Ok(Opened::Query(self.planned(&query).await?)),
            action => {
                let begun = Begun::new(job, text, BTreeMap::new());
                let step = Step { begun: &begun, statement: 1, again: false };
                Ok(Opened::Done(self.act(action, text, &step).await?))
            }
        }
    }

    /// The columns of a statement's rows; `None` where it has none. Nothing is carried out.
    ///
    /// # Errors
    /// The statement is wrong.
    pub async fn columns_of(&self, text: &str) -> Result<Option<SchemaRef>, EngineError> {
        let one = |name: &str| Some(Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)])));
        Ok(match self.plan_only(text).await? {
            Action::Query(query) => Some(self.planned(&query).await?.schema),
            Action::Explain { .. } => one(explain::COLUMN),
            Action::DescribeFunction { .. } => one(functions::COLUMN),
            Action::ShowPartitions { .. } => one("partition"),
            _ => None,
        })
    }

    /// The rows of a query as they come, in the order of the plan's partitions; on a cluster when its tasks are done.
    ///
    /// # Errors
    /// Running it failed; it may also fail later.
    pub async fn rows_of(&self, query: &Planned) -> Result<SendableRecordBatchStream, EngineError> {
        let Planned { plan, schema } = query.clone();
        let run = Run { scope: uuid::Uuid::now_v7().to_string(), ..Run::default() };
        let rows = match &self.cluster {
            Some(cluster) => self.ran_on(cluster, plan, run.scope, None).await?.rows,
            None => in_order(&plan, &self.task_context(run)),
        };
        let names = Arc::clone(&schema);
        let rows = rows.map(move |batch| plan::renamed(&batch?, &names));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    /// The rows of a query as they come.
    ///
    /// # Errors
    /// The text is no query, or it cannot be planned; running it may fail later.
    pub async fn stream(&self, query: &str) -> Result<SendableRecordBatchStream, EngineError> {
        let Action::Query(query) = self.plan(query).await? else {
            return Err(EngineError::Setting("only a query has rows".to_owned()));
        };
        self.rows_of(&self.planned(&query).await?).await
    }

    async fn planned(&self, query: &Resolved) -> Result<Planned, EngineError> {
        let plan = self.physical(&query.plan, query).await?;
        let schema = plan::named(&plan.schema(), &query.output);
        Ok(Planned { plan, schema })
    }
}

/// Runs all partitions, and reads one behind the other. Dropped, it ends them.
fn in_order(plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> SendableRecordBatchStream {
    let schema = plan.schema();
    let partitions = (0..plan.output_partitioning().partition_count()).map(|partition| {
        let mut rows = RecordBatchReceiverStreamBuilder::new(Arc::clone(&schema), AHEAD);
        let (plan, context, read) = (Arc::clone(plan), Arc::clone(context), rows.tx());
        rows.spawn(async move {
            let mut batches = plan.execute(partition, context)?;
            while let Some(batch) = batches.next().await {
                let failed = batch.is_err();
                if read.send(batch).await.is_err() || failed {
                    break; // nobody reads it, or there is no more
                }
            }
            Ok(())
        });
        rows.build()
    });
    let partitions: Vec<_> = partitions.collect();
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(partitions).flatten()))
}
