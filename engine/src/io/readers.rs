//! Files as tables, with the options of Spark's readers.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::session_state::SessionState;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::stores::{Place, Stores};
use crate::EngineError;

/// The options of a CSV view, as in Spark's `DataFrameReader.csv`. Keys are matched without regard to case.
const CSV_OPTIONS: &[&str] = &["path", "header", "inferSchema", "sep", "delimiter", "quote", "escape", "multiLine"];

/// A view over files.
///
/// # Errors
/// The format or an option is not known, there are no files, or their columns cannot be inferred.
pub async fn open(
    state: &SessionState,
    stores: &Stores,
    format: &str,
    columns: Option<Fields>,
    options: &[(String, String)],
) -> Result<Arc<dyn TableProvider>, EngineError> {
    if format != "csv" {
        return Err(EngineError::Setting(format!("a view USING {format} is not supported; use csv")));
    }
    let options = CsvOptions::parse(options)?;
    let place = stores.place(&options.path)?;
    let files = files_at(&place).await?;
    let read = options.format(state);
    let schema = match columns {
        Some(columns) => Arc::new(Schema::new(columns)),
        None => options.infer(state, &place, &files).await?,
    };
    let urls = files.iter().map(|file| file_url(&place, &file.location)).collect::<Result<_, _>>()?;
    let listing = ListingOptions::new(Arc::new(read)).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(listing).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
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
    match objects.head(&place.path).await {
        Ok(file) => return Ok(vec![file]),
        Err(object_store::Error::NotFound { .. }) => {}
        // A local folder: what `head` says of it differs by system.
        Err(_) if place.url.to_file_path().is_ok_and(|path| path.is_dir()) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut files: Vec<_> = objects.list(Some(&place.path)).try_collect().await.map_err(failed)?;
    files.retain(|file| file.size > 0 && !is_hidden(&place.path, &file.location));
    files.sort_by(|a, b| a.location.cmp(&b.location));
    if files.is_empty() {
        return Err(EngineError::Setting(format!("there is no file at '{}'", place.url)));
    }
    Ok(files)
}

fn is_hidden(folder: &Path, file: &Path) -> bool {
    file.prefix_match(folder).is_none_or(|mut parts| parts.any(|part| part.as_ref().starts_with(['_', '.'])))
}

fn file_url(place: &Place, path: &Path) -> Result<ListingTableUrl, EngineError> {
    let mut url = place.url.clone();
    url.set_path(&format!("/{path}"));
    Ok(ListingTableUrl::parse(url.as_str())?)
}

#[derive(Debug)]
struct CsvOptions {
    path: String,
    header: bool,
    infer_schema: bool,
    separator: u8,
    quote: u8,
    escape: u8,
    multi_line: bool,
}

impl CsvOptions {
    fn parse(given: &[(String, String)]) -> Result<Self, EngineError> {
        if let Some((key, _)) = given.iter().find(|(key, _)| !CSV_OPTIONS.iter().any(|o| o.eq_ignore_ascii_case(key))) {
            let valid = CSV_OPTIONS.join(", ");
            return Err(EngineError::Setting(format!("unknown CSV option '{key}'; the options are {valid}")));
        }
        let get = |key: &str| given.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
        let path = get("path").ok_or_else(|| EngineError::Setting("the CSV option 'path' is missing".to_owned()))?;
        Ok(CsvOptions {
            path: path.to_owned(),
            header: flag("header", get("header"))?,
            infer_schema: flag("inferSchema", get("inferSchema"))?,
            separator: character("sep", get("sep").or(get("delimiter")), b',')?,
            quote: character("quote", get("quote"), b'"')?,
            escape: character("escape", get("escape"), b'\\')?,
            multi_line: flag("multiLine", get("multiLine"))?,
        })
    }

    fn format(&self, state: &SessionState) -> CsvFormat {
        CsvFormat::default()
            .with_options(state.default_table_options().csv)
            .with_has_header(self.header)
            .with_delimiter(self.separator)
            .with_quote(self.quote)
            .with_escape(Some(self.escape))
            .with_newlines_in_values(self.multi_line)
    }

    /// Names from the header, or `_c0`, `_c1`, …; types from the values if asked for, otherwise strings.
    async fn infer(&self, state: &SessionState, place: &Place, files: &[ObjectMeta]) -> Result<SchemaRef, EngineError> {
        let store = place.store.shared();
        // As in Spark, all values decide on the type of a column; for its name one line is enough.
        let rows = if self.infer_schema { usize::MAX } else { 1 };
        let format = self.format(state).with_schema_infer_max_rec(rows);
        let schema = format.infer_schema(state, &store, files).await?;
        let fields = schema.fields().iter().enumerate().map(|(at, field)| {
            let name = if self.header { field.name().clone() } else { format!("_c{at}") };
            let data_type = if self.infer_schema { spark_type(field.data_type()) } else { DataType::Utf8 };
            Field::new(name, data_type, true)
        });
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }
}

/// A column without any value is a string in Spark.
fn spark_type(inferred: &DataType) -> DataType {
    match inferred {
        DataType::Null => DataType::Utf8,
        other => other.clone(),
    }
}

fn flag(key: &str, value: Option<&str>) -> Result<bool, EngineError> {
    match value.map(str::to_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(EngineError::Setting(format!("CSV option '{key}' is '{other}', expected true or false"))),
    }
}

fn character(key: &str, value: Option<&str>, default: u8) -> Result<u8, EngineError> {
    match value {
        None => Ok(default),
        Some("\\t") => Ok(b'\t'),
        Some(text) if text.len() == 1 => Ok(text.as_bytes()[0]),
        Some(text) => {
            Err(EngineError::Setting(format!("CSV option '{key}' is '{text}', expected one ASCII character")))
        }
    }
}
