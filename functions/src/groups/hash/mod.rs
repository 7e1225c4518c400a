//! Spark's functions of the group hash.

mod digests;
mod values;

pub(crate) use values::{bytes_hash, murmur3_bytes, text_hash};

use super::scalar::{scalar, strict};
use crate::{Call, DataType, Function, Group, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("crc32", "crc32(expr) - The cyclic redundancy check of bytes.", |c| {
        strict(c, &digests::CRC32, "crc32", &[DataType::Binary], DataType::Long, false)
    }),
    row("md5", "md5(expr) - The MD5 digest of bytes in hexadecimal digits.", |c| {
        strict(c, &digests::MD5, "md5", &[DataType::Binary], DataType::String, false)
    }),
    row("sha", "sha(expr) - The SHA-1 digest of bytes in hexadecimal digits.", |c| {
        strict(c, &digests::SHA1, "sha", &[DataType::Binary], DataType::String, false)
    }),
    row("sha1", "sha1(expr) - The SHA-1 digest of bytes in hexadecimal digits.", |c| {
        strict(c, &digests::SHA1, "sha1", &[DataType::Binary], DataType::String, false)
    }),
    row(
        "sha2",
        "sha2(expr, bits) - The SHA-2 digest of 224, 256 (or 0), 384 or 512 bits in hexadecimal digits.",
        |c| strict(c, &digests::SHA2, "sha2", &[DataType::Binary, DataType::Int], DataType::String, true),
    ),
    row("hash", "hash(expr, ...) - A hash of the arguments, of 32 bits.", |c| {
        values::hash(c, &values::MURMUR3, DataType::Int)
    }),
    row("xxhash64", "xxhash64(expr, ...) - A hash of the arguments, of 64 bits.", |c| {
        values::hash(c, &values::XXHASH64, DataType::Long)
    }),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Hash, name, usage, resolve)
}

/// The kernels of this group.
pub(crate) const KERNELS: &[&[&crate::Kernel]] = &[digests::KERNELS, values::KERNELS];
