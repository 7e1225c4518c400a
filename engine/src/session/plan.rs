//! From a statement's text to what is to be done, with the files that it names opened on the way.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, TableSource, col};
use datafusion::physical_plan::ExecutionPlan;
use paceline_functions::{DataType, StructField};
use paceline_sql::SqlError;
use paceline_sql::catalog::Declared;
use paceline_sql::commands::{self, Action, of_files};
use paceline_sql::resolve::Resolved;
use paceline_udfs::Caller;

use super::Session;
use crate::EngineError;
use crate::api_call::{self, ColumnNames};
use crate::io::readers;

/// A deeply nested statement needs so much of the stack to be resolved; most of it is never touched.
const STACK: usize = 256 << 20;

impl Session {
    /// What is to be done for a statement. What it changes in the session's catalog is changed.
    pub(crate) async fn plan(&self, text: &str) -> Result<Action, EngineError> {
        let result = self.plan_with_files(text).await;
        self.catalog().files.clear(); // the next statement looks again
        result
    }

    async fn plan_with_files(&self, text: &str) -> Result<Action, EngineError> {
        loop {
            let (planned, wanted) = {
                let mut catalog = self.catalog();
                let planned = stacker::grow(STACK, || {
                    let statement = paceline_sql::parse(&catalog, text)?;
                    let told = |error| commands::told(error, text);
                    Ok::<_, SqlError>(commands::plan(&mut catalog, &statement).map_err(told)?)
                });
                (planned, catalog.take_wanted())
            };
            match planned {
                Err(_) if !wanted.is_empty() => {
                    for (format, path) in wanted {
                        let options = [("path".to_owned(), path.clone())];
                        let files = self.open(&format, None, &options).await?;
                        let table = of_files(&path, &format, &options, files)?;
                        self.catalog().files.insert((format, path), table);
                    }
                }
                planned => return Ok(planned?),
            }
        }
    }

    /// Opens files.
    pub(super) async fn open(
        &self,
        format: &str,
        columns: Option<&[StructField]>,
        options: &[(String, String)],
    ) -> Result<Arc<dyn TableSource>, EngineError> {
        let state = self.context.state();
        let columns = columns.map(|columns| columns.iter().map(StructField::to_arrow).collect());
        let settings = self.expression_settings();
        let opened = readers::open(&state, &self.stores, format, columns, options, &settings).await?;
        Ok(provider_as_source(opened))
    }
}

impl Session {
    /// The physical plan of a query, or of what stands on it.
    pub(crate) async fn physical(
        &self,
        plan: &LogicalPlan,
        query: &Resolved,
    ) -> Result<Arc<dyn ExecutionPlan>, EngineError> {
        Ok(self.state_for(query).create_physical_plan(plan).await?)
    }

    /// The same, whose rows stay in the order of their source: no batches are dealt out to partitions in turn.
    pub(super) async fn physical_in_order(&self, query: &Resolved) -> Result<Arc<dyn ExecutionPlan>, EngineError> {
        let mut state = self.state_for(query);
        state.config_mut().options_mut().optimizer.enable_round_robin_repartition = false;
        Ok(state.create_physical_plan(&query.plan).await?)
    }

    fn state_for(&self, query: &Resolved) -> SessionState {
        let mut state = self.context.state();
        state.config_mut().set_extension(Arc::new(ColumnNames(query.names.clone())));
        state
    }
}

/// What the catalog knows of an API function.
pub(super) fn declared(caller: &Arc<Caller>) -> Result<Declared, EngineError> {
    let api = caller.api();
    let data_type = DataType::of;
    let argument = |field: &Arc<Field>| Ok(StructField::new(field.name(), data_type(field)?, true));
    Ok(Declared {
        name: api.name.clone(),
        arguments: api.arguments.iter().map(argument).collect::<Result<_, paceline_functions::Error>>()?,
        returns: data_type(&Field::new("", api.returns.clone(), true))?,
        function: Arc::new(api_call::liftable(Arc::clone(caller))),
    })
}

/// The plan of a query whose columns have the names that the user gave them; no two are the same.
pub(crate) fn with_names(query: &Resolved) -> Result<LogicalPlan, EngineError> {
    let columns = query.plan.schema().columns().into_iter().zip(&query.output);
    let columns = columns.map(|(column, field)| col(column).alias(field.name.clone()));
    Ok(LogicalPlanBuilder::from(query.plan.clone()).project(columns)?.build()?)
}

/// A schema with the names and interval types that Spark has.
pub(super) fn named(schema: &SchemaRef, output: &[StructField]) -> SchemaRef {
    let field = |(field, spark): (&Arc<Field>, &StructField)| {
        let metadata = spark.to_arrow().metadata().clone();
        Field::new(&spark.name, field.data_type().clone(), true).with_metadata(metadata)
    };
    Arc::new(Schema::new(schema.fields().iter().zip(output).map(field).collect::<Vec<_>>()))
}

/// Rows under another schema's names.
pub(super) fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)?)
}
