//! `round`, `bround`, `ceil` and `floor`.
//!
//! Floating-point numbers are rounded by their decimal digits as they are written, as Java's BigDecimal does.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, convert, fit_decimal, primitives};
use crate::coercion::{Expected, implicit_cast};
use crate::decimal_type::bounded;
use crate::groups::scalar::{between, call_name};
use crate::operators::{overflow, resolve_error};
use crate::text::java_digits;
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

static ROUND: Kernel = Kernel { name: "spark_round", volatile: false, run: |a| run(a, Direction::HalfUp) };
static BROUND: Kernel = Kernel { name: "spark_bround", volatile: false, run: |a| run(a, Direction::HalfEven) };
static CEIL: Kernel = Kernel { name: "spark_ceil", volatile: false, run: |a| run(a, Direction::Up) };
static FLOOR: Kernel = Kernel { name: "spark_floor", volatile: false, run: |a| run(a, Direction::Down) };

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    HalfUp,
    HalfEven,
    Up,
    Down,
}

/// `round(expr[, scale])`, `bround`
pub(super) fn nearest(mut call: Call<'_>, even: bool) -> Result<Typed> {
    let (value, scale) = operands(&mut call)?;
    let scale = scale.unwrap_or_else(zero);
    let name = format!("{}({}, {})", call.name, value.name, scale.name);
    let value = implicit_cast(value, &Expected::Numeric, 1, &name, call.settings)?;
    let scale = implicit_cast(scale, &Expected::Type(DataType::Int), 2, &name, call.settings)?;
    if !scale.foldable {
        return Err(resolve_error(
            "NON_FOLDABLE_INPUT",
            &name,
            format!("the input scale should be a foldable \"INT\" expression; however, got \"{}\".", scale.name),
        ));
    }
    let data_type = match (&value.data_type, constant(&scale)?) {
        (_, None) => return Typed::null(value.data_type, name),
        (DataType::Decimal(precision, own), Some(scale)) => decimal(*precision, *own, scale),
        (other, Some(_)) => other.clone(),
    };
    let nullable = value.nullable || matches!(data_type, DataType::Decimal(..));
    let kernel = if even { &BROUND } else { &ROUND };
    Ok(SparkUdf::call(kernel, call.settings, vec![value, scale], data_type, nullable, name))
}

/// `ceil(expr[, scale])`, `floor`
pub(super) fn toward(mut call: Call<'_>, up: bool) -> Result<Typed> {
    let kernel = if up { &CEIL } else { &FLOOR };
    let (value, scale) = operands(&mut call)?;
    let nullable = value.nullable;
    let Some(scale) = scale else {
        let shown = if call.name == "ceiling" {
            "ceiling"
        } else if up {
            "CEIL"
        } else {
            "FLOOR"
        };
        let name = call_name(shown, std::slice::from_ref(&value));
        let expected =
            Expected::OneOf(vec![Expected::Type(DataType::Double), Expected::Decimal, Expected::Type(DataType::Long)]);
        if value.data_type.is_integral() {
            return Ok(convert(value, &DataType::Long, CastMode::Legacy, call.settings)?.named(name));
        }
        let value = implicit_cast(value, &expected, 1, &name, call.settings)?;
        let data_type = match value.data_type {
            DataType::Decimal(precision, 0) => DataType::Decimal(precision, 0),
            DataType::Decimal(precision, scale) => bounded(i32::from(precision) - i32::from(scale) + 1, 0),
            _ => DataType::Long,
        };
        return Ok(SparkUdf::call(kernel, call.settings, vec![value, zero()], data_type, nullable, name));
    };
    let name = format!("{}({}, {})", call.name, value.name, scale.name);
    let literal_int = scale.foldable && scale.data_type == DataType::Int;
    let scale_value = if literal_int { constant(&scale).ok().flatten() } else { None };
    let Some(scale_value) = scale_value else {
        return Err(Error::new(
            "_LEGACY_ERROR_TEMP_1207",
            format!("The 'scale' parameter of function '{}' needs to be a int literal.", call.name),
        ));
    };
    let value = implicit_cast(value, &Expected::Decimal, 1, &name, call.settings)?;
    let data_type = match &value.data_type {
        DataType::Decimal(precision, own) => decimal(*precision, *own, scale_value),
        other => other.clone(),
    };
    Ok(SparkUdf::call(kernel, call.settings, vec![value, scale], data_type, true, name))
}

fn operands(call: &mut Call<'_>) -> Result<(Typed, Option<Typed>)> {
    let arguments = between(call, 1, 2)?;
    let scale = if arguments.len() == 2 { arguments.pop() } else { None };
    let value = arguments.pop().ok_or_else(|| Error::new("INTERNAL_ERROR", "no argument"))?;
    Ok((value, scale))
}

fn zero() -> Typed {
    Typed::literal(ScalarValue::Int32(Some(0)), DataType::Int, "0")
}

/// The scale as it is written: a constant, with or without a sign or a cast.
fn constant(scale: &Typed) -> Result<Option<i32>> {
    let value = crate::evaluate::constant(scale)?;
    Ok(match value {
        value if value.is_null() => None,
        value => crate::literal::integer(&value).and_then(|value| i32::try_from(value).ok()),
    })
}

/// The type of a decimal rounded to a scale: one digit more before the point, since 9.9 becomes 10.
fn decimal(precision: u8, scale: i8, to: i32) -> DataType {
    let whole = i32::from(precision) - i32::from(scale) + 1;
    if to < 0 {
        return bounded(whole.max(to.saturating_neg().saturating_add(1)), 0);
    }
    let kept = i32::from(scale).min(to);
    bounded(whole + kept, kept)
}

fn run(arguments: &Arguments<'_>, direction: Direction) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    let scale = match &arguments.values[1] {
        ColumnarValue::Scalar(ScalarValue::Int32(Some(scale))) => *scale,
        ColumnarValue::Array(scales) if !scales.is_empty() => {
            scales.as_primitive::<Int32Type>().iter().flatten().next().unwrap_or(0)
        }
        _ => 0,
    };
    let ansi = arguments.settings.ansi;
    macro_rules! whole {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            Arc::new(primitives::<$type>(values, |row| {
                let value = values.value(row);
                let rounded = to_scale(i128::from(value), 0, scale, direction);
                match <$type as arrow::datatypes::ArrowPrimitiveType>::Native::try_from(rounded) {
                    Ok(rounded) => Ok(Some(rounded)),
                    Err(_) if ansi => Err(overflow("Overflow", None)),
                    Err(_) => Ok(Some(rounded as _)),
                }
            })?) as ArrayRef
        }};
    }
    let result: ArrayRef = match (array.data_type(), arguments.returns.data_type()) {
        (Arrow::Int8, _) => whole!(Int8Type),
        (Arrow::Int16, _) => whole!(Int16Type),
        (Arrow::Int32, _) => whole!(Int32Type),
        (Arrow::Int64, _) => whole!(Int64Type),
        (Arrow::Float64, Arrow::Int64) => {
            let values = array.as_primitive::<Float64Type>();
            let round = if direction == Direction::Up { f64::ceil } else { f64::floor };
            Arc::new(values.unary::<_, Int64Type>(|value| round(value) as i64))
        }
        (Arrow::Float64, _) => {
            let values = array.as_primitive::<Float64Type>();
            Arc::new(values.unary::<_, Float64Type>(|value| double(value, scale, direction)))
        }
        (Arrow::Float32, _) => {
            let values = array.as_primitive::<Float32Type>();
            Arc::new(values.unary::<_, Float32Type>(|value| double(f64::from(value), scale, direction) as f32))
        }
        (Arrow::Decimal128(_, own), Arrow::Decimal128(precision, to)) => {
            let values = array.as_primitive::<Decimal128Type>();
            let (own, precision) = (*own, *precision);
            let result = primitives::<Decimal128Type>(values, |row| {
                let rounded = to_scale(values.value(row), i32::from(own), scale, direction);
                let value = if scale < 0 || i32::from(own) > scale { rounded } else { values.value(row) };
                // With a negative scale the value is whole and its type's scale is zero.
                match fit_decimal(Some(value), precision) {
                    Some(value) => Ok(Some(value)),
                    None if ansi => {
                        Err(crate::cast::out_of_range(&crate::text::decimal_plain(value, *to), precision, *to))
                    }
                    None => Ok(None),
                }
            })?;
            Arc::new(result.with_precision_and_scale(precision, *to)?)
        }
        (other, _) => return exec_err!("no rounding of {other}"),
    };
    Ok(ColumnarValue::Array(result))
}

/// A value of one scale rounded to another that is not greater, in the greater of that scale and zero.
fn to_scale(value: i128, own: i32, scale: i32, direction: Direction) -> i128 {
    if scale >= own {
        return value;
    }
    let Some(unit) = 10_i128.checked_pow(own.saturating_sub(scale).unsigned_abs()) else {
        // The unit is beyond all values: they are nothing of it, or one.
        let up = (direction == Direction::Up && value > 0) || (direction == Direction::Down && value < 0);
        return if up { i128::MAX } else { 0 };
    };
    let (quotient, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    let up = match direction {
        Direction::Down => false,
        Direction::Up => rest != 0,
        // Halves go away from zero: up for what is positive, and down for what is negative.
        Direction::HalfUp => rest > unit - rest || (rest == unit - rest && rest != 0 && value > 0),
        Direction::HalfEven => rest > unit - rest || (rest == unit - rest && rest != 0 && quotient % 2 != 0),
    };
    let rounded = quotient + i128::from(up);
    match 10_i128.checked_pow(scale.min(0).unsigned_abs()) {
        Some(factor) => rounded.saturating_mul(factor),
        None => 0,
    }
}

/// A floating-point number rounded by its decimal digits.
fn double(value: f64, scale: i32, direction: Direction) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let (digits, point) = java_digits(value.abs());
    let own = i32::try_from(digits.len()).unwrap_or(0) - point;
    let digits = digits.iter().fold(0_i128, |sum, digit| sum * 10 + i128::from(*digit));
    let digits = if value < 0.0 { -digits } else { digits };
    if scale >= own {
        return value;
    }
    let dropped = own.saturating_sub(scale);
    if dropped > 30 {
        return 0.0;
    }
    let rounded = to_scale(digits, dropped, 0, direction);
    format!("{rounded}e{}", scale.saturating_neg()).parse().unwrap_or(value)
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&ROUND, &BROUND, &CEIL, &FLOOR];
