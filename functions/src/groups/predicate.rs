//! Spark's functions of the group predicate.

use datafusion::scalar::ScalarValue;

use super::scalar::{call_name, exactly, scalar};
use crate::coercion::{Expected, implicit_cast};
use crate::operators::{BinaryOperator, choose, compare, is_null, truth};
use crate::{Call, DataType, Function, Group, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("isnull", "isnull(expr) - Whether expr is NULL.", |mut c| {
        let [value] = exactly(&mut c)?;
        Ok(is_null(value, false))
    }),
    row("isnotnull", "isnotnull(expr) - Whether expr is not NULL.", |mut c| {
        let [value] = exactly(&mut c)?;
        Ok(is_null(value, true))
    }),
    row("equal_null", "equal_null(a, b) - Whether a equals b or both are NULL.", |mut c| {
        let [left, right] = exactly(&mut c)?;
        let name = format!("equal_null({}, {})", left.name, right.name);
        Ok(compare(BinaryOperator::NullSafeEqual, left, right, c.settings)?.named(name))
    }),
    row("isnan", "isnan(expr) - Whether expr is not a number.", |mut c| {
        let [value] = exactly(&mut c)?;
        let name = call_name("isnan", std::slice::from_ref(&value));
        let value = match value.data_type {
            DataType::Float | DataType::Double => value,
            _ => implicit_cast(value, &Expected::Type(DataType::Double), 1, &name, c.settings)?,
        };
        let nan = match value.data_type {
            DataType::Float => ScalarValue::Float32(Some(f32::NAN)),
            _ => ScalarValue::Float64(Some(f64::NAN)),
        };
        let nan = Typed::literal(nan, value.data_type.clone(), "NaN");
        let nothing = is_null(value.clone(), false);
        let is_nan = compare(BinaryOperator::Equal, value, nan, c.settings)?;
        let typed = choose(vec![(nothing, truth(false))], Some(is_nan), "if", name, c.settings)?;
        Ok(Typed { nullable: false, ..typed })
    }),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Predicate, name, usage, resolve)
}
