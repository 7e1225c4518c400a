//! `rand` and `randn`, with the generator of Spark, so that a seed gives Spark's numbers. Those of a plan are made partition by
//! partition, as [`Position`] says; the kernels are what is left in a lambda, and begin anew with each batch.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Int64Type;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, convert};
use crate::constant::value;
use crate::groups::hash::murmur3_bytes;
use crate::groups::scalar::{between, call_name};
use crate::operators::wrong_input;
use crate::{Arguments, Call, DataType, Error, Kernel, Position, Result, SparkUdf, Typed};

pub(super) static RAND: Kernel = Kernel { name: "spark_rand", volatile: true, run: |a| run(a, Random::uniform) };
pub(super) static RANDN: Kernel = Kernel { name: "spark_randn", volatile: true, run: |a| run(a, Random::normal) };

/// `rand([seed])`, `randn([seed])`
pub(super) fn call(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    let seed = between(&mut call, 0, 1)?.pop();
    let shown = if call.name == "randn" { "randn" } else { "rand" };
    let Some(seed) = seed else {
        let value = ScalarValue::Int64(Some(fastrand::i64(..)));
        let seed = Typed::literal(value, DataType::Long, "");
        let name = format!("{shown}()");
        return Ok(SparkUdf::call(kernel, call.settings, vec![seed], DataType::Double, false, name));
    };
    let name = call_name(shown, std::slice::from_ref(&seed));
    if !matches!(seed.data_type, DataType::Int | DataType::Long | DataType::Void) {
        return Err(wrong_input(&name, 1, "(\"INT\" or \"BIGINT\")", &seed));
    }
    if !seed.foldable {
        return Err(Error::new(
            "SEED_EXPRESSION_IS_UNFOLDABLE",
            format!("The seed expression \"{}\" of the expression \"{name}\" must be foldable.", seed.name),
        ));
    }
    let seed = value(&convert(seed, &DataType::Long, CastMode::Legacy, call.settings)?)?;
    let seed = Typed::literal(seed, DataType::Long, "");
    Ok(SparkUdf::call(kernel, call.settings, vec![seed], DataType::Double, false, name))
}

/// What a call of a kernel here says of a row.
pub(in crate::groups) fn position_of(call: &ScalarFunction) -> Option<Position> {
    let kernel = call.func.name();
    let of = match kernel {
        _ if kernel == RAND.name => Position::Uniform,
        _ if kernel == RANDN.name => Position::Normal,
        _ => return None,
    };
    match call.args.as_slice() {
        [Expr::Literal(ScalarValue::Int64(seed), _)] => Some(of(seed.unwrap_or(0))),
        _ => None,
    }
}

fn run(arguments: &Arguments<'_>, next: fn(&mut Random) -> f64) -> DataFusionResult<ColumnarValue> {
    let seed = arguments.array(0)?;
    let seed = seed.as_primitive::<Int64Type>().iter().flatten().next().unwrap_or(0);
    let mut generator = Random::new(seed);
    let values: Float64Array = (0..arguments.rows).map(|_| Some(next(&mut generator))).collect();
    Ok(ColumnarValue::Array(Arc::new(values)))
}

/// Random numbers by Marsaglia's XOR shift over 64 bits.
#[derive(Debug)]
pub struct Random {
    state: i64,
    spare: Option<f64>,
}

impl Random {
    /// Those of a seed.
    pub fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3_bytes(&bytes, 0x3c07_4a61);
        let high = murmur3_bytes(&bytes, low);
        Random { state: i64::from(high) << 32 | i64::from(low) & 0xffff_ffff, spare: None }
    }

    fn bits(&mut self, count: u32) -> i64 {
        let mut next = self.state ^ self.state << 21;
        next ^= ((next as u64) >> 35) as i64;
        next ^= next << 4;
        self.state = next;
        next & ((1 << count) - 1)
    }

    /// The next from 0 to below 1.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (self.bits(26), self.bits(27));
        ((high << 27) + low) as f64 * (1.0 / (1_i64 << 53) as f64)
    }

    /// The next around 0 with a standard deviation of 1, by the polar method, which makes two at a time.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * super::exponential::ln(square) / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&RAND, &RANDN];
