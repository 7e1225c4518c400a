//! Which casts there are.

use super::CastMode;
use crate::DataType;
use crate::coercion::same_type;
use crate::decimal_type::{fits, of_number};

/// Whether a type can be cast to another.
pub fn can_cast(from: &DataType, to: &DataType, mode: CastMode) -> bool {
    use DataType::{
        Array, Binary, Boolean, CalendarInterval, Date, DayTime, Decimal, Map, String, Struct, Timestamp, TimestampNtz,
        Void, YearMonth,
    };
    let legacy = mode == CastMode::Legacy;
    match (from, to) {
        (from, to) if same_type(from, to) => true,
        (Void, _) | (_, String) => true,
        (String, to) => match to {
            Binary | Boolean | Timestamp | TimestampNtz | Date | CalendarInterval | DayTime(..) | YearMonth(..) => true,
            to => to.is_numeric(),
        },
        (from, Binary) => legacy && from.is_integral(),
        (Boolean, Timestamp) | (Date | Timestamp, Boolean) => legacy,
        (from, Boolean) => from.is_numeric(),
        (Boolean, to) if to.is_numeric() => true,
        (Date | TimestampNtz, Timestamp) | (Date | Timestamp, TimestampNtz) | (Timestamp | TimestampNtz, Date) => true,
        (from, Timestamp) => from.is_numeric(),
        (Date, to) if to.is_numeric() => legacy,
        (Timestamp, to) if to.is_numeric() => true,
        (DayTime(..), DayTime(..)) | (YearMonth(..), YearMonth(..)) => true,
        (from, DayTime(..) | YearMonth(..)) | (DayTime(..) | YearMonth(..), from) => {
            from.is_integral() || matches!(from, Decimal(..))
        }
        (Array(from, from_null), Array(to, to_null)) => {
            can_cast(from, to, mode) && keeps_null(*from_null || becomes_null(from, to, mode), *to_null)
        }
        (Map(key, value, null), Map(to_key, to_value, to_null)) => {
            can_cast(key, to_key, mode)
                && !becomes_null(key, to_key, mode)
                && can_cast(value, to_value, mode)
                && keeps_null(*null || becomes_null(value, to_value, mode), *to_null)
        }
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| {
                    can_cast(&from.data_type, &to.data_type, mode)
                        && keeps_null(from.nullable || becomes_null(&from.data_type, &to.data_type, mode), to.nullable)
                })
        }
        (from, to) => from.is_numeric() && to.is_numeric(),
    }
}

fn keeps_null(null: bool, allowed: bool) -> bool {
    !null || allowed
}

fn becomes_null(from: &DataType, to: &DataType, mode: CastMode) -> bool {
    may_become_null(from, to) || (mode == CastMode::Try && from != to)
}

/// Whether a value that is not NULL may become NULL in the cast. In error mode too: Spark's rules for nested types say so.
pub fn may_become_null(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, Byte, CalendarInterval, Date, Decimal, Double, Float, Int, Short, String, Timestamp, Void};
    match (from, to) {
        (Void, _) => false,
        (from, to) if from == to => false,
        (String, Binary) => false,
        (String, _) => true,
        (_, String) => false,
        (Timestamp, Byte | Short | Int) => true,
        (Float | Double, Timestamp) => true,
        (Timestamp, Date) | (Date, Timestamp) => false,
        (_, Date) | (Date, _) | (_, CalendarInterval) => true,
        (from, Decimal(precision, scale)) => match from {
            DataType::Boolean => !fits((1, 0), (*precision, *scale)),
            from if from.is_integral() || matches!(from, Decimal(..)) => {
                !of_number(from).is_some_and(|of| fits(of, (*precision, *scale)))
            }
            _ => true,
        },
        (Float | Double | Decimal(..), to) => to.is_integral(),
        _ => false,
    }
}

/// Whether values of a type may be stored in a column of another by ANSI's rules of assignment.
pub fn can_store(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Array, CalendarInterval, Date, DayTime, Map, String, Struct, Timestamp, TimestampNtz, Void, YearMonth,
    };
    match (from, to) {
        (from, to) if same_type(from, to) => true,
        (Void, _) => true,
        (CalendarInterval, String) => true,
        (from, String) => crate::coercion::is_atomic(from),
        (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => true,
        (DayTime(..), DayTime(..)) | (YearMonth(..), YearMonth(..)) => true,
        (Array(from, null), Array(to, to_null)) => keeps_null(*null, *to_null) && can_store(from, to),
        (Map(key, value, null), Map(to_key, to_value, to_null)) => {
            can_store(key, to_key) && keeps_null(*null, *to_null) && can_store(value, to_value)
        }
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| {
                    keeps_null(from.nullable, to.nullable) && can_store(&from.data_type, &to.data_type)
                })
        }
        (from, to) => from.is_numeric() && to.is_numeric(),
    }
}
