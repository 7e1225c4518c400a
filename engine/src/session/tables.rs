//! Tables: those without a place live in memory as long as the session, those with one are files.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Column, JoinType};
use datafusion::datasource::{MemTable, provider_as_source, source_as_provider};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, Operator, TableSource, binary_expr, ident, lit, not};
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Error, StructField};
use paceline_sql::catalog::{Object, Table};
use paceline_sql::commands::{InsertDirectory, Overwrite, of_files};
use paceline_sql::resolve::Resolved;

use super::{Outcome, Session, plan};
use crate::EngineError;
use crate::checkpoint::Step;
use crate::io::readers;
use crate::io::sink::partition_folders;

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
        match table.place().map(str::to_owned) {
            Some(place) => {
                if let Some(query) = query {
                    if !step.again && readers::has_files(&self.stores.place(&place)?).await? {
                        return Err(not_empty(&place).into());
                    }
                    let insert = insert_of(&table, place, query, Overwrite::Everything);
                    outcome = self.insert(&insert, text, step).await?;
                }
                self.open_table(&mut table).await?;
            }
            None => {
                tracing::warn!(table = table.name, "a table without LOCATION is in memory, and gone with the session");
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
        match table.place().map(str::to_owned) {
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

    /// Looks again for the files of a table or view; a query's view and a table in memory are always as they are.
    pub(super) async fn refresh(&self, name: &[String]) -> Result<Outcome, EngineError> {
        let found = self.catalog().catalog.files_mut(name).cloned();
        let Some(mut table) = found else { return Ok(Outcome::Done) };
        self.open_table(&mut table).await?;
        if let Some(place) = self.catalog().catalog.files_mut(name) {
            *place = table;
        }
        Ok(Outcome::Done)
    }

    /// Shows the partitions of a table.
    pub(super) async fn partitions(
        &self,
        table: &Table,
        within: Vec<(String, ScalarValue)>,
    ) -> Result<Outcome, EngineError> {
        let folders: StringArray = self.folders(table, within).await?.into_iter().map(Some).collect();
        let field = StructField::new("partition", DataType::String, false).to_arrow();
        let schema = Arc::new(Schema::new(vec![field]));
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(folders)]).map_err(DataFusionError::from)?;
        Ok(Outcome::Rows { schema, batches: vec![batch] })
    }

    /// The folders of a table's partitions that have rows.
    pub(super) async fn folders(
        &self,
        table: &Table,
        within: Vec<(String, ScalarValue)>,
    ) -> Result<BTreeSet<String>, EngineError> {
        let mut folders = BTreeSet::new();
        if let Some(source) = &table.source {
            let rows = self.context.read_table(source_as_provider(source)?)?;
            let is_in = within.into_iter().map(|(name, value)| same(ident(name), lit(value))).reduce(Expr::and);
            let rows = rows.filter(is_in.unwrap_or(lit(true)))?;
            let columns: Vec<Expr> = table.partitioned_by.iter().map(ident).collect();
            for batch in rows.select(columns)?.distinct()?.collect().await? {
                folders.extend(partition_folders(&batch)?);
            }
        }
        Ok(folders)
    }

    /// Looks for the files of a table; it has its columns, or those of its files.
    async fn open_table(&self, table: &mut Table) -> Result<(), EngineError> {
        let Some(location) = table.place().map(str::to_owned) else { return Ok(()) };
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

fn not_empty(place: &str) -> Error {
    Error::new(
        "_LEGACY_ERROR_TEMP_1241",
        format!(
            "CREATE-TABLE-AS-SELECT cannot create table with location to a non-empty directory {place}. Choose another one, or \
             make the table without AS SELECT and INSERT OVERWRITE it."
        ),
    )
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
