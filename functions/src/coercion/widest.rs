//! The common type of two or more types.

use crate::decimal_type::{fits, of_number, wider};
use crate::{DataType, Settings, StructField};

type Common = fn(&DataType, &DataType, &Settings) -> Option<DataType>;

/// The type that values of all these types are cast to where they meet: CASE, COALESCE, IN, arrays, set operations.
pub fn common_type(types: &[DataType], settings: &Settings) -> Option<DataType> {
    if settings.ansi {
        return fold(types.iter(), settings);
    }
    // Strings first, since a pair's common type with a string is not associative.
    let (strings, others): (Vec<_>, Vec<_>) = types.iter().partition(|data_type| has_string(data_type));
    fold(strings.into_iter().chain(others), settings)
}

/// As [`common_type`], of expressions.
pub fn common_type_of(values: &[crate::Typed], settings: &Settings) -> Option<DataType> {
    let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
    common_type(&types, settings)
}

/// As [`common_type`] but numbers and dates do not become strings: `greatest`, `least`, `sequence`.
pub fn common_type_without_strings(types: &[DataType], settings: &Settings) -> Option<DataType> {
    types.iter().try_fold(DataType::Void, |left, right| without_strings(&left, right, settings))
}

/// The common type of two.
pub fn common_type_of_two(left: &DataType, right: &DataType, settings: &Settings) -> Option<DataType> {
    tightest_common_type(left, right, settings)
        .or_else(|| decimal(left, right))
        .or_else(|| if settings.ansi { string_ansi(left, right) } else { string(left, right) })
        .or_else(|| nested(left, right, settings, common_type_of_two))
}

/// The common type of two that loses nothing and makes nothing a string.
pub fn tightest_common_type(left: &DataType, right: &DataType, settings: &Settings) -> Option<DataType> {
    use DataType::{Date, DayTime, Decimal, Double, Float, Timestamp, TimestampNtz, Void, YearMonth};
    Some(match (left, right) {
        _ if left == right => left.clone(),
        (Void, other) | (other, Void) => other.clone(),
        (Decimal(precision, scale), integral) | (integral, Decimal(precision, scale)) if integral.is_integral() => {
            let wide = of_number(integral).is_some_and(|of| fits(of, (*precision, *scale)));
            return wide.then_some(Decimal(*precision, *scale));
        }
        (Decimal(..), _) | (_, Decimal(..)) => return None,
        (left, right) if left.is_numeric() && right.is_numeric() => {
            let wider = if rank(left) >= rank(right) { left } else { right };
            if settings.ansi && *wider == Float { Double } else { wider.clone() }
        }
        (Timestamp, Date | TimestampNtz) | (Date | TimestampNtz, Timestamp) => Timestamp,
        (TimestampNtz, Date) | (Date, TimestampNtz) => TimestampNtz,
        (DayTime(from, to), DayTime(from2, to2)) => DayTime(*from.min(from2), *to.max(to2)),
        (YearMonth(from, to), YearMonth(from2, to2)) => YearMonth(*from.min(from2), *to.max(to2)),
        _ => return nested(left, right, settings, tightest_common_type),
    })
}

/// Whether two types differ in nothing but what may be NULL.
pub fn same_type(left: &DataType, right: &DataType) -> bool {
    match (left, right) {
        (DataType::Array(left, _), DataType::Array(right, _)) => same_type(left, right),
        (DataType::Map(key, value, _), DataType::Map(key2, value2, _)) => {
            same_type(key, key2) && same_type(value, value2)
        }
        (DataType::Struct(left), DataType::Struct(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| {
                    left.name.eq_ignore_ascii_case(&right.name) && same_type(&left.data_type, &right.data_type)
                })
        }
        _ => left == right,
    }
}

fn fold<'a>(mut types: impl Iterator<Item = &'a DataType>, settings: &Settings) -> Option<DataType> {
    types.try_fold(DataType::Void, |left, right| common_type_of_two(&left, right, settings))
}

fn without_strings(left: &DataType, right: &DataType, settings: &Settings) -> Option<DataType> {
    tightest_common_type(left, right, settings)
        .or_else(|| decimal(left, right))
        .or_else(|| nested(left, right, settings, without_strings))
}

fn rank(number: &DataType) -> u8 {
    match number {
        DataType::Byte => 0,
        DataType::Short => 1,
        DataType::Int => 2,
        DataType::Long => 3,
        DataType::Float => 4,
        _ => 5,
    }
}

fn has_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::String => true,
        DataType::Array(element, _) => has_string(element),
        _ => false,
    }
}

/// Of a decimal and another number.
pub(super) fn decimal(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Decimal, Double, Float};
    match (left, right) {
        (Decimal(..), Float | Double) | (Float | Double, Decimal(..)) => Some(Double),
        (Decimal(..), _) | (_, Decimal(..)) => Some(wider(of_number(left)?, of_number(right)?)),
        _ => None,
    }
}

/// A string wins over all that is written as text.
fn string(left: &DataType, right: &DataType) -> Option<DataType> {
    let ((DataType::String, other) | (other, DataType::String)) = (left, right) else { return None };
    let text = is_atomic(other) && !matches!(other, DataType::Binary | DataType::Boolean);
    text.then_some(DataType::String)
}

/// A string gives way.
pub(super) fn string_ansi(left: &DataType, right: &DataType) -> Option<DataType> {
    let ((DataType::String, other) | (other, DataType::String)) = (left, right) else { return None };
    match other {
        other if other.is_integral() => Some(DataType::Long),
        other if other.is_numeric() => Some(DataType::Double),
        DataType::YearMonth(..) | DataType::DayTime(..) => None,
        other => is_atomic(other).then(|| other.clone()),
    }
}

/// Whether it has no parts and is no calendar interval.
pub(crate) fn is_atomic(data_type: &DataType) -> bool {
    use DataType::{Array, CalendarInterval, Map, Struct, Void};
    !matches!(data_type, Array(..) | Map(..) | Struct(_) | CalendarInterval | Void)
}

/// Of the parts, by the same rule.
fn nested(left: &DataType, right: &DataType, settings: &Settings, rule: Common) -> Option<DataType> {
    use DataType::{Array, Map, Struct};
    let may_be_null = crate::cast::may_become_null;
    match (left, right) {
        (Array(left, null), Array(right, null2)) => {
            let element = rule(left, right, settings)?;
            let null = *null || *null2 || may_be_null(left, &element) || may_be_null(right, &element);
            Some(Array(Box::new(element), null))
        }
        (Map(key, value, null), Map(key2, value2, null2)) => {
            let common = rule(key, key2, settings)?;
            if may_be_null(key, &common) || may_be_null(key2, &common) {
                return None;
            }
            let values = rule(value, value2, settings)?;
            let null = *null || *null2 || may_be_null(value, &values) || may_be_null(value2, &values);
            Some(Map(Box::new(common), Box::new(values), null))
        }
        (Struct(left), Struct(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .map(|(left, right)| {
                let same = if settings.case_sensitive {
                    left.name == right.name
                } else {
                    left.name.to_lowercase() == right.name.to_lowercase()
                };
                if !same {
                    return None;
                }
                let common = rule(&left.data_type, &right.data_type, settings)?;
                let null = left.nullable
                    || right.nullable
                    || may_be_null(&left.data_type, &common)
                    || may_be_null(&right.data_type, &common);
                Some(StructField::new(&left.name, common, null))
            })
            .collect::<Option<Vec<_>>>()
            .map(Struct),
        _ => None,
    }
}
