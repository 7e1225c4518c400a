//! INSERT: the rows as the table has them.

use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, Projection};
use datafusion::scalar::ScalarValue;
use paceline_functions::cast::{CastMode, convert};
use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{Cte, Insert, InsertColumns, InsertTarget, Literal, PartitionSpec, Query};

use super::{Action, Overwrite, parts};
use crate::catalog::{CATALOG, Found, OVERWRITE_MODE, Object, Session, Table, no_table, quoted};
use crate::resolve::{Resolver, evaluate, store_cast};

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
        Some(spec) => fixed(&mut resolver, &database, &table, spec)?,
        None => Vec::new(),
    };
    let free: Vec<usize> = (0..table.columns.len()).filter(|at| !fixed.iter().any(|(it, _)| it == at)).collect();
    let targets: Vec<usize> = match columns {
        InsertColumns::All => free.clone(),
        InsertColumns::Listed(names) => {
            let mut targets = Vec::new();
            for it in names {
                let at = place(&table, &it.value)?;
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
                targets.push(place(&table, &it.name)?);
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
    let mut values = Vec::new();
    for name in table.partitioned_by.iter().take(fixed.len()) {
        let at = place(table, name)?;
        let Some((_, value)) = fixed.iter().find(|(it, _)| *it == at) else {
            return Err(Error::unsupported(format!(
                "INSERT OVERWRITE with a PARTITION clause that leaves `{name}` open before a column that it fixes"
            )));
        };
        let value = store_cast(value.clone(), &table.columns[at].field.data_type, &session.settings)?;
        values.push((name.clone(), evaluate(&value)?));
    }
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

fn fixed(
    resolver: &mut Resolver<'_>,
    database: &str,
    table: &Table,
    spec: &PartitionSpec,
) -> Result<Vec<(usize, Typed)>> {
    let mut fixed = Vec::new();
    for it in spec {
        let at = place(table, &it.name.value)?;
        if !table.partitioned_by.iter().any(|name| name.to_lowercase() == it.name.value.to_lowercase()) {
            return Err(Error::new(
                "NON_PARTITION_COLUMN",
                format!("PARTITION clause cannot contain the non-partition column: `{}`.", it.name.value),
            ));
        }
        let Some(value) = &it.value else { continue };
        let value = match value {
            Literal::Null => Typed::literal(ScalarValue::Null, DataType::Void, "NULL"),
            value => resolver.literal(value)?,
        };
        // A text is read as the column has it, whatever an INSERT may store.
        let value = match value.data_type {
            DataType::String => convert(value, &table.columns[at].field.data_type, CastMode::Ansi, &resolver.settings)?,
            _ => value,
        };
        fixed.push((at, value));
    }
    if spec.len() == table.partitioned_by.len() {
        return Ok(fixed);
    }
    let requested: Vec<&str> = spec.iter().map(|it| it.name.value.as_str()).collect();
    Err(Error::new(
        "_LEGACY_ERROR_TEMP_1169",
        format!(
            "Requested partitioning does not match the table {}:\nRequested partitions: {}.\nTable partitions: {}.",
            quoted(&[CATALOG.to_owned(), database.to_owned(), table.name.to_lowercase()]),
            requested.join(","),
            table.partitioned_by.join(",")
        ),
    ))
}

fn place(table: &Table, name: &str) -> Result<usize> {
    table.columns.iter().position(|it| it.field.name.to_lowercase() == name.to_lowercase()).ok_or_else(|| {
        let names: Vec<String> = table.columns.iter().map(|it| format!("`{}`", it.field.name)).collect();
        Error::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            format!("A column or function parameter with name `{name}` cannot be resolved. Did you mean one of the following? [{}].", names.join(", ")),
        )
    })
}
