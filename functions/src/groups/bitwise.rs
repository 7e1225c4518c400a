//! Spark's functions of the group bitwise.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Int32Type, Int64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::scalar::{call_name, exactly, scalar};
use crate::coercion::{Expected, implicit_cast};
use crate::operators::{pairs, wrong_input};
use crate::{Arguments, Call, DataType, Error, Function, Group, Kernel, Result, SparkUdf, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row(
        "bit_count",
        "bit_count(expr) - How many bits of a whole number are set, in 64 bits; of a truth value 1 or 0.",
        bit_count,
    ),
    row("bit_get", "bit_get(expr, position) - A bit of a whole number, counted from the lowest.", bit_get),
    row("getbit", "getbit(expr, position) - A bit of a whole number, counted from the lowest.", bit_get),
    row("shiftleft", "shiftleft(expr, count) - A whole number moved to the left by that many bits.", |c| {
        shift(c, &LEFT)
    }),
    row(
        "shiftright",
        "shiftright(expr, count) - A whole number moved to the right by that many bits, its sign kept.",
        |c| shift(c, &RIGHT),
    ),
    row(
        "shiftrightunsigned",
        "shiftrightunsigned(expr, count) - A whole number moved to the right by that many bits, zeros behind it.",
        |c| shift(c, &RIGHT_UNSIGNED),
    ),
];

static BIT_COUNT: Kernel = Kernel { name: "spark_bit_count", volatile: false, run: run_bit_count };
static BIT_GET: Kernel = Kernel { name: "spark_bit_get", volatile: false, run: run_bit_get };
static LEFT: Kernel = Kernel {
    name: "spark_shiftleft",
    volatile: false,
    run: |a| run_shift(a, |v, n| v.wrapping_shl(n), |v, n| v.wrapping_shl(n)),
};
static RIGHT: Kernel = Kernel {
    name: "spark_shiftright",
    volatile: false,
    run: |a| run_shift(a, |v, n| v.wrapping_shr(n), |v, n| v.wrapping_shr(n)),
};
static RIGHT_UNSIGNED: Kernel = Kernel {
    name: "spark_shiftrightunsigned",
    volatile: false,
    run: |a| run_shift(a, |v, n| (v as u32).wrapping_shr(n) as i32, |v, n| (v as u64).wrapping_shr(n) as i64),
};

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Bitwise, name, usage, resolve)
}

fn bit_count(mut call: Call<'_>) -> Result<Typed> {
    let [value] = exactly(&mut call)?;
    let name = call_name("bit_count", std::slice::from_ref(&value));
    let expected = Expected::OneOf(vec![Expected::Integral, Expected::Type(DataType::Boolean)]);
    let value = implicit_cast(value, &expected, 1, &name, call.settings)?;
    let nullable = value.nullable;
    Ok(SparkUdf::call(&BIT_COUNT, call.settings, vec![value], DataType::Int, nullable, name))
}

fn bit_get(mut call: Call<'_>) -> Result<Typed> {
    let [value, position] = exactly(&mut call)?;
    let name = format!("{}({}, {})", call.name, value.name, position.name);
    let value = implicit_cast(value, &Expected::Integral, 1, &name, call.settings)?;
    let position = implicit_cast(position, &Expected::Type(DataType::Int), 2, &name, call.settings)?;
    let nullable = value.nullable || position.nullable;
    Ok(SparkUdf::call(&BIT_GET, call.settings, vec![value, position], DataType::Byte, nullable, name))
}

fn shift(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    let [value, count] = exactly(&mut call)?;
    let name = format!("{}({}, {})", call.name, value.name, count.name);
    let value = match value.data_type {
        DataType::Int | DataType::Long => value,
        DataType::Boolean => return Err(wrong_input(&name, 1, "(\"INT\" or \"BIGINT\")", &value)),
        _ => implicit_cast(value, &Expected::Type(DataType::Int), 1, &name, call.settings)?,
    };
    let count = implicit_cast(count, &Expected::Type(DataType::Int), 2, &name, call.settings)?;
    let (data_type, nullable) = (value.data_type.clone(), value.nullable || count.nullable);
    Ok(SparkUdf::call(kernel, call.settings, vec![value, count], data_type, nullable, name))
}

fn run_bit_count(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = cast(&arguments.array(0)?, &Arrow::Int64)?;
    let counts = values.as_primitive::<Int64Type>().unary::<_, Int32Type>(|value| value.count_ones() as i32);
    Ok(ColumnarValue::Array(Arc::new(counts) as ArrayRef))
}

fn run_bit_get(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    let size = array.data_type().primitive_width().unwrap_or(8) * 8;
    let (values, positions) = (cast(&array, &Arrow::Int64)?, arguments.array(1)?);
    let bits: Int8Array = pairs(
        values.as_primitive::<Int64Type>(),
        positions.as_primitive::<Int32Type>(),
        |value, at| match u32::try_from(at) {
            Ok(at) if (at as usize) < size => Ok(Some((value >> at & 1) as i8)),
            Ok(at) => Err(out_of_bits(at)),
            Err(_) => Err(Error::new(
                "java.lang.IllegalArgumentException",
                format!("Invalid bit position: {at} is less than zero"),
            )),
        },
    )?;
    Ok(ColumnarValue::Array(Arc::new(bits)))
}

fn out_of_bits(at: u32) -> Error {
    Error::new("java.lang.IllegalArgumentException", format!("Invalid bit position: {at} exceeds the bit upper limit"))
}

fn run_shift(
    arguments: &Arguments<'_>,
    int: fn(i32, u32) -> i32,
    long: fn(i64, u32) -> i64,
) -> DataFusionResult<ColumnarValue> {
    let (values, counts) = (arguments.array(0)?, arguments.array(1)?);
    let counts = counts.as_primitive::<Int32Type>();
    Ok(ColumnarValue::Array(match values.data_type() {
        Arrow::Int64 => {
            Arc::new(pairs::<_, _, Int64Type>(values.as_primitive::<Int64Type>(), counts, |value, count| {
                Ok(Some(long(value, count as u32)))
            })?)
        }
        _ => {
            let shifted: Int32Array =
                pairs(values.as_primitive::<Int32Type>(), counts, |value, count| Ok(Some(int(value, count as u32))))?;
            Arc::new(shifted)
        }
    }))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&BIT_COUNT, &BIT_GET, &LEFT, &RIGHT, &RIGHT_UNSIGNED];
