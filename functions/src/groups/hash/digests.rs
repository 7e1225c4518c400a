//! Digests of bytes.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::Int32Type;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use md5::Digest;

use crate::{Arguments, Kernel};

pub(super) static CRC32: Kernel = Kernel { name: "spark_crc32", volatile: false, run: crc32 };
pub(super) static MD5: Kernel =
    Kernel { name: "spark_md5", volatile: false, run: |a| texts(a, |b| hexadecimal(&md5::Md5::digest(b))) };
pub(super) static SHA1: Kernel =
    Kernel { name: "spark_sha1", volatile: false, run: |a| texts(a, |b| hexadecimal(&sha1::Sha1::digest(b))) };
pub(super) static SHA2: Kernel = Kernel { name: "spark_sha2", volatile: false, run: sha2 };

fn crc32(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let sums: Int64Array =
        values.as_binary::<i32>().iter().map(|value| value.map(|value| i64::from(crc32fast::hash(value)))).collect();
    Ok(ColumnarValue::Array(Arc::new(sums)))
}

fn texts(arguments: &Arguments<'_>, digest: fn(&[u8]) -> String) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let texts: StringArray = values.as_binary::<i32>().iter().map(|value| value.map(digest)).collect();
    Ok(ColumnarValue::Array(Arc::new(texts)))
}

fn sha2(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (values, bits) = (arguments.array(0)?, arguments.array(1)?);
    let (values, bits) = (values.as_binary::<i32>(), bits.as_primitive::<Int32Type>());
    let mut builder = StringBuilder::new();
    for row in 0..values.len() {
        if values.is_null(row) || bits.is_null(row) {
            builder.append_null();
            continue;
        }
        let value = values.value(row);
        builder.append_option(match bits.value(row) {
            224 => Some(hexadecimal(&sha2::Sha224::digest(value))),
            0 | 256 => Some(hexadecimal(&sha2::Sha256::digest(value))),
            384 => Some(hexadecimal(&sha2::Sha384::digest(value))),
            512 => Some(hexadecimal(&sha2::Sha512::digest(value))),
            _ => None,
        });
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&CRC32, &MD5, &SHA1, &SHA2];
