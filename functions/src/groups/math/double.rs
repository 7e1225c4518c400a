//! Functions of floating-point numbers.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, PrimitiveArray};
use arrow::datatypes::{DataType as Arrow, Float64Type, Int64Type, IntervalYearMonthType};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::exponential::{exp, ln};
use super::hyperbolic::{cbrt, cosh, sinh, tanh};
use crate::groups::scalar::{between, strict, wrong_number};
use crate::{Arguments, Call, DataType, Kernel, Result, Typed};

macro_rules! unary_kernels {
    ($($kernel:ident $name:literal $function:expr),* $(,)?) => {
        $(pub(super) static $kernel: Kernel =
            Kernel { name: $name, volatile: false, run: |arguments| run(arguments, $function) };)*
    };
}

unary_kernels!(
    ACOS "spark_acos" f64::acos,
    ACOSH "spark_acosh" |x| ln(x + (x * x - 1.0).sqrt()),
    ASIN "spark_asin" f64::asin,
    ASINH "spark_asinh" |x| if x == f64::NEG_INFINITY { x } else { ln(x + (x * x + 1.0).sqrt()) },
    ATAN "spark_atan" f64::atan,
    ATANH "spark_atanh" |x| 0.5 * (x.ln_1p() - (-x).ln_1p()),
    CBRT "spark_cbrt" cbrt,
    COS "spark_cos" f64::cos,
    COSH "spark_cosh" cosh,
    COT "spark_cot" |x| 1.0 / x.tan(),
    CSC "spark_csc" |x| 1.0 / x.sin(),
    DEGREES "spark_degrees" f64::to_degrees,
    EXP "spark_exp" exp,
    EXPM1 "spark_expm1" f64::exp_m1,
    RADIANS "spark_radians" |x| x * 0.017_453_292_519_943_295,
    RINT "spark_rint" f64::round_ties_even,
    SEC "spark_sec" |x| 1.0 / x.cos(),
    SIN "spark_sin" f64::sin,
    SINH "spark_sinh" sinh,
    SQRT "spark_sqrt" f64::sqrt,
    TAN "spark_tan" f64::tan,
    TANH "spark_tanh" tanh,
);

macro_rules! logarithm_kernels {
    ($($kernel:ident $name:literal $above:literal $function:expr),* $(,)?) => {
        $(pub(super) static $kernel: Kernel =
            Kernel { name: $name, volatile: false, run: |arguments| run_above(arguments, $above, $function) };)*
    };
}

logarithm_kernels!(
    LN "spark_ln" 0.0 ln,
    LOG10 "spark_log10" 0.0 f64::log10,
    LOG1P "spark_log1p" -1.0 f64::ln_1p,
    LOG2 "spark_log2" 0.0 |x: f64| ln(x) / std::f64::consts::LN_2,
);

pub(super) static ATAN2: Kernel =
    Kernel { name: "spark_atan2", volatile: false, run: |a| run_pairs(a, |y, x| Some((y + 0.0).atan2(x + 0.0))) };
pub(super) static HYPOT: Kernel =
    Kernel { name: "spark_hypot", volatile: false, run: |a| run_pairs(a, |x, y| Some(x.hypot(y))) };
pub(super) static POW: Kernel =
    Kernel { name: "spark_pow", volatile: false, run: |a| run_pairs(a, |x, y| Some(pow(x, y))) };
static LOG: Kernel = Kernel {
    name: "spark_log",
    volatile: false,
    run: |a| run_pairs(a, |base, x| (base > 0.0 && x > 0.0 || base.is_nan() || x.is_nan()).then(|| ln(x) / ln(base))),
};
static WIDTH_BUCKET: Kernel = Kernel { name: "spark_width_bucket", volatile: false, run: run_width_bucket };

/// A function of one number.
pub(super) fn unary(call: Call<'_>, kernel: &'static Kernel, shown: &str) -> Result<Typed> {
    strict(call, kernel, shown, &[DataType::Double], DataType::Double, false)
}

/// A function of one number that is NULL beyond its domain.
pub(super) fn logarithm(call: Call<'_>, kernel: &'static Kernel, shown: &str) -> Result<Typed> {
    strict(call, kernel, shown, &[DataType::Double], DataType::Double, true)
}

/// A function of two numbers.
pub(super) fn binary(call: Call<'_>, kernel: &'static Kernel, shown: &str) -> Result<Typed> {
    strict(call, kernel, shown, &[DataType::Double, DataType::Double], DataType::Double, false)
}

/// `log(x)` and `log(base, x)`
pub(super) fn log(mut call: Call<'_>) -> Result<Typed> {
    if between(&mut call, 1, 2)?.len() == 1 {
        let e = Typed::literal(ScalarValue::Float64(Some(std::f64::consts::E)), DataType::Double, "E()");
        call.arguments.insert(0, e);
    }
    strict(call, &LOG, "LOG", &[DataType::Double, DataType::Double], DataType::Double, true)
}

/// A number that is always the same.
pub(super) fn constant(call: Call<'_>, value: f64, name: &str) -> Result<Typed> {
    if !call.arguments.is_empty() {
        return Err(wrong_number(&call, "0"));
    }
    Ok(Typed::literal(ScalarValue::Float64(Some(value)), DataType::Double, name))
}

/// `width_bucket(value, min, max, count)`
pub(super) fn width_bucket(mut call: Call<'_>) -> Result<Typed> {
    let arguments = between(&mut call, 4, 4)?;
    let of_intervals = match arguments.first().map(|value| &value.data_type) {
        Some(DataType::YearMonth(..)) => Some(DataType::YEAR_TO_MONTH),
        Some(DataType::DayTime(..)) => Some(DataType::DAY_TO_SECOND),
        _ => None,
    };
    let bound = of_intervals.unwrap_or(DataType::Double);
    let parameters = [bound.clone(), bound.clone(), bound, DataType::Long];
    strict(call, &WIDTH_BUCKET, "width_bucket", &parameters, DataType::Long, true)
}

/// Java's: one to any power is one only if that power is a number.
fn pow(x: f64, y: f64) -> f64 {
    if x.abs() == 1.0 && (y.is_nan() || y.is_infinite()) { f64::NAN } else { x.powf(y) }
}

fn run(arguments: &Arguments<'_>, function: impl Fn(f64) -> f64) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let values: Float64Array = values.as_primitive::<Float64Type>().unary(function);
    Ok(ColumnarValue::Array(Arc::new(values)))
}

fn run_above(arguments: &Arguments<'_>, above: f64, function: impl Fn(f64) -> f64) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let values = values.as_primitive::<Float64Type>();
    let values: Float64Array = values.unary_opt(|x| if x <= above { None } else { Some(function(x)) });
    Ok(ColumnarValue::Array(Arc::new(values)))
}

fn run_pairs(arguments: &Arguments<'_>, function: impl Fn(f64, f64) -> Option<f64>) -> DataFusionResult<ColumnarValue> {
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>());
    let values: Float64Array = pairs.map(|(left, right)| function(left?, right?)).collect();
    Ok(ColumnarValue::Array(Arc::new(values)))
}

fn run_width_bucket(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let number = |at: usize| -> DataFusionResult<Float64Array> {
        let array = arguments.array(at)?;
        let whole = match array.data_type() {
            Arrow::Float64 => return Ok(array.as_primitive::<Float64Type>().clone()),
            Arrow::Interval(_) => return Ok(array.as_primitive::<IntervalYearMonthType>().unary(f64::from)),
            _ => arrow::compute::cast(&array, &Arrow::Int64)?,
        };
        let array = arrow::compute::cast(&whole, &Arrow::Float64)?;
        Ok(array.as_primitive::<Float64Type>().clone())
    };
    let (value, low, high) = (number(0)?, number(1)?, number(2)?);
    let count = arguments.array(3)?;
    let count = count.as_primitive::<Int64Type>();
    let buckets: PrimitiveArray<Int64Type> = (0..value.len())
        .map(|row| {
            let null = [&value, &low, &high].iter().any(|of| of.is_null(row)) || count.is_null(row);
            if null { None } else { bucket(value.value(row), low.value(row), high.value(row), count.value(row)) }
        })
        .collect();
    Ok(ColumnarValue::Array(Arc::new(buckets)))
}

fn bucket(value: f64, min: f64, max: f64, count: i64) -> Option<i64> {
    if count <= 0 || count == i64::MAX || value.is_nan() || min == max || !min.is_finite() || !max.is_finite() {
        return None;
    }
    let (lower, upper) = (min.min(max), min.max(max));
    let inside = |distance: f64| (count as f64 * distance / (upper - lower)) as i64 + 1;
    Some(if min < max {
        match value {
            value if value < lower => 0,
            value if value >= upper => count + 1,
            value => inside(value - lower),
        }
    } else {
        match value {
            value if value > upper => 0,
            value if value <= lower => count + 1,
            value => inside(upper - value),
        }
    })
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[
    &ATAN2,
    &HYPOT,
    &POW,
    &LOG,
    &WIDTH_BUCKET,
    &ACOS,
    &ACOSH,
    &ASIN,
    &ASINH,
    &ATAN,
    &ATANH,
    &CBRT,
    &COS,
    &COSH,
    &COT,
    &CSC,
    &DEGREES,
    &EXP,
    &EXPM1,
    &RADIANS,
    &RINT,
    &SEC,
    &SIN,
    &SINH,
    &SQRT,
    &TAN,
    &TANH,
    &LN,
    &LOG10,
    &LOG1P,
    &LOG2,
];
