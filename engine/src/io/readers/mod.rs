//! Files as tables, with the options of Spark's readers.

mod avro;
mod binary;
mod csv;
mod file_columns;
mod glob;
mod json;
mod lines;
mod listing;
mod options;
mod orc;
mod own;
mod parquet;
mod partitions;
mod sample;
mod text;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::session_state::SessionState;
use object_store::ObjectMeta;
use object_store::path::Path;
use paceline_functions::Settings;

use self::avro::AvroFiles;
use self::binary::BinaryFiles;
pub use self::csv::BYTES_READ;
use self::csv::{CsvFormat, CsvOptions};
pub(crate) use self::file_columns::{FILE_COLUMNS, is_of_files, with_file_columns};
use self::json::JsonFiles;
use self::listing::Listing;
pub(crate) use self::listing::has_files;
use self::options::{Mode, Options, SampledRows};
use self::orc::OrcFiles;
use self::own::{FileReader, OwnFormat};
use self::parquet::ParquetFiles;
use self::partitions::{PartitionedFiles, Partitions};
pub(crate) use self::sample::about_how_many_rows;
use self::text::TextFiles;
use super::of_session;
use super::stores::{Place, Stores};
use crate::EngineError;

/// The metric that counts malformed records which were kept.
pub const MALFORMED: &str = "records_malformed";
/// The metric that counts malformed records which were left out.
pub const DROPPED: &str = "records_dropped";

/// A view over files. The columns that their folders are have the types of their values or are strings, as the session has
/// it. Times without a zone are of that of the session.
///
/// # Errors
/// The format or an option is not known, there are no files, or their columns cannot be inferred.
pub async fn open(
    state: &SessionState,
    stores: &Stores,
    format: &str,
    columns: Option<Fields>,
    options: &[(String, String)],
    settings: &Settings,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let given = of_session::read(format, options, settings);
    let reader = Reader::parse(format, &given)?;
    let listing = Listing::of(stores, Options { format, given: &given }, reader.reads_empty_files()).await?;
    let (place, files) = (&listing.place, &listing.files);
    let compression = if reader.is_text() { compression(place, files)? } else { FileCompressionType::UNCOMPRESSED };
    let file_format = reader.file_format(compression);
    let zone = Options { format, given: &given }.get("timeZone").unwrap_or("UTC");
    let partitions = match listing.has_partitions {
        true => Partitions::of(&listing, columns.as_ref(), of_session::infers_partitions(settings), zone)?,
        false => None,
    };
    let is_in_files = |name: &str| !partitions.as_ref().is_some_and(|partitions| partitions.has(name));
    let schema = match columns {
        Some(columns) => {
            let columns = columns.iter().filter(|field| is_in_files(field.name()));
            Arc::new(Schema::new(columns.map(nullable).collect::<Fields>()))
        }
        None => reader.infer(state, place, files, file_format.as_ref()).await?,
    };
    reader.check(&schema)?;
    if let Some(field) = schema.fields().iter().find(|field| !is_in_files(field.name())) {
        let (url, name) = (&place.url, field.name());
        let why = "is in the files and in the names of their folders";
        return Err(EngineError::Setting(format!("cannot read '{url}': the column '{name}' {why}")));
    }
    let urls = files.iter().map(|file| file_url(place, &file.location)).collect::<Result<_, _>>()?;
    let options = ListingOptions::new(file_format).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    let table = ListingTable::try_new(config)?;
    Ok(match partitions {
        Some(partitions) => Arc::new(PartitionedFiles::new(table, partitions)),
        None => Arc::new(table),
    })
}

/// The format of a source that DataFusion cannot carry to another process, and the options it was given.
pub(crate) fn given(source: &dyn FileSource) -> Option<(&'static str, &[(String, String)])> {
    let csv = csv::given(source).map(|options| ("csv", options));
    csv.or_else(|| own::given(source))
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
    Ok(Reader::parse(format, options)?.file_format(compression).file_source(schema))
}

/// As Spark has it, no column of a file is sure to have a value.
fn nullable(field: &Arc<Field>) -> Field {
    field.as_ref().clone().with_nullable(true)
}

/// The columns of several files together.
fn merge_schemas(schemas: Vec<Schema>) -> DataFusionResult<Schema> {
    let mut merged: Vec<Arc<Field>> = Vec::new();
    for schema in schemas {
        for field in schema.fields() {
            match merged.iter().find(|known| known.name() == field.name()) {
                Some(known) if known.data_type() == field.data_type() => {}
                Some(known) => {
                    let name = paceline_sql::type_name;
                    return exec_err!(
                        "[CANNOT_MERGE_SCHEMAS] the column '{}' is {} in one file and {} in another",
                        field.name(),
                        name(known.data_type()),
                        name(field.data_type())
                    );
                }
                None => merged.push(Arc::clone(field)),
            }
        }
    }
    Ok(Schema::new(merged))
}

/// How files are read.
enum Reader {
    Csv(Box<CsvOptions>),
    Json(Arc<JsonFiles>),
    Text(Arc<TextFiles>),
    Binary(Arc<BinaryFiles>),
    Orc(Arc<OrcFiles>),
    Avro(Arc<AvroFiles>),
    Parquet(ParquetFiles),
}

impl Reader {
    fn parse(format: &str, given: &[(String, String)]) -> Result<Self, EngineError> {
        let options = Options { format, given };
        let known = match format.to_lowercase().as_str() {
            "csv" => csv::OPTIONS,
            "json" => json::OPTIONS,
            "text" => text::OPTIONS,
            "binaryfile" => binary::OPTIONS,
            "orc" => orc::OPTIONS,
            "avro" => avro::OPTIONS,
            "parquet" => parquet::OPTIONS,
            _ => {
                let known = "use avro, binaryFile, csv, json, orc, parquet or text";
                return Err(EngineError::Setting(format!("a view USING {format} is not supported; {known}")));
            }
        };
        options.check(known)?;
        Ok(match format.to_lowercase().as_str() {
            "csv" => Reader::Csv(Box::new(CsvOptions::parse(&options)?)),
            "json" => Reader::Json(Arc::new(JsonFiles::parse(&options)?)),
            "text" => Reader::Text(Arc::new(TextFiles::parse(&options)?)),
            "binaryfile" => Reader::Binary(Arc::new(BinaryFiles::new(&options))),
            "orc" => Reader::Orc(Arc::new(OrcFiles::parse(&options)?)),
            "avro" => Reader::Avro(Arc::new(AvroFiles::parse(&options)?)),
            _ => Reader::Parquet(ParquetFiles::parse(&options)?),
        })
    }

    /// Whether files that end like compressed ones are.
    fn is_text(&self) -> bool {
        matches!(self, Reader::Csv(_) | Reader::Json(_) | Reader::Text(_))
    }

    /// Whether a file without any bytes is a row.
    fn reads_empty_files(&self) -> bool {
        match self {
            Reader::Text(text) => text.reads_empty_files(),
            other => matches!(other, Reader::Binary(_)),
        }
    }

    /// That the format has room for these columns.
    fn check(&self, schema: &Schema) -> Result<(), EngineError> {
        match self {
            Reader::Csv(options) => options.check(schema),
            Reader::Json(json) => json.check(schema),
            Reader::Text(_) => TextFiles::check(schema),
            Reader::Binary(_) => BinaryFiles::check(schema),
            Reader::Orc(_) | Reader::Avro(_) | Reader::Parquet(_) => Ok(()),
        }
    }

    fn file_format(&self, compression: FileCompressionType) -> Arc<dyn FileFormat> {
        let own: Arc<dyn FileReader> = match self {
            Reader::Csv(options) => return Arc::new(CsvFormat::new(options.as_ref().clone(), compression)),
            Reader::Parquet(_) => return Arc::new(ParquetFiles::format()),
            Reader::Json(json) => Arc::clone(json) as _,
            Reader::Text(text) => Arc::clone(text) as _,
            Reader::Binary(binary) => Arc::clone(binary) as _,
            Reader::Orc(orc) => Arc::clone(orc) as _,
            Reader::Avro(avro) => Arc::clone(avro) as _,
        };
        Arc::new(OwnFormat::new(own, compression))
    }

    /// Columns as Spark infers them.
    async fn infer(
        &self,
        state: &SessionState,
        place: &Place,
        files: &[ObjectMeta],
        format: &dyn FileFormat,
    ) -> Result<SchemaRef, EngineError> {
        let store = place.store.shared();
        let schema = match self {
            Reader::Parquet(parquet) => parquet.columns(state, &store, files).await,
            _ => format.infer_schema(state, &store, files).await,
        };
        let schema = schema.map_err(|error| {
            let why = paceline_sql::root_message(&error);
            EngineError::Setting(format!("cannot read the columns of '{}': {why}", place.url))
        })?;
        if schema.fields().is_empty() {
            return Err(EngineError::Setting(format!("cannot read the columns of '{}': it is empty", place.url)));
        }
        // In CSV a column without any value is a string.
        let mut fields: Vec<Field> = schema.fields().iter().map(nullable).collect();
        for field in fields.iter_mut().filter(|field| field.data_type().is_null()) {
            field.set_data_type(DataType::Utf8);
        }
        Ok(Arc::new(Schema::new(fields)))
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
    let refused = |file: &&ObjectMeta| matches!(file.location.extension(), Some("deflate" | "lz4" | "snappy"));
    if let Some(file) = files.iter().find(refused) {
        let why = "files compressed as deflate, lz4 or snappy are not read; use gzip, bzip2 or zstd";
        return Err(EngineError::Setting(format!("cannot read '{}': {why}", place.at(file.location.clone()).url)));
    }
    let mut kinds: Vec<_> = files.iter().map(of).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => Ok(*one),
        _ => Err(EngineError::Setting(format!("the files at '{}' are compressed in different ways", place.url))),
    }
}

fn file_url(place: &Place, path: &Path) -> Result<ListingTableUrl, EngineError> {
    Ok(ListingTableUrl::parse(place.at(path.clone()).url.as_str())?)
}
