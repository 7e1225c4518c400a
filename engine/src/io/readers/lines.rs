//! Cuts the bytes of a text file into its lines.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};

use super::csv;
use super::own::Part;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// No line is longer.
const LINE_BYTES: usize = 256 << 20;

/// The lines of a file, or of a part of one.
pub(super) struct Lines {
    source: BoxStream<'static, Result<Bytes>>,
    /// What ends a line; `\n`, `\r` or `\r\n` where nothing is said.
    separator: Option<Vec<u8>>,
    /// Nothing of the file was looked at yet.
    at_start: bool,
    bytes: Vec<u8>,
    at: usize,
    /// So far no line ends in what is there.
    looked_through: usize,
    ended: bool,
}

impl Lines {
    /// Those of a part.
    pub async fn of(part: &Part, separator: Option<Vec<u8>>) -> Result<Lines> {
        let at_start = part.range.as_ref().is_none_or(|range| range.start == 0);
        let source = csv::open_bytes(&part.store, &part.file, part.range.clone(), part.compression).await?;
        Ok(Lines::new(source, separator, at_start))
    }

    /// Those of a whole file.
    pub async fn of_file(
        store: &Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        compression: FileCompressionType,
        separator: Option<Vec<u8>>,
    ) -> Result<Lines> {
        Ok(Lines::new(csv::open_bytes(store, file, None, compression).await?, separator, true))
    }

    fn new(source: BoxStream<'static, Result<Bytes>>, separator: Option<Vec<u8>>, at_start: bool) -> Lines {
        let separator = separator.filter(|separator| !separator.is_empty());
        Lines { source, separator, at_start, bytes: Vec::new(), at: 0, looked_through: 0, ended: false }
    }

    /// The next line without its end. Bytes that are no UTF-8 become U+FFFD, as in Spark.
    pub async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if self.at_start && (self.bytes.len() >= BYTE_ORDER_MARK.len() || self.ended) {
                self.at_start = false;
                self.at += if self.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            }
            if !self.at_start
                && let Some((length, whole)) = self.find()
            {
                let line = self.bytes.get(self.at..self.at + length).unwrap_or_default();
                let line = String::from_utf8_lossy(line).into_owned();
                self.at += whole;
                self.looked_through = 0;
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            if self.bytes.len() - self.at > LINE_BYTES {
                return exec_err!("a line has no end within {} MiB", LINE_BYTES >> 20);
            }
            match self.source.try_next().await? {
                Some(bytes) => {
                    self.bytes.drain(..self.at);
                    self.at = 0;
                    self.bytes.extend_from_slice(&bytes);
                }
                None => self.ended = true,
            }
        }
    }

    /// The length of the next line, without and with its end.
    fn find(&mut self) -> Option<(usize, usize)> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let from = self.looked_through.min(rest.len());
        let unseen = rest.get(from..).unwrap_or_default();
        let found = match &self.separator {
            Some(separator) => {
                let at = unseen.windows(separator.len()).position(|window| window == separator);
                at.map(|at| (from + at, from + at + separator.len()))
            }
            None => unseen.iter().position(|byte| matches!(byte, b'\n' | b'\r')).and_then(|at| {
                let at = from + at;
                match (rest.get(at), rest.get(at + 1)) {
                    (Some(b'\r'), Some(b'\n')) => Some((at, at + 2)),
                    (Some(b'\r'), None) if !self.ended => None,
                    _ => Some((at, at + 1)),
                }
            }),
        };
        if found.is_none() {
            let overlap = self.separator.as_ref().map_or(1, Vec::len);
            self.looked_through = rest.len().saturating_sub(overlap);
        }
        match found {
            None if self.ended && !rest.is_empty() => Some((rest.len(), rest.len())),
            found => found,
        }
    }
}

/// A whole file as text.
pub(super) async fn whole(
    store: &Arc<dyn ObjectStore>,
    file: &ObjectMeta,
    compression: FileCompressionType,
) -> Result<Vec<u8>> {
    let mut source = csv::open_bytes(store, file, None, compression).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = source.try_next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > i32::MAX as usize {
            return exec_err!("a file that is read as one value has at most 2 GiB");
        }
    }
    Ok(bytes)
}

/// The text of bytes that are a whole file.
pub(super) fn text_of(bytes: Vec<u8>) -> String {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).map(<[u8]>::to_vec).unwrap_or(bytes);
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
