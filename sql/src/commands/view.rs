//! CREATE, ALTER and DROP VIEW; CACHE.

use std::collections::BTreeMap;
use std::sync::Arc;

use paceline_functions::{Error, Result, StructField};
use paceline_syntax::tree::{Query, Reference, Statement};

use super::{Action, parts};
use crate::catalog::{Column, Found, GLOBAL_TEMP, Object, Session, View, ViewSource, no_table, quoted};
use crate::resolve::{Resolver, resolve_query};

pub(super) fn view(session: &mut Session, statement: &Statement) -> Result<Action> {
    match statement {
        Statement::CreateView {
            name,
            or_replace,
            temporary,
            global,
            if_not_exists,
            columns,
            comment,
            properties,
            query,
            text,
        } => {
            let name = parts(session, name)?;
            let mut resolver = Resolver::new(session);
            let fields = resolver.query(query)?.scope.fields();
            let read = resolver.temporary.take();
            let names: Vec<String> = columns.iter().map(|(name, _)| name.value.clone()).collect();
            let comments: Vec<Option<String>> = columns.iter().map(|(_, comment)| comment.clone()).collect();
            let only = name.last().cloned().unwrap_or_default();
            let columns = declared(session, &only, fields, &names, &comments)?;
            let view = View {
                name: only.clone(),
                columns,
                names,
                source: ViewSource::Query(Arc::new((**query).clone())),
                text: text.clone(),
                settings: Arc::clone(&session.settings),
                database: session.catalog.current.clone(),
                comment: comment.clone(),
                properties: properties.iter().map(|it| (it.key.clone(), it.value.clone())).collect(),
                temporary: *temporary,
            };
            let how = How { replace: *or_replace, global: *global, if_not_exists: *if_not_exists };
            put(session, &name, view, how, read)
        }
        Statement::AlterView { name, query, text } => {
            let name = parts(session, name)?;
            let fields = resolve_query(session, query)?.output;
            let only = name.last().cloned().unwrap_or_default();
            let columns = declared(session, &only, fields, &[], &[])?;
            let (settings, database) = (Arc::clone(&session.settings), session.catalog.current.clone());
            let Some(view) = view_mut(session, &name)? else { return Err(no_view(&name)) };
            (view.columns, view.names, view.text) = (columns, Vec::new(), text.clone());
            (view.settings, view.database) = (settings, database);
            view.source = ViewSource::Query(Arc::new((**query).clone()));
            Ok(Action::Nothing)
        }
        Statement::DropView { name, if_exists } => {
            let name = parts(session, name)?;
            drop_view(session, &name, *if_exists)
        }
        _ => Err(Error::new("INTERNAL_ERROR", "No statement of views.")),
    }
}

/// The columns that a view has.
fn declared(
    session: &Session,
    view: &str,
    fields: Vec<StructField>,
    names: &[String],
    comments: &[Option<String>],
) -> Result<Vec<Column>> {
    if !names.is_empty() && names.len() != fields.len() {
        let (class, why) = if names.len() > fields.len() {
            ("NOT_ENOUGH_DATA_COLUMNS", "not enough data columns")
        } else {
            ("TOO_MANY_DATA_COLUMNS", "too many data columns")
        };
        return Err(Error::new(
            format!("CREATE_VIEW_COLUMN_ARITY_MISMATCH.{class}"),
            format!("Cannot create view `{view}`, the reason is {why}."),
        ));
    }
    let columns: Vec<Column> = fields
        .into_iter()
        .enumerate()
        .map(|(at, field)| Column {
            field: StructField { name: names.get(at).cloned().unwrap_or(field.name), ..field },
            comment: comments.get(at).cloned().flatten(),
            default: None,
        })
        .collect();
    for (at, column) in columns.iter().enumerate() {
        let same = |other: &Column| {
            if session.settings.case_sensitive {
                other.field.name == column.field.name
            } else {
                other.field.name.to_lowercase() == column.field.name.to_lowercase()
            }
        };
        if columns[..at].iter().any(same) {
            return Err(Error::new(
                "COLUMN_ALREADY_EXISTS",
                format!(
                    "The column `{}` already exists. Consider to choose another name or rename the existing column.",
                    column.field.name.to_lowercase()
                ),
            ));
        }
    }
    Ok(columns)
}

/// How a view is put where one may be already.
#[derive(Default)]
pub(super) struct How {
    pub replace: bool,
    pub global: bool,
    pub if_not_exists: bool,
}

/// `read` is a temporary view that it reads, if it reads any.
pub(super) fn put(
    session: &mut Session,
    name: &[String],
    view: View,
    how: How,
    read: Option<String>,
) -> Result<Action> {
    let How { replace, global, if_not_exists } = how;
    let key = view.name.to_lowercase();
    let exists = |what: &str| {
        Error::new(
            format!("{what}_ALREADY_EXISTS"),
            format!(
                "Cannot create view {} because it already exists. Choose a different name, drop or replace the existing object.",
                quoted(name)
            ),
        )
    };
    if view.temporary {
        if !global && name.len() > 1 {
            return Err(Error::new(
                "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS",
                format!(
                    "CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: {}.",
                    quoted(name)
                ),
            ));
        }
        let views = if global { &mut session.catalog.global } else { &mut session.catalog.temporary };
        if views.contains_key(&key) && !replace {
            return if if_not_exists { Ok(Action::Nothing) } else { Err(exists("TEMP_TABLE_OR_VIEW")) };
        }
        views.insert(key, view);
        return Ok(Action::Nothing);
    }
    if let Some(temporary) = read {
        return Err(Error::new(
            "INVALID_TEMP_OBJ_REFERENCE",
            format!(
                "Cannot create the persistent object {} of the type VIEW because it references to the temporary object {temporary} of the type VIEW. Please make the temporary object {temporary} persistent, or make the persistent object {} temporary.",
                quoted(name),
                quoted(name)
            ),
        ));
    }
    let (database, _) = session.catalog.place(name)?;
    let objects = &mut session.catalog.database_mut(&database)?.objects;
    match objects.get(&key) {
        Some(Object::Table(_)) if replace => {
            return Err(Error::new("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", format!("{} is a table.", quoted(name))));
        }
        Some(_) if if_not_exists => return Ok(Action::Nothing),
        Some(_) if !replace => return Err(exists("TABLE_OR_VIEW")),
        _ => {}
    }
    objects.insert(key, Object::View(view));
    Ok(Action::Nothing)
}

fn view_mut<'s>(session: &'s mut Session, name: &[String]) -> Result<Option<&'s mut View>> {
    let lower: Vec<String> = name.iter().map(|it| it.to_lowercase()).collect();
    match lower.as_slice() {
        [only] if session.catalog.temporary.contains_key(only) => return Ok(session.catalog.temporary.get_mut(only)),
        [database, only] if database == GLOBAL_TEMP => return Ok(session.catalog.global.get_mut(only)),
        _ => {}
    }
    let (database, only) = session.catalog.place(name)?;
    match session.catalog.database_mut(&database)?.objects.get_mut(&only.to_lowercase()) {
        Some(Object::View(view)) => Ok(Some(view)),
        _ => Ok(None),
    }
}

/// Sets or removes properties of a view.
pub(super) fn properties_mut<'s>(
    session: &'s mut Session,
    name: &[String],
) -> Result<Option<&'s mut BTreeMap<String, String>>> {
    Ok(view_mut(session, name)?.map(|view| &mut view.properties))
}

/// Gives a view another name.
pub(super) fn rename(session: &mut Session, name: &[String], to: &[String]) -> Result<Action> {
    let only = to.last().cloned().unwrap_or_default();
    let lower = name.first().map(|it| it.to_lowercase()).unwrap_or_default();
    if name.len() == 1 && session.catalog.temporary.contains_key(&lower) {
        if session.catalog.temporary.contains_key(&only.to_lowercase()) {
            return Err(Error::new(
                "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                format!("Cannot create the temporary view {} because it already exists.", quoted(to)),
            ));
        }
        if let Some(mut view) = session.catalog.temporary.remove(&lower) {
            view.name.clone_from(&only);
            session.catalog.temporary.insert(only.to_lowercase(), view);
        }
        return Ok(Action::Nothing);
    }
    let (database, old) = session.catalog.place(name)?;
    let objects = &mut session.catalog.database_mut(&database)?.objects;
    if !matches!(objects.get(&old.to_lowercase()), Some(Object::View(_))) {
        return Err(no_table(name));
    }
    if objects.contains_key(&only.to_lowercase()) {
        return Err(Error::new(
            "TABLE_OR_VIEW_ALREADY_EXISTS",
            format!("Cannot create table or view {} because it already exists.", quoted(to)),
        ));
    }
    if let Some(Object::View(mut view)) = objects.remove(&old.to_lowercase()) {
        view.name.clone_from(&only);
        objects.insert(only.to_lowercase(), Object::View(view));
    }
    Ok(Action::Nothing)
}

fn drop_view(session: &mut Session, name: &[String], if_exists: bool) -> Result<Action> {
    let lower: Vec<String> = name.iter().map(|it| it.to_lowercase()).collect();
    let removed = match lower.as_slice() {
        [only] if session.catalog.temporary.remove(only).is_some() => return Ok(Action::Nothing),
        [database, only] if database == GLOBAL_TEMP => session.catalog.global.remove(only).is_some(),
        _ => match session.catalog.find(name) {
            Some(Found::Object(_, Object::Table(_))) => {
                return Err(Error::new(
                    "WRONG_COMMAND_FOR_OBJECT_TYPE",
                    format!(
                        "The operation DROP VIEW requires a VIEW. But {} is a TABLE. Use DROP TABLE instead.",
                        quoted(name)
                    ),
                ));
            }
            Some(Found::Object(database, Object::View(_))) => {
                let database = database.to_owned();
                let key = lower.last().cloned().unwrap_or_default();
                session.catalog.database_mut(&database)?.objects.remove(&key).is_some()
            }
            _ => false,
        },
    };
    if removed || if_exists { Ok(Action::Nothing) } else { Err(no_view(name)) }
}

fn no_view(name: &[String]) -> Error {
    no_table(name)
}

/// CACHE TABLE keeps nothing; with a query it makes a view.
pub(super) fn cache(session: &mut Session, name: &Reference, query: Option<&Query>) -> Result<Action> {
    let name = parts(session, name)?;
    let Some(query) = query else {
        return match session.catalog.find(&name) {
            Some(_) => Ok(Action::Nothing),
            None => Err(no_table(&name)),
        };
    };
    let fields = resolve_query(session, query)?.output;
    let only = name.last().cloned().unwrap_or_default();
    let view = View {
        name: only.clone(),
        columns: declared(session, &only, fields, &[], &[])?,
        names: Vec::new(),
        source: ViewSource::Query(Arc::new(query.clone())),
        text: String::new(),
        settings: Arc::clone(&session.settings),
        database: session.catalog.current.clone(),
        comment: None,
        properties: BTreeMap::new(),
        temporary: true,
    };
    put(session, &name, view, How::default(), None)
}
