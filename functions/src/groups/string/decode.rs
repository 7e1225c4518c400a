//! `decode(value, search, result, ..., default)`: the result beside the first search that is the value, NULL being equal to NULL.

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, Operator, binary_expr};

use crate::checks::named;
use crate::coercion::{coerce_all, coerce_to, common_type, different_types};
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
    // Without a default there is a NULL string, which has its say in the type.
    let default = match default {
        Some(default) => default,
        None => Typed::null(DataType::String, "NULL")?,
    };
    let results: Vec<DataType> =
        pairs.iter().map(|(_, result)| result).chain([&default]).map(|result| result.data_type.clone()).collect();
    let returns = common_type(&results, settings).ok_or_else(|| different_types(&results, "decode", &name))?;
    let mut branches = Vec::new();
    for (search, result) in pairs {
        let both = coerce_all(vec![value.clone(), search], "decode", &name, settings)?;
        let [left, right] = both.as_slice() else { continue };
        let same = binary_expr(left.expr.clone(), Operator::IsNotDistinctFrom, right.expr.clone());
        branches.push((Box::new(same), Box::new(coerce_to(result, &returns, settings)?.expr)));
    }
    let otherwise = coerce_to(default, &returns, settings)?;
    let expr = Expr::Case(Case::new(None, branches, Some(Box::new(otherwise.expr))));
    Ok(Typed { expr, data_type: returns, nullable: true, name, foldable })
}
