//! One segment of the journal: compressed blocks of answers, a block for each partition, and a footer that says where they are.
//!
//! ```text
//! block …, footer (JSON), CRC-32 of the footer (4 bytes), its length (4 bytes), "PACEJRN1"
//! ```
//! Numbers are little-endian. A block is zstd over entries: key (16 bytes), status (2), attempts (4), latency in µs (8), length
//! (4), value. Blocks know nothing of where they stand, so that segments are joined without taking them apart.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::ask::Answer;
use crate::key::Key;

const MAGIC: &[u8; 8] = b"PACEJRN1";
const VERSION: u32 = 1;
/// CRC, length and magic.
const TAIL: usize = 16;
/// zstd's level: the journal is written often and read seldom.
const LEVEL: i32 = 1;
/// A block is not taken for good if it unpacks to more: it is damaged.
const MOST_BLOCK_BYTES: usize = 1 << 30;

/// What a segment holds, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Footer {
    version: u32,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// The partition whose answers these are.
    pub partition: u32,
    /// Where it begins, in bytes.
    offset: u64,
    /// Its length, in bytes.
    length: u64,
    /// How many answers.
    pub answers: u64,
    crc32: u32,
}

impl Block {
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.length
    }
}

/// What is wrong with a segment or a block.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Damage {
    #[error("it is cut off or not a segment")]
    NoFooter,
    #[error("its checksum is wrong")]
    Checksum,
    #[error("a newer version of Paceline wrote it (format {0})")]
    Newer(u32),
    #[error("it cannot be unpacked: {0}")]
    Unpack(String),
}

/// An answer and what it answers.
pub(super) type Entry = (Key, Answer);

/// A segment with a block for each partition.
pub(super) fn write(partitions: &BTreeMap<u32, Vec<Entry>>) -> std::io::Result<Bytes> {
    let (mut segment, mut blocks, mut plain) = (BytesMut::new(), Vec::new(), Vec::new());
    for (partition, entries) in partitions {
        plain.clear();
        for (key, answer) in entries {
            plain.put_slice(&key.0);
            plain.put_u16_le(answer.status);
            plain.put_u32_le(answer.attempts);
            plain.put_u64_le(u64::try_from(answer.latency.as_micros()).unwrap_or(u64::MAX));
            plain.put_u32_le(u32::try_from(answer.value.len()).map_err(std::io::Error::other)?);
            plain.put_slice(&answer.value);
        }
        let packed = zstd::bulk::compress(&plain, LEVEL)?;
        blocks.push(Block {
            partition: *partition,
            offset: segment.len() as u64,
            length: packed.len() as u64,
            answers: entries.len() as u64,
            crc32: crc32fast::hash(&packed),
        });
        segment.extend_from_slice(&packed);
    }
    segment.extend_from_slice(&end(blocks)?);
    Ok(segment.freeze())
}

/// The end of a segment whose blocks stand where `blocks` say.
fn end(blocks: Vec<Block>) -> std::io::Result<Bytes> {
    let footer = serde_json::to_vec(&Footer { version: VERSION, blocks })?;
    let mut end = BytesMut::with_capacity(footer.len() + TAIL);
    end.extend_from_slice(&footer);
    end.put_u32_le(crc32fast::hash(&footer));
    end.put_u32_le(u32::try_from(footer.len()).map_err(std::io::Error::other)?);
    end.extend_from_slice(MAGIC);
    Ok(end.freeze())
}

/// The end of a segment that has the blocks of these, one after the other.
pub(super) fn end_of_joined(footers: &[Footer]) -> std::io::Result<Bytes> {
    let (mut offset, mut blocks) = (0, Vec::new());
    for block in footers.iter().flat_map(|footer| &footer.blocks) {
        blocks.push(Block { offset, ..block.clone() });
        offset += block.length;
    }
    end(blocks)
}

/// How many bytes at the end hold the footer, from the last bytes of a segment.
pub(super) fn end_length(last: &[u8]) -> Result<usize, Damage> {
    let mut tail = last.len().checked_sub(TAIL).and_then(|at| last.get(at..)).ok_or(Damage::NoFooter)?;
    let (_, length) = (tail.get_u32_le(), tail.get_u32_le());
    if tail != MAGIC { Err(Damage::NoFooter) } else { Ok(length as usize + TAIL) }
}

/// Reads the footer from the last bytes of a segment of `size` bytes; they are at least as many as [`end_length`] says.
pub(super) fn footer(last: &[u8], size: u64) -> Result<Footer, Damage> {
    let length = end_length(last)?;
    let end = last.len().checked_sub(length).and_then(|at| last.get(at..)).ok_or(Damage::NoFooter)?;
    let (footer, mut tail) = end.split_at(length - TAIL);
    if tail.get_u32_le() != crc32fast::hash(footer) {
        return Err(Damage::Checksum);
    }
    let footer: Footer = serde_json::from_slice(footer).map_err(|error| Damage::Unpack(error.to_string()))?;
    if footer.version > VERSION {
        return Err(Damage::Newer(footer.version));
    }
    let blocks_end = footer.blocks.last().map_or(0, |block| block.range().end);
    if blocks_end + length as u64 != size { Err(Damage::NoFooter) } else { Ok(footer) }
}

/// The answers of a block.
pub(super) fn read(block: &Block, packed: &[u8]) -> Result<Vec<Entry>, Damage> {
    if crc32fast::hash(packed) != block.crc32 {
        return Err(Damage::Checksum);
    }
    let unpacked = zstd::stream::decode_all(packed).map_err(|error| Damage::Unpack(error.to_string()))?;
    if unpacked.len() > MOST_BLOCK_BYTES {
        return Err(Damage::Unpack(format!("it has {} bytes", unpacked.len())));
    }
    let mut left = Bytes::from(unpacked);
    let mut entries = Vec::new();
    while !left.is_empty() {
        entries.push(entry(&mut left).ok_or_else(|| Damage::Unpack("an entry is cut off".to_owned()))?);
    }
    Ok(entries)
}

fn entry(left: &mut Bytes) -> Option<Entry> {
    let mut key = [0; 16];
    left.try_copy_to_slice(&mut key).ok()?;
    let status = left.try_get_u16_le().ok()?;
    let attempts = left.try_get_u32_le().ok()?;
    let latency = Duration::from_micros(left.try_get_u64_le().ok()?);
    let length = left.try_get_u32_le().ok()? as usize;
    let value = (left.len() >= length).then(|| left.split_to(length))?;
    Some((Key(key), Answer { value, status, attempts, latency }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u8) -> Entry {
        let value = Bytes::from(vec![number; 100]);
        (Key([number; 16]), Answer { value, status: 200, attempts: 3, latency: Duration::from_micros(1234) })
    }

    #[test]
    fn what_is_written_is_read() {
        let written = BTreeMap::from([(0, vec![entry(1), entry(2)]), (7, vec![entry(3)])]);
        let segment = write(&written).unwrap();
        let footer = footer(&segment, segment.len() as u64).unwrap();
        let blocks = footer.blocks.iter().map(|block| {
            let range = block.range();
            (block.partition, read(block, &segment[range.start as usize..range.end as usize]).unwrap())
        });
        assert_eq!(blocks.collect::<BTreeMap<_, _>>(), written);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let segment = write(&BTreeMap::from([(0, vec![entry(1)]), (1, vec![entry(2)])])).unwrap();
        let good = |bytes: &[u8]| {
            footer(bytes, bytes.len() as u64).is_ok_and(|footer| {
                footer.blocks.iter().all(|block| {
                    let range = block.range();
                    read(block, &bytes[range.start as usize..range.end as usize]).is_ok()
                })
            })
        };
        assert!(good(&segment));
        for at in 0..segment.len() {
            let mut flipped = segment.to_vec();
            flipped[at] ^= 0x10;
            assert!(!good(&flipped), "byte {at}");
            assert!(!good(&segment[..at]), "cut at {at}");
        }
    }

    #[test]
    fn segments_are_joined_as_they_are() {
        let segments = [
            write(&BTreeMap::from([(0, vec![entry(1)])])).unwrap(),
            write(&BTreeMap::from([(1, vec![entry(2)]), (2, vec![])])).unwrap(),
        ];
        let footers = segments.each_ref().map(|segment| footer(segment, segment.len() as u64).unwrap());
        let mut joined = Vec::new();
        for (segment, footer) in segments.iter().zip(&footers) {
            let end = footer.blocks.last().unwrap().range().end;
            joined.extend_from_slice(&segment[..end as usize]);
        }
        joined.extend_from_slice(&end_of_joined(&footers).unwrap());
        let footer = footer(&joined, joined.len() as u64).unwrap();
        assert_eq!(footer.blocks.iter().map(|block| block.partition).collect::<Vec<_>>(), [0, 1, 2]);
        let range = footer.blocks[1].range();
        assert_eq!(read(&footer.blocks[1], &joined[range.start as usize..range.end as usize]).unwrap(), [entry(2)]);
    }
}
