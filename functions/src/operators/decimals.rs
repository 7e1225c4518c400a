//! Arithmetic of decimals: exact, then rounded half up to the result's scale; what has more digits than its type is NULL, or an
//! error in ANSI mode.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Int64Type};
use bigdecimal::num_bigint::BigInt;
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::BinaryOperator;
use super::numbers::{Flavor, divided_by_zero, overflow, pairs};
use crate::cast::{fit_decimal, rescale};
use crate::{Arguments, Kernel};

macro_rules! kernels {
    ($($kernel:ident $tries:ident $name:literal $try_name:literal $operator:ident),*) => {
        $(
            static $kernel: Kernel =
                Kernel { name: $name, volatile: false, run: |a| run(a, BinaryOperator::$operator, false) };
            static $tries: Kernel =
                Kernel { name: $try_name, volatile: false, run: |a| run(a, BinaryOperator::$operator, true) };
        )*
        /// The kernels here.
        pub(super) const KERNELS: &[&Kernel] = &[$(&$kernel, &$tries),*];

        /// The kernel of an operator.
        pub(super) fn kernel(operator: BinaryOperator, tries: bool) -> &'static Kernel {
            match operator {
                $(BinaryOperator::$operator => if tries { &$tries } else { &$kernel },)*
                _ => &ADD,
            }
        }
    };
}

kernels!(
    ADD TRY_ADD "spark_decimal_add" "spark_try_decimal_add" Add,
    SUBTRACT TRY_SUBTRACT "spark_decimal_subtract" "spark_try_decimal_subtract" Subtract,
    MULTIPLY TRY_MULTIPLY "spark_decimal_multiply" "spark_try_decimal_multiply" Multiply,
    DIVIDE TRY_DIVIDE "spark_decimal_divide" "spark_try_decimal_divide" Divide,
    INTEGRAL_DIVIDE TRY_INTEGRAL_DIVIDE "spark_decimal_div" "spark_try_decimal_div" IntegralDivide,
    REMAINDER TRY_REMAINDER "spark_decimal_remainder" "spark_try_decimal_remainder" Remainder
);

fn run(arguments: &Arguments<'_>, operator: BinaryOperator, tries: bool) -> DataFusionResult<ColumnarValue> {
    let flavor = Flavor::of(arguments, tries);
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    let (Arrow::Decimal128(_, one), Arrow::Decimal128(_, two)) = (left.data_type(), right.data_type()) else {
        return exec_err!("no decimals: {} and {}", left.data_type(), right.data_type());
    };
    let (one, two) = (*one, *two);
    let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let divides =
        matches!(operator, BinaryOperator::Divide | BinaryOperator::IntegralDivide | BinaryOperator::Remainder);
    if let Arrow::Int64 = arguments.returns.data_type() {
        let array = pairs::<_, _, Int64Type>(left, right, |left, right| {
            if right == 0 {
                return if flavor == Flavor::Ansi { Err(divided_by_zero()) } else { Ok(None) };
            }
            let value = compute(operator, (left, one), (right, two), 0);
            match value.map(i64::try_from) {
                Some(Ok(value)) => Ok(Some(value)),
                _ if flavor == Flavor::Ansi => Err(overflow("Overflow in integral divide", Some("try_divide"))),
                Some(Err(_)) if flavor == Flavor::Legacy => Ok(value.map(|value| value as i64)),
                _ => Ok(None),
            }
        })?;
        return Ok(ColumnarValue::Array(Arc::new(array)));
    }
    let Arrow::Decimal128(precision, scale) = *arguments.returns.data_type() else {
        return exec_err!("no decimal: {}", arguments.returns.data_type());
    };
    let plain = Plain::of(operator, one, two, scale);
    let limit = 10_u128.pow(u32::from(precision));
    let array = pairs::<_, _, Decimal128Type>(left, right, |left, right| {
        if let Some(value) = plain.as_ref().and_then(|plain| plain.compute(left, right))
            && value.unsigned_abs() < limit
        {
            return Ok(Some(value));
        }
        if divides && right == 0 {
            return if flavor == Flavor::Ansi { Err(divided_by_zero()) } else { Ok(None) };
        }
        match fit_decimal(compute(operator, (left, one), (right, two), scale), precision) {
            Some(value) => Ok(Some(value)),
            None if flavor == Flavor::Ansi => {
                Err(crate::cast::out_of_range(&exact(operator, (left, one), (right, two), scale), precision, scale))
            }
            None => Ok(None),
        }
    })?;
    Ok(ColumnarValue::Array(Arc::new(array.with_precision_and_scale(precision, scale)?)))
}

/// A sum, difference or product that is not rounded, with what is the same for all rows.
struct Plain {
    operator: BinaryOperator,
    left: i128,
    right: i128,
}

impl Plain {
    fn of(operator: BinaryOperator, one: i8, two: i8, scale: i8) -> Option<Plain> {
        let common = one.max(two);
        let factor = |from: i8| 10_i128.checked_pow(u32::try_from(common.checked_sub(from)?).ok()?);
        match operator {
            BinaryOperator::Multiply if one.checked_add(two)? == scale => Some(Plain { operator, left: 1, right: 1 }),
            BinaryOperator::Add | BinaryOperator::Subtract if common == scale => {
                Some(Plain { operator, left: factor(one)?, right: factor(two)? })
            }
            _ => None,
        }
    }

    /// `None` beyond 128 bits.
    fn compute(&self, left: i128, right: i128) -> Option<i128> {
        match self.operator {
            BinaryOperator::Multiply => product(left, right),
            BinaryOperator::Subtract => product(left, self.left)?.checked_sub(product(right, self.right)?),
            _ => product(left, self.left)?.checked_add(product(right, self.right)?),
        }
    }
}

/// Most values have 64 bits, whose product needs no check.
fn product(left: i128, right: i128) -> Option<i128> {
    match (i64::try_from(left), i64::try_from(right)) {
        (Ok(left), Ok(right)) => Some(i128::from(left) * i128::from(right)),
        _ => left.checked_mul(right),
    }
}

/// The result in a scale; `None` if it is beyond 128 bits. The divisor is not zero.
fn compute(operator: BinaryOperator, left: (i128, i8), right: (i128, i8), scale: i8) -> Option<i128> {
    small(operator, left, right, scale).or_else(|| i128::try_from(large(operator, left, right, scale)).ok())
}

/// In 128 bits, if all steps fit.
fn small(operator: BinaryOperator, (a, s1): (i128, i8), (b, s2): (i128, i8), scale: i8) -> Option<i128> {
    let common = s1.max(s2);
    let aligned = || Some((rescale(a, s1, common)?, rescale(b, s2, common)?));
    match operator {
        BinaryOperator::Multiply => rescale(a.checked_mul(b)?, s1.checked_add(s2)?, scale),
        BinaryOperator::Divide => {
            let shift = i32::from(scale) - i32::from(s1) + i32::from(s2);
            let factor = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
            let numerator = a.checked_mul(factor)?;
            let (quotient, rest) = (numerator.checked_div(b)?, numerator.checked_rem(b)?);
            let up = rest.unsigned_abs() >= b.unsigned_abs() - rest.unsigned_abs();
            let away = if (numerator < 0) == (b < 0) { 1 } else { -1 };
            Some(if up { quotient + away } else { quotient })
        }
        BinaryOperator::IntegralDivide => {
            let (a, b) = aligned()?;
            a.checked_div(b)
        }
        BinaryOperator::Remainder => {
            let (a, b) = aligned()?;
            rescale(a.checked_rem(b)?, common, scale)
        }
        BinaryOperator::Subtract => {
            let (a, b) = aligned()?;
            rescale(a.checked_sub(b)?, common, scale)
        }
        _ => {
            let (a, b) = aligned()?;
            rescale(a.checked_add(b)?, common, scale)
        }
    }
}

fn large(operator: BinaryOperator, (a, s1): (i128, i8), (b, s2): (i128, i8), scale: i8) -> BigInt {
    let common = s1.max(s2);
    let up = |value: i128, by: i32| BigInt::from(value) * BigInt::from(10).pow(u32::try_from(by).unwrap_or(0));
    let one = up(a, i32::from(common) - i32::from(s1));
    let two = up(b, i32::from(common) - i32::from(s2));
    let (value, from) = match operator {
        BinaryOperator::Multiply => (BigInt::from(a) * BigInt::from(b), i32::from(s1) + i32::from(s2)),
        BinaryOperator::Divide => {
            let shift = i32::from(scale) - i32::from(s1) + i32::from(s2);
            return half_up(up(a, shift.max(0)), up(b, (-shift).max(0)));
        }
        BinaryOperator::IntegralDivide => return one / two,
        BinaryOperator::Remainder => (one % two, i32::from(common)),
        BinaryOperator::Subtract => (one - two, i32::from(common)),
        _ => (one + two, i32::from(common)),
    };
    let shift = i32::from(scale) - from;
    if shift >= 0 {
        value * BigInt::from(10).pow(shift.unsigned_abs())
    } else {
        half_up(value, BigInt::from(10).pow(shift.unsigned_abs()))
    }
}

pub(super) fn half_up(value: BigInt, by: BigInt) -> BigInt {
    let twice = BigInt::from(2);
    let negative = (value < BigInt::ZERO) != (by < BigInt::ZERO);
    let (value, by) = (BigInt::from(value.magnitude().clone()), BigInt::from(by.magnitude().clone()));
    let rounded = (value * &twice + &by) / (by * twice);
    if negative { -rounded } else { rounded }
}

/// The value that did not fit, for the message.
fn exact(operator: BinaryOperator, left: (i128, i8), right: (i128, i8), scale: i8) -> String {
    let text = large(operator, left, right, scale).to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let scale = usize::from(scale.unsigned_abs());
    if scale == 0 {
        return text;
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}
