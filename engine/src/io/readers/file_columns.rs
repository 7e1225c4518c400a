//! Columns that no query names: which file a row is from, and where the part of it begins that is read as one. They stand behind
//! those of the folders, and are had only where a query asks for them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::listing::{FileRange, ListingTable, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};
use url::Url;

use super::partitions::PartitionedFiles;

/// Their names: the URL of the file, and the first byte and the length of the part.
pub(crate) const FILE_COLUMNS: [&str; 3] =
    ["__input_file_name", "__input_file_block_start", "__input_file_block_length"];

/// What is encoded in the path of a URL; everything else stands for itself.
/// Source: `java.net.URI`, whose text Spark shows.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same files with the columns; `None` where it is no view over files, or has them already.
pub(crate) fn with_file_columns(table: &Arc<dyn TableProvider>) -> Option<Arc<dyn TableProvider>> {
    let files = match table.downcast_ref::<PartitionedFiles>() {
        Some(files) => files.with_file_columns()?,
        None => PartitionedFiles::without_folders(table.downcast_ref::<ListingTable>()?.clone()).with_file_columns()?,
    };
    Some(Arc::new(files))
}

/// Whether it is a view over files.
pub(crate) fn is_of_files(table: &Arc<dyn TableProvider>) -> bool {
    table.is::<PartitionedFiles>() || table.is::<ListingTable>()
}

/// The columns.
pub(super) fn columns() -> [FieldRef; 3] {
    let [name, start, length] = FILE_COLUMNS;
    [(name, DataType::Utf8), (start, DataType::Int64), (length, DataType::Int64)]
        .map(|(name, data_type)| Arc::new(Field::new(name, data_type, false)))
}

/// Their values for a whole file; those of its parts are set by [`in_parts`].
pub(super) fn of_file(store: &Url, file: &PartitionedFile) -> [ScalarValue; 3] {
    let length = i64::try_from(file.object_meta.size).unwrap_or(i64::MAX);
    [shown(store, file.object_meta.location.as_ref()).into(), 0i64.into(), length.into()]
}

/// A file's URL as Spark shows it: `file:///…`, and only what must be is encoded.
fn shown(store: &Url, location: &str) -> String {
    let mut url = format!("{}://{}/", store.scheme(), store.host_str().unwrap_or_default());
    for (at, character) in location.char_indices() {
        let text = &location[at..at + character.len_utf8()];
        let kept = !character.is_ascii() && !character.is_whitespace() && !character.is_control();
        if kept { url.push_str(text) } else { url.extend(encoded(text)) }
    }
    url
}

fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

/// Cuts a scan into the parts that tasks read, and notes where each begins. It is not cut again.
pub(super) fn in_parts(scan: Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
    let cut = scan.repartitioned(session.config().target_partitions(), session.config_options())?;
    let scan = cut.unwrap_or(scan);
    let Some(source) = scan.downcast_ref::<DataSourceExec>() else { return Ok(scan) };
    let Some(files) = source.data_source().downcast_ref::<FileScanConfig>() else { return Ok(scan) };
    let is_cut = files.file_source.supports_repartitioning() && !files.file_compression_type.is_compressed();
    let noted = |mut file: PartitionedFile| {
        let whole = i64::try_from(file.object_meta.size).unwrap_or(i64::MAX);
        let range = file.range.clone().unwrap_or(FileRange { start: 0, end: whole });
        if let [.., start, length] = file.partition_values.as_mut_slice() {
            *start = range.start.into();
            *length = (range.end - range.start).into();
        }
        file.range = is_cut.then_some(range);
        file
    };
    let groups = files.file_groups.iter();
    let groups = groups.map(|group| FileGroup::new(group.iter().cloned().map(noted).collect())).collect();
    let files = FileScanConfigBuilder::from(files.clone()).with_file_groups(groups).build();
    Ok(DataSourceExec::from_data_source(files))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::shown;

    #[test]
    fn a_file_has_the_url_that_spark_shows() {
        let store = Url::parse("s3://bucket/").unwrap();
        assert_eq!(shown(&store, "a b/k=1%2F/é\u{a0}[x].csv"), "s3://bucket/a%20b/k=1%252F/é%C2%A0%5Bx%5D.csv");
        let local = Url::parse("file:///").unwrap();
        assert_eq!(shown(&local, "tmp/x.csv"), "file:///tmp/x.csv");
    }
}
