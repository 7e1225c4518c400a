//! Files whose folders are columns, as a table: a listing table of the files alone, which gets the values of each file.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Fields, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Result, Statistics, project_schema};
use datafusion::datasource::listing::{ListingTable, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

use super::Partitions;
use crate::io::readers::file_columns;

/// How many of the columns of files say where a part begins and ends.
const PARTS: usize = 2;

/// Files, and the columns that their folders are.
pub(in super::super) struct PartitionedFiles {
    files: ListingTable,
    values: Arc<HashMap<Path, Vec<ScalarValue>>>,
    schema: TableSchema,
    /// Whether those of [`file_columns`] are behind the columns of the folders.
    with_file_columns: bool,
}

impl PartitionedFiles {
    /// The columns of `files`, and behind them those of their folders.
    pub fn new(files: ListingTable, partitions: Partitions) -> Self {
        let schema = TableSchema::builder(files.schema()).with_table_partition_cols(partitions.columns).build();
        let values = Arc::new(partitions.values.into_iter().collect());
        PartitionedFiles { files, values, schema, with_file_columns: false }
    }

    /// Files whose folders are no columns.
    pub fn without_folders(files: ListingTable) -> Self {
        Self::new(files, Partitions { columns: Vec::new(), values: Vec::new() })
    }

    /// The same with the columns of files; `None` where they are there.
    pub fn with_file_columns(&self) -> Option<Self> {
        let folders = self.schema.table_partition_cols().iter().cloned();
        let columns: Vec<_> = folders.chain(file_columns::columns()).collect();
        let schema = TableSchema::builder(self.files.schema()).with_table_partition_cols(columns).build();
        let (files, values) = (self.files.clone(), Arc::clone(&self.values));
        (!self.with_file_columns).then_some(PartitionedFiles { files, values, schema, with_file_columns: true })
    }

    /// The files, with their values, that rows of these filters can be in.
    fn wanted(&self, groups: Vec<FileGroup>, session: &dyn Session, filters: &[Expr]) -> Result<Vec<FileGroup>> {
        let store = self.files.table_paths().first().map(|path| path.object_store());
        let with_values = |mut file: PartitionedFile| {
            file.partition_values = self.values.get(&file.object_meta.location).cloned().unwrap_or_default();
            if let Some(store) = store.as_ref().filter(|_| self.with_file_columns) {
                file.partition_values.extend(file_columns::of_file(store.as_ref(), &file));
            }
            file.statistics =
                file.statistics.map(|statistics| Arc::new(self.statistics(Arc::unwrap_or_clone(statistics))));
            file
        };
        // Where a part of a file begins is not known yet.
        let parts = if self.with_file_columns { PARTS } else { 0 };
        let columns = self.schema.table_partition_cols();
        let columns: Fields = columns.iter().take(columns.len() - parts).cloned().collect();
        let is_of_folders = |filter: &&Expr| {
            !filter.is_volatile() && filter.column_refs().iter().all(|column| columns.find(&column.name).is_some())
        };
        let schema = Arc::new(Schema::new(columns.clone()));
        // What cannot be decided here, such as a subquery, is decided row by row.
        let of_folders = DFSchema::try_from(Arc::clone(&schema))?;
        let filter = conjunction(filters.iter().filter(is_of_folders).cloned().map(unnormalize_col));
        let filter = filter.and_then(|filter| session.create_physical_expr(filter, &of_folders).ok());
        let mut wanted = Vec::new();
        for group in groups {
            let mut files: Vec<_> = group.into_inner().into_iter().map(with_values).collect();
            if let Some(filter) = &filter {
                let arrays = (0..columns.len())
                    .map(|at| ScalarValue::iter_to_array(files.iter().map(|file| file.partition_values[at].clone())));
                let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect::<Result<_>>()?)?;
                let kept = filter.evaluate(&batch).and_then(|kept| kept.into_array(files.len()));
                if let Some(kept) = kept.ok().as_ref().and_then(|kept| kept.as_boolean_opt()) {
                    let mut at = 0..files.len();
                    files.retain(|_| at.next().is_some_and(|at| kept.is_valid(at) && kept.value(at)));
                }
            }
            if !files.is_empty() {
                wanted.push(FileGroup::new(files));
            }
        }
        Ok(wanted)
    }

    /// Those of files, with nothing known of the values of their folders, which may be NULL.
    fn statistics(&self, mut of_files: Statistics) -> Statistics {
        let width = self.schema.table_schema().fields().len();
        of_files.column_statistics.resize(width, ColumnStatistics::new_unknown());
        of_files
    }
}

impl fmt::Debug for PartitionedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files in folders of partitions", self.values.len())
    }
}

#[async_trait]
impl TableProvider for PartitionedFiles {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let limit = limit.filter(|_| filters.is_empty());
        let listed = self.files.list_files_for_scan(session, &[], limit).await?;
        let count = |groups: &[FileGroup]| groups.iter().map(FileGroup::len).sum::<usize>();
        let all = count(&listed.file_groups);
        let groups = self.wanted(listed.file_groups, session, filters)?;
        let Some(url) = self.files.table_paths().first().filter(|_| !groups.is_empty()) else {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        };
        let mut statistics = self.statistics(listed.statistics);
        if count(&groups) < all {
            let rows =
                groups.iter().flat_map(FileGroup::iter).map(|file| file.statistics.as_ref().map(|of| of.num_rows));
            let rows = rows.fold(Precision::Exact(0), |sum, rows| sum.add(&rows.unwrap_or(Precision::Absent)));
            statistics = Statistics { num_rows: rows, ..Statistics::new_unknown(self.schema.table_schema()) };
        }
        let format = &self.files.options().format;
        let scan = FileScanConfigBuilder::new(url.object_store(), format.file_source(self.schema.clone()))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let scan = format.create_physical_plan(session, scan).await?;
        if self.with_file_columns { file_columns::in_parts(scan, session) } else { Ok(scan) }
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
