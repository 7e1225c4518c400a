//! `rand` and `randn`, with the generator of Spark, so that a seed gives Spark's numbers of its first partition.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Int64Type;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, convert};
use crate::groups::hash::murmur3_bytes;
use crate::groups::scalar::{between, call_name};
use crate::operators::wrong_input;
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

pub(super) static RAND: Kernel = Kernel { name: "spark_rand", volatile: true, run: |a| run(a, Generator::uniform) };
pub(super) static RANDN: Kernel = Kernel { name: "spark_randn", volatile: true, run: |a| run(a, Generator::normal) };

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
    let seed = convert(seed, &DataType::Long, CastMode::Legacy, call.settings)?;
    Ok(SparkUdf::call(kernel, call.settings, vec![seed], DataType::Double, false, name))
}

fn run(arguments: &Arguments<'_>, next: fn(&mut Generator) -> f64) -> DataFusionResult<ColumnarValue> {
    let seed = arguments.array(0)?;
    let seed = seed.as_primitive::<Int64Type>().iter().flatten().next().unwrap_or(0);
    let mut generator = Generator::new(seed);
    let values: Float64Array = (0..arguments.rows).map(|_| Some(next(&mut generator))).collect();
    Ok(ColumnarValue::Array(Arc::new(values)))
}

/// Marsaglia's XOR shift over 64 bits.
struct Generator {
    state: i64,
    spare: Option<f64>,
}

impl Generator {
    fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3_bytes(&bytes, 0x3c07_4a61);
        let high = murmur3_bytes(&bytes, low);
        Generator { state: i64::from(high) << 32 | i64::from(low) & 0xffff_ffff, spare: None }
    }

    fn bits(&mut self, count: u32) -> i64 {
        let mut next = self.state ^ self.state << 21;
        next ^= ((next as u64) >> 35) as i64;
        next ^= next << 4;
        self.state = next;
        next & ((1 << count) - 1)
    }

    fn uniform(&mut self) -> f64 {
        let (high, low) = (self.bits(26), self.bits(27));
        ((high << 27) + low) as f64 * (1.0 / (1_i64 << 53) as f64)
    }

    /// By the polar method, which makes two at a time.
    fn normal(&mut self) -> f64 {
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
