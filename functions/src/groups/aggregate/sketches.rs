//! Summaries of a fixed size: how many different values, histograms, bitmaps.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Float64Type, Int32Type, Int64Type, IntervalYearMonthType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;
use twox_hash::XxHash64;

use super::collecting::list;
use super::fold::{Context, Fold, Gather, How, Skip};
use super::percentile::months;
use crate::Error;
use crate::nested::{Equality, keys_of, retype};

const BYTES: &[Arrow] = &[Arrow::Binary];
/// Bytes of Spark's bitmaps.
const BITMAP_SIZE: usize = 4096;

pub(super) static DISTINCT: Fold =
    Fold { name: "spark_approx_count_distinct", how: How::State(|context| Box::new(Registers::new(context)), BYTES) };
pub(super) static HISTOGRAM: Fold = Fold {
    name: "spark_histogram_numeric",
    how: How::Gather(Gather { skip: Skip::AnyNull, compact: None, finish: histogram }),
};
pub(super) static BITMAP: Fold = Fold {
    name: "spark_bitmap_construct_agg",
    how: How::State(|_| Box::new(Bitmap { bits: vec![0; BITMAP_SIZE], positions: true }), BYTES),
};
pub(super) static BITMAP_OR: Fold = Fold {
    name: "spark_bitmap_or_agg",
    how: How::State(|_| Box::new(Bitmap { bits: vec![0; BITMAP_SIZE], positions: false }), BYTES),
};

/// HyperLogLog, with linear counting where few registers are set.
#[derive(Debug)]
struct Registers {
    bits: u32,
    registers: Vec<u8>,
}

impl Registers {
    fn new(context: &Context) -> Self {
        // Spark's number of registers for a relative standard deviation, and never fewer than for one of 1 %.
        let deviation = context.parameter(0).unwrap_or(0.05).clamp(1e-3, 0.39);
        let bits = (2.0 * (1.106 / deviation.min(0.01)).log2()).ceil().clamp(4.0, 20.0) as u32;
        Registers { bits, registers: vec![0; 1 << bits] }
    }

    fn add(&mut self, bytes: &[u8]) {
        let hash = XxHash64::oneshot(42, bytes);
        let at = (hash >> (64 - self.bits)) as usize;
        let rank = ((hash << self.bits) | (1 << (self.bits - 1))).leading_zeros() as u8 + 1;
        if let Some(register) = self.registers.get_mut(at) {
            *register = rank.max(*register);
        }
    }

    fn estimate(&self) -> i64 {
        let m = self.registers.len() as f64;
        let zeros = self.registers.iter().filter(|register| **register == 0).count() as f64;
        let sum: f64 = self.registers.iter().map(|register| (-f64::from(*register)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let estimate = if raw <= 2.5 * m && zeros > 0.0 { m * (m / zeros).ln() } else { raw };
        estimate.round() as i64
    }
}

impl Accumulator for Registers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        let keys = keys_of(values, Equality::Comparison)?;
        let nulls = values.logical_nulls();
        for at in 0..keys.num_rows() {
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at)) {
                self.add(keys.row(at).as_ref());
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.estimate())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.registers.len()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.registers.clone()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for other in binaries(states)?.iter().flatten() {
            self.registers.iter_mut().zip(other).for_each(|(register, other)| *register = (*register).max(*other));
        }
        Ok(())
    }
}

fn binaries(states: &[ArrayRef]) -> Result<&arrow::array::BinaryArray> {
    match states.first().and_then(|state| state.as_binary_opt::<i32>()) {
        Some(state) => Ok(state),
        None => exec_err!("a column of bytes was expected"),
    }
}

/// A bitmap made of positions or of other bitmaps.
#[derive(Debug)]
struct Bitmap {
    bits: Vec<u8>,
    positions: bool,
}

impl Accumulator for Bitmap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !self.positions {
            return self.merge_batch(values);
        }
        let Some(values) = values.first().and_then(|values| values.as_primitive_opt::<Int64Type>()) else {
            return exec_err!("a column of positions was expected");
        };
        for position in values.iter().flatten() {
            let byte = usize::try_from(position / 8).ok().and_then(|at| self.bits.get_mut(at));
            let (Some(byte), true) = (byte, position >= 0) else {
                let what = format!(
                    "The 0-indexed bitmap position {position} is out of bounds. The bitmap has {} bits ({BITMAP_SIZE} bytes).",
                    8 * BITMAP_SIZE
                );
                return Err(Error::new("INVALID_BITMAP_POSITION", what).into());
            };
            *byte |= 1 << (position % 8);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bits.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bits.len()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.bits.clone()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for other in binaries(states)?.iter().flatten() {
            self.bits.iter_mut().zip(other).for_each(|(bits, other)| *bits |= other);
        }
        Ok(())
    }
}

/// Bins of values, the two closest of which are joined when there are too many.
fn histogram(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let Some(values) = columns.first() else { return exec_err!("an aggregate has a column") };
    if values.is_empty() {
        return ScalarValue::try_from(context.returns.data_type());
    }
    let most = context.parameter(0).unwrap_or(2.0).max(2.0) as usize;
    let plain = match values.data_type() {
        Arrow::Interval(_) => months(values),
        Arrow::Date32 => cast(values, &Arrow::Int32)?,
        Arrow::Duration(_) | Arrow::Timestamp(..) => cast(values, &Arrow::Int64)?,
        _ => Arc::clone(values),
    };
    let numbers = cast(&plain, &Arrow::Float64)?;
    let mut bins: Vec<(f64, f64)> = Vec::new();
    for value in numbers.as_primitive::<Float64Type>().iter().flatten() {
        let at = bins.partition_point(|bin| bin.0 < value);
        match bins.get_mut(at) {
            Some(bin) if bin.0 == value => bin.1 += 1.0,
            _ => bins.insert(at, (value, 1.0)),
        }
        if bins.len() > most {
            let closest = (0..bins.len() - 1).min_by(|a, b| {
                let gap = |at: &usize| bins[at + 1].0 - bins[*at].0;
                gap(a).total_cmp(&gap(b))
            });
            if let Some(at) = closest {
                let ((x, n), (y, m)) = (bins[at], bins[at + 1]);
                bins[at] = ((x * n + y * m) / (n + m), n + m);
                bins.remove(at + 1);
            }
        }
    }
    let Arrow::List(field) = context.returns.data_type() else {
        return exec_err!("histogram_numeric returns an array");
    };
    let Arrow::Struct(fields) = field.data_type() else { return exec_err!("histogram_numeric returns structs") };
    let xs: ArrayRef = Arc::new(bins.iter().map(|bin| Some(bin.0)).collect::<Float64Array>());
    let ys: ArrayRef = Arc::new(bins.iter().map(|bin| Some(bin.1)).collect::<Float64Array>());
    let x_type = fields.first().map_or(Arrow::Float64, |field| field.data_type().clone());
    let xs = match &x_type {
        Arrow::Date32 => cast(&cast(&xs, &Arrow::Int32)?, &x_type)?,
        Arrow::Interval(_) => {
            let xs = cast(&xs, &Arrow::Int32)?;
            Arc::new(xs.as_primitive::<Int32Type>().reinterpret_cast::<IntervalYearMonthType>()) as ArrayRef
        }
        Arrow::Duration(_) | Arrow::Timestamp(..) => cast(&cast(&xs, &Arrow::Int64)?, &x_type)?,
        other => cast(&xs, other)?,
    };
    let structs: ArrayRef = Arc::new(StructArray::try_new(fields.clone(), vec![xs, ys], None)?);
    list(&retype(&structs, field.data_type())?, context)
}
