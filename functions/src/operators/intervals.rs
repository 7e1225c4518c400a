//! Intervals with intervals, and with numbers.

use std::sync::Arc;

use arrow::array::types::IntervalMonthDayNano;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType,
};
use bigdecimal::num_bigint::BigInt;
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::numbers::{Flavor, divided_by_zero, overflow, pairs};
use super::{BinaryOperator, refusal};
use crate::cast::{calendar_of, failed, interval_overflow, primitives};
use crate::civil::DAY;
use crate::coercion::{coerce_to, tightest_common_type};
use crate::{Arguments, DataType, DayTimeField, Error, Kernel, Result, Settings, SparkUdf, Typed, YearMonthField};

macro_rules! kernels {
    ($($kernel:ident $name:literal $run:ident $operator:ident $tries:literal),*) => {
        $(
            static $kernel: Kernel = Kernel {
                name: $name,
                volatile: false,
                run: |arguments| $run(arguments, BinaryOperator::$operator, $tries),
            };
        )*
        /// The kernels here.
        pub(super) const KERNELS: &[&Kernel] = &[$(&$kernel),*];
    };
}

kernels!(
    ADD "spark_add_intervals" sum Add false,
    TRY_ADD "spark_try_add_intervals" sum Add true,
    SUBTRACT "spark_subtract_intervals" sum Subtract false,
    TRY_SUBTRACT "spark_try_subtract_intervals" sum Subtract true,
    MULTIPLY "spark_multiply_interval" scale Multiply false,
    TRY_MULTIPLY "spark_try_multiply_interval" scale Multiply true,
    DIVIDE "spark_divide_interval" scale Divide false,
    TRY_DIVIDE "spark_try_divide_interval" scale Divide true,
    COUNT "spark_div_intervals" sum IntegralDivide false
);

/// Every type of interval.
pub(super) fn all_types() -> Vec<DataType> {
    use DayTimeField::{Day, Hour, Minute, Second};
    let mut types = vec![DataType::CalendarInterval];
    let fields = [Day, Hour, Minute, Second];
    for from in fields {
        types.extend(fields.into_iter().filter(|to| *to >= from).map(|to| DataType::DayTime(from, to)));
    }
    for (from, to) in [
        (YearMonthField::Year, YearMonthField::Year),
        (YearMonthField::Year, YearMonthField::Month),
        (YearMonthField::Month, YearMonthField::Month),
    ] {
        types.push(DataType::YearMonth(from, to));
    }
    types
}

/// An operator one of whose operands is an interval and none a date; `None` if it is other arithmetic.
pub(super) fn resolve(
    operator: BinaryOperator,
    left: &Typed,
    right: &Typed,
    settings: &Arc<Settings>,
    name: &str,
    tries: bool,
) -> Result<Option<Typed>> {
    use DataType::{CalendarInterval, DayTime, Void, YearMonth};
    let interval = |value: &Typed| matches!(value.data_type, CalendarInterval | DayTime(..) | YearMonth(..));
    if !interval(left) && !interval(right) {
        return Ok(None);
    }
    let nullable = left.nullable || right.nullable || tries;
    match operator {
        BinaryOperator::Multiply | BinaryOperator::Divide => {
            let (value, number) = if interval(left) {
                (left, right)
            } else if operator == BinaryOperator::Multiply {
                (right, left)
            } else {
                return Err(refusal::mismatch(operator, name, left, right));
            };
            let own = format!("({} {} {})", value.name, operator.symbol(), number.name);
            let name = if tries { name } else { own.as_str() };
            let to = match &number.data_type {
                _ if value.data_type == CalendarInterval => DataType::Double,
                DataType::String | Void => DataType::Double,
                DataType::Float => DataType::Double,
                of if of.is_integral() => DataType::Long,
                of if of.is_numeric() => of.clone(),
                _ => return Err(refusal::wrong_input(name, 2, "\"NUMERIC\"", number)),
            };
            if !crate::cast::can_cast(&number.data_type, &to, crate::cast::CastMode::Legacy) {
                return Err(refusal::wrong_input(name, 2, "\"NUMERIC\"", number));
            }
            let data_type = match value.data_type {
                CalendarInterval => CalendarInterval,
                YearMonth(..) => DataType::YEAR_TO_MONTH,
                _ => DataType::DAY_TO_SECOND,
            };
            let kernel = match (operator, tries) {
                (BinaryOperator::Multiply, false) => &MULTIPLY,
                (BinaryOperator::Multiply, true) => &TRY_MULTIPLY,
                (_, false) => &DIVIDE,
                (_, true) => &TRY_DIVIDE,
            };
            let nullable = nullable || data_type == CalendarInterval;
            let number = coerce_to(number.clone(), &to, settings)?;
            Ok(Some(SparkUdf::call(kernel, settings, vec![value.clone(), number], data_type, nullable, name)))
        }
        BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::IntegralDivide => {
            let common = tightest_common_type(&left.data_type, &right.data_type, settings);
            let count = operator == BinaryOperator::IntegralDivide;
            let common = common.filter(|common| !(count && *common == CalendarInterval));
            let Some(common) = common else {
                let seen = |value: &Typed| match value.data_type {
                    DataType::String => Typed { data_type: DataType::Double, ..value.clone() },
                    _ => value.clone(),
                };
                return Err(refusal::mismatch(operator, name, &seen(left), &seen(right)));
            };
            let kernel = match (operator, tries) {
                (BinaryOperator::Add, false) => &ADD,
                (BinaryOperator::Add, true) => &TRY_ADD,
                (BinaryOperator::Subtract, false) => &SUBTRACT,
                (BinaryOperator::Subtract, true) => &TRY_SUBTRACT,
                _ => &COUNT,
            };
            let data_type = if count { DataType::Long } else { common.clone() };
            let operands =
                vec![coerce_to(left.clone(), &common, settings)?, coerce_to(right.clone(), &common, settings)?];
            Ok(Some(SparkUdf::call(kernel, settings, operands, data_type, nullable || count, name)))
        }
        _ => Err(refusal::mismatch(operator, name, left, right)),
    }
}

fn try_hint(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "try_add",
        BinaryOperator::Subtract => "try_subtract",
        BinaryOperator::Multiply => "try_multiply",
        _ => "try_divide",
    }
}

fn sum(arguments: &Arguments<'_>, operator: BinaryOperator, tries: bool) -> DataFusionResult<ColumnarValue> {
    let flavor = Flavor::of(arguments, tries);
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    let count = operator == BinaryOperator::IntegralDivide;
    let add = operator == BinaryOperator::Add;
    let whole = |left: i64, right: i64| if add { left.checked_add(right) } else { left.checked_sub(right) };
    let settle = |value: Option<i64>, what: &str| match value {
        Some(value) => Ok(Some(value)),
        None if flavor == Flavor::Try => Ok(None),
        None => Err(interval_overflow(&format!(
            "{what} overflow. Use '{}' to tolerate overflow and return NULL instead.",
            try_hint(operator)
        ))),
    };
    let ratio = |left: i64, right: i64| match right {
        0 if arguments.settings.ansi => Err(divided_by_zero()),
        0 => Ok(None),
        right => Ok(left.checked_div(right)),
    };
    let array: ArrayRef = match left.data_type() {
        Arrow::Duration(_) => {
            let (left, right) =
                (left.as_primitive::<DurationMicrosecondType>(), right.as_primitive::<DurationMicrosecondType>());
            if count {
                Arc::new(pairs::<_, _, Int64Type>(left, right, ratio)?)
            } else {
                Arc::new(pairs::<_, _, DurationMicrosecondType>(left, right, |left, right| {
                    settle(whole(left, right), "long")
                })?)
            }
        }
        Arrow::Interval(IntervalUnit::YearMonth) => {
            let (left, right) =
                (left.as_primitive::<IntervalYearMonthType>(), right.as_primitive::<IntervalYearMonthType>());
            if count {
                Arc::new(pairs::<_, _, Int64Type>(left, right, |left, right| ratio(i64::from(left), i64::from(right)))?)
            } else {
                Arc::new(pairs::<_, _, IntervalYearMonthType>(left, right, |left, right| {
                    let value = whole(i64::from(left), i64::from(right));
                    let value = value.filter(|value| i32::try_from(*value).is_ok());
                    Ok(settle(value, "integer")?.and_then(|value| i32::try_from(value).ok()))
                })?)
            }
        }
        Arrow::Interval(IntervalUnit::MonthDayNano) => {
            let (left, right) =
                (left.as_primitive::<IntervalMonthDayNanoType>(), right.as_primitive::<IntervalMonthDayNanoType>());
            Arc::new(pairs::<_, _, IntervalMonthDayNanoType>(left, right, |left, right| {
                let exact = || {
                    let months = whole(i64::from(left.months), i64::from(right.months))?;
                    let days = whole(i64::from(left.days), i64::from(right.days))?;
                    calendar_of(months, days, whole(left.nanoseconds / 1000, right.nanoseconds / 1000)?)
                };
                match exact() {
                    Some(value) => Ok(Some(value)),
                    None if flavor == Flavor::Ansi => Err(overflow("integer overflow", None)),
                    None if flavor == Flavor::Try => Ok(None),
                    None => {
                        let sign = if add { 1 } else { -1 };
                        Ok(Some(IntervalMonthDayNano::new(
                            left.months.wrapping_add(right.months.wrapping_mul(sign)),
                            left.days.wrapping_add(right.days.wrapping_mul(sign)),
                            left.nanoseconds.wrapping_add(right.nanoseconds.wrapping_mul(i64::from(sign))),
                        )))
                    }
                }
            })?)
        }
        other => return exec_err!("no interval: {other}"),
    };
    Ok(ColumnarValue::Array(array))
}

fn scale(arguments: &Arguments<'_>, operator: BinaryOperator, tries: bool) -> DataFusionResult<ColumnarValue> {
    let flavor = Flavor::of(arguments, tries);
    let (values, numbers) = (arguments.array(0)?, arguments.array(1)?);
    let array: ArrayRef = match values.data_type() {
        Arrow::Duration(_) => {
            let values = values.as_primitive::<DurationMicrosecondType>();
            let number = Factor::of(&numbers)?;
            Arc::new(primitives::<DurationMicrosecondType>(values, |row| {
                number.apply(values.value(row), row, operator, flavor, i64::MIN, i64::MAX)
            })?)
        }
        Arrow::Interval(IntervalUnit::YearMonth) => {
            let values = values.as_primitive::<IntervalYearMonthType>();
            let number = Factor::of(&numbers)?;
            let (low, high) = (i64::from(i32::MIN), i64::from(i32::MAX));
            Arc::new(primitives::<IntervalYearMonthType>(values, |row| {
                let months = number.apply(i64::from(values.value(row)), row, operator, flavor, low, high)?;
                Ok(months.and_then(|months| i32::try_from(months).ok()))
            })?)
        }
        _ => {
            let values = values.as_primitive::<IntervalMonthDayNanoType>();
            let numbers = numbers.as_primitive::<Float64Type>();
            Arc::new(pairs::<_, _, IntervalMonthDayNanoType>(values, numbers, |value, number| {
                calendar(value, number, operator, flavor)
            })?)
        }
    };
    Ok(ColumnarValue::Array(array))
}

/// A calendar interval times or by a number: fractions of days become microseconds, fractions of months are dropped.
fn calendar(
    value: IntervalMonthDayNano,
    number: f64,
    operator: BinaryOperator,
    flavor: Flavor,
) -> Result<Option<IntervalMonthDayNano>> {
    let divide = operator == BinaryOperator::Divide;
    if divide && number == 0.0 {
        return if flavor == Flavor::Ansi { Err(zero()) } else { Ok(None) };
    }
    let by = |part: f64| if divide { part / number } else { part * number };
    let (months, days) = (by(f64::from(value.months)), by(f64::from(value.days)));
    let micros = by((value.nanoseconds / 1000) as f64) + (days - days.trunc()) * DAY as f64;
    let fits = |part: f64, limit: f64| part.is_finite() && part.abs() <= limit;
    let int = f64::from(i32::MAX);
    if !fits(months, int) || !fits(days, int) || !fits(micros, i64::MAX as f64) {
        return if flavor == Flavor::Ansi { Err(overflow("integer overflow", None)) } else { Ok(None) };
    }
    Ok(calendar_of(months.trunc() as i64, days.trunc() as i64, micros.round() as i64))
}

fn zero() -> Error {
    Error::new(
        "INTERVAL_DIVIDED_BY_ZERO",
        "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.",
    )
}

/// What an interval is multiplied or divided by.
enum Factor {
    Whole(arrow::array::Int64Array),
    Exact(Decimal128Array, i8),
    Floating(arrow::array::Float64Array),
}

impl Factor {
    fn of(array: &ArrayRef) -> Result<Factor> {
        Ok(match array.data_type() {
            Arrow::Decimal128(_, scale) => Factor::Exact(array.as_primitive::<Decimal128Type>().clone(), *scale),
            Arrow::Float64 => Factor::Floating(array.as_primitive::<Float64Type>().clone()),
            _ => Factor::Whole(arrow_cast(array, &Arrow::Int64).map_err(failed)?.as_primitive::<Int64Type>().clone()),
        })
    }

    fn apply(
        &self,
        value: i64,
        row: usize,
        operator: BinaryOperator,
        flavor: Flavor,
        low: i64,
        high: i64,
    ) -> Result<Option<i64>> {
        let divide = operator == BinaryOperator::Divide;
        let null = match self {
            Factor::Whole(of) => of.is_null(row),
            Factor::Exact(of, _) => of.is_null(row),
            Factor::Floating(of) => of.is_null(row),
        };
        if null {
            return Ok(None);
        }
        let is_zero = match self {
            Factor::Whole(of) => of.value(row) == 0,
            Factor::Exact(of, _) => of.value(row) == 0,
            Factor::Floating(of) => of.value(row) == 0.0,
        };
        if divide && is_zero {
            return if flavor == Flavor::Try { Ok(None) } else { Err(zero()) };
        }
        let exact = |number: i128, scale: i8| {
            let ten = BigInt::from(10).pow(u32::from(scale.unsigned_abs()));
            let (top, bottom) = if divide {
                (BigInt::from(value) * ten, BigInt::from(number))
            } else {
                (BigInt::from(value) * BigInt::from(number), ten)
            };
            i64::try_from(super::decimals::half_up(top, bottom)).ok()
        };
        let result = match self {
            Factor::Whole(of) => exact(i128::from(of.value(row)), 0),
            Factor::Exact(of, scale) => exact(of.value(row), *scale),
            Factor::Floating(of) => {
                let number = of.value(row);
                let product = if divide { value as f64 / number } else { value as f64 * number };
                let rounded = product.round();
                (rounded.is_finite() && rounded.abs() < 9.223_372_036_854_775e18).then_some(rounded as i64)
            }
        };
        match result.filter(|result| (low..=high).contains(result)) {
            Some(result) => Ok(Some(result)),
            None if flavor == Flavor::Try => Ok(None),
            None => Err(interval_overflow("long overflow")),
        }
    }
}
