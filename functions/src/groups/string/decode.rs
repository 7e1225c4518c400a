//! `decode(value, search, result, ..., default)`: the result beside the first search that is the value, NULL being equal to NULL.

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, Operator, binary_expr};

use crate::checks::{implicit, named};
use crate::error::Result;
use crate::{Call, DataType, Typed};

pub(super) fn choose(call: Call<'_>) -> Result<Typed> {
    let name = named(&call);
    let settings = call.settings;
    let foldable = call.arguments.iter().all(|argument| argument.foldable);
    let mut arguments = call.arguments.into_iter();
    let Some(value) = arguments.next() else { return Ok(Typed { name, ..crate::checks::text("") }) };
    let mut pairs = Vec::new();
    let mut default = None;
    while let Some(search) = arguments.next() {
        match arguments.next() {
            Some(result) => pairs.push((search, result)),
            None => default = Some(search),
        }
    }
    let results: Vec<DataType> =
        pairs.iter().map(|(_, result)| result).chain(&default).map(|result| result.data_type.clone()).collect();
    let returns = common(&results);
    let mut branches = Vec::new();
    for (search, result) in pairs {
        let both = common(&[value.data_type.clone(), search.data_type.clone()]);
        let (left, right) = (implicit(value.clone(), &both, settings)?, implicit(search, &both, settings)?);
        let same = binary_expr(left.expr, Operator::IsNotDistinctFrom, right.expr);
        branches.push((Box::new(same), Box::new(implicit(result, &returns, settings)?.expr)));
    }
    let otherwise = default.map(|default| implicit(default, &returns, settings)).transpose()?;
    let expr = Expr::Case(Case::new(None, branches, otherwise.map(|otherwise| Box::new(otherwise.expr))));
    Ok(Typed { expr, data_type: returns, nullable: true, name, foldable })
}

/// The one type of all, else string.
fn common(types: &[DataType]) -> DataType {
    let mut known = types.iter().filter(|each| **each != DataType::Void);
    match known.next() {
        None => DataType::String,
        Some(first) if known.all(|each| each == first) => first.clone(),
        Some(_) => DataType::String,
    }
}
