//! ALTER, DROP and COMMENT ON TABLE.

use std::collections::BTreeMap;

use paceline_functions::{Error, Result};
use paceline_syntax::tree::{AlterColumn, AlterTable, ColumnPosition, Name, NewColumn, Reference};

use super::create::declared;
use super::{Action, name_parts, partition, parts, view};
use crate::catalog::{Found, Object, Session, Table, no_table, quoted};
use crate::resolve::{Resolver, data_type};

pub(super) fn alter(session: &mut Session, name: &Reference, is_view: bool, action: &AlterTable) -> Result<Action> {
    let name = parts(session, name)?;
    let found = session.catalog.find(&name).ok_or_else(|| no_table(&name))?;
    let of_view = !matches!(found, Found::Object(_, Object::Table(_)));
    if is_view && !of_view {
        return Err(Error::new(
            "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
            format!("'{}' expects a view but {} is a table.", "ALTER VIEW", quoted(&name)),
        ));
    }
    match action {
        AlterTable::Rename(to) => {
            let to = name_parts(to);
            if of_view { view::rename(session, &name, &to) } else { rename(session, &name, &to) }
        }
        AlterTable::SetProperties(properties) => {
            let target = properties_of(session, &name)?;
            target.extend(properties.iter().map(|it| (it.key.clone(), it.value.clone())));
            Ok(Action::Nothing)
        }
        AlterTable::UnsetProperties { keys, if_exists } => {
            let target = properties_of(session, &name)?;
            for key in keys {
                if target.remove(key).is_none() && !if_exists {
                    return Err(Error::new(
                        "UNSET_NONEXISTENT_PROPERTIES",
                        format!("Attempted to unset non-existent properties [`{key}`] in table {}.", quoted(&name)),
                    ));
                }
            }
            Ok(Action::Nothing)
        }
        _ if of_view => Err(Error::new(
            "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
            format!("'ALTER TABLE' expects a table but {} is a view.", quoted(&name)),
        )),
        AlterTable::AddColumns(columns) => add_columns(session, &name, columns),
        AlterTable::AlterColumn { column, change } => alter_column(session, &name, column, change),
        AlterTable::ChangeColumn { column, definition, position } => {
            if position.is_some() {
                return Err(unsupported_change(&name));
            }
            let to = data_type(&definition.data_type, &session.settings)?;
            let table = table_mut(session, &name)?;
            let column = find_column(table, column)?;
            if column.field.name.to_lowercase() != definition.name.value.to_lowercase() || column.field.data_type != to
            {
                return Err(unsupported_change(&name));
            }
            if definition.comment.is_some() {
                column.comment.clone_from(&definition.comment);
            }
            Ok(Action::Nothing)
        }
        AlterTable::ReplaceColumns(_) | AlterTable::RenameColumn { .. } | AlterTable::DropColumns { .. } => {
            Err(Error::new(
                "UNSUPPORTED_FEATURE.TABLE_OPERATION",
                format!("The feature is not supported: Table {} does not support changing columns.", quoted(&name)),
            ))
        }
        AlterTable::AddPartitions { partitions, .. } => partition::add(session, &name, partitions),
        AlterTable::RecoverPartitions => Ok(Action::Refresh { name }),
        AlterTable::DropPartitions { partitions, if_exists, .. } => {
            partition::drop(session, &name, partitions, *if_exists)
        }
        AlterTable::RenamePartition { .. } => Err(Error::unsupported("ALTER TABLE RENAME PARTITION")),
        AlterTable::SetLocation { .. } => Err(Error::unsupported("ALTER TABLE SET LOCATION")),
        AlterTable::SetSerde { .. } => Err(Error::unsupported("ALTER TABLE SET SERDE")),
    }
}

/// New columns come behind the others, those of partitions last; rows that are there have their default or NULL.
fn add_columns(session: &mut Session, name: &[String], columns: &[NewColumn]) -> Result<Action> {
    let (database, _) = session.catalog.place(name)?;
    let mut table = table_mut(session, name)?.clone();
    let mut new = Vec::new();
    for column in columns {
        let [only] = column.name.parts.as_slice() else { return Err(Error::unsupported("new fields of structs")) };
        let is_there = |it: &crate::catalog::Column| it.field.name.to_lowercase() == only.value.to_lowercase();
        if table.columns.iter().chain(&new).any(is_there) {
            return Err(Error::new(
                "COLUMN_ALREADY_EXISTS",
                format!(
                    "The column `{}` already exists. Consider to choose another name or rename the existing column.",
                    only.value.to_lowercase()
                ),
            ));
        }
        new.push(declared(&only.value, data_type(&column.data_type, &session.settings)?, &column.options));
    }
    let at = table.columns.len() - table.partitioned_by.len().min(table.columns.len());
    if table.is_elsewhere() {
        // Files stay as they are: what they do not have is NULL.
        if new.iter().any(|column| column.default.is_some()) {
            return Err(Error::unsupported("ADD COLUMNS with a DEFAULT to a table with LOCATION"));
        }
        table.columns.splice(at..at, new);
        return Ok(Action::CreateTable { database, table: Box::new(table), query: None });
    }
    let query = Resolver::new(session).widened(&database, &table, at, &new)?;
    table.columns.splice(at..at, new);
    Ok(Action::CreateTable { database, table: Box::new(table), query: Some(query) })
}

fn alter_column(session: &mut Session, name: &[String], column: &Name, change: &AlterColumn) -> Result<Action> {
    let settings = std::sync::Arc::clone(&session.settings);
    let table = table_mut(session, name)?;
    let column = find_column(table, column)?;
    match change {
        AlterColumn::Comment(comment) => column.comment = Some(comment.clone()),
        AlterColumn::SetDefault(_, text) => column.default = Some(text.clone()),
        AlterColumn::DropDefault => column.default = None,
        AlterColumn::Type(to) if data_type(to, &settings)? == column.field.data_type => {}
        AlterColumn::Position(ColumnPosition::First | ColumnPosition::After(_))
        | AlterColumn::Type(_)
        | AlterColumn::SetNotNull
        | AlterColumn::DropNotNull => return Err(unsupported_change(name)),
    }
    Ok(Action::Nothing)
}

fn unsupported_change(name: &[String]) -> Error {
    Error::new(
        "NOT_SUPPORTED_CHANGE_COLUMN",
        format!("ALTER TABLE ALTER/CHANGE COLUMN is not supported for changing {}'s column.", quoted(name)),
    )
}

fn find_column<'t>(table: &'t mut Table, column: &Name) -> Result<&'t mut crate::catalog::Column> {
    let wanted = column.parts.last().map(|it| it.value.clone()).unwrap_or_default();
    table.columns.iter_mut().find(|it| it.field.name.to_lowercase() == wanted.to_lowercase()).ok_or_else(|| {
        Error::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            format!("A column or function parameter with name `{wanted}` cannot be resolved."),
        )
    })
}

fn table_mut<'s>(session: &'s mut Session, name: &[String]) -> Result<&'s mut Table> {
    let (database, only) = session.catalog.place(name)?;
    match session.catalog.database_mut(&database)?.objects.get_mut(&only.to_lowercase()) {
        Some(Object::Table(table)) => Ok(table),
        _ => Err(no_table(name)),
    }
}

fn properties_of<'s>(session: &'s mut Session, name: &[String]) -> Result<&'s mut BTreeMap<String, String>> {
    if matches!(session.catalog.find(name), Some(Found::Object(_, Object::Table(_)))) {
        return Ok(&mut table_mut(session, name)?.properties);
    }
    view::properties_mut(session, name)?.ok_or_else(|| no_table(name))
}

fn rename(session: &mut Session, name: &[String], to: &[String]) -> Result<Action> {
    let (database, old) = session.catalog.place(name)?;
    let (other, new) = session.catalog.place(to)?;
    if exists(session, &other, &new)? {
        return Err(Error::new(
            "TABLE_OR_VIEW_ALREADY_EXISTS",
            format!("Cannot create table or view {} because it already exists.", quoted(to)),
        ));
    }
    if let Some(Object::Table(mut table)) = session.catalog.database_mut(&database)?.objects.remove(&old.to_lowercase())
    {
        table.name.clone_from(&new);
        session.catalog.database_mut(&other)?.objects.insert(new.to_lowercase(), Object::Table(table));
    }
    Ok(Action::Nothing)
}

fn exists(session: &Session, database: &str, name: &str) -> Result<bool> {
    Ok(session.catalog.database(database)?.objects.contains_key(&name.to_lowercase()))
}

pub(super) fn drop_table(session: &mut Session, name: &Reference, if_exists: bool) -> Result<Action> {
    let name = parts(session, name)?;
    let lower: Vec<String> = name.iter().map(|it| it.to_lowercase()).collect();
    match session.catalog.find(&name) {
        Some(Found::Temporary(_, false)) => {
            drop(lower.first().and_then(|only| session.catalog.temporary.remove(only)));
            Ok(Action::Nothing)
        }
        Some(Found::Temporary(_, true)) => {
            drop(lower.last().and_then(|only| session.catalog.global.remove(only)));
            Ok(Action::Nothing)
        }
        Some(Found::Object(_, Object::View(_))) => Err(Error::new(
            "WRONG_COMMAND_FOR_OBJECT_TYPE",
            format!(
                "The operation DROP TABLE requires a EXTERNAL or MANAGED. But {} is a VIEW. Use DROP VIEW instead.",
                quoted(&name)
            ),
        )),
        Some(Found::Object(database, Object::Table(_))) => {
            let database = database.to_owned();
            let key = lower.last().cloned().unwrap_or_default();
            session.catalog.database_mut(&database)?.objects.remove(&key);
            Ok(Action::Nothing)
        }
        None if if_exists => Ok(Action::Nothing),
        None => Err(no_table(&name)),
    }
}

pub(super) fn comment(session: &mut Session, name: &Reference, comment: Option<&str>) -> Result<Action> {
    let name = parts(session, name)?;
    table_mut(session, &name)?.comment = comment.map(str::to_owned);
    Ok(Action::Nothing)
}
