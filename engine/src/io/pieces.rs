//! Reads files of S3 in pieces, one request each.
//!
//! A table is read as slowly as an API allows, for hours. One request per file would not last that long, and its client would
//! take the whole file into memory meanwhile. A piece is short: it is fetched in one go, and again from where it broke off. The
//! pieces of a file are all of the same version of it, and a file that ends early is an error.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Size of a piece: at 100 ms a request 80 MB/s for one reader.
const PIECE: u64 = 8 * 1024 * 1024;
/// Size of the first one, so that the first rows are soon there.
const FIRST: u64 = 1024 * 1024;
/// Pieces that are on their way at once, so that the next is there when one is used up.
const AHEAD: usize = 2;

/// S3 for those who read whole files.
#[derive(Debug)]
pub(super) struct InPieces {
    store: Arc<AmazonS3>,
}

impl InPieces {
    pub fn new(store: Arc<AmazonS3>) -> Self {
        InPieces { store }
    }
}

impl fmt::Display for InPieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

/// What the stream of a file may fail with; the error of a body does not say whose it is.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("cannot read bytes {} to {} of '{path}': {source}", .range.start, .range.end)]
    Request { path: Path, range: Range<u64>, source: Error },
    #[error("'{path}' was changed while it was read; run the job again")]
    Changed { path: Path },
    #[error("'{path}' broke off: {got} bytes came for bytes {} to {}", .range.start, .range.end)]
    Short { path: Path, range: Range<u64>, got: u64 },
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        Error::Generic { store: "S3", source: Box::new(broken) }
    }
}

#[async_trait]
impl ObjectStore for InPieces {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let start = match &options.range {
            None => 0,
            Some(GetRange::Offset(start)) => *start,
            Some(GetRange::Bounded(range)) if range.end > range.start => range.start,
            Some(_) => return self.store.get_opts(path, options).await, // ends of files, which are short
        };
        if options.head {
            return self.store.get_opts(path, options).await;
        }
        let first = start..start.saturating_add(FIRST).min(end(&options).unwrap_or(u64::MAX));
        let opened = match self.store.get_opts(path, with_range(&options, first)).await {
            Ok(opened) => opened,
            // An empty file has no range at all.
            Err(error) if options.range.is_none() => match self.store.head(path).await {
                Ok(meta) if meta.size == 0 => return self.store.get_opts(path, options).await,
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let whole = start..end(&options).unwrap_or(u64::MAX).min(opened.meta.size);
        let (meta, attributes, first) = (opened.meta.clone(), opened.attributes.clone(), opened.range.clone());
        let version = meta.e_tag.clone();
        let same = GetOptions { if_match: options.if_match.clone().or_else(|| version.clone()), ..options };
        let begun = futures::stream::once(collect(opened, path.clone(), first.clone()));
        let (store, path) = (Arc::clone(&self.store), path.clone());
        let rest = futures::stream::iter(pieces(first.end..whole.end)).map(move |range| {
            let (store, path, options) = (Arc::clone(&store), path.clone(), with_range(&same, range.clone()));
            let version = version.clone();
            async move {
                match store.get_opts(&path, options).await {
                    // Not every S3 looks at the condition.
                    Ok(opened) if opened.meta.e_tag != version => Err(Broken::Changed { path }.into()),
                    Ok(opened) => collect(opened, path, range).await,
                    Err(Error::Precondition { .. }) => Err(Broken::Changed { path }.into()),
                    Err(source) => Err(Broken::Request { path, range, source }.into()),
                }
            }
        });
        let read = begun.chain(rest.buffered(AHEAD));
        let stream = read.map_ok(|piece| futures::stream::iter(piece.into_iter().map(Ok))).try_flatten().boxed();
        Ok(GetResult { payload: GetResultPayload::Stream(stream), meta, range: whole, attributes })
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(path, ranges).await
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn end(options: &GetOptions) -> Option<u64> {
    match &options.range {
        Some(GetRange::Bounded(range)) => Some(range.end),
        _ => None,
    }
}

fn with_range(options: &GetOptions, range: Range<u64>) -> GetOptions {
    GetOptions { range: Some(GetRange::Bounded(range)), ..options.clone() }
}

fn pieces(range: Range<u64>) -> impl Iterator<Item = Range<u64>> + Send {
    let end = range.end;
    let starts = std::iter::successors(Some(range.start), |start| start.checked_add(PIECE));
    starts.take_while(move |start| *start < end).map(move |start| start..start.saturating_add(PIECE).min(end))
}

/// The whole piece, as its bytes came, and nothing else.
async fn collect(opened: GetResult, path: Path, range: Range<u64>) -> Result<Vec<Bytes>> {
    let read: Vec<Bytes> = match opened.into_stream().try_collect().await {
        Ok(read) => read,
        Err(source) => return Err(Broken::Request { path, range, source }.into()),
    };
    let got = read.iter().map(|bytes| bytes.len() as u64).sum();
    if got == range.end - range.start { Ok(read) } else { Err(Broken::Short { path, range, got }.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_range_once() {
        let check = |start, end, expected: &[(u64, u64)]| {
            assert_eq!(pieces(start..end).map(|piece| (piece.start, piece.end)).collect::<Vec<_>>(), expected);
        };
        check(5, 5, &[]);
        check(9, 5, &[]);
        check(1, PIECE + 1, &[(1, PIECE + 1)]);
        check(0, 2 * PIECE + 3, &[(0, PIECE), (PIECE, 2 * PIECE), (2 * PIECE, 2 * PIECE + 3)]);
    }

    /// A body of these parts, of which bytes 3 to 9 were asked for.
    async fn collected(parts: Vec<Result<Bytes>>) -> String {
        let location = Path::from("in/records.csv");
        let meta = ObjectMeta { location, last_modified: Default::default(), size: 100, e_tag: None, version: None };
        let payload = GetResultPayload::Stream(futures::stream::iter(parts).boxed());
        let opened = GetResult { payload, meta, range: 3..9, attributes: Default::default() };
        match collect(opened, Path::from("in/records.csv"), 3..9).await {
            Ok(bytes) => String::from_utf8(bytes.concat()).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_body_that_is_short_or_breaks_is_an_error_with_the_name_of_the_file() {
        let part = |text: &'static str| Ok(Bytes::from(text));
        assert_eq!(collected(vec![part("abc"), part("def")]).await, "abcdef");
        let short = collected(vec![part("abc")]).await;
        assert_eq!(short, "Generic S3 error: 'in/records.csv' broke off: 3 bytes came for bytes 3 to 9");
        let broken = Error::Generic { store: "S3", source: "connection reset".into() };
        let broken = collected(vec![part("abcdef"), Err(broken)]).await;
        let expected = "cannot read bytes 3 to 9 of 'in/records.csv': Generic S3 error: connection reset";
        assert!(broken.contains(expected), "{broken}");
    }
}
