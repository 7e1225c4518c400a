//! `count_min_sketch`: about how often each value is there, in Spark's own bytes.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Int64Type};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::fold::{Context, Fold, How};
use super::resolving::{expect, fold};
use crate::checks::named;
use crate::constant::constant;
use crate::groups::hash::bytes_hash;
use crate::nested::{arity, mismatch, unexpected_input};
use crate::{Call, DataType, Error, Result, Typed};

/// More counters than these are refused: 512 MiB.
const MOST_COUNTERS: f64 = 67_108_864.0;

pub(super) static SKETCH: Fold = Fold {
    name: "spark_count_min_sketch",
    how: How::State(|context| Box::new(Counters::new(context)), &[Arrow::Binary]),
};

/// `count_min_sketch`
pub(super) fn count_min_sketch(mut call: Call<'_>) -> Result<Typed> {
    if let Some(missing) = ["column", "epsilon", "confidence", "seed"].get(call.arguments.len()) {
        return Err(Error::new(
            "REQUIRED_PARAMETER_NOT_FOUND",
            format!(
                "Cannot invoke function `count_min_sketch` because the parameter named `{missing}` is required, but the function call did not supply a value."
            ),
        ));
    }
    arity(&call, 4..=4)?;
    let name = named(&call);
    match &call.arguments[0].data_type {
        DataType::String | DataType::Binary => {}
        of if of.is_integral() => {}
        DataType::Void => expect(&mut call, 0, &DataType::Int, "INT")?,
        _ => return Err(unexpected_input(&call, 0, "the (\"INTEGRAL\" or \"STRING\" or \"BINARY\") type")),
    }
    let parameters = [
        (1, "eps", DataType::Double, "DOUBLE"),
        (2, "confidence", DataType::Double, "DOUBLE"),
        (3, "seed", DataType::Int, "INT"),
    ];
    for (at, _, data_type, shown) in &parameters {
        let given = &call.arguments[*at].data_type;
        if given != data_type && *given != DataType::Void {
            return Err(unexpected_input(&call, *at, &format!("the \"{shown}\" type")));
        }
    }
    let mut values = [0.0; 3];
    for ((at, what, _, shown), value) in parameters.iter().zip(&mut values) {
        let argument = &call.arguments[*at];
        if !argument.foldable {
            let what = format!(
                "the input {what} should be a foldable \"{shown}\" expression; however, got \"{}\".",
                argument.name
            );
            return Err(mismatch(&name, "NON_FOLDABLE_INPUT", what));
        }
        let ScalarValue::Float64(Some(number)) = constant(argument)?.cast_to(&Arrow::Float64).map_err(Error::from)?
        else {
            return Err(mismatch(&name, "UNEXPECTED_NULL", format!("The {what} must not be null.")));
        };
        *value = number;
    }
    let [eps, confidence, seed] = values;
    let range = |what: &str, range: &str, value: f64| {
        let what = format!("The {what} must be between {range} (current value = {value:?}D).");
        mismatch(&name, "VALUE_OUT_OF_RANGE", what)
    };
    if eps.is_nan() || eps <= 0.0 {
        return Err(range("eps", "(0.0, 1.7976931348623157E308]", eps));
    }
    if confidence.is_nan() || confidence <= 0.0 || confidence >= 1.0 {
        return Err(range("confidence", "(0.0, 1.0]", confidence));
    }
    let (depth, width) = shape(eps, confidence);
    if depth * width > MOST_COUNTERS {
        return Err(Error::unsupported(format!("count_min_sketch with {depth} times {width} counters")));
    }
    call.arguments.truncate(1);
    Ok(fold(&SKETCH, call, &[eps, confidence, seed], (DataType::Binary, false), name))
}

/// How many rows of how many counters.
fn shape(eps: f64, confidence: f64) -> (f64, f64) {
    ((-(1.0 - confidence).ln() / 2f64.ln()).ceil().max(1.0), (2.0 / eps).ceil())
}

/// Rows of counters, each with a hash of its own.
#[derive(Debug)]
struct Counters {
    total: i64,
    width: usize,
    hashes: Vec<i64>,
    counters: Vec<i64>,
}

impl Counters {
    fn new(context: &Context) -> Self {
        let number = |at: usize| context.parameter(at).unwrap_or(0.5);
        let (depth, width) = shape(number(0), number(1));
        let (depth, width) = (depth as usize, width as usize);
        let mut random = Random::new(number(2) as i64);
        let hashes = (0..depth).map(|_| random.below(i32::MAX)).collect();
        Counters { total: 0, width, hashes, counters: vec![0; depth * width] }
    }

    fn count(&mut self, row: usize, column: usize) {
        if let Some(counter) = self.counters.get_mut(row * self.width + column) {
            *counter = counter.wrapping_add(1);
        }
    }

    fn add_long(&mut self, value: i64) {
        for row in 0..self.hashes.len() {
            let hash = self.hashes[row].wrapping_mul(value);
            // Modulo 2³¹ − 1, as far as Spark goes.
            let hash = hash.wrapping_add(hash >> 32) & i64::from(i32::MAX);
            self.count(row, hash as usize % self.width);
        }
        self.total = self.total.wrapping_add(1);
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        let first = bytes_hash(bytes, 0);
        let second = bytes_hash(bytes, first);
        for row in 0..self.hashes.len() {
            let hash = first.wrapping_add((row as i32).wrapping_mul(second));
            self.count(row, (i64::from(hash) % self.width as i64).unsigned_abs() as usize);
        }
        self.total = self.total.wrapping_add(1);
    }

    /// Version, total, depth and width, the hashes, the counters; all of it with the high byte first.
    fn written(&self) -> Vec<u8> {
        let mut bytes = 1i32.to_be_bytes().to_vec();
        bytes.extend(self.total.to_be_bytes());
        bytes.extend((self.hashes.len() as i32).to_be_bytes());
        bytes.extend((self.width as i32).to_be_bytes());
        bytes.extend(self.hashes.iter().chain(&self.counters).flat_map(|value| value.to_be_bytes()));
        bytes
    }
}

impl Accumulator for Counters {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let Some(values) = values.first() else { return Ok(()) };
        match values.data_type() {
            Arrow::Utf8 => {
                values.as_string::<i32>().iter().flatten().for_each(|text| self.add_bytes(text.as_bytes()));
            }
            Arrow::Binary => values.as_binary::<i32>().iter().flatten().for_each(|bytes| self.add_bytes(bytes)),
            _ => {
                let values = cast(values, &Arrow::Int64)?;
                values.as_primitive::<Int64Type>().iter().flatten().for_each(|value| self.add_long(value));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.written())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + 8 * (self.hashes.len() + self.counters.len())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let Some(states) = states.first().and_then(|state| state.as_binary_opt::<i32>()) else {
            return exec_err!("a column of sketches was expected");
        };
        let skipped = 20 + 8 * self.hashes.len();
        for state in states.iter().flatten() {
            let (Some(total), Some(counters)) = (state.get(4..12), state.get(skipped..)) else {
                return exec_err!("a sketch is shorter than it should be");
            };
            let number = |bytes: &[u8]| bytes.iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte));
            self.total = self.total.wrapping_add(number(total));
            for (counter, other) in self.counters.iter_mut().zip(counters.chunks_exact(8)) {
                *counter = counter.wrapping_add(number(other));
            }
        }
        Ok(())
    }
}

/// Java's `java.util.Random`.
struct Random(i64);

impl Random {
    const MASK: i64 = (1 << 48) - 1;
    const FACTOR: i64 = 0x5_DEEC_E66D;

    fn new(seed: i64) -> Self {
        Random((seed ^ Self::FACTOR) & Self::MASK)
    }

    /// A number from 0 to before `bound`, which is not a power of two.
    fn below(&mut self, bound: i32) -> i64 {
        loop {
            self.0 = self.0.wrapping_mul(Self::FACTOR).wrapping_add(11) & Self::MASK;
            let bits = (self.0 >> 17) as i32;
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return i64::from(value);
            }
        }
    }
}
