//! For property tests: any type that JSON can carry, and any values of it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use fastrand::Rng;
use proptest::prelude::*;

/// One to three columns of any type.
pub(super) fn fields() -> impl Strategy<Value = Fields> {
    prop::collection::vec(data_type(), 1..4).prop_map(|types| named(&types))
}

/// Any type of Spark's, nested up to three deep.
pub(super) fn data_type() -> impl Strategy<Value = DataType> {
    leaf().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| DataType::List(Arc::new(Field::new("element", item, true)))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|types| DataType::Struct(named(&types))),
            (leaf(), inner).prop_map(|(key, value)| {
                let pair = vec![Field::new("key", key, false), Field::new("value", value, true)];
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair.into()), false)), false)
            }),
        ]
    })
}

fn leaf() -> impl Strategy<Value = DataType> {
    let leaves = vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::Binary,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Timestamp(TimeUnit::Microsecond, None),
    ];
    prop_oneof![
        4 => prop::sample::select(leaves),
        1 => (0..=38_i8).prop_map(|scale| DataType::Decimal128(38, scale)),
    ]
}

fn named(types: &[DataType]) -> Fields {
    let name = |at: usize| ["a", "B c", "\"ü\"", "d"][at];
    types.iter().enumerate().map(|(at, data_type)| Field::new(name(at), data_type.clone(), true)).collect()
}

/// Rows of these columns.
pub(super) fn batch(fields: &Fields, seed: u64, rows: usize) -> RecordBatch {
    let rng = &mut Rng::with_seed(seed);
    let columns = fields.iter().map(|field| array(field.data_type(), rows, true, rng)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns).unwrap()
}

/// Any values of a type, with NULLs where they are allowed.
fn array(data_type: &DataType, rows: usize, nullable: bool, rng: &mut Rng) -> ArrayRef {
    macro_rules! values {
        ($array:ty, $value:expr) => {
            (0..rows).map(|_| (!nullable || rng.u8(..4) > 0).then(|| $value)).collect::<$array>()
        };
    }
    let nulls = |rng: &mut Rng| NullBuffer::from_iter((0..rows).map(|_| !nullable || rng.u8(..4) > 0));
    // Years 0 to 9999.
    let instant = |rng: &mut Rng| rng.i64(-62_167_219_200_000_000..253_402_300_800_000_000);
    match data_type {
        DataType::Boolean => Arc::new(values!(BooleanArray, rng.bool())),
        DataType::Int8 => Arc::new(values!(Int8Array, rng.i8(..))),
        DataType::Int16 => Arc::new(values!(Int16Array, rng.i16(..))),
        DataType::Int32 => Arc::new(values!(Int32Array, rng.i32(..))),
        DataType::Int64 => {
            Arc::new(values!(Int64Array, *rng.choice(&[i64::MIN, i64::MAX, 1 << 53, 0]).unwrap() ^ rng.i64(..4)))
        }
        DataType::Float32 => Arc::new(values!(Float32Array, float(f32::from_bits(rng.u32(..)) as f64, rng) as f32)),
        DataType::Float64 => Arc::new(values!(Float64Array, float(f64::from_bits(rng.u64(..)), rng))),
        DataType::Utf8 => Arc::new(values!(StringArray, text(rng))),
        DataType::Binary => Arc::new(values!(BinaryArray, (0..rng.usize(..5)).map(|_| rng.u8(..)).collect::<Vec<_>>())),
        DataType::Date32 => Arc::new(values!(Date32Array, rng.i32(-719_528..2_932_897))),
        DataType::Timestamp(_, zone) => {
            Arc::new(values!(TimestampMicrosecondArray, instant(rng)).with_timezone_opt(zone.clone()))
        }
        DataType::Decimal128(precision, scale) => {
            let most = 10_i128.pow((*precision).into()) - 1;
            let digits = rng.u32(1..=38);
            let value = values!(Decimal128Array, rng.i128(-most..=most) / 10_i128.pow(38 - digits));
            Arc::new(value.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::List(item) => {
            let lengths: Vec<_> = (0..rows).map(|_| rng.usize(..4)).collect();
            let values = array(item.data_type(), lengths.iter().sum(), true, rng);
            let list = ListArray::new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, Some(nulls(rng)));
            shown(&list)
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| array(field.data_type(), rows, true, rng)).collect();
            shown(&StructArray::new(fields.clone(), columns, Some(nulls(rng))))
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else { panic!("{entries}") };
            let lengths: Vec<_> = (0..rows).map(|_| rng.usize(..3)).collect();
            let keys = array(pair[0].data_type(), lengths.iter().sum(), false, rng);
            let values = array(pair[1].data_type(), keys.len(), true, rng);
            let pairs = StructArray::new(pair.clone(), vec![keys, values], None);
            let offsets = OffsetBuffer::from_lengths(lengths);
            shown(&MapArray::new(Arc::clone(entries), offsets, pairs, Some(nulls(rng)), false))
        }
        other => panic!("{other}"),
    }
}

/// The array as it can be seen: nothing under its NULLs.
fn shown(array: &dyn Array) -> ArrayRef {
    let rows = arrow::array::UInt32Array::from_iter(
        (0..array.len()).map(|row| array.is_valid(row).then(|| u32::try_from(row).unwrap())),
    );
    arrow::compute::take(array, &rows, None).unwrap()
}

fn float(any: f64, rng: &mut Rng) -> f64 {
    match rng.u8(..8) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => f64::from(rng.i8(..)),
        _ if any.is_nan() => f64::NAN, // only one of the many NaNs has a text
        _ => any,
    }
}

fn text(rng: &mut Rng) -> String {
    let texts = ["", "null", "a\n\"b\\\"", "ü\u{2028}😀", "1.50", "{\"error\":1}", "\u{0}\u{7f}", "TRUE"];
    format!("{}{}", rng.choice(texts).unwrap(), rng.choice(["", "x", " "]).unwrap())
}
