//! Which decimal type holds what: of other numbers, of two decimals, and of the results of arithmetic.

use crate::{DataType, Settings, Typed};

/// The most digits.
pub(crate) const MAX_PRECISION: i32 = 38;
/// The digits behind the point that are kept when a result does not fit.
const MIN_ADJUSTED_SCALE: i32 = 6;

/// Precision and scale of the decimal that holds every value of a number type; those of a decimal are its own.
pub(crate) fn of_number(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        DataType::Byte => (3, 0),
        DataType::Short => (5, 0),
        DataType::Int => (10, 0),
        DataType::Long => (20, 0),
        DataType::Float => (14, 7),
        DataType::Double => (30, 15),
        DataType::Decimal(precision, scale) => (*precision, *scale),
        _ => return None,
    })
}

/// As [`of_number`], but a whole number that is written as a constant needs no more digits than it has.
pub(crate) fn of_operand(operand: &Typed) -> Option<(u8, i8)> {
    if operand.data_type.is_integral()
        && let Some(value) = operand.as_literal()
        && let Some(value) = crate::literal::integer(value)
    {
        let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        return Some((u8::try_from(digits).unwrap_or(20), 0));
    }
    of_number(&operand.data_type)
}

/// Cut to what there is.
pub(crate) fn bounded(precision: i32, scale: i32) -> DataType {
    DataType::Decimal(
        u8::try_from(precision.clamp(1, MAX_PRECISION)).unwrap_or(38),
        i8::try_from(scale.clamp(-MAX_PRECISION, MAX_PRECISION)).unwrap_or(38),
    )
}

/// As [`bounded`], but digits before the point are dearer than those behind.
fn adjusted(precision: i32, scale: i32) -> DataType {
    if precision <= MAX_PRECISION || scale < 0 {
        return bounded(precision, scale);
    }
    let whole = precision - scale;
    bounded(MAX_PRECISION, (MAX_PRECISION - whole).max(scale.min(MIN_ADJUSTED_SCALE)))
}

/// The decimal that holds the values of both.
pub(crate) fn wider((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
    let scale = i32::from(s1.max(s2));
    let whole = (i32::from(p1) - i32::from(s1)).max(i32::from(p2) - i32::from(s2));
    bounded(whole + scale, scale)
}

/// Whether every value of the first is one of the second, exactly.
pub(crate) fn fits((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> bool {
    i32::from(p2) - i32::from(s2) >= i32::from(p1) - i32::from(s1) && s2 >= s1
}

/// The type of a result.
pub(crate) fn result(operator: char, (p1, s1): (u8, i8), (p2, s2): (u8, i8), settings: &Settings) -> DataType {
    let loss = settings.flag("spark.sql.decimaloperations.allowprecisionloss", true);
    let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
    let cut = if loss { adjusted } else { bounded };
    match operator {
        '*' => cut(p1 + p2 + 1, s1 + s2),
        '/' if loss => {
            let scale = MIN_ADJUSTED_SCALE.max(s1 + p2 + 1);
            adjusted(p1 - s1 + s2 + scale, scale)
        }
        '/' => {
            let mut whole = MAX_PRECISION.min(p1 - s1 + s2);
            let mut fraction = MAX_PRECISION.min(MIN_ADJUSTED_SCALE.max(s1 + p2 + 1));
            let excess = whole + fraction - MAX_PRECISION;
            if excess > 0 {
                fraction -= excess / 2 + 1;
                whole = MAX_PRECISION - fraction;
            }
            bounded(whole + fraction, fraction)
        }
        '%' => cut((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        'd' => bounded(if p1 - s1 + s2 == 0 { 1 } else { p1 - s1 + s2 }, 0),
        _ => cut((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
    }
}
