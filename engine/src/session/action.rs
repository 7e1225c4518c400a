//! Carrying out what a statement asks for.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use paceline_sql::Statement;
use paceline_sql::commands::{Action, ApiDeclaration, Overwrite};
use paceline_sql::resolve::Resolved;

use super::collect::Collected;
use super::{Outcome, Session, plan};
use crate::EngineError;
use crate::api_call::Run;
use crate::checkpoint::Step;
use crate::statements::{explain, functions};

impl Session {
    /// Carries out what was planned of a statement.
    pub(crate) async fn act(&self, action: Action, text: &str, step: &Step<'_>) -> Result<Outcome, EngineError> {
        match action {
            Action::Nothing => Ok(Outcome::Done),
            Action::Query(query) => self.rows(&query, step).await,
            Action::OpenView(view) => {
                let files = self.open(&view.format, view.columns.as_deref(), &view.options).await?;
                view.show(&mut self.catalog(), files)?;
                Ok(Outcome::Done)
            }
            Action::CreateFunction(function) => self.create_function(*function).map(|()| Outcome::Done),
            Action::DescribeFunction { name, extended } => functions::describe(self, &name, extended),
            Action::Explain { mode, action } => explain::explain(self, mode, *action, &step.begun.job).await,
            Action::InsertDirectory(insert) => self.insert(&insert, text, step).await,
            Action::CreateTable { database, table, query } => {
                self.create_table(&database, *table, query, text, step).await
            }
            Action::Insert { database, table, query, overwrite } => {
                self.insert_into(&database, &table, query, overwrite, text, step).await
            }
            Action::Refresh { name } => self.refresh(&name).await,
            Action::DropPartition { database, table, query, within, missing } => match missing {
                Some(missing) if self.folders(&table, within.clone()).await?.is_empty() => Err(missing.into()),
                _ => {
                    let (name, overwrite) = (table.name.to_lowercase(), Overwrite::Partition(within));
                    self.insert_into(&database, &name, query, overwrite, text, step).await
                }
            },
            Action::ShowPartitions { table, within } => self.partitions(&table, within).await,
        }
    }

    /// What a statement that was carried out before left in the session is there again; nothing is written.
    pub(crate) async fn recall(&self, text: &str, step: &Step<'_>) -> Result<(), EngineError> {
        if !matches!(paceline_sql::parse(&self.catalog(), text)?, Statement::CreateTable(_)) {
            return Ok(());
        }
        if let Action::CreateTable { database, table, .. } = self.plan(text).await? {
            self.act(Action::CreateTable { database, table, query: None }, text, step).await?;
        }
        Ok(())
    }

    async fn rows(&self, query: &Resolved, step: &Step<'_>) -> Result<Outcome, EngineError> {
        let scope = format!("{}/{}", step.begun.run, step.statement);
        let (schema, batches) = self.collect_query(query, scope).await?;
        Ok(Outcome::Rows { schema, batches })
    }

    /// The rows of a query, under the names that Spark gives its columns.
    pub(super) async fn collect_query(
        &self,
        query: &Resolved,
        scope: String,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), EngineError> {
        let physical = self.physical_in_order(query).await?;
        let schema = plan::named(&physical.schema(), &query.output);
        let Collected { batches, .. } = self.collect(physical, Run { scope, ..Run::default() }, None).await?;
        let batches = batches.iter().map(|batch| plan::renamed(batch, &schema));
        let batches = batches.collect::<Result<_, DataFusionError>>()?;
        Ok((schema, batches))
    }

    fn create_function(&self, function: ApiDeclaration) -> Result<(), EngineError> {
        let ApiDeclaration { name, arguments, returns, deterministic, options, .. } = function;
        let arguments = arguments.iter().map(|argument| argument.to_arrow()).collect();
        let api = self.api_defaults.declare(&name, arguments, returns.to_arrow(), deterministic, &options)?;
        self.register(api).map(|_| ())
    }
}
