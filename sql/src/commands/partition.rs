//! Partitions of tables: what a PARTITION clause means, and the commands about them. A table's partitions are the folders
//! that its files are in, so none has to be made known.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection};
use datafusion::scalar::ScalarValue;
use paceline_functions::cast::{CastMode, convert};
use paceline_functions::{DataType, Error, Result, StructField, Typed};
use paceline_syntax::tree::{Literal, PartitionSpec, Reference};

use super::{Action, Overwrite, parts};
use crate::catalog::{CATALOG, Found, Object, Session, Table, no_table, quoted};
use crate::resolve::{Resolved, Resolver, evaluate, store_cast};

/// What a PARTITION clause fixes: where the column stands in the table, and its value.
pub(super) fn fixed(resolver: &mut Resolver<'_>, table: &Table, spec: &PartitionSpec) -> Result<Vec<(usize, Typed)>> {
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
    Ok(fixed)
}

/// A PARTITION clause of an INSERT names every column that the table is partitioned by.
pub(super) fn names_all(database: &str, table: &Table, spec: &PartitionSpec) -> Result<()> {
    if spec.len() == table.partitioned_by.len() {
        return Ok(());
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

/// The values of what is fixed, in the order of the columns that the table is partitioned by.
pub(super) fn values(session: &Session, table: &Table, fixed: &[(usize, Typed)]) -> Result<Vec<(String, ScalarValue)>> {
    let mut values = Vec::new();
    for name in &table.partitioned_by {
        let at = place(table, name)?;
        let Some((_, value)) = fixed.iter().find(|(it, _)| *it == at) else { continue };
        let value = store_cast(value.clone(), &table.columns[at].field.data_type, &session.settings)?;
        values.push((name.clone(), evaluate(&value)?));
    }
    Ok(values)
}

/// As [`values`], of the first columns that the table is partitioned by: what is fixed is one folder.
///
/// # Errors
/// A column in front of one that is fixed is open.
pub(super) fn folder(
    session: &Session,
    table: &Table,
    fixed: &[(usize, Typed)],
    command: &str,
) -> Result<Vec<(String, ScalarValue)>> {
    let values = values(session, table, fixed)?;
    match table.partitioned_by.iter().zip(&values).find(|(name, (fixed, _))| *name != fixed) {
        Some((open, _)) => Err(Error::unsupported(format!(
            "{command} with a PARTITION clause that leaves `{open}` open before a column that it fixes"
        ))),
        None => Ok(values),
    }
}

fn values_of(session: &Session, table: &Table, spec: &PartitionSpec) -> Result<Vec<(String, ScalarValue)>> {
    let fixed = fixed(&mut Resolver::new(session), table, spec)?;
    values(session, table, &fixed)
}

/// Where a column stands in a table.
pub(super) fn place(table: &Table, name: &str) -> Result<usize> {
    table.columns.iter().position(|it| it.field.name.to_lowercase() == name.to_lowercase()).ok_or_else(|| {
        let names: Vec<String> = table.columns.iter().map(|it| format!("`{}`", it.field.name)).collect();
        Error::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            format!("A column or function parameter with name `{name}` cannot be resolved. Did you mean one of the following? [{}].", names.join(", ")),
        )
    })
}

/// The table of a name, and its database.
fn table_of(session: &Session, name: &Reference, command: &str) -> Result<(String, Table)> {
    let name = parts(session, name)?;
    match session.catalog.find(&name) {
        Some(Found::Object(database, Object::Table(table))) => Ok((database.to_owned(), table.clone())),
        Some(_) => Err(Error::new(
            "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
            format!("'{command}' expects a table but {} is a view.", quoted(&name)),
        )),
        None => Err(no_table(&name)),
    }
}

fn full_name(database: &str, table: &Table) -> String {
    quoted(&[CATALOG.to_owned(), database.to_owned(), table.name.to_lowercase()])
}

/// SHOW PARTITIONS
pub(super) fn show(session: &Session, name: &Reference, spec: Option<&PartitionSpec>) -> Result<Action> {
    let (database, table) = table_of(session, name, "SHOW PARTITIONS")?;
    if table.partitioned_by.is_empty() {
        let what =
            format!("The partition command is invalid. Table {} is not partitioned.", full_name(&database, &table));
        return Err(Error::new("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", what));
    }
    let within = spec.map_or(Ok(Vec::new()), |spec| values_of(session, &table, spec))?;
    Ok(Action::ShowPartitions { table: Box::new(table), within })
}

/// MSCK REPAIR TABLE
pub(super) fn repair(session: &Session, name: &Reference) -> Result<Action> {
    let (database, table) = table_of(session, name, "MSCK REPAIR TABLE")?;
    if table.partitioned_by.is_empty() {
        let what = "Operation MSCK REPAIR TABLE is not allowed for";
        let what = format!("{what} {} because it is not a partitioned table.", full_name(&database, &table));
        return Err(Error::new("NOT_A_PARTITIONED_TABLE", what));
    }
    Ok(Action::Refresh { name: vec![database, table.name] })
}

/// REFRESH TABLE
pub(super) fn refresh(session: &Session, name: &Reference) -> Result<Action> {
    let name = parts(session, name)?;
    match session.catalog.find(&name) {
        Some(_) => Ok(Action::Refresh { name }),
        None => Err(no_table(&name)),
    }
}

/// ALTER TABLE … ADD PARTITION, after which files in its folder are read.
pub(super) fn add(
    session: &Session,
    name: &[String],
    partitions: &[(PartitionSpec, Option<String>)],
) -> Result<Action> {
    let Some(Found::Object(database, Object::Table(table))) = session.catalog.find(name) else {
        return Err(no_table(name));
    };
    for (spec, location) in partitions {
        if values_of(session, table, spec)?.len() != table.partitioned_by.len() {
            let names: Vec<&str> = spec.iter().map(|it| it.name.value.as_str()).collect();
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_1232",
                format!(
                    "Partition spec is invalid. The spec ({}) must match the partition spec ({}) defined in table '{}'.",
                    names.join(", "),
                    table.partitioned_by.join(", "),
                    full_name(database, table)
                ),
            ));
        }
        if location.is_some() {
            return Err(Error::unsupported("ADD PARTITION with a LOCATION of its own"));
        }
    }
    Ok(Action::Refresh { name: name.to_vec() })
}

/// TRUNCATE TABLE, which is an overwrite with no rows.
pub(super) fn truncate(session: &Session, name: &Reference, spec: Option<&PartitionSpec>) -> Result<Action> {
    let (database, table) = table_of(session, name, "TRUNCATE TABLE")?;
    let denied = |class: &str, what: &str| {
        Err(Error::new(
            class,
            format!("Operation not allowed: TRUNCATE TABLE {what}: {}.", full_name(&database, &table)),
        ))
    };
    if table.is_elsewhere() {
        return denied("_LEGACY_ERROR_TEMP_1266", "on external tables");
    }
    if spec.is_some() && table.partitioned_by.is_empty() {
        return denied("_LEGACY_ERROR_TEMP_1267", "... PARTITION is not supported for tables that are not partitioned");
    }
    match spec {
        Some(spec) => without(session, database, table, spec, false, "TRUNCATE TABLE"),
        None => {
            let query = no_rows(&table)?;
            Ok(Action::Insert { database, table: table.name.to_lowercase(), query, overwrite: Overwrite::Everything })
        }
    }
}

/// ALTER TABLE … DROP PARTITION
pub(super) fn drop(
    session: &Session,
    name: &[String],
    partitions: &[PartitionSpec],
    if_exists: bool,
) -> Result<Action> {
    let Some(Found::Object(database, Object::Table(table))) = session.catalog.find(name) else {
        return Err(no_table(name));
    };
    match partitions {
        [spec] => without(session, database.to_owned(), table.clone(), spec, if_exists, "ALTER TABLE DROP PARTITION"),
        _ => Err(Error::unsupported("ALTER TABLE DROP of several partitions at once")),
    }
}

/// An overwrite of a partition with no rows.
fn without(
    session: &Session,
    database: String,
    table: Table,
    spec: &PartitionSpec,
    if_exists: bool,
    command: &str,
) -> Result<Action> {
    let mut resolver = Resolver::new(session);
    let fixed = fixed(&mut resolver, &table, spec)?;
    let shown = fixed.iter().map(|(at, value)| {
        let name = &table.columns[*at].field.name;
        Ok(format!("`{name}` = {}", resolver.as_text(value)?))
    });
    let shown = shown.collect::<Result<Vec<_>>>()?.join(", ");
    let missing = (!if_exists).then(|| {
        Error::new(
            "PARTITIONS_NOT_FOUND",
            format!(
                "The partition(s) PARTITION ({shown}) cannot be found in table {}.\nVerify the partition specification and \
                 table name.\nTo tolerate the error on drop use ALTER TABLE … DROP IF EXISTS PARTITION.",
                quoted(&[database.clone(), table.name.to_lowercase()])
            ),
        )
    });
    let within = folder(session, &table, &fixed, command)?;
    let query = no_rows(&table)?;
    Ok(Action::DropPartition { database, table: Box::new(table), query, within, missing })
}

/// A query with the columns of a table, and no rows.
fn no_rows(table: &Table) -> Result<Resolved> {
    let output: Vec<StructField> = table.columns.iter().map(|column| column.field.clone()).collect();
    let column = |(at, field): (usize, &StructField)| {
        Ok(Expr::Literal(ScalarValue::try_from(field.to_arrow().data_type())?, None).alias(format!("o{at}")))
    };
    let columns = output.iter().enumerate().map(column).collect::<Result<_>>()?;
    let nothing = EmptyRelation { produce_one_row: false, schema: Arc::new(DFSchema::empty()) };
    let plan = Projection::try_new(columns, Arc::new(LogicalPlan::EmptyRelation(nothing)))?;
    Ok(Resolved { plan: LogicalPlan::Projection(plan), output, names: Default::default() })
}
