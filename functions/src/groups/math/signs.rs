//! `abs`, `sign` and `signum`, of numbers and intervals.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray, Float64Array};
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType,
};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::coercion::{Expected, implicit_cast};
use crate::groups::scalar::{call_name, exactly};
use crate::operators::overflow;
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

static ABS: Kernel = Kernel { name: "spark_abs", volatile: false, run: run_abs };
static SIGN: Kernel = Kernel { name: "spark_sign", volatile: false, run: run_sign };

/// `abs(expr)`
pub(super) fn abs(mut call: Call<'_>) -> Result<Typed> {
    let [value] = exactly(&mut call)?;
    let name = call_name("abs", std::slice::from_ref(&value));
    let value = number_or_interval(value, &name, &call)?;
    let (data_type, nullable) = (value.data_type.clone(), value.nullable);
    Ok(SparkUdf::call(&ABS, call.settings, vec![value], data_type, nullable, name))
}

/// `sign(expr)`
pub(super) fn sign(mut call: Call<'_>, shown: &str) -> Result<Typed> {
    let [value] = exactly(&mut call)?;
    let name = call_name(shown, std::slice::from_ref(&value));
    let value = match value.data_type {
        DataType::YearMonth(..) | DataType::DayTime(..) => value,
        _ => implicit_cast(value, &Expected::Type(DataType::Double), 1, &name, call.settings)?,
    };
    let nullable = value.nullable;
    Ok(SparkUdf::call(&SIGN, call.settings, vec![value], DataType::Double, nullable, name))
}

fn number_or_interval(value: Typed, name: &str, call: &Call<'_>) -> Result<Typed> {
    match value.data_type {
        DataType::YearMonth(..) | DataType::DayTime(..) => Ok(value),
        _ => implicit_cast(value, &Expected::Numeric, 1, name, call.settings),
    }
}

fn run_abs(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    let ansi = arguments.settings.ansi;
    macro_rules! whole {
        ($type:ty, $checked:expr, $what:literal) => {{
            let values = array.as_primitive::<$type>();
            let result: ArrayRef = if $checked {
                Arc::new(crate::cast::primitives::<$type>(values, |row| {
                    values.value(row).checked_abs().map(Some).ok_or_else(|| overflow($what, None))
                })?)
            } else {
                Arc::new(values.unary::<_, $type>(|value| value.wrapping_abs()))
            };
            result
        }};
    }
    Ok(ColumnarValue::Array(match array.data_type() {
        Arrow::Int8 => whole!(Int8Type, ansi, "byte overflow"),
        Arrow::Int16 => whole!(Int16Type, ansi, "short overflow"),
        Arrow::Int32 => whole!(Int32Type, ansi, "integer overflow"),
        Arrow::Int64 => whole!(Int64Type, ansi, "long overflow"),
        Arrow::Duration(_) => whole!(DurationMicrosecondType, true, "long overflow"),
        Arrow::Interval(_) => whole!(IntervalYearMonthType, true, "integer overflow"),
        Arrow::Float32 => Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::abs)),
        Arrow::Float64 => Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::abs)),
        Arrow::Decimal128(precision, scale) => Arc::new(
            array
                .as_primitive::<Decimal128Type>()
                .unary::<_, Decimal128Type>(i128::wrapping_abs)
                .with_precision_and_scale(*precision, *scale)?,
        ),
        other => return exec_err!("no absolute value of {other}"),
    }))
}

fn run_sign(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    let signs: Float64Array = match array.data_type() {
        Arrow::Duration(_) => {
            array.as_primitive::<DurationMicrosecondType>().unary(|value| value.compare(0) as i8 as f64)
        }
        Arrow::Interval(_) => {
            array.as_primitive::<IntervalYearMonthType>().unary(|value| value.compare(0) as i8 as f64)
        }
        _ => array.as_primitive::<Float64Type>().unary(|value| match value {
            value if value > 0.0 => 1.0,
            value if value < 0.0 => -1.0,
            value => value,
        }),
    };
    Ok(ColumnarValue::Array(Arc::new(signs)))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&ABS, &SIGN];
