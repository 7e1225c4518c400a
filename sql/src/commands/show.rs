//! SHOW.

use paceline_functions::{DataType, Error, Result, all};
use paceline_syntax::tree::{Limits, Name, Reference, Show};

use super::rows::{Value, known, texts};
use super::{Action, name_parts, partition, parts};
use crate::catalog::{CATALOG, Column, Found, Object, Session, Table, View, no_table, quoted};

pub(super) fn show(session: &mut Session, show: &Show) -> Result<Action> {
    match show {
        Show::Namespaces(limits) => {
            let names = session.catalog.databases.keys().filter(|it| matches(limits.pattern.as_deref(), it)).cloned();
            let rows = names.map(|it| vec![it.into()]).collect();
            texts(session, &["namespace"], rows)
        }
        Show::Tables(limits) => tables(session, limits),
        Show::Views(limits) => views(session, limits),
        Show::TableExtended { limits, partition } => extended(session, limits, partition.is_some()),
        Show::TableProperties { table, key } => properties(session, table, key.as_deref()),
        Show::Columns { table, namespace } => columns(session, table, namespace.as_ref()),
        Show::Partitions { table, partition } => partition::show(session, table, partition.as_ref()),
        Show::Functions { user, system, limits, name, .. } => {
            let named = name.as_ref().map(|it| name_parts(it).join("."));
            let pattern = limits.pattern.clone().or(named);
            let own = session.functions.keys().map(String::as_str).filter(|_| *user);
            let mut names: Vec<&str> = own.chain(all().map(|it| it.name).filter(|_| *system)).collect();
            names.sort_unstable();
            let rows =
                names.into_iter().filter(|it| matches(pattern.as_deref(), it)).map(|it| vec![it.into()]).collect();
            texts(session, &["function"], rows)
        }
        Show::CreateTable { table, .. } => create_table(session, table),
        Show::CurrentNamespace => {
            let row = vec![CATALOG.into(), session.catalog.current.as_str().into()];
            texts(session, &["catalog", "namespace"], vec![row])
        }
        Show::Catalogs { pattern } => {
            let rows = if matches(pattern.as_deref(), CATALOG) { vec![vec![CATALOG.into()]] } else { Vec::new() };
            texts(session, &["catalog"], rows)
        }
    }
}

fn namespace(session: &Session, limits: &Limits) -> Result<String> {
    let name = match &limits.namespace {
        Some(reference) => parts(session, reference)?,
        None => vec![session.catalog.current.clone()],
    };
    match name.as_slice() {
        [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => Ok(name.to_lowercase()),
        [name] => Ok(name.to_lowercase()),
        _ => Err(Error::new(
            "REQUIRES_SINGLE_PART_NAMESPACE",
            format!("{CATALOG} requires a single-part namespace, but got {}.", quoted(&name)),
        )),
    }
}

fn tables(session: &Session, limits: &Limits) -> Result<Action> {
    let database = namespace(session, limits)?;
    let objects = session.catalog.database(&database)?.objects.values().map(Object::name);
    let mut rows: Vec<(String, &str, bool)> = objects.map(|it| (database.clone(), it, false)).collect();
    rows.extend(session.catalog.temporary.values().map(|it| (String::new(), it.name.as_str(), true)));
    let rows = rows
        .into_iter()
        .filter(|(_, name, _)| matches(limits.pattern.as_deref(), name))
        .map(|(database, name, temporary)| vec![database.into(), name.to_lowercase().into(), Value::Flag(temporary)])
        .collect();
    known(
        session,
        &[("namespace", DataType::String), ("tableName", DataType::String), ("isTemporary", DataType::Boolean)],
        rows,
    )
}

fn views(session: &Session, limits: &Limits) -> Result<Action> {
    let database = namespace(session, limits)?;
    let mut rows: Vec<(String, &str, bool)> = Vec::new();
    if database == crate::catalog::GLOBAL_TEMP {
        rows.extend(session.catalog.global.values().map(|it| (database.clone(), it.name.as_str(), true)));
    } else {
        for object in session.catalog.database(&database)?.objects.values() {
            if let Object::View(view) = object {
                rows.push((database.clone(), view.name.as_str(), false));
            }
        }
    }
    rows.extend(session.catalog.temporary.values().map(|it| (String::new(), it.name.as_str(), true)));
    let rows = rows
        .into_iter()
        .filter(|(_, name, _)| matches(limits.pattern.as_deref(), name))
        .map(|(database, name, temporary)| vec![database.into(), name.to_lowercase().into(), Value::Flag(temporary)])
        .collect();
    known(
        session,
        &[("namespace", DataType::String), ("viewName", DataType::String), ("isTemporary", DataType::Boolean)],
        rows,
    )
}

fn extended(_session: &Session, _limits: &Limits, _partition: bool) -> Result<Action> {
    Err(Error::unsupported("SHOW TABLE EXTENDED"))
}

fn properties(session: &Session, table: &Reference, key: Option<&str>) -> Result<Action> {
    let name = parts(session, table)?;
    let properties = match session.catalog.find(&name).ok_or_else(|| no_table(&name))? {
        Found::Temporary(..) => return texts(session, &["key", "value"], Vec::new()),
        Found::Object(_, Object::Table(table)) => &table.properties,
        Found::Object(_, Object::View(view)) => &view.properties,
    };
    match key {
        Some(key) => {
            let missing = || format!("Table {CATALOG}.{} does not have property: {key}", full(session, &name));
            let value = properties.get(key).cloned().unwrap_or_else(missing);
            texts(session, &["key", "value"], vec![vec![key.into(), value.into()]])
        }
        None => {
            let rows =
                properties.iter().map(|(key, value)| vec![key.as_str().into(), shown(key, value).into()]).collect();
            texts(session, &["key", "value"], rows)
        }
    }
}

fn full(session: &Session, name: &[String]) -> String {
    match name {
        [only] => format!("{}.{only}", session.catalog.current),
        many => many.join("."),
    }
}

fn columns(session: &Session, table: &Reference, namespace: Option<&Name>) -> Result<Action> {
    let mut name = parts(session, table)?;
    if let Some(namespace) = namespace {
        let namespace = name_parts(namespace);
        match name.as_slice() {
            [only] => name = namespace.iter().cloned().chain([only.clone()]).collect(),
            [database, ..] if namespace.last().is_some_and(|it| it.to_lowercase() != database.to_lowercase()) => {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_1057",
                    format!("SHOW COLUMNS with conflicting databases: '{}' != '{database}'.", namespace.join(".")),
                ));
            }
            _ => {}
        }
    }
    let columns: &[Column] = match session.catalog.find(&name).ok_or_else(|| no_table(&name))? {
        Found::Temporary(view, _) | Found::Object(_, Object::View(view)) => &view.columns,
        Found::Object(_, Object::Table(table)) => &table.columns,
    };
    texts(session, &["col_name"], columns.iter().map(|it| vec![it.field.name.clone().into()]).collect())
}

fn create_table(session: &Session, table: &Reference) -> Result<Action> {
    let name = parts(session, table)?;
    let text = match session.catalog.find(&name).ok_or_else(|| no_table(&name))? {
        Found::Temporary(..) => {
            return Err(Error::new(
                "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
                format!("'SHOW CREATE TABLE' expects a table but {} is a temporary view.", quoted(&name)),
            ));
        }
        Found::Object(database, Object::Table(table)) => of_table(database, table),
        Found::Object(database, Object::View(view)) => of_view(database, view),
    };
    texts(session, &["createtab_stmt"], vec![vec![text.into()]])
}

/// Values that may be secret are not shown.
fn shown<'v>(key: &str, value: &'v str) -> &'v str {
    let key = key.to_lowercase();
    let secret = ["secret", "password", "token", "access.key"].iter().any(|it| key.contains(it));
    if secret { "*********(redacted)" } else { value }
}

fn identifier(name: &str) -> String {
    let plain =
        name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') && !name.chars().all(|it| it.is_ascii_digit());
    if plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn of_table(database: &str, table: &Table) -> String {
    let column = |it: &Column| {
        let not_null = if it.field.nullable { "" } else { " NOT NULL" };
        let default = it.default.as_ref().map_or_else(String::new, |text| format!(" DEFAULT {text}"));
        let comment = it.comment.as_ref().map_or_else(String::new, |text| format!(" COMMENT {}", literal(text)));
        format!("{} {}{not_null}{default}{comment}", identifier(&it.field.name), it.field.data_type.sql())
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let mut text = format!(
        "CREATE TABLE {CATALOG}.{}.{} (\n  {})\n",
        identifier(database),
        identifier(&table.name),
        columns.join(",\n  ")
    );
    text += &format!("USING {}\n", table.provider.to_lowercase());
    let list = |entries: &std::collections::BTreeMap<String, String>| {
        let entry = |(key, value): (&String, &String)| format!("\n  {} = {}", literal(key), literal(shown(key, value)));
        entries.iter().map(entry).collect::<Vec<_>>().join(",")
    };
    if !table.options.is_empty() {
        text += &format!("OPTIONS ({})\n", list(&table.options));
    }
    if !table.partitioned_by.is_empty() {
        let names: Vec<String> = table.partitioned_by.iter().map(|it| identifier(it)).collect();
        text += &format!("PARTITIONED BY ({})\n", names.join(", "));
    }
    if let Some(buckets) = &table.buckets {
        text += &format!("{buckets}\n");
    }
    if let Some(comment) = &table.comment {
        text += &format!("COMMENT {}\n", literal(comment));
    }
    if let Some(location) = &table.location {
        text += &format!("LOCATION {}\n", literal(location));
    }
    if !table.properties.is_empty() {
        text += &format!("TBLPROPERTIES ({})\n", list(&table.properties));
    }
    text
}

fn of_view(database: &str, view: &View) -> String {
    let column = |it: &Column| {
        let comment = it.comment.as_ref().map_or_else(String::new, |text| format!(" COMMENT {}", literal(text)));
        format!("  {}{comment}", identifier(&it.field.name))
    };
    let columns: Vec<String> = view.columns.iter().map(column).collect();
    let mut text = format!(
        "CREATE VIEW {}.{} (\n{})\n",
        identifier(database),
        identifier(&view.name.to_lowercase()),
        columns.join(",\n")
    );
    if let Some(comment) = &view.comment {
        text += &format!("COMMENT {}\n", literal(comment));
    }
    if !view.properties.is_empty() {
        let entry = |(key, value): (&String, &String)| format!("\n  {} = {}", literal(key), literal(shown(key, value)));
        text += &format!("TBLPROPERTIES ({})\n", view.properties.iter().map(entry).collect::<Vec<_>>().join(","));
    }
    text + "AS " + &view.text + "\n"
}

/// Spark's patterns: `*` is any text, `|` separates alternatives, and case does not matter.
fn matches(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    let name = name.to_lowercase();
    pattern.split('|').any(|one| wildcard(one.trim().to_lowercase().as_bytes(), name.as_bytes()))
}

fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| wildcard(rest, &text[at..])),
        [first, rest @ ..] => {
            text.first().is_some_and(|it| it == first || *first == b'.') && wildcard(rest, &text[1..])
        }
    }
}
