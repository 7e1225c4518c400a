//! CREATE TEMPORARY VIEW … USING: a view over files, which whoever runs the statement opens.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::TableSource;
use paceline_functions::{DataType, Error, Result, StructField};
use paceline_syntax::tree::{ColumnDef, Name, Property};

use super::view::{How, put};
use super::{Action, name_parts};
use crate::catalog::{Column, Session, Table, View, ViewSource};
use crate::resolve::data_type;

/// Files that are to be shown as a view.
#[derive(Clone, Debug)]
pub struct FileView {
    name: Vec<String>,
    or_replace: bool,
    global: bool,
    /// Its columns, if they are declared.
    pub columns: Option<Vec<StructField>>,
    /// The format, in lower case.
    pub format: String,
    /// Where the files are and how they are read.
    pub options: Vec<(String, String)>,
}

pub(super) fn create(
    session: &Session,
    name: &Name,
    (or_replace, global): (bool, bool),
    columns: &[ColumnDef],
    provider: &Name,
    options: &[Property],
) -> Result<Action> {
    let name = name_parts(name);
    if !or_replace {
        free(session, &name, global)?;
    }
    let field = |column: &ColumnDef| {
        Ok(StructField::new(&column.name.value, data_type(&column.data_type, &session.settings)?, true))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
    for (at, field) in fields.iter().enumerate() {
        let name = field.name.to_lowercase();
        if fields[..at].iter().any(|other| other.name.to_lowercase() == name) {
            let why = "Consider to choose another name or rename the existing column.";
            return Err(Error::new("COLUMN_ALREADY_EXISTS", format!("The column `{name}` already exists. {why}")));
        }
    }
    Ok(Action::OpenView(FileView {
        name,
        or_replace,
        global,
        columns: (!fields.is_empty()).then_some(fields),
        format: name_parts(provider).join(".").to_lowercase(),
        options: options.iter().map(|it| (it.key.clone(), it.value.clone())).collect(),
    }))
}

fn free(session: &Session, name: &[String], global: bool) -> Result<()> {
    let key = name.last().map(|it| it.to_lowercase()).unwrap_or_default();
    let views = if global { &session.catalog.global } else { &session.catalog.temporary };
    match views.contains_key(&key) {
        true => Err(Error::new(
            "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
            format!(
                "Cannot create the temporary view {} because it already exists. Choose a different name, drop or replace \
                 the existing view, or add the IF NOT EXISTS clause to tolerate pre-existing views.",
                crate::catalog::quoted(name)
            ),
        )),
        false => Ok(()),
    }
}

impl FileView {
    /// A temporary view of what is in memory, in place of an older one of that name.
    pub fn replacing(name: &str) -> Self {
        let (format, options) = ("memory".to_owned(), Vec::new());
        FileView { name: vec![name.to_owned()], or_replace: true, global: false, columns: None, format, options }
    }

    /// The session has the view, now that its files are open.
    ///
    /// # Errors
    /// Its name is taken, or a column has a type that Spark has not.
    pub fn show(self, session: &mut Session, files: Arc<dyn TableSource>) -> Result<()> {
        let only = self.name.last().cloned().unwrap_or_default();
        let table = of_files(&only, &self.format, &self.options, files)?;
        let view = View {
            name: only,
            columns: table.columns.clone(),
            names: Vec::new(),
            source: ViewSource::Files(Box::new(table)),
            text: String::new(),
            settings: Arc::clone(&session.settings),
            database: session.catalog.current.clone(),
            comment: None,
            properties: BTreeMap::new(),
            temporary: true,
        };
        let how = How { replace: self.or_replace, global: self.global, if_not_exists: false };
        put(session, &self.name, view, how, None).map(drop)
    }
}

/// A table of files.
///
/// # Errors
/// A column has a type that Spark has not.
pub fn of_files(name: &str, format: &str, options: &[(String, String)], files: Arc<dyn TableSource>) -> Result<Table> {
    let column = |field: &Arc<datafusion::arrow::datatypes::Field>| {
        let data_type = DataType::of(field)?;
        let field = StructField::new(field.name(), data_type, field.is_nullable());
        Ok(Column { field, comment: None, default: None })
    };
    let columns = files.schema().fields().iter().map(column).collect::<Result<_>>()?;
    Ok(Table {
        name: name.to_owned(),
        columns,
        provider: format.to_owned(),
        partitioned_by: Vec::new(),
        buckets: None,
        properties: BTreeMap::new(),
        options: options.iter().cloned().collect(),
        comment: None,
        location: None,
        source: Some(files),
    })
}
