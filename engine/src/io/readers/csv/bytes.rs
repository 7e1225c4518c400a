//! Where the bytes of a CSV file come from: a store or a disk, whole or in part, compressed or not.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use async_compression::tokio::bufread::{BzDecoder, GzipDecoder, XzDecoder, ZstdDecoder};
use bytes::Bytes;
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion_datasource::boundary_stream::AlignedBoundaryStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetResultPayload, ObjectMeta, ObjectStore};
use tokio_util::io::{ReaderStream, StreamReader};

/// How much is read of a local file at once.
const CHUNK: usize = 256 << 10;

/// The bytes of a file, or of the lines that begin in a part of it.
pub async fn open(
    store: &Arc<dyn ObjectStore>,
    file: &ObjectMeta,
    range: Option<Range<u64>>,
    compression: FileCompressionType,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    if let Some(Range { start, end }) = range {
        let location = file.location.clone();
        let lines = AlignedBoundaryStream::new(Arc::clone(store), location, start, end, file.size, b'\n').await?;
        return Ok(lines.map_err(DataFusionError::from).boxed());
    }
    let found = store.get_opts(&file.location, GetOptions::default()).await?;
    match found.payload {
        GetResultPayload::File(file, _) => Ok(chunks(compression.convert_read(file)?).boxed()),
        GetResultPayload::Stream(stream) => Ok(decompressed(stream, compression)),
    }
}

/// Every member of a file counts: programs that compress in parallel write many, and files may be put together.
fn decompressed(
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    compression: FileCompressionType,
) -> BoxStream<'static, Result<Bytes>> {
    macro_rules! members {
        ($decoder:ty) => {{
            let mut decoder = <$decoder>::new(StreamReader::new(bytes.map_err(std::io::Error::from)));
            decoder.multiple_members(true);
            ReaderStream::with_capacity(decoder, CHUNK).map_err(DataFusionError::from).boxed()
        }};
    }
    match compression.get_variant() {
        CompressionTypeVariant::GZIP => members!(GzipDecoder<_>),
        CompressionTypeVariant::BZIP2 => members!(BzDecoder<_>),
        CompressionTypeVariant::XZ => members!(XzDecoder<_>),
        CompressionTypeVariant::ZSTD => members!(ZstdDecoder<_>),
        CompressionTypeVariant::UNCOMPRESSED => bytes.map_err(DataFusionError::from).boxed(),
    }
}

fn chunks(mut file: impl Read + Send + 'static) -> impl futures::Stream<Item = Result<Bytes>> + Send {
    let next = move || {
        let mut bytes = Vec::with_capacity(CHUNK);
        match file.by_ref().take(CHUNK as u64).read_to_end(&mut bytes) {
            Ok(0) => None,
            Ok(_) => Some(Ok(Bytes::from(bytes))),
            Err(error) => Some(Err(DataFusionError::IoError(error))),
        }
    };
    futures::stream::iter(std::iter::from_fn(next))
}
