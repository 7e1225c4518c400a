//! Files that are read here rather than by DataFusion: the two sides that it asks for, a format and a source, for every
//! reader of ours but CSV, which has its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, PhysicalExpr};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};

use super::{DROPPED, MALFORMED};

/// Rows on their way out of a file.
pub(super) type Batches = BoxStream<'static, Result<RecordBatch>>;

/// How the files of one format are read.
#[async_trait]
pub(super) trait FileReader: fmt::Debug + Send + Sync {
    /// Its name in SQL.
    fn format(&self) -> &'static str;

    /// The options that it was given.
    fn given(&self) -> &[(String, String)];

    /// Whether a file can be read in parts that begin and end with a line.
    fn reads_parts(&self) -> bool;

    /// The columns of files.
    async fn columns(&self, files: &Listed<'_>) -> Result<SchemaRef>;

    /// The rows of a file, or of a part of it.
    async fn rows(&self, part: Part) -> Result<Batches>;
}

/// Files of a store that are compressed in one way.
pub(super) struct Listed<'a> {
    pub store: &'a Arc<dyn ObjectStore>,
    pub files: &'a [ObjectMeta],
    pub compression: FileCompressionType,
}

/// What is to be read, and of what.
#[derive(Clone)]
pub(super) struct Part {
    pub store: Arc<dyn ObjectStore>,
    pub file: ObjectMeta,
    /// For the user.
    pub url: String,
    /// The lines that begin in these bytes; the whole file where there is none.
    pub range: Option<Range<u64>>,
    pub compression: FileCompressionType,
    /// Rows of a batch.
    pub rows: usize,
    /// The columns of the table's files.
    pub file_columns: SchemaRef,
    /// Those that are wanted.
    pub columns: SchemaRef,
    /// Counts malformed records that are kept, and those that are left out.
    pub malformed: Count,
    pub dropped: Count,
}

impl Part {
    /// A batch of the wanted columns; those that are of another type than the table says are cast.
    pub fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let safe = CastOptions { safe: true, ..CastOptions::default() };
        let fit = |(array, field): (ArrayRef, &Arc<arrow::datatypes::Field>)| {
            if array.data_type() == field.data_type() {
                Ok(array)
            } else {
                cast_with_options(&array, field.data_type(), &safe)
            }
        };
        let columns = columns.into_iter().zip(self.columns.fields()).map(fit).collect::<Result<Vec<_>, _>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.columns), columns, &count)?)
    }
}

/// Files of one of our formats, as a listing table wants it.
#[derive(Debug)]
pub(super) struct OwnFormat {
    reader: Arc<dyn FileReader>,
    compression: FileCompressionType,
}

impl OwnFormat {
    /// Files that are all compressed in one way.
    pub fn new(reader: Arc<dyn FileReader>, compression: FileCompressionType) -> Self {
        OwnFormat { reader, compression }
    }
}

/// The format and options of a source that is ours.
pub(super) fn given(source: &dyn FileSource) -> Option<(&'static str, &[(String, String)])> {
    let reader = &source.downcast_ref::<OwnSource>()?.reader;
    Some((reader.format(), reader.given()))
}

#[async_trait]
impl FileFormat for OwnFormat {
    fn get_ext(&self) -> String {
        self.reader.format().to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        use datafusion::common::GetExt;
        Ok(format!("{}{}", self.reader.format(), compression.get_ext()))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.compression)
    }

    async fn infer_schema(
        &self,
        _: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        self.reader.columns(&Listed { store, files, compression: self.compression }).await
    }

    async fn infer_stats(
        &self,
        _: &dyn Session,
        _: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(&self, _: &dyn Session, scan: FileScanConfig) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = FileScanConfigBuilder::from(scan).with_file_compression_type(self.compression).build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(OwnSource {
            reader: Arc::clone(&self.reader),
            projection: SplitProjection::unprojected(&schema),
            schema,
            rows: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// The scan of some files.
#[derive(Clone, Debug)]
struct OwnSource {
    reader: Arc<dyn FileReader>,
    schema: TableSchema,
    projection: SplitProjection,
    rows: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for OwnSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let file_columns = Arc::clone(self.schema.file_schema());
        let opener = Opener {
            reader: Arc::clone(&self.reader),
            columns: Arc::new(file_columns.project(&self.projection.file_indices)?),
            file_columns,
            rows: self.rows,
            compression: scan.file_compression_type,
            store,
            url: scan.object_store_url.as_str().to_owned(),
            malformed: MetricBuilder::new(&self.metrics).counter(MALFORMED, partition),
            dropped: MetricBuilder::new(&self.metrics).counter(DROPPED, partition),
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), self.schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, rows: usize) -> Arc<dyn FileSource> {
        Arc::new(OwnSource { rows, ..self.clone() })
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(OwnSource { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.reader.format()
    }

    fn supports_repartitioning(&self) -> bool {
        self.reader.reads_parts()
    }

    fn fmt_extra(&self, _: DisplayFormatType, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

/// Opens files, and parts of files.
struct Opener {
    reader: Arc<dyn FileReader>,
    file_columns: SchemaRef,
    columns: Arc<Schema>,
    rows: usize,
    compression: FileCompressionType,
    store: Arc<dyn ObjectStore>,
    /// Of the store, with a slash at its end.
    url: String,
    malformed: Count,
    dropped: Count,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let range = file.range.as_ref().filter(|range| range.start > 0 || (range.end as u64) < file.object_meta.size);
        let range = range.map(|range| range.start as u64..range.end as u64);
        let url = format!("{}{}", self.url, file.object_meta.location);
        let part = Part {
            store: Arc::clone(&self.store),
            file: file.object_meta,
            url: url.clone(),
            range,
            compression: self.compression,
            rows: self.rows,
            file_columns: Arc::clone(&self.file_columns),
            columns: Arc::clone(&self.columns),
            malformed: self.malformed.clone(),
            dropped: self.dropped.clone(),
        };
        let reader = Arc::clone(&self.reader);
        Ok(Box::pin(async move {
            let failed = move |error: DataFusionError| cannot_read(&url, error);
            let rows = reader.rows(part).await.map_err(&failed)?;
            Ok(rows.map(move |batch| batch.map_err(&failed)).boxed())
        }))
    }
}

/// An error with the file that it is about. What a store says goes on as it is: it may be worth another try.
fn cannot_read(url: &str, error: DataFusionError) -> DataFusionError {
    match error {
        error @ (DataFusionError::ObjectStore(_) | DataFusionError::IoError(_)) => error,
        error => {
            let why = paceline_sql::root_message(&error);
            DataFusionError::Execution(format!("cannot read '{url}': {why}"))
        }
    }
}
