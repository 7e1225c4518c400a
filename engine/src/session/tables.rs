//! Tables: those without a place live in memory as long as the session, those with one are files.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Column, JoinType};
use datafusion::datasource::{MemTable, provider_as_source, source_as_provider};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, Operator, TableSource, binary_expr, ident, lit, not};
use paceline_functions::{Error, StructField};
use paceline_sql::catalog::{Object, Table};
use paceline_sql::commands::{InsertDirectory, Overwrite, of_files};
use paceline_sql::resolve::Resolved;

use super::{Outcome, Session, plan};
use crate::EngineError;
use crate::checkpoint::Step;
use crate::io::readers;

impl Session {
    pub(super) async fn create_table(
        &self,
        database: &str,
        mut table: Table,
        query: Option<Resolved>,
        text: &str,
        step: &Step<'_>,
    ) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::Done;
        match place(&table) {
            Some(place) => {
                if let Some(query) = query {
                    let insert = insert_of(&table, place, query, Overwrite::Everything);
                    outcome = self.insert(&insert, text, step).await?;
                }
                self.open_table(&mut table).await?;
            }
            None => {
                let schema = schema(&table);
                let rows = match &query {
                    Some(query) => self.stored(&schema, query, step).await?,
                    None => Vec::new(),
                };
                table.source = Some(in_memory(schema, rows)?);
            }
        }
        self.put(database, table)?;
        Ok(outcome)
    }

    pub(super) async fn insert_into(
        &self,
        database: &str,
        name: &str,
        query: Resolved,
        overwrite: Overwrite,
        text: &str,
        step: &Step<'_>,
    ) -> Result<Outcome, EngineError> {
        let mut table = self.table(database, name)?;
        let mut outcome = Outcome::Done;
        match place(&table) {
            Some(place) => {
                let mut insert = insert_of(&table, place, query, overwrite);
                // Executors know by it where dead letters go.
                if matches!(insert.overwrite, Overwrite::Partition(_) | Overwrite::Partitions) {
                    insert.options.push(("partitionOverwriteMode".to_owned(), "dynamic".to_owned()));
                }
                outcome = self.insert(&insert, text, step).await?;
                self.open_table(&mut table).await?;
            }
            None => {
                let schema = schema(&table);
                let new = self.stored(&schema, &query, step).await?;
                let mut rows = self.kept(&table, &schema, overwrite, &new).await?;
                rows.extend(new);
                table.source = Some(in_memory(schema, rows)?);
            }
        }
        self.put(database, table)?;
        Ok(outcome)
    }

    pub(super) fn truncate(&self, database: &str, name: &str) -> Result<Outcome, EngineError> {
        let mut table = self.table(database, name)?;
        if place(&table).is_some() {
            return Err(Error::unsupported("TRUNCATE of a table with LOCATION").into());
        }
        table.source = Some(in_memory(schema(&table), Vec::new())?);
        self.put(database, table)?;
        Ok(Outcome::Done)
    }

    /// Looks for the files of a table; it has its columns, or those of its files.
    async fn open_table(&self, table: &mut Table) -> Result<(), EngineError> {
        let Some(location) = place(table) else { return Ok(()) };
        let is_declared = !table.columns.is_empty();
        if is_declared && !readers::has_files(&self.stores.place(&location)?).await? {
            table.source = Some(in_memory(schema(table), Vec::new())?);
            return Ok(());
        }
        let options = read_options(table, location);
        let columns: Option<Vec<StructField>> =
            is_declared.then(|| table.columns.iter().map(|column| column.field.clone()).collect());
        let files = self.open(&table.provider.to_lowercase(), columns.as_deref(), &options).await?;
        if !is_declared {
            table.columns = of_files(&table.name, &table.provider, &[], Arc::clone(&files))?.columns;
        }
        table.source = Some(files);
        Ok(())
    }

    fn table(&self, database: &str, name: &str) -> Result<Table, EngineError> {
        let catalog = self.catalog();
        let database = catalog.catalog.database(database)?;
        match database.objects.get(name) {
            Some(Object::Table(table)) => Ok(table.clone()),
            _ => Err(EngineError::Setting(format!("the table '{name}' was dropped meanwhile"))),
        }
    }

    fn put(&self, database: &str, table: Table) -> Result<(), EngineError> {
        let mut catalog = self.catalog();
        let database = catalog.catalog.database_mut(database)?;
        database.objects.insert(table.name.to_lowercase(), Object::Table(table));
        Ok(())
    }

    /// The rows of a query with the types of a table's columns.
    async fn stored(
        &self,
        schema: &SchemaRef,
        query: &Resolved,
        step: &Step<'_>,
    ) -> Result<Vec<RecordBatch>, EngineError> {
        let (_, batches) = self.collect_query(query, format!("{}/{}", step.begun.run, step.statement)).await?;
        let stored = batches.iter().map(|batch| plan::renamed(batch, schema)).collect::<Result<_, DataFusionError>>();
        Ok(stored?)
    }

    /// The rows of a table in memory that stay beside new ones.
    async fn kept(
        &self,
        table: &Table,
        schema: &SchemaRef,
        overwrite: Overwrite,
        new: &[RecordBatch],
    ) -> Result<Vec<RecordBatch>, EngineError> {
        let Some(source) = &table.source else { return Ok(Vec::new()) };
        let current = self.context.read_table(source_as_provider(source)?)?;
        let kept = match overwrite {
            Overwrite::Nothing => current,
            Overwrite::Everything => return Ok(Vec::new()),
            Overwrite::Partition(values) => {
                let is_in = values.into_iter().map(|(name, value)| same(ident(name), lit(value))).reduce(Expr::and);
                current.filter(is_in.map_or(lit(true), not))?
            }
            Overwrite::Partitions => {
                let new = MemTable::try_new(Arc::clone(schema), vec![new.to_vec()])?;
                let new = self.context.read_table(Arc::new(new))?.alias("new")?;
                let of = |side: &str, name: &String| Expr::Column(Column::new(Some(side), name));
                let on = table.partitioned_by.iter().map(|name| same(of("old", name), of("new", name)));
                current.alias("old")?.join_on(new, JoinType::LeftAnti, on)?
            }
        };
        Ok(kept.collect().await?)
    }
}

/// Whether two values are the same, NULL or not.
fn same(one: Expr, other: Expr) -> Expr {
    binary_expr(one, Operator::IsNotDistinctFrom, other)
}

/// Where a table's files are, unless it lives in memory.
fn place(table: &Table) -> Option<String> {
    let option = table.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
    table.location.clone().or_else(|| option.map(|(_, path)| path.clone()))
}

fn read_options(table: &Table, location: String) -> Vec<(String, String)> {
    let own = table.options.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("path"));
    let own = own.map(|(key, value)| (key.clone(), value.clone()));
    own.chain([("path".to_owned(), location)]).collect()
}

fn insert_of(table: &Table, directory: String, query: Resolved, overwrite: Overwrite) -> InsertDirectory {
    let mut options: Vec<_> = table
        .options
        .iter()
        .filter(|(key, _)| !key.eq_ignore_ascii_case("path"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !table.partitioned_by.is_empty() {
        options.push(("partitionBy".to_owned(), table.partitioned_by.join(",")));
    }
    InsertDirectory { directory, format: table.provider.to_lowercase(), options, query, overwrite }
}

fn schema(table: &Table) -> SchemaRef {
    let field = |field: &StructField| StructField { nullable: true, ..field.clone() }.to_arrow();
    Arc::new(Schema::new(table.columns.iter().map(|column| field(&column.field)).collect::<Vec<_>>()))
}

fn in_memory(schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<Arc<dyn TableSource>, EngineError> {
    Ok(provider_as_source(Arc::new(MemTable::try_new(schema, vec![rows])?)))
}
