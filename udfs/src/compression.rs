//! Compresses requests and decompresses replies: gzip and deflate, as the header `Content-Encoding` names them.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

/// How a request's body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// What HTTP calls deflate: a zlib stream (RFC 1950).
    Deflate,
}

impl Compression {
    /// Its name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Deflate => "deflate",
        }
    }

    /// The compressed bytes, the same for the same input.
    ///
    /// # Errors
    /// None is known: the bytes go to memory.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Bytes> {
        match self {
            Compression::Gzip => gzip(bytes),
            Compression::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Level::default());
                encoder.write_all(bytes)?;
                encoder.finish().map(Bytes::from)
            }
        }
    }
}

/// Compresses with gzip; no time and no name stand in the header, so the result depends on the bytes alone.
///
/// # Errors
/// None is known: the bytes go to memory.
pub fn gzip(bytes: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(bytes)?;
    encoder.finish().map(Bytes::from)
}

/// Why a reply cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    /// Nothing here reads this encoding.
    #[error("the reply has Content-Encoding '{0}'; gzip, deflate and identity can be read")]
    Unknown(String),
    /// The bytes are not what the header says, or end too early.
    #[error("the reply is not the {encoding} that its Content-Encoding says: {source}")]
    Broken {
        /// What the header says.
        encoding: String,
        /// What is wrong.
        source: io::Error,
    },
    /// More comes out than may be read.
    #[error("the reply, decompressed, is larger than max_reply_bytes ({limit} bytes)")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Undoes a `Content-Encoding` (its value; RFC 9110, 8.4.1). At most `most` bytes come out, however little goes in.
///
/// # Errors
/// The encoding is unknown, the bytes are broken, or more than `most` would come out.
pub fn decompress(encoding: &str, bytes: &Bytes, most: usize) -> Result<Bytes, DecompressError> {
    let encoding = encoding.trim().to_ascii_lowercase();
    // Servers that say deflate mean a zlib stream or, against the RFC, a bare one. A zlib stream begins with a method of 8
    // in the low half of a byte pair that 31 divides; RFC 1950, 2.2.
    let is_zlib = |head: &[u8]| matches!(head, [a, b, ..] if a & 0x0f == 8 && u16::from_be_bytes([*a, *b]) % 31 == 0);
    let result = match encoding.as_str() {
        "" | "identity" => read(bytes.as_ref(), most),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(bytes.as_ref()), most),
        "deflate" if is_zlib(bytes) => read(ZlibDecoder::new(bytes.as_ref()), most),
        "deflate" => read(DeflateDecoder::new(bytes.as_ref()), most),
        _ => return Err(DecompressError::Unknown(encoding)),
    };
    match result {
        Ok(read) if read.len() > most => Err(DecompressError::TooLarge { limit: most }),
        Ok(read) => Ok(Bytes::from(read)),
        Err(source) => Err(DecompressError::Broken { encoding, source }),
    }
}

/// One byte more than allowed is enough to know that there are too many.
fn read(from: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use flate2::write::DeflateEncoder;

    use super::*;

    const TEXT: &[u8] = b"[1,2,3,1,2,3,1,2,3,1,2,3]";

    fn check(encoding: &str, bytes: &Bytes, most: usize, expected: Expect) {
        let shown = match decompress(encoding, bytes, most) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_is_compressed_comes_back() {
        for compression in [Compression::Gzip, Compression::Deflate] {
            let packed = compression.compress(TEXT).unwrap();
            assert_ne!(packed, TEXT);
            assert_eq!(packed, compression.compress(TEXT).unwrap());
            assert_eq!(decompress(compression.name(), &packed, TEXT.len()).unwrap(), TEXT);
        }
        assert_eq!(decompress("X-GZIP ", &gzip(TEXT).unwrap(), 100).unwrap(), TEXT);
        assert_eq!(decompress("identity", &Bytes::from_static(TEXT), 100).unwrap(), TEXT);
    }

    #[test]
    fn deflate_without_the_zlib_header_is_read_too() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Level::default());
        encoder.write_all(TEXT).unwrap();
        assert_eq!(decompress("deflate", &Bytes::from(encoder.finish().unwrap()), 100).unwrap(), TEXT);
    }

    #[test]
    fn gzip_in_two_parts_is_one_reply() {
        let twice = [gzip(b"[1,").unwrap(), gzip(b"2]").unwrap()].concat();
        check("gzip", &Bytes::from(twice), 100, expect!["[1,2]"]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let packed = gzip(TEXT).unwrap();
        check(
            "gzip",
            &packed,
            TEXT.len() - 1,
            expect!["the reply, decompressed, is larger than max_reply_bytes (24 bytes)"],
        );
        check(
            "identity",
            &Bytes::from_static(TEXT),
            3,
            expect!["the reply, decompressed, is larger than max_reply_bytes (3 bytes)"],
        );
        check(
            "gzip",
            &packed.slice(..packed.len() - 9),
            100,
            expect!["the reply is not the gzip that its Content-Encoding says: incomplete deflate stream"],
        );
        check(
            "gzip",
            &Bytes::from_static(b"[1]"),
            100,
            expect!["the reply is not the gzip that its Content-Encoding says: unexpected end of file"],
        );
        check(
            "br",
            &packed,
            100,
            expect!["the reply has Content-Encoding 'br'; gzip, deflate and identity can be read"],
        );
    }

    #[test]
    fn a_bomb_is_cut_off() {
        let bomb = gzip(&vec![0; 10_000_000]).unwrap();
        assert!(bomb.len() < 20_000);
        check("gzip", &bomb, 1000, expect!["the reply, decompressed, is larger than max_reply_bytes (1000 bytes)"]);
    }
}
