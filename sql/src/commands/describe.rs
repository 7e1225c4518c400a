//! DESCRIBE.

use paceline_functions::{Error, Result};
use paceline_syntax::tree::{Ident, Query, Reference};

use super::rows::{Value, texts};
use super::{Action, parts};
use crate::catalog::{CATALOG, Column, Found, Object, Session, no_table, quoted};
use crate::resolve::resolve_query;

const COLUMNS: [&str; 3] = ["col_name", "data_type", "comment"];

pub(super) fn table(
    session: &mut Session,
    name: &Reference,
    partition: bool,
    extended: bool,
    column: Option<&[Ident]>,
) -> Result<Action> {
    let name = parts(session, name)?;
    let found = session.catalog.find(&name).ok_or_else(|| no_table(&name))?;
    let (columns, partitioned_by): (&[Column], &[String]) = match &found {
        Found::Temporary(view, _) => (&view.columns, &[]),
        Found::Object(_, Object::View(view)) => (&view.columns, &[]),
        Found::Object(_, Object::Table(table)) => (&table.columns, &table.partitioned_by),
    };
    if partition {
        return Err(Error::unsupported("DESCRIBE of a partition"));
    }
    if let Some(column) = column {
        return one(session, &name, columns, column);
    }
    let mut rows: Vec<Vec<Value>> = columns.iter().map(row).collect();
    if !partitioned_by.is_empty() {
        rows.push(vec!["# Partition Information".into(), "".into(), "".into()]);
        rows.push(vec!["# col_name".into(), "data_type".into(), "comment".into()]);
        let is_partition =
            |it: &&Column| partitioned_by.iter().any(|name| name.to_lowercase() == it.field.name.to_lowercase());
        rows.extend(columns.iter().filter(is_partition).map(row));
    }
    if extended {
        let mut more = |key: &str, value: String| rows.push(vec![key.into(), value.into(), "".into()]);
        match &found {
            Found::Temporary(..) => {}
            Found::Object(database, object) => {
                more("", String::new());
                more("# Detailed Table Information", String::new());
                more("Catalog", CATALOG.to_owned());
                more("Database", (*database).to_owned());
                more("Table", object.name().to_lowercase());
                match object {
                    Object::View(view) => {
                        more("Type", "VIEW".to_owned());
                        more("View Text", view.text.clone());
                        more("View Original Text", view.text.clone());
                    }
                    Object::Table(table) => {
                        more("Type", if table.location.is_some() { "EXTERNAL" } else { "MANAGED" }.to_owned());
                        more("Provider", table.provider.to_lowercase());
                        if let Some(comment) = &table.comment {
                            more("Comment", comment.clone());
                        }
                    }
                }
            }
        }
    }
    texts(session, &COLUMNS, rows)
}

fn row(column: &Column) -> Vec<Value> {
    let comment = column.comment.clone().map_or(Value::Null, Value::Text);
    vec![column.field.name.clone().into(), column.field.data_type.catalog().into(), comment]
}

fn one(session: &Session, table: &[String], columns: &[Column], column: &[Ident]) -> Result<Action> {
    let wanted: Vec<&str> = column.iter().map(|it| it.value.as_str()).collect();
    let Some(first) = wanted.first() else { return Err(no_table(table)) };
    let found = columns.iter().find(|it| it.field.name.to_lowercase() == first.to_lowercase());
    match (found, wanted.len()) {
        (Some(it), 1) => texts(
            session,
            &["info_name", "info_value"],
            vec![
                vec!["col_name".into(), it.field.name.clone().into()],
                vec!["data_type".into(), it.field.data_type.catalog().into()],
                vec!["comment".into(), it.comment.clone().unwrap_or_else(|| "NULL".to_owned()).into()],
            ],
        ),
        (Some(_), _) => Err(Error::new(
            "_LEGACY_ERROR_TEMP_1060",
            format!("DESC TABLE COLUMN does not support nested column: {}.", wanted.join(".")),
        )),
        (None, _) => Err(Error::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            format!("A column or function parameter with name {} cannot be resolved.", quoted(&[wanted.join(".")])),
        )),
    }
}

pub(super) fn query(session: &mut Session, query: &Query) -> Result<Action> {
    let fields = resolve_query(session, query)?.output;
    let rows = fields.into_iter().map(|it| vec![it.name.into(), it.data_type.catalog().into(), Value::Null]).collect();
    texts(session, &COLUMNS, rows)
}
