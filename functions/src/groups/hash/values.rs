//! Hashes of values of all types, the same as Spark's, which partitioned and bucketed tables rely on.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, TimestampMicrosecondType,
};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use twox_hash::XxHash64;

use crate::cast::normal;
use crate::groups::scalar::{between, call_name};
use crate::operators::resolve_error;
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

pub(super) static MURMUR3: Kernel = Kernel { name: "spark_murmur3_hash", volatile: false, run: run_murmur3 };
pub(super) static XXHASH64: Kernel = Kernel { name: "spark_xxhash64", volatile: false, run: run_xxhash64 };

const SEED: i64 = 42;

/// `hash(expr, ...)`, `xxhash64(expr, ...)`
pub(super) fn hash(mut call: Call<'_>, kernel: &'static Kernel, returns: DataType) -> Result<Typed> {
    between(&mut call, 1, usize::MAX)?;
    let name = call_name(call.name, &call.arguments);
    if call.arguments.iter().any(|argument| has_map(&argument.data_type)) {
        let why = format!(
            "Input to the function `{}` cannot contain elements of the \"MAP\" type. In Spark, same maps may have different hashcode, thus hash expressions are prohibited on \"MAP\" elements. To restore previous behavior set \"spark.sql.legacy.allowHashOnMapType\" to \"true\".",
            call.name
        );
        return Err(resolve_error("HASH_MAP_TYPE", &name, why));
    }
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, returns, false, name))
}

fn has_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::Array(element, _) => has_map(element),
        DataType::Struct(fields) => fields.iter().any(|field| has_map(&field.data_type)),
        _ => false,
    }
}

/// How numbers and bytes are hashed on top of what came before.
trait Hasher {
    fn int(value: i32, seed: i64) -> i64;
    fn long(value: i64, seed: i64) -> i64;
    fn bytes(value: &[u8], seed: i64) -> i64;
}

struct Murmur3;
struct XxHash;

impl Hasher for Murmur3 {
    fn int(value: i32, seed: i64) -> i64 {
        i64::from(finish(mix(seed as i32, value), 4))
    }

    fn long(value: i64, seed: i64) -> i64 {
        let first = mix(seed as i32, value as i32);
        i64::from(finish(mix(first, (value >> 32) as i32), 8))
    }

    /// The bytes after the last whole word are words of their own.
    fn bytes(value: &[u8], seed: i64) -> i64 {
        let (words, rest) = value.as_chunks::<4>();
        let mut hash = seed as i32;
        for word in words {
            hash = mix(hash, i32::from_le_bytes(*word));
        }
        for byte in rest {
            hash = mix(hash, i32::from(*byte as i8));
        }
        i64::from(finish(hash, value.len()))
    }
}

impl Hasher for XxHash {
    fn int(value: i32, seed: i64) -> i64 {
        Self::bytes(&value.to_le_bytes(), seed)
    }

    fn long(value: i64, seed: i64) -> i64 {
        Self::bytes(&value.to_le_bytes(), seed)
    }

    fn bytes(value: &[u8], seed: i64) -> i64 {
        XxHash64::oneshot(seed as u64, value) as i64
    }
}

fn scramble(word: i32) -> i32 {
    word.wrapping_mul(0xcc9e_2d51_u32 as i32).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn mix(hash: i32, word: i32) -> i32 {
    (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64_u32 as i32)
}

fn finish(hash: i32, length: usize) -> i32 {
    let mut hash = hash as u32 ^ length as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16) as i32
}

/// The hash of a string that Spark's collections in memory use.
pub(crate) fn text_hash(bytes: &[u8]) -> i32 {
    bytes_hash(bytes, 42)
}

/// MurmurHash3 as Spark has it, each of the last bytes being a word.
pub(crate) fn bytes_hash(bytes: &[u8], seed: i32) -> i32 {
    Murmur3::bytes(bytes, i64::from(seed)) as i32
}

/// MurmurHash3 of bytes as its author has it, the last bytes being one word.
pub(crate) fn murmur3_bytes(bytes: &[u8], seed: i32) -> i32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for word in words {
        hash = mix(hash, i32::from_le_bytes(*word));
    }
    let tail = rest.iter().rev().fold(0_i32, |tail, byte| tail << 8 | i32::from(*byte));
    if !rest.is_empty() {
        hash ^= scramble(tail);
    }
    finish(hash, bytes.len())
}

fn run_murmur3(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let hashes = hashes::<Murmur3>(arguments)?.into_iter().map(|hash| hash as i32);
    Ok(ColumnarValue::Array(Arc::new(PrimitiveArray::<Int32Type>::from_iter_values(hashes))))
}

fn run_xxhash64(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let hashes = hashes::<XxHash>(arguments)?;
    Ok(ColumnarValue::Array(Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(hashes))))
}

fn hashes<H: Hasher>(arguments: &Arguments<'_>) -> DataFusionResult<Vec<i64>> {
    let mut hashes = vec![SEED; arguments.rows];
    for (at, field) in arguments.fields.iter().enumerate() {
        let data_type = DataType::of(field)?;
        let array: ArrayRef = normal(&arguments.array(at)?, &data_type)?;
        for (row, hash) in hashes.iter_mut().enumerate() {
            *hash = value::<H>(&array, row, &data_type, *hash);
        }
    }
    Ok(hashes)
}

/// The hash of a value on top of that of the values before it; NULL adds nothing.
fn value<H: Hasher>(array: &dyn Array, row: usize, data_type: &DataType, seed: i64) -> i64 {
    if array.is_null(row) {
        return seed;
    }
    match data_type {
        DataType::Void | DataType::Map(..) => seed,
        DataType::Boolean => H::int(i32::from(array.as_boolean().value(row)), seed),
        DataType::Byte => H::int(i32::from(array.as_primitive::<Int8Type>().value(row)), seed),
        DataType::Short => H::int(i32::from(array.as_primitive::<Int16Type>().value(row)), seed),
        DataType::Int => H::int(array.as_primitive::<Int32Type>().value(row), seed),
        DataType::Date => H::int(array.as_primitive::<Date32Type>().value(row), seed),
        DataType::YearMonth(..) => H::int(array.as_primitive::<IntervalYearMonthType>().value(row), seed),
        DataType::Long => H::long(array.as_primitive::<Int64Type>().value(row), seed),
        DataType::Timestamp | DataType::TimestampNtz => {
            H::long(array.as_primitive::<TimestampMicrosecondType>().value(row), seed)
        }
        DataType::DayTime(..) => H::long(array.as_primitive::<DurationMicrosecondType>().value(row), seed),
        DataType::Float => {
            let value = array.as_primitive::<Float32Type>().value(row);
            let value = if value.is_nan() { f32::NAN } else { value + 0.0 };
            H::int(value.to_bits() as i32, seed)
        }
        DataType::Double => {
            let value = array.as_primitive::<Float64Type>().value(row);
            let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
            H::long(value.to_bits() as i64, seed)
        }
        DataType::Decimal(precision, _) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            if *precision <= 18 { H::long(value as i64, seed) } else { H::bytes(shortest(&value.to_be_bytes()), seed) }
        }
        DataType::String => H::bytes(array.as_string::<i32>().value(row).as_bytes(), seed),
        DataType::Binary => H::bytes(array.as_binary::<i32>().value(row), seed),
        DataType::CalendarInterval => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            H::int(value.months, H::int(value.days, H::long(value.nanoseconds / 1000, seed)))
        }
        DataType::Array(element, _) => {
            let values = array.as_list::<i32>().value(row);
            (0..values.len()).fold(seed, |seed, at| value::<H>(&values, at, element, seed))
        }
        DataType::Struct(fields) => {
            let structs = array.as_struct();
            fields
                .iter()
                .enumerate()
                .fold(seed, |seed, (at, field)| value::<H>(structs.column(at), row, &field.data_type, seed))
        }
    }
}

/// The fewest bytes of a number in two's complement.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [first, second, ..] = bytes {
        let redundant = (*first == 0 && *second < 0x80) || (*first == 0xff && *second >= 0x80);
        if !redundant {
            break;
        }
        bytes = &bytes[1..];
    }
    bytes
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&MURMUR3, &XXHASH64];
