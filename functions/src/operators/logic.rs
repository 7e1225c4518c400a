//! AND, OR, NOT, IS NULL, IS TRUE: three-valued logic, which DataFusion has as SQL does.

use std::sync::Arc;

use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::{BinaryOperator, compare, refusal};
use crate::coercion::{Expected, coerce_to, implicit_cast};
use crate::{DataType, Result, Settings, Typed};

/// `left AND right`
///
/// # Errors
/// One is no truth value.
pub fn and(left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    connect(BinaryOperator::And, Operator::And, left, right, settings)
}

/// `left OR right`
///
/// # Errors
/// One is no truth value.
pub fn or(left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    connect(BinaryOperator::Or, Operator::Or, left, right, settings)
}

fn connect(
    operator: BinaryOperator,
    plan: Operator,
    left: Typed,
    right: Typed,
    settings: &Arc<Settings>,
) -> Result<Typed> {
    let name = format!("({} {} {})", left.name, operator.symbol(), right.name);
    let left_ok = operand(left.clone(), right.data_type == DataType::Boolean, settings);
    let right_ok = operand(right.clone(), left.data_type == DataType::Boolean, settings);
    let (Some(one), Some(two)) = (left_ok, right_ok) else {
        return Err(refusal::mismatch(operator, &name, &left, &right));
    };
    let (nullable, foldable) = (one.nullable || two.nullable, one.foldable && two.foldable);
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(one.expr), plan, Box::new(two.expr)));
    Ok(Typed { expr, data_type: DataType::Boolean, nullable, name, foldable })
}

fn operand(value: Typed, with_boolean: bool, settings: &Arc<Settings>) -> Option<Typed> {
    match value.data_type {
        DataType::Boolean => Some(value),
        DataType::Void => coerce_to(value, &DataType::Boolean, settings).ok(),
        DataType::String if with_boolean && settings.ansi => coerce_to(value, &DataType::Boolean, settings).ok(),
        _ => None,
    }
}

/// `NOT operand`
///
/// # Errors
/// It is no truth value.
pub fn not(operand: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("(NOT {})", operand.name);
    let operand = implicit_cast(operand, &Expected::Type(DataType::Boolean), 1, &name, settings)?;
    Ok(Typed { expr: Expr::Not(Box::new(operand.expr.clone())), name, ..operand })
}

/// `operand IS NULL`, or IS NOT NULL where `negated`.
pub fn is_null(operand: Typed, negated: bool) -> Typed {
    let expr = Box::new(operand.expr);
    let (expr, word) = if negated { (Expr::IsNotNull(expr), "IS NOT NULL") } else { (Expr::IsNull(expr), "IS NULL") };
    Typed {
        expr,
        data_type: DataType::Boolean,
        nullable: false,
        name: format!("({} {word})", operand.name),
        foldable: operand.foldable,
    }
}

/// `operand IS TRUE` and `IS FALSE`.
///
/// # Errors
/// It cannot be compared with a truth value.
pub fn is_truth(operand: Typed, value: bool, settings: &Arc<Settings>) -> Result<Typed> {
    compare(BinaryOperator::NullSafeEqual, operand, truth(value), settings)
}

/// TRUE or FALSE.
pub fn truth(value: bool) -> Typed {
    Typed::literal(ScalarValue::Boolean(Some(value)), DataType::Boolean, if value { "true" } else { "false" })
}
