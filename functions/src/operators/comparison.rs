//! Comparisons. They are DataFusion's own, except that in Spark 0.0 and -0.0 are equal and all NaN are.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::{BinaryOperator, and, not, refusal, truth};
use crate::coercion::{common_type, compare_operands, different_types, in_operands, same_type};
use crate::{Arguments, DataType, Kernel, Result, Settings, SparkUdf, Typed};

static NORMAL_FLOAT: Kernel = Kernel { name: "spark_normal_float", volatile: false, run: run_normal_float };

/// The kernels here.
pub(super) const KERNELS: &[&Kernel] = &[&NORMAL_FLOAT];

/// `left = right`, `<=>`, `<`, …; `<>` is NOT of `=` in names.
///
/// # Errors
/// The two cannot be compared.
pub fn compare(operator: BinaryOperator, left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    if operator == BinaryOperator::NotEqual {
        return not(compare(BinaryOperator::Equal, left, right, settings)?, settings);
    }
    if let Some(simpler) = beside_fraction(operator, &left, &right, settings) {
        return simpler;
    }
    let name = format!("({} {} {})", left.name, operator.symbol(), right.name);
    let equality = matches!(operator, BinaryOperator::Equal | BinaryOperator::NullSafeEqual);
    if equality
        && !settings.ansi
        && let Some(simpler) = truth_of_number(&left, &right, operator, settings)
    {
        return simpler;
    }
    let (left, right) = compare_operands(left, right, equality, settings)?;
    if !same_type(&left.data_type, &right.data_type) {
        return Err(refusal::different(&name, &left, &right));
    }
    if !comparable(&left.data_type) {
        let why =
            format!("The `{}` does not support ordering on type \"{}\".", operator.symbol(), left.data_type.sql());
        return Err(refusal::resolve_error("INVALID_ORDERING_TYPE", &name, why));
    }
    let null_safe = operator == BinaryOperator::NullSafeEqual;
    let foldable = left.foldable && right.foldable;
    let nullable = !null_safe && (left.nullable || right.nullable);
    if left.data_type == DataType::Void {
        return Ok(if null_safe { truth(true).named(name) } else { Typed::null(DataType::Boolean, name)? });
    }
    let plan = match operator {
        BinaryOperator::NullSafeEqual => Operator::IsNotDistinctFrom,
        BinaryOperator::Less => Operator::Lt,
        BinaryOperator::LessOrEqual => Operator::LtEq,
        BinaryOperator::Greater => Operator::Gt,
        BinaryOperator::GreaterOrEqual => Operator::GtEq,
        _ => Operator::Eq,
    };
    // Against a number that is neither zero nor NaN no zero's sign matters.
    let plain = |value: &Typed| match value.as_literal() {
        Some(ScalarValue::Float64(Some(value))) => value.is_finite() && *value != 0.0,
        Some(ScalarValue::Float32(Some(value))) => value.is_finite() && *value != 0.0,
        _ => false,
    };
    let (left, right) = if plain(&left) || plain(&right) {
        (left, right)
    } else {
        (normal_float(left, settings), normal_float(right, settings))
    };
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), plan, Box::new(right.expr)));
    Ok(Typed { expr, data_type: DataType::Boolean, nullable, name, foldable })
}

/// Of a whole number and a written fraction: `a > 1.5` is `a > 1`, as Spark computes and names it.
fn beside_fraction(
    operator: BinaryOperator,
    left: &Typed,
    right: &Typed,
    settings: &Arc<Settings>,
) -> Option<Result<Typed>> {
    let whole = |it: &Typed| matches!(it.data_type, DataType::Byte | DataType::Short | DataType::Int | DataType::Long);
    let written = |it: &Typed| match it.as_literal() {
        Some(ScalarValue::Decimal128(Some(value), _, scale)) if it.name.parse::<f64>().is_ok() => {
            let one = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
            let below = value.div_euclid(one);
            Some((below, if value.rem_euclid(one) == 0 { below } else { below.checked_add(1)? }))
        }
        _ => None,
    };
    let ((below, above), number_first) = match (whole(left), whole(right)) {
        (true, false) => (written(right)?, true),
        (false, true) => (written(left)?, false),
        _ => return None,
    };
    let (greater, strict) = match operator {
        BinaryOperator::Greater => (true, true),
        BinaryOperator::GreaterOrEqual => (true, false),
        BinaryOperator::Less => (false, true),
        BinaryOperator::LessOrEqual => (false, false),
        _ => return None,
    };
    let bound = if (greater == strict) == number_first { below } else { above };
    let Ok(bound) = i64::try_from(bound) else {
        let holds = (bound < 0) == (greater == number_first);
        return Some(Ok(truth(holds).named(holds.to_string())));
    };
    let bound = Typed::literal(ScalarValue::Int64(Some(bound)), DataType::Long, bound.to_string());
    Some(if number_first {
        compare(operator, left.clone(), bound, settings)
    } else {
        compare(operator, bound, right.clone(), settings)
    })
}

/// `a = 1` and `a = 0` of a truth value are `a` and `NOT a`.
fn truth_of_number(
    left: &Typed,
    right: &Typed,
    operator: BinaryOperator,
    settings: &Arc<Settings>,
) -> Option<Result<Typed>> {
    let (value, number) = match (&left.data_type, &right.data_type) {
        (DataType::Boolean, other) if other.is_numeric() => (left, right),
        (other, DataType::Boolean) if other.is_numeric() => (right, left),
        _ => return None,
    };
    let literal = number.as_literal()?;
    let number = crate::literal::integer(literal).or_else(|| match literal {
        ScalarValue::Decimal128(Some(value), _, scale) => {
            let one = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
            (value % one == 0).then(|| i64::try_from(value / one).ok()).flatten()
        }
        _ => None,
    })?;
    let null_safe = operator == BinaryOperator::NullSafeEqual;
    let result = match number {
        1 | 0 if null_safe => {
            return Some(compare(operator, value.clone(), truth(number == 1), settings));
        }
        1 => Ok(value.clone()),
        0 => not(value.clone(), settings),
        _ => return None,
    };
    Some(result)
}

/// `left IS DISTINCT FROM right`, or IS NOT DISTINCT FROM where `negated`.
///
/// # Errors
/// The two cannot be compared.
pub fn is_distinct(left: Typed, right: Typed, negated: bool, settings: &Arc<Settings>) -> Result<Typed> {
    let same = compare(BinaryOperator::NullSafeEqual, left, right, settings)?;
    if negated { Ok(same) } else { not(same, settings) }
}

/// `value BETWEEN low AND high`; put NOT around it for NOT BETWEEN.
///
/// # Errors
/// They cannot be compared.
pub fn between(value: Typed, low: Typed, high: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let above = compare(BinaryOperator::GreaterOrEqual, value.clone(), low, settings)?;
    let below = compare(BinaryOperator::LessOrEqual, value, high, settings)?;
    and(above, below, settings)
}

/// `value IN (list)`; put NOT around it for NOT IN.
///
/// # Errors
/// They have no common type.
pub fn in_list(value: Typed, list: Vec<Typed>, settings: &Arc<Settings>) -> Result<Typed> {
    let texts: Vec<&str> = list.iter().map(|item| item.name.as_str()).collect();
    let name = format!("({} IN ({}))", value.name, texts.join(", "));
    let foldable = value.foldable && list.iter().all(|item| item.foldable);
    let mut values = vec![value];
    values.extend(list);
    let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
    let refuse = || different_types(&types, "in", &name);
    let Some(values) = in_operands(values, settings)? else { return Err(refuse()) };
    if let Some(value) = values.first()
        && !comparable(&value.data_type)
    {
        let why = format!("The `in` does not support ordering on type \"{}\".", value.data_type.sql());
        return Err(refusal::resolve_error("INVALID_ORDERING_TYPE", &name, why));
    }
    if common_type(&types, settings) == Some(DataType::Void) {
        return Typed::null(DataType::Boolean, name);
    }
    let nullable = values.iter().any(|value| value.nullable);
    let mut values = values.into_iter().map(|value| normal_float(value, settings).expr);
    let Some(value) = values.next() else { return Err(refuse()) };
    let expr = Expr::InList(InList::new(Box::new(value), values.collect(), false));
    Ok(Typed { expr, data_type: DataType::Boolean, nullable, name, foldable })
}

/// Whether values of a type have an order.
pub(crate) fn comparable(data_type: &DataType) -> bool {
    match data_type {
        DataType::CalendarInterval | DataType::Map(..) => false,
        DataType::Array(element, _) => comparable(element),
        DataType::Struct(fields) => fields.iter().all(|field| comparable(&field.data_type)),
        _ => true,
    }
}

/// A floating-point number of which equal values have equal bits: 0.0 without its sign, one NaN. All others as they are.
pub(crate) fn normal_float(value: Typed, settings: &Arc<Settings>) -> Typed {
    if !matches!(value.data_type, DataType::Float | DataType::Double) {
        return value;
    }
    let constant = match value.as_literal() {
        Some(ScalarValue::Float64(number)) => Some(ScalarValue::Float64(number.map(double))),
        Some(ScalarValue::Float32(number)) => Some(ScalarValue::Float32(number.map(float))),
        _ => None,
    };
    if let Some(constant) = constant {
        return Typed::literal(constant, value.data_type, value.name);
    }
    let (data_type, nullable, name) = (value.data_type.clone(), value.nullable, value.name.clone());
    SparkUdf::call(&NORMAL_FLOAT, settings, vec![value], data_type, nullable, name)
}

fn double(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

fn float(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

fn run_normal_float(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    Ok(ColumnarValue::Array(match array.data_type() {
        Arrow::Float64 => Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(double)),
        Arrow::Float32 => Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(float)),
        _ => array,
    }))
}
