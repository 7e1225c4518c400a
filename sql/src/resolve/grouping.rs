//! GROUP BY: its keys, and the sets of them.

use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Expr, ExprKind, GroupBy, Grouping, Literal};

use super::canonical::canonical;
use super::scope::Lookup;
use super::select::{Item, has_aggregate};
use super::{Names, Resolver};

/// What rows are grouped by.
#[derive(Default)]
pub(crate) struct Groups {
    /// Each key once.
    pub(crate) keys: Vec<Typed>,
    /// Sets of places of keys; `None` if all keys are one set.
    pub(crate) sets: Option<Vec<Vec<usize>>>,
}

/// More sets than these are refused.
const MOST_SETS: usize = 4096;

impl Resolver<'_> {
    pub(crate) fn groups(&mut self, group_by: &GroupBy, items: &[Item], names: Names<'_>) -> Result<Groups> {
        let (lists, is_sets) = match group_by {
            GroupBy::Elements(elements) => {
                if let [Grouping::Expr(only)] = elements.as_slice()
                    && let ExprKind::Column(parts) = &*only.kind
                    && let [name] = parts.as_slice()
                    && name.value.eq_ignore_ascii_case("all")
                    && matches!(names.scope.find(&[&name.value], false), Lookup::None)
                {
                    return self.all(items);
                }
                let mut sets: Vec<Vec<Typed>> = vec![Vec::new()];
                let mut is_sets = false;
                for element in elements {
                    is_sets |= !matches!(element, Grouping::Expr(_));
                    let mut more = Vec::new();
                    for after in self.element(element, items, names)? {
                        for before in &sets {
                            more.push(before.iter().chain(&after).cloned().collect());
                        }
                        too_many(more.len())?;
                    }
                    sets = more;
                }
                (sets, is_sets)
            }
            GroupBy::WithCube(keys) => {
                let keys = self.keys(keys, items, names)?;
                (cube(keys.into_iter().map(|key| vec![key]).collect())?, true)
            }
            GroupBy::WithRollup(keys) => {
                let keys = self.keys(keys, items, names)?;
                (rollup(keys.into_iter().map(|key| vec![key]).collect()), true)
            }
            GroupBy::WithSets(keys, sets) => {
                let keys = self.keys(keys, items, names)?;
                let mut lists = Vec::new();
                for set in sets {
                    lists.push(self.keys(set, items, names)?);
                }
                return Ok(numbered(keys, lists, true));
            }
        };
        Ok(numbered(Vec::new(), lists, is_sets))
    }

    fn all(&mut self, items: &[Item]) -> Result<Groups> {
        let keys: Vec<Typed> =
            items.iter().map(|it| &it.typed).filter(|it| !has_aggregate(&it.expr) && !it.foldable).cloned().collect();
        Ok(numbered(Vec::new(), vec![keys], false))
    }

    fn element(&mut self, element: &Grouping, items: &[Item], names: Names<'_>) -> Result<Vec<Vec<Typed>>> {
        match element {
            Grouping::Expr(expr) => Ok(vec![vec![self.key(expr, items, names)?]]),
            Grouping::Set(exprs) => Ok(vec![self.keys(exprs, items, names)?]),
            Grouping::Cube(lists) => {
                let lists = lists.iter().map(|list| self.keys(list, items, names)).collect::<Result<_>>()?;
                cube(lists)
            }
            Grouping::Rollup(lists) => {
                let lists = lists.iter().map(|list| self.keys(list, items, names)).collect::<Result<_>>()?;
                Ok(rollup(lists))
            }
            Grouping::Sets(elements) => {
                let mut sets = Vec::new();
                for element in elements {
                    sets.extend(self.element(element, items, names)?);
                    too_many(sets.len())?;
                }
                Ok(sets)
            }
        }
    }

    fn keys(&mut self, exprs: &[Expr], items: &[Item], names: Names<'_>) -> Result<Vec<Typed>> {
        exprs.iter().map(|expr| self.key(expr, items, names)).collect()
    }

    /// A key: a column of the select list by its place or name, or an expression.
    fn key(&mut self, expr: &Expr, items: &[Item], names: Names<'_>) -> Result<Typed> {
        let key = match &*expr.kind {
            ExprKind::Literal(Literal::Int(at)) if !self.is_off("spark.sql.groupByOrdinal") => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at.wrapping_sub(1)));
                let found = found.ok_or_else(|| {
                    Error::new(
                        "GROUP_BY_POS_OUT_OF_RANGE",
                        format!("GROUP BY position {at} is not in select list (valid range is [1, {}]).", items.len()),
                    )
                })?;
                if has_aggregate(&found.typed.expr) {
                    return Err(Error::new(
                        "GROUP_BY_POS_AGGREGATE",
                        format!(
                            "GROUP BY {at} refers to an expression {} that contains an aggregate function. Aggregate functions are not allowed in GROUP BY.",
                            found.typed.name
                        ),
                    ));
                }
                found.typed.clone()
            }
            _ => self.expr(expr, names)?,
        };
        if has_aggregate(&key.expr) {
            return Err(Error::new(
                "GROUP_BY_AGGREGATE",
                format!("Aggregate functions are not allowed in GROUP BY, but found {}.", key.name),
            ));
        }
        if matches!(key.data_type, DataType::Map(..)) {
            return Err(Error::new(
                "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                format!(
                    "The expression \"{}\" cannot be used as a grouping expression because its data type \"{}\" is not an orderable data type.",
                    key.name,
                    key.data_type.sql()
                ),
            ));
        }
        if has_no_fields(&key.data_type) {
            return Err(Error::unsupported("GROUP BY of a struct without fields"));
        }
        Ok(key)
    }
}

/// Whether a struct without fields is in a type.
fn has_no_fields(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.is_empty() || fields.iter().any(|field| has_no_fields(&field.data_type)),
        DataType::Array(element, _) => has_no_fields(element),
        _ => false,
    }
}

fn numbered(first: Vec<Typed>, lists: Vec<Vec<Typed>>, is_sets: bool) -> Groups {
    let mut keys: Vec<Typed> = Vec::new();
    let same = |a: &Typed, b: &Typed| a.expr == b.expr || canonical(&a.expr).ok() == canonical(&b.expr).ok();
    let mut place = |key: Typed| match keys.iter().position(|it| same(it, &key)) {
        Some(at) => at,
        None => {
            keys.push(key);
            keys.len() - 1
        }
    };
    for key in first {
        place(key);
    }
    let mut sets: Vec<Vec<usize>> = Vec::new();
    // Sets that leave keys out come after those that have them, so the longest says the order.
    let mut longest: Vec<&Vec<Typed>> = lists.iter().collect();
    longest.sort_by_key(|list| std::cmp::Reverse(list.len()));
    if let Some(list) = longest.first().filter(|_| is_sets) {
        for key in list.iter() {
            place(key.clone());
        }
    }
    for list in lists {
        let mut set: Vec<usize> = Vec::new();
        for key in list {
            let at = place(key);
            if !set.contains(&at) {
                set.push(at);
            }
        }
        sets.push(set);
    }
    let whole = sets.len() == 1 && sets[0].len() == keys.len() && !is_sets;
    Groups { keys, sets: if whole { None } else { Some(sets) } }
}

fn cube(lists: Vec<Vec<Typed>>) -> Result<Vec<Vec<Typed>>> {
    if lists.len() > 12 {
        return Err(Error::new("GROUPING_SIZE_LIMIT_EXCEEDED", "Grouping sets size cannot be greater than 4096."));
    }
    let count = 1usize << lists.len();
    // The full set first, as a number whose first key is the highest bit.
    let chosen = |set: usize| {
        let keys = lists.iter().enumerate().filter(|(at, _)| set >> (lists.len() - 1 - at) & 1 == 1);
        keys.flat_map(|(_, list)| list.clone()).collect()
    };
    Ok((0..count).rev().map(chosen).collect())
}

fn rollup(lists: Vec<Vec<Typed>>) -> Vec<Vec<Typed>> {
    (0..=lists.len()).rev().map(|length| lists[..length].concat()).collect()
}

fn too_many(sets: usize) -> Result<()> {
    if sets > MOST_SETS {
        return Err(Error::new(
            "GROUPING_SIZE_LIMIT_EXCEEDED",
            format!("Grouping sets size cannot be greater than {MOST_SETS}."),
        ));
    }
    Ok(())
}
