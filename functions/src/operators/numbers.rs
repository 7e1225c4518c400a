//! Arithmetic of whole and floating-point numbers, and of intervals with intervals.
//!
//! Whole numbers wrap around, or are an error in ANSI mode; what is divided by zero is NULL, or an error.

use std::sync::Arc;

use arrow::array::types::IntervalMonthDayNano;
use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, PrimitiveArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType,
};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::BinaryOperator;
use crate::{Arguments, Error, Kernel, Result};

/// What happens where there is no result.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flavor {
    Legacy,
    Ansi,
    Try,
}

impl Flavor {
    pub(super) fn of(arguments: &Arguments<'_>, tries: bool) -> Flavor {
        match (tries, arguments.settings.ansi) {
            (true, _) => Flavor::Try,
            (_, true) => Flavor::Ansi,
            _ => Flavor::Legacy,
        }
    }
}

macro_rules! kernels {
    ($($kernel:ident $tries:ident $name:literal $try_name:literal $operator:ident),*) => {
        $(
            static $kernel: Kernel =
                Kernel { name: $name, volatile: false, run: |a| run(a, BinaryOperator::$operator, false) };
            static $tries: Kernel =
                Kernel { name: $try_name, volatile: false, run: |a| run(a, BinaryOperator::$operator, true) };
        )*
        /// The kernels here.
        pub(super) const KERNELS: &[&Kernel] = &[&NEGATE, $(&$kernel, &$tries),*];

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
    ADD TRY_ADD "spark_add" "spark_try_add" Add,
    SUBTRACT TRY_SUBTRACT "spark_subtract" "spark_try_subtract" Subtract,
    MULTIPLY TRY_MULTIPLY "spark_multiply" "spark_try_multiply" Multiply,
    DIVIDE TRY_DIVIDE "spark_divide" "spark_try_divide" Divide,
    INTEGRAL_DIVIDE TRY_INTEGRAL_DIVIDE "spark_div" "spark_try_div" IntegralDivide,
    REMAINDER TRY_REMAINDER "spark_remainder" "spark_try_remainder" Remainder
);

static NEGATE: Kernel = Kernel { name: "spark_negate", volatile: false, run: run_negate };

pub(super) fn negate_kernel() -> &'static Kernel {
    &NEGATE
}

/// Division by zero in ANSI mode.
pub(crate) fn divided_by_zero() -> Error {
    Error::new(
        "DIVIDE_BY_ZERO",
        "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.",
    )
}

/// A result that the type does not hold, in ANSI mode; `function` is the one that would be NULL.
pub(crate) fn overflow(what: &str, function: Option<&str>) -> Error {
    let hint = function.map(|function| format!(" Use '{function}' to tolerate overflow and return NULL instead."));
    let hint = hint.unwrap_or_default();
    Error::new(
        "ARITHMETIC_OVERFLOW",
        format!("{what}.{hint} If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error."),
    )
}

fn try_name(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "try_add",
        BinaryOperator::Subtract => "try_subtract",
        BinaryOperator::Multiply => "try_multiply",
        _ => "try_divide",
    }
}

fn run(arguments: &Arguments<'_>, operator: BinaryOperator, tries: bool) -> DataFusionResult<ColumnarValue> {
    let flavor = Flavor::of(arguments, tries);
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    macro_rules! whole {
        ($type:ty) => {
            whole::<$type>(left.as_primitive(), right.as_primitive(), operator, flavor)?
        };
    }
    Ok(ColumnarValue::Array(match left.data_type() {
        Arrow::Int8 => whole!(Int8Type),
        Arrow::Int16 => whole!(Int16Type),
        Arrow::Int32 => whole!(Int32Type),
        Arrow::Int64 => whole!(Int64Type),
        Arrow::Float32 => floating::<Float32Type>(left.as_primitive(), right.as_primitive(), operator, flavor)?,
        Arrow::Float64 => floating::<Float64Type>(left.as_primitive(), right.as_primitive(), operator, flavor)?,
        other => return exec_err!("no arithmetic of {other}"),
    }))
}

/// Each pair of which neither is NULL.
pub(crate) fn pairs<L: ArrowPrimitiveType, R: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    left: &PrimitiveArray<L>,
    right: &PrimitiveArray<R>,
    mut result: impl FnMut(L::Native, R::Native) -> Result<Option<T::Native>>,
) -> Result<PrimitiveArray<T>> {
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let rows = left.len();
    let mut values = vec![T::default_value(); rows];
    let mut without: Option<BooleanBufferBuilder> = None;
    for (at, ((value, left), right)) in values.iter_mut().zip(left.values()).zip(right.values()).enumerate() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
            continue;
        }
        match result(*left, *right)? {
            Some(result) => *value = result,
            None => without
                .get_or_insert_with(|| {
                    let mut all = BooleanBufferBuilder::new(rows);
                    all.append_n(rows, true);
                    all
                })
                .set_bit(at, false),
        }
    }
    let without = without.map(|mut without| NullBuffer::new(without.finish()));
    Ok(PrimitiveArray::new(values.into(), NullBuffer::union(nulls.as_ref(), without.as_ref())))
}

/// A sum, difference or product that wraps around.
type Wrapping<T> =
    fn(<T as ArrowPrimitiveType>::Native, <T as ArrowPrimitiveType>::Native) -> <T as ArrowPrimitiveType>::Native;

fn whole<T: ArrowPrimitiveType>(
    left: &PrimitiveArray<T>,
    right: &PrimitiveArray<T>,
    operator: BinaryOperator,
    flavor: Flavor,
) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp + std::fmt::Display,
{
    if flavor == Flavor::Legacy {
        let wrapping: Option<Wrapping<T>> = match operator {
            BinaryOperator::Add => Some(ArrowNativeTypeOp::add_wrapping),
            BinaryOperator::Subtract => Some(ArrowNativeTypeOp::sub_wrapping),
            BinaryOperator::Multiply => Some(ArrowNativeTypeOp::mul_wrapping),
            _ => None,
        };
        if let Some(wrapping) = wrapping {
            let array = arrow::compute::binary::<_, _, _, T>(left, right, wrapping);
            return Ok(Arc::new(array.map_err(crate::cast::failed)?));
        }
    }
    let array = pairs::<T, T, T>(left, right, |left, right| {
        let divides = !matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply);
        if divides && right.is_zero() {
            return if flavor == Flavor::Ansi { Err(divided_by_zero()) } else { Ok(None) };
        }
        let result = match operator {
            BinaryOperator::Add => left.add_checked(right),
            BinaryOperator::Subtract => left.sub_checked(right),
            BinaryOperator::Multiply => left.mul_checked(right),
            BinaryOperator::Remainder => Ok(left.mod_wrapping(right)),
            _ if flavor == Flavor::Legacy => Ok(left.div_wrapping(right)),
            _ => left.div_checked(right),
        };
        match result {
            Ok(result) => Ok(Some(result)),
            Err(_) if flavor == Flavor::Try => Ok(None),
            Err(_) if operator == BinaryOperator::IntegralDivide => {
                Err(overflow("Overflow in integral divide", Some("try_divide")))
            }
            Err(_) => Err(match T::DATA_TYPE {
                Arrow::Int32 => overflow("integer overflow", Some(try_name(operator))),
                Arrow::Int64 => overflow("long overflow", Some(try_name(operator))),
                _ => Error::new(
                    "BINARY_ARITHMETIC_OVERFLOW",
                    format!("{left}S {} {right}S caused overflow.", operator.symbol()),
                ),
            }),
        }
    })?;
    Ok(Arc::new(array))
}

fn floating<T: ArrowPrimitiveType>(
    left: &PrimitiveArray<T>,
    right: &PrimitiveArray<T>,
    operator: BinaryOperator,
    flavor: Flavor,
) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let plain: fn(T::Native, T::Native) -> T::Native = match operator {
        BinaryOperator::Add => ArrowNativeTypeOp::add_wrapping,
        BinaryOperator::Subtract => ArrowNativeTypeOp::sub_wrapping,
        BinaryOperator::Multiply => ArrowNativeTypeOp::mul_wrapping,
        BinaryOperator::Divide => ArrowNativeTypeOp::div_wrapping,
        _ => ArrowNativeTypeOp::mod_wrapping,
    };
    if matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply) {
        let array = arrow::compute::binary::<_, _, _, T>(left, right, plain);
        return Ok(Arc::new(array.map_err(crate::cast::failed)?));
    }
    let zero = T::default_value();
    let minus_zero = zero.neg_wrapping();
    let array = pairs::<T, T, T>(left, right, |left, right| {
        if right.is_eq(zero) || right.is_eq(minus_zero) {
            return if flavor == Flavor::Ansi { Err(divided_by_zero()) } else { Ok(None) };
        }
        Ok(Some(plain(left, right)))
    })?;
    Ok(Arc::new(array))
}

fn run_negate(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    let ansi = arguments.settings.ansi;
    macro_rules! of {
        ($type:ty, $what:literal) => {{
            let values = array.as_primitive::<$type>();
            let negated: ArrayRef = if ansi {
                Arc::new(crate::cast::primitives::<$type>(values, |row| match values.value(row).neg_checked() {
                    Ok(value) => Ok(Some(value)),
                    Err(_) => Err(overflow($what, None)),
                })?)
            } else {
                Arc::new(values.unary::<_, $type>(|value| value.neg_wrapping()))
            };
            negated
        }};
    }
    Ok(ColumnarValue::Array(match array.data_type() {
        Arrow::Int8 => of!(Int8Type, "byte overflow"),
        Arrow::Int16 => of!(Int16Type, "short overflow"),
        Arrow::Int32 => of!(Int32Type, "integer overflow"),
        Arrow::Int64 => of!(Int64Type, "long overflow"),
        Arrow::Float32 => of!(Float32Type, "overflow"),
        Arrow::Float64 => of!(Float64Type, "overflow"),
        Arrow::Decimal128(precision, scale) => Arc::new(
            array
                .as_primitive::<Decimal128Type>()
                .unary::<_, Decimal128Type>(i128::wrapping_neg)
                .with_precision_and_scale(*precision, *scale)?,
        ),
        Arrow::Duration(_) => of!(DurationMicrosecondType, "long overflow"),
        Arrow::Interval(arrow::datatypes::IntervalUnit::YearMonth) => of!(IntervalYearMonthType, "integer overflow"),
        Arrow::Interval(_) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            Arc::new(values.unary::<_, IntervalMonthDayNanoType>(|value| {
                IntervalMonthDayNano::new(
                    value.months.wrapping_neg(),
                    value.days.wrapping_neg(),
                    value.nanoseconds.wrapping_neg(),
                )
            }))
        }
        other => return exec_err!("no negative of {other}"),
    }))
}
