//! HyperLogLog sketches as Apache DataSketches has them, which other engines read: how many different values there are.

use std::hash::{Hash, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Int64Type};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::{Accumulator, ColumnarValue};
use datafusion::scalar::ScalarValue;
use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::fold::{Fold, How};
use super::resolving::{expect, fold};
use crate::checks::{boolean, int, named};
use crate::constant::constant;
use crate::groups::implicit::implicit;
use crate::nested::{arity, returned, unexpected_input};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

/// Spark's, unless another is asked for.
const LG_K: i32 = 12;
const BYTES: &[Arrow] = &[Arrow::Binary];

pub(super) static SKETCH: Fold = Fold {
    name: "spark_hll_sketch_agg",
    how: How::State(|context| Box::new(Sketched(sketch(context.parameter(0).map_or(12, |it| it as u8)))), BYTES),
};
pub(super) static UNION: Fold = Fold {
    name: "spark_hll_union_agg",
    how: How::State(
        |context| {
            let any_size = context.parameter(0).is_some_and(|it| it != 0.0);
            Box::new(United { union: None, any_size })
        },
        BYTES,
    ),
};

/// The kernels of this file.
pub(crate) const KERNELS: &[&Kernel] = &[&ESTIMATE, &UNION_OF_TWO];

static ESTIMATE: Kernel = Kernel { name: "spark_hll_sketch_estimate", volatile: false, run: estimate };
static UNION_OF_TWO: Kernel = Kernel { name: "spark_hll_union", volatile: false, run: union_of_two };

/// `hll_sketch_agg`
pub(super) fn sketch_agg(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=2)?;
    if call.arguments.len() == 1 {
        call.arguments.push(int(LG_K));
    }
    let name = named(&call);
    match call.arguments[0].data_type {
        DataType::Int | DataType::Long | DataType::String | DataType::Binary => {}
        DataType::Void => expect(&mut call, 0, &DataType::Int, "INT")?,
        _ => {
            return Err(unexpected_input(&call, 0, "the (\"INT\" or \"BIGINT\" or \"STRING\" or \"BINARY\") type"));
        }
    }
    let size = &call.arguments[1];
    if !size.foldable || !matches!(size.data_type, DataType::Int | DataType::Void) {
        return Err(unexpected_input(&call, 1, "the \"INT\" type"));
    }
    let size = match constant(size)? {
        ScalarValue::Int32(Some(size)) => size,
        _ => 0,
    };
    if !(4..=21).contains(&size) {
        return Err(Error::new(
            "HLL_INVALID_LG_K",
            format!(
                "Invalid call to `hll_sketch_agg`; the `lgConfigK` value must be between 4 and 21, inclusive: {size}."
            ),
        ));
    }
    call.arguments.truncate(1);
    Ok(fold(&SKETCH, call, &[f64::from(size)], (DataType::Binary, false), name))
}

/// `hll_union_agg`
pub(super) fn union_agg(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=2)?;
    if call.arguments.len() == 1 {
        call.arguments.push(boolean(false));
    }
    let name = named(&call);
    binary(&mut call, 0)?;
    let flag = &call.arguments[1];
    if !flag.foldable || !matches!(flag.data_type, DataType::Boolean | DataType::Void) {
        return Err(unexpected_input(&call, 1, "the \"BOOLEAN\" type"));
    }
    let any_size = matches!(constant(flag)?, ScalarValue::Boolean(Some(true)));
    call.arguments.truncate(1);
    Ok(fold(&UNION, call, &[f64::from(u8::from(any_size))], (DataType::Binary, false), name))
}

/// `hll_sketch_estimate`
pub(crate) fn sketch_estimate(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = named(&call);
    binary(&mut call, 0)?;
    Ok(SparkUdf::call(&ESTIMATE, call.settings, call.arguments, DataType::Long, true, name))
}

/// `hll_union`
pub(crate) fn union(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=3)?;
    if call.arguments.len() == 2 {
        call.arguments.push(boolean(false));
    }
    let name = named(&call);
    binary(&mut call, 0)?;
    binary(&mut call, 1)?;
    match implicit(&call.arguments[2], &DataType::Boolean, call.settings)? {
        Some(flag) if matches!(call.arguments[2].data_type, DataType::Boolean | DataType::Void) => {
            call.arguments[2] = flag;
        }
        _ => return Err(unexpected_input(&call, 2, "the \"BOOLEAN\" type")),
    }
    Ok(SparkUdf::call(&UNION_OF_TWO, call.settings, call.arguments, DataType::Binary, true, name))
}

/// An argument that is a sketch.
fn binary(call: &mut Call<'_>, at: usize) -> Result<()> {
    match call.arguments[at].data_type {
        DataType::Binary => Ok(()),
        DataType::Void => expect(call, at, &DataType::Binary, "BINARY"),
        _ => Err(unexpected_input(call, at, "the \"BINARY\" type")),
    }
}

/// Bytes that are hashed as they are; Rust's own would add their length.
struct Plain<'a>(&'a [u8]);

impl Hash for Plain<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

fn sketch(lg_k: u8) -> DataFusionResult<HllSketch> {
    HllSketch::new(lg_k, HllType::Hll8).map_err(|error| damaged(error).into())
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::new("org.apache.datasketches.SketchesArgumentException", format!("Possible Corruption: {error}"))
}

fn read(bytes: &[u8]) -> DataFusionResult<HllSketch> {
    HllSketch::deserialize(bytes).map_err(|error| damaged(error).into())
}

/// Sketches of one size after the other, whatever their own are.
fn joined(lg_k: u8, sketches: &[&HllSketch]) -> DataFusionResult<HllSketch> {
    let mut union = HllUnion::new(lg_k).map_err(damaged)?;
    sketches.iter().for_each(|sketch| union.update(sketch));
    Ok(union.to_sketch(HllType::Hll8))
}

fn different(function: &str, one: u8, other: u8) -> Error {
    Error::new(
        "HLL_UNION_DIFFERENT_LG_K",
        format!(
            "Sketches have different `lgConfigK` values: {one} and {other}. Set the `allowDifferentLgConfigK` parameter to true to call `{function}` with different `lgConfigK` values."
        ),
    )
}

/// As Spark writes it: with room for what may still come, so that a list has eight places and a set all of its table.
fn written(sketch: &HllSketch) -> Vec<u8> {
    const COMPACT: u8 = 8;
    let bytes = sketch.serialize();
    let (Some(mode), Some(lg_places)) = (bytes.get(7).map(|byte| byte & 3), bytes.get(4).copied()) else {
        return bytes;
    };
    let preamble = match mode {
        0 => 8,
        1 => 12,
        _ => return bytes,
    };
    let places = 1usize << lg_places;
    let mut table = vec![0u32; places];
    let (head, coupons) = bytes.split_at(preamble.min(bytes.len()));
    for (at, coupon) in coupons.as_chunks::<4>().0.iter().map(|coupon| u32::from_le_bytes(*coupon)).enumerate() {
        let mut place = at;
        if mode == 1 {
            place = coupon as usize & (places - 1);
            let stride = ((coupon & 0x03ff_ffff) as usize >> lg_places) | 1;
            while table[place] != 0 {
                place = (place + stride) & (places - 1);
            }
        }
        if let Some(free) = table.get_mut(place) {
            *free = coupon;
        }
    }
    let mut whole = head.to_vec();
    whole[5] &= !COMPACT;
    whole.extend(table.into_iter().flat_map(u32::to_le_bytes));
    whole
}

/// A sketch of values.
#[derive(Debug)]
struct Sketched(DataFusionResult<HllSketch>);

impl Sketched {
    fn sketch(&mut self) -> DataFusionResult<&mut HllSketch> {
        match &mut self.0 {
            Ok(sketch) => Ok(sketch),
            Err(error) => exec_err!("{error}"),
        }
    }
}

impl Accumulator for Sketched {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let Some(values) = values.first() else { return Ok(()) };
        let sketch = self.sketch()?;
        // As Spark does, values that are empty are not counted.
        match values.data_type() {
            Arrow::Utf8 => values
                .as_string::<i32>()
                .iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .for_each(|text| sketch.update(Plain(text.as_bytes()))),
            Arrow::Binary => values
                .as_binary::<i32>()
                .iter()
                .flatten()
                .filter(|bytes| !bytes.is_empty())
                .for_each(|bytes| sketch.update(Plain(bytes))),
            _ => {
                let values = cast(values, &Arrow::Int64)?;
                let values = values.as_primitive::<Int64Type>();
                values.iter().flatten().for_each(|value| sketch.update(Plain(&value.to_le_bytes())));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(ScalarValue::Binary(Some(written(self.sketch()?))))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.as_ref().map_or(0, HllSketch::estimated_size)
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.sketch()?.serialize()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        for other in sketches(states)?.iter().flatten() {
            let other = read(other)?;
            let sketch = self.sketch()?;
            *sketch = joined(sketch.lg_config_k(), &[sketch, &other])?;
        }
        Ok(())
    }
}

/// A union of sketches.
#[derive(Debug)]
struct United {
    union: Option<(u8, HllSketch)>,
    any_size: bool,
}

impl Accumulator for United {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        for bytes in sketches(values)?.iter().flatten() {
            let other = read(bytes)?;
            let size = other.lg_config_k();
            let (most, so_far) = match self.union.take() {
                Some((most, so_far)) => {
                    if !self.any_size && so_far.lg_config_k() != size {
                        return Err(different("hll_union_agg", so_far.lg_config_k(), size).into());
                    }
                    (most, so_far)
                }
                None => (size, sketch(size)?),
            };
            self.union = Some((most, joined(most, &[&so_far, &other])?));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let bytes = match &self.union {
            Some((_, sketch)) => written(sketch),
            None => written(&sketch(12)?),
        };
        Ok(ScalarValue::Binary(Some(bytes)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.union.as_ref().map_or(0, |(_, sketch)| sketch.estimated_size())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(self.union.as_ref().map(|(_, sketch)| sketch.serialize()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        self.update_batch(states)
    }
}

fn sketches(columns: &[ArrayRef]) -> DataFusionResult<&BinaryArray> {
    match columns.first().and_then(|column| column.as_binary_opt::<i32>()) {
        Some(column) => Ok(column),
        None => exec_err!("a column of sketches was expected"),
    }
}

fn estimate(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let column = arguments.array(0)?;
    let all = sketches(std::slice::from_ref(&column))?.iter();
    let of = |bytes: Option<&[u8]>| -> DataFusionResult<Option<i64>> {
        Ok(bytes.map(read).transpose()?.map(|sketch| (sketch.estimate() + 0.5).floor() as i64))
    };
    returned(arguments, std::sync::Arc::new(all.map(of).collect::<DataFusionResult<Int64Array>>()?))
}

fn union_of_two(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (left, right, flag) = (arguments.array(0)?, arguments.array(1)?, arguments.array(2)?);
    let (left, right) = (sketches(std::slice::from_ref(&left))?, sketches(std::slice::from_ref(&right))?);
    let Some(flag): Option<&BooleanArray> = flag.as_boolean_opt() else {
        return exec_err!("a column of booleans was expected");
    };
    let of = |row: usize| -> DataFusionResult<Option<Vec<u8>>> {
        if left.is_null(row) || right.is_null(row) || flag.is_null(row) {
            return Ok(None);
        }
        let (one, other) = (read(left.value(row))?, read(right.value(row))?);
        if one.lg_config_k() != other.lg_config_k() && !flag.value(row) {
            return Err(different("hll_union", one.lg_config_k(), other.lg_config_k()).into());
        }
        let least = one.lg_config_k().min(other.lg_config_k());
        Ok(Some(written(&joined(least, &[&one, &other])?)))
    };
    let all = (0..arguments.rows).map(of).collect::<DataFusionResult<Vec<Option<Vec<u8>>>>>()?;
    returned(arguments, std::sync::Arc::new(all.iter().map(|it| it.as_deref()).collect::<BinaryArray>()))
}
