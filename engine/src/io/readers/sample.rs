//! About how many rows files have that do not say it: from their size, and the records in their first bytes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use datafusion::common::Result;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};

use super::csv;

/// So much is read of a file.
const SAMPLE_BYTES: u64 = 256 << 10;

/// So many files are looked into.
const SAMPLE_FILES: usize = 4;

/// What a sample may grow to when it is decompressed.
const MOST_BYTES: usize = 64 << 20;

/// About how many rows the files of a scan have.
pub(crate) async fn about_how_many_rows(scan: &FileScanConfig, environment: &RuntimeEnv) -> Result<u64> {
    let store = environment.object_store(&scan.object_store_url)?;
    let files = || scan.file_groups.iter().flat_map(FileGroup::iter);
    let total: u64 = files().map(|file| file.effective_size()).sum();
    let mut looked_into: Vec<&Path> = Vec::new();
    let (mut bytes, mut rows) = (0, 0);
    for file in files() {
        let location = &file.object_meta.location;
        if looked_into.len() == SAMPLE_FILES || looked_into.contains(&location) {
            continue;
        }
        looked_into.push(location);
        let sample = Sample::take(&store, location, file.object_meta.size, scan.file_compression_type).await?;
        bytes += sample.of_the_file;
        rows += csv::records_in(scan.file_source.as_ref(), &sample.text).unwrap_or_else(|| lines_in(&sample.text));
    }
    if bytes == 0 {
        return Ok(0);
    }
    Ok((rows as f64 * total as f64 / bytes as f64).round() as u64)
}

/// The beginning of a file.
struct Sample {
    /// Decompressed.
    text: Bytes,
    /// How many bytes of the file it is.
    of_the_file: u64,
}

impl Sample {
    async fn take(
        store: &Arc<dyn ObjectStore>,
        location: &Path,
        size: u64,
        compression: FileCompressionType,
    ) -> Result<Sample> {
        let range = Some((0..size.min(SAMPLE_BYTES)).into());
        let bytes = store.get_opts(location, GetOptions { range, ..GetOptions::default() }).await?.bytes().await?;
        let is_whole = bytes.len() as u64 == size;
        if compression.is_compressed() {
            let of_the_file = bytes.len() as u64;
            return Ok(Sample { text: decompressed(bytes, compression).await?, of_the_file });
        }
        // The record at the end may be cut, so it counts for nothing.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').filter(|_| !is_whole).map_or(bytes.len(), |at| at + 1);
        Ok(Sample { text: bytes.slice(..end), of_the_file: end as u64 })
    }
}

/// As much of a beginning as can be decompressed: what is cut ends with an error.
async fn decompressed(bytes: Bytes, compression: FileCompressionType) -> Result<Bytes> {
    let mut pieces = compression.convert_stream(futures::stream::iter([Ok(bytes)]).boxed())?;
    let mut text = BytesMut::new();
    while let Ok(Some(piece)) = pieces.try_next().await {
        text.extend_from_slice(&piece);
        if text.len() > MOST_BYTES {
            break;
        }
    }
    Ok(text.freeze())
}

/// JSON has a record a line.
fn lines_in(text: &[u8]) -> u64 {
    text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() as u64
}
