//! What a session knows by name, for who lists it: databases, tables and views.

use datafusion::arrow::datatypes::Fields;
use paceline_sql::catalog::{CATALOG, Column, GLOBAL_TEMP, Object, View};

use super::Session;

/// A table or view.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its database; `None` for a temporary view of the session.
    pub database: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: KnownKind,
    /// Its columns.
    pub columns: Fields,
}

/// What something with columns is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownKind {
    /// Rows of its own.
    Table,
    /// A query, or files.
    View,
}

impl KnownKind {
    /// All there are.
    pub const ALL: [KnownKind; 2] = [KnownKind::Table, KnownKind::View];

    /// As standards name it.
    pub fn name(self) -> &'static str {
        match self {
            KnownKind::Table => "TABLE",
            KnownKind::View => "VIEW",
        }
    }
}

impl Session {
    /// The name of the one catalog.
    pub const CATALOG: &'static str = CATALOG;

    /// The names of its databases.
    pub fn databases(&self) -> Vec<String> {
        let catalog = self.catalog();
        let own = catalog.catalog.databases.values().map(|database| database.name.clone());
        own.chain([GLOBAL_TEMP.to_owned()]).collect()
    }

    /// Its tables and views.
    pub fn known(&self) -> Vec<Known> {
        let catalog = self.catalog();
        let catalog = &catalog.catalog;
        let view = |database: Option<&str>, view: &View| Known {
            database: database.map(str::to_owned),
            name: view.name.clone(),
            kind: KnownKind::View,
            columns: fields(&view.columns),
        };
        let objects = catalog.databases.values().flat_map(|database| {
            database.objects.values().map(|object| match object {
                Object::View(it) => view(Some(&database.name), it),
                Object::Table(table) => Known {
                    database: Some(database.name.clone()),
                    name: table.name.clone(),
                    kind: KnownKind::Table,
                    columns: fields(&table.columns),
                },
            })
        });
        let global = catalog.global.values().map(|it| view(Some(GLOBAL_TEMP), it));
        let temporary = catalog.temporary.values().map(|it| view(None, it));
        objects.chain(global).chain(temporary).collect()
    }
}

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(|column| column.field.to_arrow()).collect()
}
