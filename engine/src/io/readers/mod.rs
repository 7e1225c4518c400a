//! Files as tables, with the options of Spark's readers.

mod csv;
mod json;
mod partitions;
mod sample;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::session_state::SessionState;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

pub use self::csv::{BYTES_READ, DROPPED, MALFORMED};
use self::csv::{CsvFormat, CsvOptions};
use self::json::JsonFiles;
use self::partitions::{PartitionedFiles, Partitions};
pub(crate) use self::sample::about_how_many_rows;
use super::stores::{Place, Store, Stores};
use crate::EngineError;

/// A view over files. The columns that their folders are have the types of their values where `infer_partitions` says so, or
/// are strings.
///
/// # Errors
/// The format or an option is not known, there are no files, or their columns cannot be inferred.
pub async fn open(
    state: &SessionState,
    stores: &Stores,
    format: &str,
    columns: Option<Fields>,
    options: &[(String, String)],
    infer_partitions: bool,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let options = Options { format, given: options };
    let (names, reader): (&[&str], _) = match format {
        "csv" => (csv::OPTIONS, Reader::Csv(Box::new(CsvOptions::parse(&options)?))),
        "json" => (&["path"], Reader::Json),
        "parquet" => (&["path"], Reader::Parquet),
        _ => {
            let known = "use csv, json or parquet";
            return Err(EngineError::Setting(format!("a view USING {format} is not supported; {known}")));
        }
    };
    options.check(names)?;
    let path =
        options.get("path").ok_or_else(|| EngineError::Setting(format!("the {format} option 'path' is missing")))?;
    let place = stores.place(path)?;
    let files = files_at(&place).await?;
    let compression = compression(&place, &files)?;
    reader.check(&place, compression)?;
    let file_format = reader.file_format(compression);
    let partitions = Partitions::of(&place, &files, columns.as_ref(), infer_partitions)?;
    let is_in_files = |name: &str| !partitions.as_ref().is_some_and(|partitions| partitions.has(name));
    let schema = match columns {
        Some(columns) => {
            let columns = columns.iter().filter(|field| is_in_files(field.name()));
            Arc::new(Schema::new(columns.map(nullable).collect::<Fields>()))
        }
        None => reader.infer(state, &place, &files, file_format.as_ref()).await?,
    };
    if let Reader::Csv(options) = &reader {
        options.check(&schema)?;
    }
    if let Some(field) = schema.fields().iter().find(|field| !is_in_files(field.name())) {
        let (url, name) = (&place.url, field.name());
        let why = "is in the files and in the names of their folders";
        return Err(EngineError::Setting(format!("cannot read '{url}': the column '{name}' {why}")));
    }
    let urls = files.iter().map(|file| file_url(&place, &file.location)).collect::<Result<_, _>>()?;
    let listing = ListingOptions::new(file_format).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(listing).with_schema(schema);
    let table = ListingTable::try_new(config)?;
    Ok(match partitions {
        Some(partitions) => Arc::new(PartitionedFiles::new(table, partitions)),
        None => Arc::new(table),
    })
}

/// The format of a source that DataFusion cannot carry to another process, and the options it was given.
pub(crate) fn given(source: &dyn FileSource) -> Option<(&'static str, &[(String, String)])> {
    let csv = csv::given(source).map(|options| ("csv", options));
    csv.or_else(|| json::is_ours(source).then_some(("json", &[])))
}

/// The source that [`given`] described.
///
/// # Errors
/// The format or an option is not known.
pub(crate) fn source(
    format: &str,
    options: &[(String, String)],
    compression: FileCompressionType,
    schema: TableSchema,
) -> Result<Arc<dyn FileSource>, EngineError> {
    let given = Options { format, given: options };
    let reader = match format {
        "csv" => Reader::Csv(Box::new(CsvOptions::parse(&given)?)),
        _ => Reader::Json,
    };
    Ok(reader.file_format(compression).file_source(schema))
}

/// As Spark has it, no column of a file is sure to have a value.
fn nullable(field: &Arc<Field>) -> Field {
    field.as_ref().clone().with_nullable(true)
}

/// How files are read.
enum Reader {
    Csv(Box<CsvOptions>),
    Json,
    Parquet,
}

impl Reader {
    /// DataFusion's reader takes the first of several members of such a file on S3 for the whole.
    fn check(&self, place: &Place, compression: FileCompressionType) -> Result<(), EngineError> {
        use CompressionTypeVariant::{BZIP2, ZSTD};
        let cut_short = matches!((self, &place.store), (Reader::Json, Store::S3(_)));
        if !cut_short || !matches!(compression.get_variant(), BZIP2 | ZSTD) {
            return Ok(());
        }
        let why = "JSON files compressed as bz2 or zst are read from local disks only; on S3 use gz, or CSV";
        Err(EngineError::Setting(format!("cannot read '{}': {why}", place.url)))
    }

    fn file_format(&self, compression: FileCompressionType) -> Arc<dyn FileFormat> {
        // As in Spark, all values decide on the type of a column.
        match self {
            Reader::Csv(options) => Arc::new(CsvFormat::new(options.as_ref().clone(), compression)),
            Reader::Json => Arc::new(JsonFiles::new(compression)),
            Reader::Parquet => Arc::new(ParquetFormat::default().with_force_view_types(false)),
        }
    }

    /// Columns as Spark infers them: a column without any value is a string, those of JSON are sorted by name.
    async fn infer(
        &self,
        state: &SessionState,
        place: &Place,
        files: &[ObjectMeta],
        format: &dyn FileFormat,
    ) -> Result<SchemaRef, EngineError> {
        let schema = format.infer_schema(state, &place.store.shared(), files).await.map_err(|error| {
            let why = paceline_sql::root_message(&error);
            EngineError::Setting(format!("cannot read the columns of '{}': {why}", place.url))
        })?;
        if schema.fields().is_empty() {
            return Err(EngineError::Setting(format!("cannot read the columns of '{}': it is empty", place.url)));
        }
        let mut fields: Vec<Field> = schema.fields().iter().map(nullable).collect();
        for field in fields.iter_mut().filter(|field| field.data_type().is_null()) {
            field.set_data_type(DataType::Utf8);
        }
        if matches!(self, Reader::Json) {
            fields.sort_by(|a, b| a.name().cmp(b.name()));
        }
        Ok(Arc::new(Schema::new(fields)))
    }
}

/// `OPTIONS (…)` of a view; keys are matched without regard to case, the last of two wins, as in Spark.
struct Options<'a> {
    format: &'a str,
    given: &'a [(String, String)],
}

impl Options<'_> {
    fn check(&self, names: &[&str]) -> Result<(), EngineError> {
        match self.given.iter().find(|(key, _)| !names.iter().any(|name| name.eq_ignore_ascii_case(key))) {
            None => Ok(()),
            Some((key, _)) => {
                let (format, valid) = (self.format, names.join(", "));
                Err(EngineError::Setting(format!("unknown {format} option '{key}'; the options are {valid}")))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, EngineError> {
        match self.get(key).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(self.wrong(key, other, "true or false")),
        }
    }

    /// No character where the text is empty.
    fn character(&self, key: &str, default: Option<u8>) -> Result<Option<u8>, EngineError> {
        match self.get(key) {
            None => Ok(default),
            Some("") => Ok(None),
            Some("\\t") => Ok(Some(b'\t')),
            Some(text) if text.len() == 1 && text.is_ascii() => Ok(Some(text.as_bytes()[0])),
            Some(text) => Err(self.wrong(key, text, "one ASCII character")),
        }
    }

    fn wrong(&self, key: &str, value: &str, expected: &str) -> EngineError {
        EngineError::Setting(format!("the {} option '{key}' is '{value}', expected {expected}", self.format))
    }
}

/// By the ending of the names, as Hadoop has it: `.gz`, `.bz2`, `.zst`.
fn compression(place: &Place, files: &[ObjectMeta]) -> Result<FileCompressionType, EngineError> {
    let of = |file: &ObjectMeta| match file.location.extension() {
        Some("gz") => FileCompressionType::GZIP,
        Some("bz2") => FileCompressionType::BZIP2,
        Some("zst" | "zstd") => FileCompressionType::ZSTD,
        _ => FileCompressionType::UNCOMPRESSED,
    };
    let mut kinds: Vec<_> = files.iter().map(of).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => Ok(*one),
        _ => Err(EngineError::Setting(format!("the files at '{}' are compressed in different ways", place.url))),
    }
}

/// The file, or the files below the folder, without hidden ones (`_…` and `.…`, as Spark has it) and empty ones.
async fn files_at(place: &Place) -> Result<Vec<ObjectMeta>, EngineError> {
    let failed = |source: object_store::Error| match place.url.host_str() {
        Some(bucket) if source.to_string().contains("NoSuchBucket") => {
            EngineError::Setting(format!("cannot read '{}': there is no bucket '{bucket}'", place.url))
        }
        _ => EngineError::Storage { action: "cannot read", url: place.url.to_string(), source },
    };
    let objects = place.store.objects();
    // Some services fail on HEAD of what is only a prefix, so the prefix is looked for first.
    let mut files: Vec<_> = objects.list(Some(&place.path)).try_collect().await.map_err(failed)?;
    if files.is_empty() || files.iter().any(|file| file.location == place.path) {
        return match objects.head(&place.path).await {
            Ok(file) => Ok(vec![file]),
            Err(object_store::Error::NotFound { .. }) => Err(no_file(place)),
            Err(_) if place.url.to_file_path().is_ok_and(|path| path.is_dir()) => Err(no_file(place)),
            Err(error) => Err(failed(error)),
        };
    }
    files.retain(|file| file.size > 0 && !is_hidden(&place.path, &file.location));
    files.sort_by(|a, b| a.location.cmp(&b.location));
    if files.is_empty() { Err(no_file(place)) } else { Ok(files) }
}

/// Whether there is anything to read.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn has_files(place: &Place) -> Result<bool, EngineError> {
    let failed = |source| EngineError::Storage { action: "cannot read", url: place.url.to_string(), source };
    let mut files = place.store.objects().list(Some(&place.path));
    while let Some(file) = files.try_next().await.map_err(failed)? {
        if file.size > 0 && !is_hidden(&place.path, &file.location) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn no_file(place: &Place) -> EngineError {
    EngineError::Setting(format!("there is no file at '{}'", place.url))
}

fn is_hidden(folder: &Path, file: &Path) -> bool {
    file.prefix_match(folder).is_none_or(|mut parts| parts.any(|part| part.as_ref().starts_with(['_', '.'])))
}

fn file_url(place: &Place, path: &Path) -> Result<ListingTableUrl, EngineError> {
    Ok(ListingTableUrl::parse(place.at(path.clone()).url.as_str())?)
}
