//! `+ - * / div %` and the signs: which types they are computed in, and what they return. What touches dates and intervals is in
//! `datetime` and `intervals`.

use std::sync::Arc;

use super::{BinaryOperator, datetime, decimals, intervals, numbers, refusal};
use crate::coercion::{Expected, coerce_to, implicit_cast, tightest_common_type};
use crate::decimal_type::{of_operand, result};
use crate::{DataType, Kernel, Result, Settings, SparkUdf, Typed};

/// `left operator right`
///
/// # Errors
/// The operands' types do not go together.
pub fn arithmetic(operator: BinaryOperator, left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("({} {} {})", left.name, operator.symbol(), right.name);
    named_arithmetic(operator, left, right, settings, name, false)
}

/// The same that is NULL where it has no result, under the name of a call: `try_add` and its like.
///
/// # Errors
/// The operands' types do not go together.
pub fn try_arithmetic(
    operator: BinaryOperator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
    name: String,
) -> Result<Typed> {
    Ok(named_arithmetic(operator, left, right, settings, name.clone(), true)?.named(name))
}

/// The same types as an operator's, computed by another kernel: `pmod`.
///
/// # Errors
/// The operands' types do not go together, or are no numbers.
pub(crate) fn arithmetic_with(
    kernel: &'static Kernel,
    operator: BinaryOperator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
    name: String,
) -> Result<Typed> {
    if !left.data_type.is_numeric() || !right.data_type.is_numeric() {
        for value in [&left, &right] {
            if !value.data_type.is_numeric() && !matches!(value.data_type, DataType::String | DataType::Void) {
                return Err(refusal::mismatch(operator, &name, &left, &right));
            }
        }
    }
    numeric(operator, left, right, settings, name, false, Some(kernel))
}

fn named_arithmetic(
    operator: BinaryOperator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
    name: String,
    tries: bool,
) -> Result<Typed> {
    if let Some(done) = datetime::resolve(operator, &left, &right, settings, &name, tries)? {
        return Ok(done);
    }
    if let Some(done) = intervals::resolve(operator, &left, &right, settings, &name, tries)? {
        return Ok(done);
    }
    numeric(operator, left, right, settings, name, tries, None)
}

/// Arithmetic of numbers, and of strings as numbers.
fn numeric(
    operator: BinaryOperator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
    name: String,
    tries: bool,
    kernel: Option<&'static Kernel>,
) -> Result<Typed> {
    // ANSI mode takes a string for a number beside a number only.
    let is_text = |of: &Typed| matches!(of.data_type, DataType::String | DataType::Void);
    if settings.ansi && is_text(&left) && is_text(&right) {
        let text = if left.data_type == DataType::String { Some(&left) } else { Some(&right) };
        if let Some(text) = text.filter(|it| it.data_type == DataType::String) {
            return Err(refusal::mismatch(operator, &name, text, text));
        }
    }
    let (left, right) = strings_as_numbers(left, right, settings)?;
    let (left, right) = match (&left.data_type, &right.data_type) {
        (DataType::Void, DataType::Void) => {
            let to = if operator == BinaryOperator::IntegralDivide { DataType::Long } else { DataType::Double };
            (coerce_to(left, &to, settings)?, coerce_to(right, &to, settings)?)
        }
        (DataType::Void, other) if other.is_numeric() => (coerce_to(left, &other.clone(), settings)?, right),
        (other, DataType::Void) if other.is_numeric() => {
            let to = other.clone();
            (left, coerce_to(right, &to, settings)?)
        }
        _ => (left, right),
    };
    let (one, two) = (&left.data_type, &right.data_type);
    if !one.is_numeric() || !two.is_numeric() {
        return Err(refusal::mismatch(operator, &name, &left, &right));
    }
    let decimal = matches!(one, DataType::Decimal(..)) || matches!(two, DataType::Decimal(..));
    let floating = [one, two].iter().any(|of| matches!(of, DataType::Float | DataType::Double));
    if decimal && !floating {
        return of_decimals(operator, left, right, settings, name, tries, kernel);
    }
    let common = match operator {
        BinaryOperator::Divide => DataType::Double,
        BinaryOperator::IntegralDivide if floating => {
            let long = |value: Typed| {
                let data_type = if value.data_type.is_integral() { DataType::Long } else { value.data_type.clone() };
                Typed { data_type, ..value }
            };
            return Err(refusal::mismatch(operator, &name, &long(left), &long(right)));
        }
        BinaryOperator::IntegralDivide => DataType::Long,
        _ if decimal => DataType::Double,
        _ => match tightest_common_type(one, two, settings) {
            Some(common) => common,
            None => return Err(refusal::mismatch(operator, &name, &left, &right)),
        },
    };
    let nullable = result_nullable(operator, &left, &right, settings, tries);
    let operands = vec![coerce_to(left, &common, settings)?, coerce_to(right, &common, settings)?];
    let kernel = kernel.unwrap_or_else(|| numbers::kernel(operator, tries));
    Ok(SparkUdf::call(kernel, settings, operands, common, nullable, name))
}

/// Whether a result may be NULL.
fn result_nullable(operator: BinaryOperator, left: &Typed, right: &Typed, settings: &Settings, tries: bool) -> bool {
    let divides =
        matches!(operator, BinaryOperator::Divide | BinaryOperator::IntegralDivide | BinaryOperator::Remainder);
    left.nullable || right.nullable || tries || (divides && !settings.ansi)
}

fn strings_as_numbers(left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<(Typed, Typed)> {
    let number = |value: Typed, other: &DataType| -> Result<Typed> {
        match value.data_type {
            DataType::String if settings.ansi && other.is_integral() => coerce_to(value, &DataType::Long, settings),
            DataType::String => coerce_to(value, &DataType::Double, settings),
            _ => Ok(value),
        }
    };
    let (one, two) = (left.data_type.clone(), right.data_type.clone());
    Ok((number(left, &two)?, number(right, &one)?))
}

fn of_decimals(
    operator: BinaryOperator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
    name: String,
    tries: bool,
    kernel: Option<&'static Kernel>,
) -> Result<Typed> {
    let (Some(one), Some(two)) = (of_operand(&left), of_operand(&right)) else {
        return Err(refusal::mismatch(operator, &name, &left, &right));
    };
    let data_type = match operator {
        BinaryOperator::IntegralDivide => DataType::Long,
        BinaryOperator::Multiply => result('*', one, two, settings),
        BinaryOperator::Divide => result('/', one, two, settings),
        BinaryOperator::Remainder => result('%', one, two, settings),
        _ => result('+', one, two, settings),
    };
    let nullable = result_nullable(operator, &left, &right, settings, tries) || !settings.ansi;
    let operands = vec![
        coerce_to(left, &DataType::Decimal(one.0, one.1), settings)?,
        coerce_to(right, &DataType::Decimal(two.0, two.1), settings)?,
    ];
    let kernel = kernel.unwrap_or_else(|| decimals::kernel(operator, tries));
    Ok(SparkUdf::call(kernel, settings, operands, data_type, nullable, name))
}

/// `- operand`; a caller that is the function `negative` gives it another name.
///
/// # Errors
/// It is neither a number nor an interval.
pub fn negate(operand: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("(- {})", operand.name);
    signed(operand, settings, name, numbers::negate_kernel())
}

/// `+ operand`
///
/// # Errors
/// It is neither a number nor an interval.
pub fn positive(operand: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("(+ {})", operand.name);
    let expected = numeric_or_interval();
    Ok(implicit_cast(operand, &expected, 1, &name, settings)?.named(name))
}

fn signed(operand: Typed, settings: &Arc<Settings>, name: String, kernel: &'static Kernel) -> Result<Typed> {
    let operand = implicit_cast(operand, &numeric_or_interval(), 1, &name, settings)?;
    let (data_type, nullable) = (operand.data_type.clone(), operand.nullable);
    Ok(SparkUdf::call(kernel, settings, vec![operand], data_type, nullable, name))
}

/// Numbers, and intervals of any fields.
fn numeric_or_interval() -> Expected {
    let mut types = vec![Expected::Numeric];
    types.extend(intervals::all_types().into_iter().map(Expected::Type));
    Expected::OneOf(types)
}
