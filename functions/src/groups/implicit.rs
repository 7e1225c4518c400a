//! Implicit casts as the groups of collections, aggregates and windows need them.
//!
//! It stands in for `coercion`, and is the only place that knows of it.

use arrow::datatypes::DataType as Arrow;
use datafusion::logical_expr::{Cast, Expr};

use std::sync::Arc;

use crate::{DataType, Result, Settings, StructField, Typed};

/// An expression as another type; its name stays.
pub(crate) fn cast(typed: Typed, to: &DataType, _settings: &Arc<Settings>) -> Result<Typed> {
    if &typed.data_type == to {
        return Ok(typed);
    }
    let arrow: Arrow = to.to_arrow();
    let expr = if typed.data_type.to_arrow() == arrow {
        typed.expr
    } else {
        Expr::Cast(Cast::new(Box::new(typed.expr), arrow))
    };
    Ok(Typed { expr, data_type: to.clone(), ..typed })
}

/// The type that both can be cast to without strings standing for other values.
pub(crate) fn wider_type(left: &DataType, right: &DataType, _settings: &Settings) -> Option<DataType> {
    wider(left, right)
}

fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Array, Byte, Date, Decimal, Double, Float, Int, Long, Map, Short, Struct, Timestamp, TimestampNtz, Void};
    if left == right {
        return Some(left.clone());
    }
    let rank = |of: &DataType| [Byte, Short, Int, Long, Float, Double].iter().position(|known| known == of);
    Some(match (left, right) {
        (Void, other) | (other, Void) => other.clone(),
        (Decimal(p1, s1), Decimal(p2, s2)) => {
            let scale = *s1.max(s2);
            let range = (*p1 as i16 - *s1 as i16).max(*p2 as i16 - *s2 as i16);
            let precision = (range + scale as i16).min(38);
            Decimal(u8::try_from(precision).ok()?, scale)
        }
        (Decimal(..), Float | Double) | (Float | Double, Decimal(..)) => Double,
        (decimal @ Decimal(..), whole) | (whole, decimal @ Decimal(..)) => {
            let digits = match whole {
                Byte => 3,
                Short => 5,
                Int => 10,
                Long => 20,
                _ => return None,
            };
            return wider(decimal, &Decimal(digits, 0));
        }
        (Date, stamp @ (Timestamp | TimestampNtz)) | (stamp @ (Timestamp | TimestampNtz), Date) => stamp.clone(),
        (Timestamp, TimestampNtz) | (TimestampNtz, Timestamp) => Timestamp,
        (Array(a, n), Array(b, m)) => Array(Box::new(wider(a, b)?), *n || *m),
        (Map(k, v, n), Map(l, w, m)) => Map(Box::new(wider(k, l)?), Box::new(wider(v, w)?), *n || *m),
        (Struct(a), Struct(b)) if a.len() == b.len() => {
            let field = |(a, b): (&StructField, &StructField)| {
                let data_type = wider(&a.data_type, &b.data_type)?;
                Some(StructField::new(&a.name, data_type, a.nullable || b.nullable))
            };
            Struct(a.iter().zip(b).map(field).collect::<Option<_>>()?)
        }
        (left, right) => {
            if rank(left)? > rank(right)? {
                left.clone()
            } else {
                right.clone()
            }
        }
    })
}

/// As [`wider_type`], and strings with other values become strings.
pub(crate) fn wider_common_type(types: &[DataType], _settings: &Settings) -> Option<DataType> {
    types.iter().try_fold(DataType::Void, |all, next| wider_with_strings(&all, next))
}

fn wider_with_strings(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Array, Binary, Boolean, Map, String, Struct};
    wider(left, right).or_else(|| match (left, right) {
        (String, Array(..) | Map(..) | Struct(_) | Binary | Boolean)
        | (Array(..) | Map(..) | Struct(_) | Binary | Boolean, String) => None,
        (String, _) | (_, String) => Some(String),
        (Array(a, n), Array(b, m)) => Some(Array(Box::new(wider_with_strings(a, b)?), *n || *m)),
        _ => None,
    })
}

/// What Spark casts a value to where a type is expected; none if it does not.
pub(crate) fn implicit(typed: &Typed, expected: &DataType, settings: &Arc<Settings>) -> Result<Option<Typed>> {
    let from = &typed.data_type;
    let fits = from == expected
        || matches!((from, expected), (DataType::Void, _))
        || (from.is_numeric() && expected.is_numeric() && wider(from, expected).as_ref() == Some(expected))
        || (from.is_numeric() && expected.is_numeric())
        || (from == &DataType::String && (expected.is_numeric() || matches!(expected, DataType::Binary | DataType::Date | DataType::Timestamp)))
        || (expected == &DataType::String && !matches!(from, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_)))
        || (from == &DataType::Date && matches!(expected, DataType::Timestamp | DataType::TimestampNtz));
    if fits { cast(typed.clone(), expected, settings).map(Some) } else { Ok(None) }
}
