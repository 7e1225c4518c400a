//! Spark's casts.
//!
//! `rules` says which there are, the other files how values become others. A cast of a kind that DataFusion does the same
//! way, a widening of numbers, is DataFusion's; all others are one kernel for each mode.

mod binary;
mod columns;
mod decimals;
mod instants;
mod intervals;
mod kernels;
mod numbers;
mod problem;
mod rules;
mod special;
mod strings;

pub(crate) use columns::{How, cast_array, failed, normal, primitives};
pub(crate) use decimals::{fit as fit_decimal, parse as parse_decimal, rescale};
pub(crate) use instants::{parse_date, parse_timestamp};
pub(crate) use intervals::{calendar as calendar_of, overflow as interval_overflow};
pub(crate) use kernels::KERNELS;
pub(crate) use numbers::parse_double;
pub(crate) use problem::out_of_range;
pub use rules::{can_cast, can_store, may_become_null};

use std::sync::Arc;

use datafusion::logical_expr::{Cast, Expr};

use crate::decimal_type::{fits, of_number};
use crate::{DataType, Result, Settings, SparkUdf, Typed};

/// What a cast does with a value that the type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastMode {
    /// Whole numbers wrap around, all others are NULL.
    Legacy,
    /// An error.
    Ansi,
    /// NULL.
    Try,
}

/// `CAST(value AS to)` and `TRY_CAST(value AS to)`.
///
/// # Errors
/// Spark has no such cast.
pub fn cast(value: Typed, to: &DataType, mode: CastMode, settings: &Arc<Settings>) -> Result<Typed> {
    let verb = if mode == CastMode::Try { "TRY_CAST" } else { "CAST" };
    let name = match to {
        // As Spark has it, which leaves casts to these types out where it shows them.
        DataType::Array(..) | DataType::Map(..) | DataType::Struct(..) => value.name.clone(),
        _ => format!("{verb}({} AS {})", value.name, to.sql()),
    };
    if !can_cast(&value.data_type, to, mode) {
        return Err(problem::no_cast(&name, &value.data_type, to, mode));
    }
    Ok(convert(value, to, mode, settings)?.named(name))
}

/// The same without a name of its own: an implicit cast.
///
/// # Errors
/// Spark has no such cast.
pub fn convert(value: Typed, to: &DataType, mode: CastMode, settings: &Arc<Settings>) -> Result<Typed> {
    let from = value.data_type.clone();
    if from == *to {
        return Ok(value);
    }
    let name = value.name.clone();
    if !can_cast(&from, to, mode) {
        return Err(problem::no_cast(&name, &from, to, mode));
    }
    if value.as_literal().is_some_and(datafusion::scalar::ScalarValue::is_null) {
        return Typed::null(to.clone(), name);
    }
    if let Some(now) = special::relative_to_now(&value, to, settings)? {
        return Ok(now.named(name));
    }
    let nullable = value.nullable || rules::may_become_null(&from, to) || (mode == CastMode::Try && !widens(&from, to));
    if widens(&from, to) {
        let (foldable, nullable) = (value.foldable, value.nullable);
        let expr = Expr::Cast(Cast::new(Box::new(value.expr), to.to_arrow()));
        return Ok(Typed { expr, data_type: to.clone(), nullable, name, foldable });
    }
    Ok(SparkUdf::call(kernels::of(mode), settings, vec![value], to.clone(), nullable, name))
}

/// Whether it is a number that another number type holds without loss, as Arrow casts it too.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType::{Byte, Decimal, Double, Float, Int, Long, Short};
    match (from, to) {
        (Byte, Short | Int | Long | Float | Double)
        | (Short, Int | Long | Float | Double)
        | (Int, Long | Double)
        | (Float, Double) => true,
        (from, Decimal(precision, scale)) if from.is_integral() || matches!(from, Decimal(..)) => {
            *scale >= 0 && of_number(from).is_some_and(|of| of.1 >= 0 && fits(of, (*precision, *scale)))
        }
        _ => false,
    }
}
