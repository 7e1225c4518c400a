//! The type that two operands are compared in.

use std::sync::Arc;

use super::widest::{decimal, is_atomic, string_ansi};
use super::{coerce_to, common_type, same_type, tightest_common_type};
use crate::decimal_type::{of_operand, wider};
use crate::{DataType, Result, Settings, Typed};

/// Both operands of `=`, `<=>`, `<`, … in the type they are compared in; as they are where there is none, which the operator
/// then refuses.
///
/// # Errors
/// A cast that the rules choose does not exist.
pub fn compare_operands(left: Typed, right: Typed, equality: bool, settings: &Arc<Settings>) -> Result<(Typed, Typed)> {
    match compared_in(&left, &right, equality, settings) {
        Some(to) => Ok((coerce_to(left, &to, settings)?, coerce_to(right, &to, settings)?)),
        None => Ok((left, right)),
    }
}

/// The value and the list of an IN, in their common type; `None` if there is none.
///
/// # Errors
/// A cast that the rules choose does not exist.
pub fn in_operands(values: Vec<Typed>, settings: &Arc<Settings>) -> Result<Option<Vec<Typed>>> {
    let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
    let same = types.windows(2).all(|pair| pair[0] == pair[1]);
    if same {
        return Ok(Some(values));
    }
    let Some(common) = common_type(&types, settings) else { return Ok(None) };
    values.into_iter().map(|value| coerce_to(value, &common, settings)).collect::<Result<_>>().map(Some)
}

fn compared_in(left: &Typed, right: &Typed, equality: bool, settings: &Settings) -> Option<DataType> {
    use DataType::{Boolean, Decimal, Double, String, Void};
    let (one, two) = (&left.data_type, &right.data_type);
    if same_type(one, two) {
        return (one != two).then(|| tightest_common_type(one, two, settings)).flatten();
    }
    if let (String, other) | (other, String) = (one, two) {
        return match other {
            Void => Some(String),
            other if settings.ansi => string_ansi(&String, other),
            Decimal(..) => Some(Double),
            DataType::YearMonth(..) | DataType::DayTime(..) => None,
            other => is_atomic(other).then(|| other.clone()),
        };
    }
    if equality && !settings.ansi {
        // Only `=` and `<=>` compare a truth value with a number.
        if let (Boolean, number) | (number, Boolean) = (one, two)
            && number.is_numeric()
        {
            return Some(number.clone());
        }
    }
    if let (Decimal(..), other) | (other, Decimal(..)) = (one, two)
        && (other.is_integral() || matches!(other, Decimal(..)))
    {
        return Some(wider(of_operand(left)?, of_operand(right)?));
    }
    tightest_common_type(one, two, settings).or_else(|| decimal(one, two))
}
