//! CSV files as a DataFusion source: opens files, asks the decoder for rows, names the file where something is wrong.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, GetExt, Result, Statistics};
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
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore};

use super::batch::{self, Malformed, Shape};
use super::bytes::open;
use super::decode::{Decoded, Decoder, RECORD_BYTES, has_record};
use super::infer::Seen;
use super::table::Table;
use super::{CsvOptions, Mode};
use crate::io::readers::{DROPPED, MALFORMED};

/// The metric that counts the bytes that were read of files which are not compressed.
pub const BYTES_READ: &str = "bytes_read";

/// CSV files, as a listing table wants its format.
#[derive(Debug)]
pub struct CsvFormat {
    options: Arc<CsvOptions>,
    compression: FileCompressionType,
}

impl CsvFormat {
    /// Files that are all compressed in one way.
    pub fn new(options: CsvOptions, compression: FileCompressionType) -> Self {
        CsvFormat { options: Arc::new(options), compression }
    }
}

#[async_trait]
impl FileFormat for CsvFormat {
    fn get_ext(&self) -> String {
        "csv".to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        Ok(format!("csv{}", compression.get_ext()))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.compression)
    }

    /// The names come from the first file; all records of all files decide on the types, as in Spark.
    async fn infer_schema(
        &self,
        _: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let inference = self.options.inference();
        let mut names: Vec<String> = Vec::new();
        let mut seen: Vec<Seen> = Vec::new();
        let mut sampled = self.options.sampled;
        for file in files {
            let mut reading = Reading {
                decoder: Decoder::new(Arc::clone(&self.options), true, self.options.header, false, 1024),
                bytes: open(store, file, None, self.compression).await?,
            };
            while let Some(table) = reading.next().await? {
                let header = reading.decoder.take_header().map(|header| header.names);
                if names.is_empty() {
                    names = header.unwrap_or_else(|| self.options.numbered(table.width(0)));
                    seen.resize(names.len(), Seen::Nothing);
                }
                if !self.options.infer_schema {
                    break;
                }
                inference.add(&table, &mut sampled, &mut seen);
            }
            if names.is_empty() {
                names = reading.decoder.take_header().map_or(Vec::new(), |header| header.names);
                seen.resize(names.len(), Seen::Nothing);
            }
            if !self.options.infer_schema && !names.is_empty() {
                break;
            }
        }
        let fields = names.iter().zip(seen).map(|(name, seen)| self.options.field(name, seen));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
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
        Arc::new(CsvSource {
            options: Arc::clone(&self.options),
            projection: SplitProjection::unprojected(&schema),
            schema,
            rows: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// The options that a source of CSV files was given.
pub fn given(source: &dyn FileSource) -> Option<&[(String, String)]> {
    Some(&source.downcast_ref::<CsvSource>()?.options.given)
}

/// The records in the first bytes of a file, where `source` is one of CSV files.
pub fn records_in(source: &dyn FileSource, bytes: &[u8]) -> Option<u64> {
    let options = &source.downcast_ref::<CsvSource>()?.options;
    let mut decoder = Decoder::new(Arc::clone(options), true, options.header, false, 8192);
    decoder.push(bytes);
    decoder.end();
    let mut records = 0;
    while let Decoded::Records(table) = decoder.next() {
        records += table.rows() as u64;
    }
    Some(records)
}

/// The scan of some files.
#[derive(Clone, Debug)]
struct CsvSource {
    options: Arc<CsvOptions>,
    schema: TableSchema,
    projection: SplitProjection,
    rows: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for CsvSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let columns = Arc::clone(self.schema.file_schema());
        let corrupt = &self.options.corrupt_column;
        let shape = Shape::new(columns, self.projection.file_indices.clone(), corrupt)?;
        if shape.wants_only_corrupt() {
            let why = format!("a query of a CSV file needs another column than '{corrupt}' too, as in Spark");
            return Err(DataFusionError::Plan(why));
        }
        let metric = if self.options.mode == Mode::DropMalformed { DROPPED } else { MALFORMED };
        let opener = Opener {
            options: Arc::clone(&self.options),
            shape,
            rows: self.rows,
            compression: scan.file_compression_type,
            store,
            url: scan.object_store_url.as_str().to_owned(),
            malformed: MetricBuilder::new(&self.metrics).counter(metric, partition),
            bytes_read: (!scan.file_compression_type.is_compressed())
                .then(|| MetricBuilder::new(&self.metrics).counter(BYTES_READ, partition)),
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), self.schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, rows: usize) -> Arc<dyn FileSource> {
        Arc::new(CsvSource { rows, ..self.clone() })
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(CsvSource { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "csv"
    }

    fn supports_repartitioning(&self) -> bool {
        !self.options.dialect.multi_line && self.options.dialect.line_end.is_none()
    }

    fn fmt_extra(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", header={}", self.options.header)
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
    options: Arc<CsvOptions>,
    shape: Shape,
    rows: usize,
    compression: FileCompressionType,
    store: Arc<dyn ObjectStore>,
    /// Of the store, with a slash at its end.
    url: String,
    malformed: Count,
    /// Where the bytes that are read are those of the file.
    bytes_read: Option<Count>,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let range = file.range.as_ref().filter(|range| range.start > 0 || (range.end as u64) < file.object_meta.size);
        let range = range.map(|range| range.start as u64..range.end as u64);
        let start = range.as_ref().map_or(0, |range| range.start);
        let (texts, rows) = (self.shape.wants_corrupt(), self.rows);
        let (options, shape, compression) = (Arc::clone(&self.options), self.shape.clone(), self.compression);
        let (store, malformed, bytes_read) = (Arc::clone(&self.store), self.malformed.clone(), self.bytes_read.clone());
        let url = format!("{}{}", self.url, file.object_meta.location);
        Ok(Box::pin(async move {
            let meta = file.object_meta;
            let bytes =
                open(&store, &meta, range.clone(), compression).await.map_err(|error| cannot_read(&url, error))?;
            let count = move |bytes: &Bytes| bytes_read.iter().for_each(|read| read.add(bytes.len()));
            let bytes = bytes.inspect_ok(count).boxed();
            let place = Place { store, location: meta.location, start, url };
            let header = options.header && place.is_before_header(&options).await?;
            let decoder = Decoder::new(Arc::clone(&options), start == 0, header, texts, rows);
            let part = Part { options, shape, reading: Reading { decoder, bytes }, place, malformed, warned: false };
            Ok(futures::stream::try_unfold(part, Part::next).boxed())
        }))
    }
}

/// A file, or a part of one, while it is read.
struct Part {
    options: Arc<CsvOptions>,
    shape: Shape,
    reading: Reading,
    place: Place,
    malformed: Count,
    warned: bool,
}

impl Part {
    async fn next(mut self) -> Result<Option<(RecordBatch, Part)>> {
        loop {
            let table = self.reading.next().await.map_err(|error| cannot_read(&self.place.url, error))?;
            let checked = match self.reading.decoder.take_header() {
                Some(header) => batch::check_header(&self.options, &self.shape, &header),
                None => Ok(()),
            };
            let rows =
                checked.and_then(|()| table.map(|table| batch::rows(&self.options, &self.shape, &table)).transpose());
            let rows = match rows {
                Ok(Some(rows)) => rows,
                Ok(None) => return Ok(None),
                Err(malformed) => return Err(self.place.fail(malformed).await),
            };
            self.options.times.check()?;
            self.malformed.add(usize::try_from(rows.malformed).unwrap_or(usize::MAX));
            if let Some(first) = rows.first.filter(|_| !self.warned) {
                self.warned = true;
                let Malformed { lines_before, why } = first;
                let (file, from_byte) = (&self.place.url, self.place.start);
                tracing::warn!(%file, from_byte, line = lines_before + 1, "malformed record: {why}");
            }
            if rows.batch.num_rows() > 0 {
                return Ok(Some((rows.batch, self)));
            }
        }
    }
}

/// A header is looked for in the parts that begin this early; comments before one are not longer.
const MOST_BEFORE_HEADER: u64 = 64 << 10;

/// Where a part begins.
struct Place {
    store: Arc<dyn ObjectStore>,
    location: Path,
    start: u64,
    url: String,
}

impl Place {
    async fn fail(&self, malformed: Malformed) -> DataFusionError {
        let Malformed { lines_before, why } = malformed;
        let line = match self.lines_before().await {
            Ok(before) => format!("line {}", before + lines_before + 1),
            Err(_) => format!("line {} from byte {} on", lines_before + 1, self.start),
        };
        DataFusionError::Execution(format!("cannot read '{}', {line}, {why}", self.url))
    }

    /// Whether the header is still to come: nothing but comments and blank lines may be before it.
    async fn is_before_header(&self, options: &CsvOptions) -> Result<bool> {
        if self.start == 0 || self.start > MOST_BEFORE_HEADER {
            return Ok(self.start == 0);
        }
        let head = GetOptions { range: Some((0..self.start).into()), ..GetOptions::default() };
        let head = self.store.get_opts(&self.location, head).await?.bytes().await?;
        Ok(!has_record(options, &head))
    }

    /// The lines that end before the first one of this part; they are counted when somebody wants to know.
    async fn lines_before(&self) -> Result<u64> {
        if self.start <= 1 {
            return Ok(self.start);
        }
        let head = GetOptions { range: Some((0..self.start - 1).into()), ..GetOptions::default() };
        let mut bytes = self.store.get_opts(&self.location, head).await?.into_stream();
        let mut lines = 1;
        while let Some(piece) = bytes.try_next().await? {
            lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        Ok(lines)
    }
}

/// Bytes on their way through a decoder.
struct Reading {
    decoder: Decoder,
    bytes: BoxStream<'static, Result<Bytes>>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Table>> {
        loop {
            match self.decoder.next() {
                Decoded::Records(table) => return Ok(Some(table)),
                Decoded::End => return Ok(None),
                Decoded::Endless { line } => {
                    let (line, most) = (line + 1, RECORD_BYTES >> 20);
                    let why = format!("the record at line {line} has no end within {most} MiB; is a quote missing?");
                    return Err(DataFusionError::Execution(why));
                }
                Decoded::Hungry => match self.bytes.try_next().await? {
                    Some(bytes) => self.decoder.push(&bytes),
                    None => self.decoder.end(),
                },
            }
        }
    }
}

fn cannot_read(url: &str, error: DataFusionError) -> DataFusionError {
    error.context(format!("cannot read '{url}'"))
}
