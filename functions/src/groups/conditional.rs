//! Spark's functions of the group conditional.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case;
use datafusion::scalar::ScalarValue;

use super::scalar::{between, call_name, exactly, scalar, wrong_number};
use crate::coercion::{Expected, coerce_all, implicit_cast};
use crate::operators::{BinaryOperator, case_when, choose, compare, first_of, is_null};
use crate::{Call, DataType, Function, Group, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("coalesce", "coalesce(expr, ...) - The first argument that is not NULL.", |mut c| {
        between(&mut c, 1, usize::MAX)?;
        let name = call_name("coalesce", &c.arguments);
        first_of(c.arguments, "coalesce", name, c.settings)
    }),
    row("if", "if(condition, a, b) - a if the condition holds, else b.", |mut c| {
        let [condition, yes, no] = exactly(&mut c)?;
        let name = format!("(IF({}, {}, {}))", condition.name, yes.name, no.name);
        choose(vec![(condition, yes)], Some(no), "if", name, c.settings)
    }),
    row("ifnull", "ifnull(a, b) - a, or b if a is NULL.", default),
    row("nvl", "nvl(a, b) - a, or b if a is NULL.", default),
    row("nvl2", "nvl2(a, b, c) - b if a is not NULL, else c.", |mut c| {
        let [value, yes, no] = exactly(&mut c)?;
        let name = format!("nvl2({}, {}, {})", value.name, yes.name, no.name);
        choose(vec![(is_null(value, true), yes)], Some(no), "if", name, c.settings)
    }),
    row("nullif", "nullif(a, b) - NULL if a equals b, else a.", |mut c| {
        let [value, other] = exactly(&mut c)?;
        let name = format!("nullif({}, {})", value.name, other.name);
        let same = compare(BinaryOperator::Equal, value.clone(), other, c.settings)?;
        let null = Typed::null(value.data_type.clone(), "NULL")?;
        choose(vec![(same, null)], Some(value), "if", name, c.settings)
    }),
    row("nanvl", "nanvl(a, b) - a, or b if a is not a number.", nanvl),
    row(
        "when",
        "CASE WHEN condition THEN value ... [ELSE value] END - The value of the first condition that holds.",
        |c| {
            if c.arguments.len() < 2 {
                return Err(wrong_number(&c, "> 1"));
            }
            let mut arguments = c.arguments.into_iter();
            let (mut branches, mut otherwise) = (Vec::new(), None);
            while let Some(condition) = arguments.next() {
                match arguments.next() {
                    Some(value) => branches.push((condition, value)),
                    None => otherwise = Some(condition),
                }
            }
            case_when(branches, otherwise, c.settings)
        },
    ),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Conditional, name, usage, resolve)
}

fn default(mut call: Call<'_>) -> Result<Typed> {
    let values: [Typed; 2] = exactly(&mut call)?;
    let name = call_name(call.name, &values);
    first_of(values.to_vec(), "coalesce", name, call.settings)
}

fn nanvl(mut call: Call<'_>) -> Result<Typed> {
    let values: [Typed; 2] = exactly(&mut call)?;
    let name = call_name("nanvl", &values);
    let number = |(at, value): (usize, Typed)| match value.data_type {
        DataType::Float | DataType::Double => Ok(value),
        _ => implicit_cast(value, &Expected::Type(DataType::Double), at + 1, &name, call.settings),
    };
    let values = values.into_iter().enumerate().map(number).collect::<Result<Vec<_>>>()?;
    let values = coerce_all(values, "nanvl", &name, call.settings)?;
    let nullable = values.iter().any(|value| value.nullable);
    let foldable = values.iter().all(|value| value.foldable);
    let [value, other]: [Typed; 2] = match values.try_into() {
        Ok(values) => values,
        Err(_) => return Err(crate::Error::new("INTERNAL_ERROR", "nanvl has two arguments")),
    };
    let nan = match value.data_type {
        DataType::Float => ScalarValue::Float32(Some(f32::NAN)),
        _ => ScalarValue::Float64(Some(f64::NAN)),
    };
    let data_type = value.data_type.clone();
    let nan = Typed::literal(nan, data_type.clone(), "NaN");
    let is_nan = compare(BinaryOperator::Equal, value.clone(), nan, &Arc::clone(call.settings))?;
    let expr =
        Expr::Case(Case::new(None, vec![(Box::new(is_nan.expr), Box::new(other.expr))], Some(Box::new(value.expr))));
    Ok(Typed { expr, data_type, nullable, name, foldable })
}
