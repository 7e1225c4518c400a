//! INSERT: the rows as the table has them.

use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, Projection};
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Cte, Insert, InsertColumns, InsertTarget, Query};

use super::{Action, Overwrite, partition, parts};
use crate::catalog::{Found, OVERWRITE_MODE, Object, Session, Table, no_table, quoted};
use crate::resolve::{Resolver, store_cast};

pub(super) fn insert(session: &mut Session, ctes: &[Cte], insert: &Insert, query: &Query) -> Result<Action> {
    let InsertTarget::Table { name, partition, columns, .. } = &insert.target else {
        return Err(Error::new("INTERNAL_ERROR", "It is no table."));
    };
    let name = parts(session, name)?;
    let (database, table) = match session.catalog.find(&name) {
        Some(Found::Object(database, Object::Table(table))) => (database.to_owned(), table.clone()),
        Some(_) => {
            return Err(Error::new(
                "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
                format!("'INSERT' expects a table but {} is a view.", quoted(&name)),
            ));
        }
        None => return Err(no_table(&name)),
    };
    let mut resolver = Resolver::new(session);
    resolver.define(ctes)?;
    let relation = resolver.query(query)?;
    let given: Vec<Typed> = relation.scope.visible().map(|it| it.column.clone()).collect();
    let fixed = match partition {
        Some(spec) => {
            let fixed = partition::fixed(&mut resolver, &table, spec)?;
            partition::names_all(&database, &table, spec)?;
            fixed
        }
        None => Vec::new(),
    };
    let free: Vec<usize> = (0..table.columns.len()).filter(|at| !fixed.iter().any(|(it, _)| it == at)).collect();
    let targets: Vec<usize> = match columns {
        InsertColumns::All => free.clone(),
        InsertColumns::Listed(names) => {
            let mut targets = Vec::new();
            for it in names {
                let at = partition::place(&table, &it.value)?;
                if targets.contains(&at) {
                    return Err(Error::new(
                        "COLUMN_ALREADY_EXISTS",
                        format!(
                            "The column `{}` already exists. Consider to choose another name or rename the existing column.",
                            it.value.to_lowercase()
                        ),
                    ));
                }
                targets.push(at);
            }
            targets
        }
        InsertColumns::ByName => {
            let mut targets = Vec::new();
            for it in &given {
                targets.push(partition::place(&table, &it.name)?);
            }
            targets
        }
    };
    // Without a list, columns at the end that have a default may be left out.
    let short = given.len() < targets.len()
        && matches!(columns, InsertColumns::All)
        && targets[given.len()..].iter().all(|at| table.columns[*at].default.is_some());
    if given.len() != targets.len() && !short {
        let (class, why) = if given.len() < targets.len() {
            ("NOT_ENOUGH_DATA_COLUMNS", "not enough data columns")
        } else {
            ("TOO_MANY_DATA_COLUMNS", "too many data columns")
        };
        return Err(Error::new(
            format!("INSERT_COLUMN_ARITY_MISMATCH.{class}"),
            format!("Cannot write to {}, the reason is {why}.", quoted(&name)),
        ));
    }
    let mut row: Vec<Option<Typed>> = vec![None; table.columns.len()];
    for (at, value) in &fixed {
        row[*at] = Some(value.clone());
    }
    for (at, value) in targets.iter().zip(given) {
        row[*at] = Some(value);
    }
    let settings = Arc::clone(&resolver.settings);
    let mut exprs = Vec::new();
    let mut output = Vec::new();
    for (value, column) in row.into_iter().zip(&table.columns) {
        let value = match value {
            Some(value) => value,
            None => default(&mut resolver, column.default.as_deref())?,
        };
        let value = store_cast(value, &column.field.data_type, &settings)?;
        exprs.push(value.expr.alias(format!("o{}", exprs.len())));
        output.push(column.field.clone());
    }
    let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(relation.plan))?);
    let names = std::mem::take(&mut resolver.names);
    let overwrite = overwrite(session, insert, &table, fixed)?;
    let query = crate::resolve::Resolved { plan, output, names };
    Ok(Action::Insert { database, table: table.name.to_lowercase(), query, overwrite })
}

/// Which rows give way. In dynamic mode a partition that is not fixed whole gives way where there are new rows for it.
fn overwrite(session: &Session, insert: &Insert, table: &Table, fixed: Vec<(usize, Typed)>) -> Result<Overwrite> {
    if !insert.overwrite {
        return Ok(Overwrite::Nothing);
    }
    let dynamic = session.get(OVERWRITE_MODE).is_some_and(|mode| mode.trim().eq_ignore_ascii_case("dynamic"));
    if dynamic && fixed.len() < table.partitioned_by.len() {
        return Ok(Overwrite::Partitions);
    }
    let values = partition::folder(session, table, &fixed, "INSERT OVERWRITE")?;
    Ok(if values.is_empty() { Overwrite::Everything } else { Overwrite::Partition(values) })
}

fn default(resolver: &mut Resolver<'_>, text: Option<&str>) -> Result<Typed> {
    match text {
        Some(text) => {
            let parsed = paceline_syntax::parse_expression(text, resolver.session.grammar())
                .map_err(|error| Error::new(error.class(), error.message()))?;
            resolver.constant(&parsed.value)
        }
        None => Ok(Typed::literal(ScalarValue::Null, DataType::Void, "NULL")),
    }
}
