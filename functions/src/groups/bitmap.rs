//! Spark's functions of bitmaps and sketches, which are in the group misc; those that aggregate are in `aggregate`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::aggregate::{sketch_estimate, union};
use super::implicit::implicit;
use crate::function::Resolve::Scalar;
use crate::nested::{arity, pretty, returned, unexpected_input};
use crate::{Arguments, Call, DataType, Function, Group, Kernel, Resolve, Result, SparkUdf, Typed};

/// Bits of a bitmap.
const BITS: i64 = 8 * 4096;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Misc, usage, resolve }
}

/// The rows of this file.
pub(crate) const ROWS: &[Function] = &[
    row(
        "bitmap_bit_position",
        Scalar(|call| of_number(call, &POSITION)),
        "bitmap_bit_position(child) - Which bit of its bitmap a number has.",
    ),
    row(
        "bitmap_bucket_number",
        Scalar(|call| of_number(call, &BUCKET)),
        "bitmap_bucket_number(child) - In which bitmap a number is.",
    ),
    row("bitmap_count", Scalar(count), "bitmap_count(child) - How many bits of a bitmap are set."),
    row(
        "hll_sketch_estimate",
        Scalar(sketch_estimate),
        "hll_sketch_estimate(expr) - How many different values a HyperLogLog sketch has seen.",
    ),
    row(
        "hll_union",
        Scalar(union),
        "hll_union(first, second[, allowDifferentLgConfigK]) - The union of two HyperLogLog sketches.",
    ),
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[&POSITION, &BUCKET, &COUNT];

static POSITION: Kernel = Kernel { name: "spark_bitmap_bit_position", volatile: false, run: |a| each(a, position) };
static BUCKET: Kernel = Kernel { name: "spark_bitmap_bucket_number", volatile: false, run: |a| each(a, bucket) };
static COUNT: Kernel = Kernel { name: "spark_bitmap_count", volatile: false, run: run_count };

fn of_number(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    match implicit(&call.arguments[0], &DataType::Long, call.settings)? {
        Some(number) => call.arguments[0] = number,
        None => return Err(unexpected_input(&call, 0, "the \"BIGINT\" type")),
    }
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, DataType::Long, nullable, name))
}

/// Numbers from 1 on fill bitmaps from the first bit; those below count down from 0.
fn position(number: i64) -> i64 {
    if number > 0 { (number - 1) % BITS } else { number.wrapping_neg() % BITS }
}

fn bucket(number: i64) -> i64 {
    if number > 0 { 1 + (number - 1) / BITS } else { number / BITS }
}

fn each(arguments: &Arguments<'_>, of: fn(i64) -> i64) -> DataFusionResult<ColumnarValue> {
    let numbers = arguments.array(0)?;
    let Some(numbers) = numbers.as_primitive_opt::<Int64Type>() else { return exec_err!("a number was expected") };
    let made: ArrayRef = Arc::new(numbers.unary::<_, Int64Type>(of));
    returned(arguments, made)
}

fn count(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    if call.arguments[0].data_type != DataType::Binary {
        return Err(unexpected_input(&call, 0, "the \"BINARY\" type"));
    }
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(&COUNT, call.settings, call.arguments, DataType::Long, nullable, name))
}

fn run_count(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let bitmaps = arguments.array(0)?;
    let Some(bitmaps) = bitmaps.as_binary_opt::<i32>() else { return exec_err!("bytes were expected") };
    let counted = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>();
    let counts: Int64Array = bitmaps.iter().map(|bytes| bytes.map(counted)).collect();
    returned(arguments, Arc::new(counts))
}
