//! `factorial` and `pmod`.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Int64Array};
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::cast::{fit_decimal, rescale};
use crate::groups::scalar::{exactly, strict};
use crate::operators::{BinaryOperator, arithmetic_with, divided_by_zero, pairs};
use crate::{Arguments, Call, DataType, Kernel, Result, Typed};

static FACTORIAL: Kernel = Kernel { name: "spark_factorial", volatile: false, run: run_factorial };
static PMOD: Kernel = Kernel { name: "spark_pmod", volatile: false, run: run_pmod };

/// `factorial(expr)`
pub(super) fn factorial(call: Call<'_>) -> Result<Typed> {
    strict(call, &FACTORIAL, "factorial", &[DataType::Int], DataType::Long, true)
}

/// `pmod(a, b)`
pub(super) fn pmod(mut call: Call<'_>) -> Result<Typed> {
    let [left, right] = exactly(&mut call)?;
    let name = format!("pmod({}, {})", left.name, right.name);
    arithmetic_with(&PMOD, BinaryOperator::Remainder, left, right, call.settings, name)
}

fn run_factorial(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let values = arguments.array(0)?;
    let product = |value: i32| (0..=20).contains(&value).then(|| (1..=i64::from(value)).product());
    let products: Int64Array = values.as_primitive::<Int32Type>().iter().map(|value| product(value?)).collect();
    Ok(ColumnarValue::Array(Arc::new(products)))
}

fn run_pmod(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let ansi = arguments.settings.ansi;
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    macro_rules! of {
        ($type:ty) => {
            native::<$type>(&left, &right, ansi)?
        };
    }
    Ok(ColumnarValue::Array(match (left.data_type(), right.data_type()) {
        (Arrow::Int8, _) => of!(Int8Type),
        (Arrow::Int16, _) => of!(Int16Type),
        (Arrow::Int32, _) => of!(Int32Type),
        (Arrow::Int64, _) => of!(Int64Type),
        (Arrow::Float32, _) => of!(Float32Type),
        (Arrow::Float64, _) => of!(Float64Type),
        (Arrow::Decimal128(_, one), Arrow::Decimal128(_, two)) => {
            let Arrow::Decimal128(precision, scale) = *arguments.returns.data_type() else {
                return exec_err!("no decimal: {}", arguments.returns.data_type());
            };
            let common = (*one).max(*two);
            let result = pairs::<_, _, Decimal128Type>(
                left.as_primitive::<Decimal128Type>(),
                right.as_primitive::<Decimal128Type>(),
                |left, right| {
                    if right == 0 {
                        return if ansi { Err(divided_by_zero()) } else { Ok(None) };
                    }
                    let exact = || {
                        let (left, right) = (rescale(left, *one, common)?, rescale(right, *two, common)?);
                        rescale(positive(left, right), common, scale)
                    };
                    Ok(fit_decimal(exact(), precision))
                },
            )?;
            Arc::new(result.with_precision_and_scale(precision, scale)?)
        }
        (other, _) => return exec_err!("no remainder of {other}"),
    }))
}

fn native<T: ArrowPrimitiveType>(left: &ArrayRef, right: &ArrayRef, ansi: bool) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let zero = T::default_value();
    let result = pairs::<T, T, T>(left.as_primitive::<T>(), right.as_primitive::<T>(), |left, right| {
        if right.is_eq(zero) || right.is_eq(zero.neg_wrapping()) {
            return if ansi { Err(divided_by_zero()) } else { Ok(None) };
        }
        Ok(Some(positive(left, right)))
    })?;
    Ok(Arc::new(result))
}

/// The remainder moved once toward the divisor if it is negative.
fn positive<N: ArrowNativeTypeOp>(left: N, right: N) -> N {
    let rest = left.mod_wrapping(right);
    if rest.is_lt(N::ZERO) { rest.add_wrapping(right).mod_wrapping(right) } else { rest }
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&FACTORIAL, &PMOD];
