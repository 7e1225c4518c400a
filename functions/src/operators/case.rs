//! CASE, IF and COALESCE: the first branch that holds, all values in their common type.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case;

use super::is_null;
use crate::coercion::{Expected, coerce_all, implicit_cast};
use crate::{DataType, Error, Result, Settings, Typed};

/// `CASE WHEN condition THEN value … ELSE otherwise END`. A CASE with an operand is one whose conditions are comparisons with it.
///
/// # Errors
/// A condition is no truth value, or the values have no common type.
pub fn case_when(branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>, settings: &Arc<Settings>) -> Result<Typed> {
    let mut name = "CASE".to_owned();
    for (condition, value) in &branches {
        name.push_str(&format!(" WHEN {} THEN {}", condition.name, value.name));
    }
    if let Some(otherwise) = &otherwise {
        name.push_str(&format!(" ELSE {}", otherwise.name));
    }
    name.push_str(" END");
    choose(branches, otherwise, "casewhen", name, settings)
}

/// The same under another name.
///
/// # Errors
/// A condition is no truth value, or the values have no common type.
pub(crate) fn choose(
    branches: Vec<(Typed, Typed)>,
    otherwise: Option<Typed>,
    function: &str,
    name: String,
    settings: &Arc<Settings>,
) -> Result<Typed> {
    let nullable = branches.iter().any(|(_, value)| value.nullable)
        || otherwise.as_ref().is_none_or(|otherwise| otherwise.nullable);
    let foldable = branches.iter().all(|(condition, value)| condition.foldable && value.foldable)
        && otherwise.as_ref().is_none_or(|otherwise| otherwise.foldable);
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    for (at, (condition, value)) in branches.into_iter().enumerate() {
        let wanted = Expected::Type(DataType::Boolean);
        conditions.push(implicit_cast(condition, &wanted, 2 * at + 1, &name, settings)?);
        values.push(value);
    }
    values.extend(otherwise);
    let values = coerce_all(values, function, &name, settings)?;
    let data_type = values.first().map_or(DataType::Void, |value| value.data_type.clone());
    let mut values = values.into_iter().map(|value| Box::new(value.expr));
    let branches: Vec<_> =
        conditions.into_iter().map(|condition| Box::new(condition.expr)).zip(values.by_ref()).collect();
    let expr = Expr::Case(Case::new(None, branches, values.next()));
    Ok(Typed { expr, data_type, nullable, name, foldable })
}

/// The first value that is not NULL, under a name.
///
/// # Errors
/// The values have no common type.
pub(crate) fn first_of(values: Vec<Typed>, function: &str, name: String, settings: &Arc<Settings>) -> Result<Typed> {
    let nullable = values.iter().all(|value| value.nullable);
    let mut values = coerce_all(values, function, &name, settings)?;
    let Some(last) = values.pop() else { return Err(Error::new("INTERNAL_ERROR", "nothing to choose from")) };
    if values.is_empty() {
        return Ok(last.named(name));
    }
    let branches = values.into_iter().map(|value| (is_null(value.clone(), true), value)).collect();
    Ok(Typed { nullable, ..choose(branches, Some(last), function, name, settings)? })
}
