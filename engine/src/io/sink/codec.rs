//! How text files are compressed, by the names of Spark and in the forms of Hadoop.

use std::io::Write;

use async_compression::tokio::write::BzEncoder;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use flate2::write::{GzEncoder, ZlibEncoder};
use tokio::io::AsyncWriteExt;

/// What Hadoop reads at once is not larger.
const BLOCK_BYTES: usize = 64 << 10;

/// A codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Gzip,
    Deflate,
    Bzip2,
    Snappy,
    Lz4,
}

impl Codec {
    /// By its name in Spark.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "none" | "uncompressed" => Codec::None,
            "gzip" => Codec::Gzip,
            "deflate" => Codec::Deflate,
            "bzip2" => Codec::Bzip2,
            "snappy" => Codec::Snappy,
            "lz4" => Codec::Lz4,
            _ => return None,
        })
    }

    /// The end of a file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Codec::None => "",
            Codec::Gzip => ".gz",
            Codec::Deflate => ".deflate",
            Codec::Bzip2 => ".bz2",
            Codec::Snappy => ".snappy",
            Codec::Lz4 => ".lz4",
        }
    }
}

/// A file on its way through a codec.
pub(super) enum Encoder {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Bzip2(BzEncoder<Vec<u8>>),
    /// Blocks, each behind its lengths, of bytes that wait until a block is full.
    Blocks(fn(&[u8]) -> Result<Vec<u8>>, Vec<u8>),
}

impl Encoder {
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::None => Encoder::Plain,
            Codec::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), Default::default())),
            Codec::Deflate => Encoder::Deflate(ZlibEncoder::new(Vec::new(), Default::default())),
            Codec::Bzip2 => Encoder::Bzip2(BzEncoder::new(Vec::new())),
            Codec::Snappy => Encoder::Blocks(snappy, Vec::new()),
            Codec::Lz4 => Encoder::Blocks(|block| Ok(lz4_flex::block::compress(block)), Vec::new()),
        }
    }

    /// What goes to the file after these bytes came.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(match self {
            Encoder::Plain => bytes,
            Encoder::Gzip(encoder) => {
                encoder.write_all(&bytes).map_err(DataFusionError::IoError)?;
                std::mem::take(encoder.get_mut())
            }
            Encoder::Deflate(encoder) => {
                encoder.write_all(&bytes).map_err(DataFusionError::IoError)?;
                std::mem::take(encoder.get_mut())
            }
            Encoder::Bzip2(encoder) => {
                encoder.write_all(&bytes).await.map_err(DataFusionError::IoError)?;
                std::mem::take(encoder.get_mut())
            }
            Encoder::Blocks(compress, waiting) => {
                waiting.extend_from_slice(&bytes);
                let full = waiting.len() - waiting.len() % BLOCK_BYTES;
                let now: Vec<u8> = waiting.drain(..full).collect();
                blocks(&now, *compress)?
            }
        })
    }

    /// What goes to the end of the file.
    pub async fn finish(self) -> Result<Vec<u8>> {
        match self {
            Encoder::Plain => Ok(Vec::new()),
            Encoder::Gzip(encoder) => encoder.finish().map_err(DataFusionError::IoError),
            Encoder::Deflate(encoder) => encoder.finish().map_err(DataFusionError::IoError),
            Encoder::Bzip2(mut encoder) => {
                encoder.shutdown().await.map_err(DataFusionError::IoError)?;
                Ok(encoder.into_inner())
            }
            Encoder::Blocks(compress, waiting) => blocks(&waiting, compress),
        }
    }
}

fn snappy(block: &[u8]) -> Result<Vec<u8>> {
    snap::raw::Encoder::new().compress_vec(block).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// Each block: the length of what it holds, the length of what follows, and that, compressed.
fn blocks(bytes: &[u8], compress: fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let length = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).map_err(|_| exec_datafusion_err!("a block is too long"))?;
        Ok::<_, DataFusionError>(length.to_be_bytes())
    };
    let mut out = Vec::new();
    for block in bytes.chunks(BLOCK_BYTES) {
        let compressed = compress(block)?;
        out.extend_from_slice(&length(block)?);
        out.extend_from_slice(&length(&compressed)?);
        out.extend_from_slice(&compressed);
    }
    Ok(out)
}
