//! CREATE TABLE.

use paceline_functions::{DataType, Error, Result, StructField};
use paceline_syntax::tree::{
    BucketSpec, ColumnOption, CreateTable, ExprKind, Literal, Name, PartitionField, TableClauses,
    TransformationArgument,
};

use super::{Action, name_parts, parts};
use crate::catalog::{Column, Found, Object, Session, Table, no_table, quoted};
use crate::resolve::{data_type, resolve_query};

pub(super) fn create(session: &mut Session, create: &CreateTable) -> Result<Action> {
    let name = parts(session, &create.name)?;
    if create.temporary {
        return Err(Error::unsupported("CREATE TEMPORARY TABLE"));
    }
    let (database, only) = session.catalog.place(&name)?;
    if exists(session, &database, &only)? && !create.replace {
        if create.if_not_exists {
            return Ok(Action::Nothing);
        }
        return Err(already(&name));
    }
    if !create.create && !exists(session, &database, &only)? {
        return Err(Error::new(
            "UNSUPPORTED_FEATURE.TABLE_OPERATION",
            format!("The feature is not supported: Table {} does not support REPLACE TABLE.", quoted(&name)),
        ));
    }
    if create.replace {
        return Err(Error::new(
            "UNSUPPORTED_FEATURE.TABLE_OPERATION",
            format!("The feature is not supported: Table {} does not support REPLACE TABLE AS SELECT.", quoted(&name)),
        ));
    }
    let query = match &create.query {
        Some(query) => Some(resolve_query(session, query)?),
        None => None,
    };
    let mut columns = Vec::new();
    for column in &create.columns {
        columns.push(declared(&column.name.value, data_type(&column.data_type, &session.settings)?, &column.options));
    }
    if let Some(query) = &query {
        if !columns.is_empty() {
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_0035",
                "Schema may not be specified in a Create Table As Select (CTAS) statement.",
            ));
        }
        columns = query
            .output
            .iter()
            .map(|field| Column {
                field: StructField { nullable: true, ..field.clone() },
                comment: None,
                default: None,
            })
            .collect();
    }
    let partitioned_by = partitions(session, &create.clauses, &mut columns)?;
    for (at, column) in columns.iter().enumerate() {
        let same = |other: &Column| other.field.name.to_lowercase() == column.field.name.to_lowercase();
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
    let table = of_clauses(&create.clauses, only, columns, partitioned_by);
    Ok(Action::CreateTable { database, table: Box::new(table), query })
}

pub(super) fn create_like(
    session: &mut Session,
    target: &Name,
    source: &Name,
    if_not_exists: bool,
    clauses: &TableClauses,
) -> Result<Action> {
    let (target, source) = (name_parts(target), name_parts(source));
    let (database, only) = session.catalog.place(&target)?;
    if exists(session, &database, &only)? {
        return if if_not_exists { Ok(Action::Nothing) } else { Err(already(&target)) };
    }
    let (columns, partitioned_by, provider) = match session.catalog.find(&source) {
        Some(Found::Object(_, Object::Table(table))) => {
            (table.columns.clone(), table.partitioned_by.clone(), table.provider.clone())
        }
        Some(Found::Object(_, Object::View(view)) | Found::Temporary(view, _)) => {
            (view.columns.clone(), Vec::new(), "parquet".to_owned())
        }
        None => return Err(no_table(&source)),
    };
    let mut table = of_clauses(clauses, only, columns, partitioned_by);
    if clauses.provider.is_none() {
        table.provider = provider;
    }
    Ok(Action::CreateTable { database, table: Box::new(table), query: None })
}

fn exists(session: &Session, database: &str, name: &str) -> Result<bool> {
    Ok(session.catalog.database(database)?.objects.contains_key(&name.to_lowercase()))
}

fn already(name: &[String]) -> Error {
    Error::new(
        "TABLE_OR_VIEW_ALREADY_EXISTS",
        format!(
            "Cannot create table or view {} because it already exists. Choose a different name, drop or replace the existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects.",
            quoted(name)
        ),
    )
}

/// A column with what is said of it.
pub(super) fn declared(name: &str, data_type: DataType, options: &[ColumnOption]) -> Column {
    let mut column = Column { field: StructField::new(name, data_type, true), comment: None, default: None };
    for option in options {
        match option {
            ColumnOption::NotNull => column.field.nullable = false,
            ColumnOption::Comment(comment) => column.comment = Some(comment.clone()),
            ColumnOption::Default(_, text) => column.default = Some(text.clone()),
            ColumnOption::Generated(..) | ColumnOption::Position(_) => {}
        }
    }
    column
}

fn partitions(session: &Session, clauses: &TableClauses, columns: &mut Vec<Column>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for field in &clauses.partitioned_by {
        match field {
            PartitionField::Column(column) => {
                let field = StructField::new(
                    &column.name.value,
                    data_type(&column.data_type, &session.settings)?,
                    !column.not_null,
                );
                names.push(field.name.clone());
                columns.push(Column { field, comment: column.comment.clone(), default: None });
            }
            PartitionField::Transformation(it) => match (&it.function, it.arguments.as_slice()) {
                (None, [TransformationArgument::Column(name)]) => {
                    let wanted = name.parts.last().map(|it| it.value.clone()).unwrap_or_default();
                    let Some(at) = columns.iter().position(|it| it.field.name.to_lowercase() == wanted.to_lowercase())
                    else {
                        return Err(Error::new(
                            "COLUMN_NOT_DEFINED_IN_TABLE",
                            format!("The column `{wanted}` is not defined in the table."),
                        ));
                    };
                    // Columns of partitions come last.
                    let column = columns.remove(at);
                    names.push(column.field.name.clone());
                    columns.push(column);
                }
                _ => return Err(Error::unsupported("partitions by transformations")),
            },
        }
    }
    Ok(names)
}

fn of_clauses(clauses: &TableClauses, name: String, columns: Vec<Column>, partitioned_by: Vec<String>) -> Table {
    let provider = clauses.provider.as_ref().map_or_else(
        || "parquet".to_owned(),
        |it| it.parts.iter().map(|it| it.value.clone()).collect::<Vec<_>>().join("."),
    );
    let option = |value: &paceline_syntax::tree::Expr| match &*value.kind {
        ExprKind::Literal(Literal::String(text)) => text.clone(),
        ExprKind::Literal(Literal::Int(value)) => value.to_string(),
        ExprKind::Literal(Literal::Boolean(value)) => value.to_string(),
        ExprKind::Literal(Literal::Decimal(text)) => text.clone(),
        _ => String::new(),
    };
    Table {
        name,
        columns,
        provider,
        partitioned_by,
        buckets: clauses.buckets.as_ref().map(buckets),
        properties: clauses.properties.iter().map(|it| (it.key.clone(), it.value.clone())).collect(),
        options: clauses.options.iter().map(|(key, value)| (key.clone(), option(value))).collect(),
        comment: clauses.comment.clone(),
        location: clauses.location.clone(),
        source: None,
    }
}

fn buckets(spec: &BucketSpec) -> String {
    let names =
        |list: &[paceline_syntax::tree::Ident]| list.iter().map(|it| it.value.clone()).collect::<Vec<_>>().join(", ");
    let sorted =
        if spec.sorted_by.is_empty() { String::new() } else { format!("\nSORTED BY ({})", names(&spec.sorted_by)) };
    format!("CLUSTERED BY ({}){sorted}\nINTO {} BUCKETS", names(&spec.clustered_by), spec.buckets)
}
