//! What a session knows by name: databases, tables, views and settings, as plain data. Nothing here reads or runs anything.

mod session;
mod settings;
mod table;

use std::collections::BTreeMap;

use paceline_functions::{Error, Result};

pub use session::Session;
pub use settings::{OVERWRITE_MODE, SETTINGS, Setting, check_setting, find_setting};
pub use table::{Column, Database, Declared, Object, Table, View, ViewSource};

/// The catalog's name, as Spark calls its own.
pub const CATALOG: &str = "spark_catalog";
/// The database of global temporary views.
pub const GLOBAL_TEMP: &str = "global_temp";

/// Databases with what is in them, and temporary views.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The current database.
    pub current: String,
    /// By name in lower case.
    pub databases: BTreeMap<String, Database>,
    /// Temporary views, by name in lower case.
    pub temporary: BTreeMap<String, View>,
    /// Global temporary views, by name in lower case.
    pub global: BTreeMap<String, View>,
}

/// Where a name leads.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// A temporary view; whether it is global.
    Temporary(&'a View, bool),
    /// A table or view of a database.
    Object(&'a str, &'a Object),
}

impl Default for Catalog {
    fn default() -> Self {
        let databases = BTreeMap::from([("default".to_owned(), Database::named("default"))]);
        Catalog { current: "default".to_owned(), databases, temporary: BTreeMap::new(), global: BTreeMap::new() }
    }
}

impl Catalog {
    /// What a name of one to three parts stands for.
    pub fn find(&self, parts: &[String]) -> Option<Found<'_>> {
        let parts = without_catalog(parts);
        let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
        match lower.as_slice() {
            [name] => match self.temporary.get(name) {
                Some(view) => Some(Found::Temporary(view, false)),
                None => self.object(&self.current, name),
            },
            [database, name] if database == GLOBAL_TEMP => {
                self.global.get(name).map(|view| Found::Temporary(view, true))
            }
            [database, name] => self.object(database, name),
            _ => None,
        }
    }

    /// The files that a name means: those of a table with a place, or of a view over files.
    pub fn files_mut(&mut self, parts: &[String]) -> Option<&mut Table> {
        let lower: Vec<String> = without_catalog(parts).iter().map(|part| part.to_lowercase()).collect();
        let place = self.place(parts).ok();
        let view = match lower.as_slice() {
            [name] => self.temporary.get_mut(name),
            [database, name] if database == GLOBAL_TEMP => self.global.get_mut(name),
            _ => None,
        };
        match (view.map(|view| &mut view.source), place) {
            (Some(ViewSource::Files(table)), _) => Some(table),
            (None, Some((database, name))) => {
                match self.databases.get_mut(&database)?.objects.get_mut(&name.to_lowercase())? {
                    Object::Table(table) => Some(table).filter(|table| table.is_elsewhere()),
                    Object::View(_) => None,
                }
            }
            _ => None,
        }
    }

    fn object(&self, database: &str, name: &str) -> Option<Found<'_>> {
        let (key, database) = self.databases.get_key_value(database)?;
        database.objects.get(name).map(|object| Found::Object(key, object))
    }

    /// The database and the name that a name of a table means.
    ///
    /// # Errors
    /// It has too many parts, or there is no such database.
    pub fn place(&self, parts: &[String]) -> Result<(String, String)> {
        let (database, name) = match without_catalog(parts) {
            [name] => (self.current.clone(), name.clone()),
            [database, name] => (database.to_lowercase(), name.clone()),
            _ => {
                return Err(Error::new(
                    "REQUIRES_SINGLE_PART_NAMESPACE",
                    format!("{CATALOG} requires a single-part namespace, but got {}.", quoted(parts)),
                ));
            }
        };
        self.database(&database)?;
        Ok((database, name))
    }

    /// A database.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn database(&self, name: &str) -> Result<&Database> {
        self.databases.get(&name.to_lowercase()).ok_or_else(|| no_database(name))
    }

    /// A database that is to be changed.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn database_mut(&mut self, name: &str) -> Result<&mut Database> {
        self.databases.get_mut(&name.to_lowercase()).ok_or_else(|| no_database(name))
    }
}

/// `` `a`.`b` ``
pub fn quoted(parts: &[String]) -> String {
    parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join(".")
}

/// The error of a table that is not there.
pub fn no_table(parts: &[String]) -> Error {
    Error::new(
        "TABLE_OR_VIEW_NOT_FOUND",
        format!(
            "The table or view {} cannot be found. Verify the spelling and correctness of the schema and catalog.\n\
             If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the \
             correct schema and catalog.\n\
             To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS.",
            quoted(parts)
        ),
    )
}

fn no_database(name: &str) -> Error {
    Error::new("SCHEMA_NOT_FOUND", format!("The schema `{name}` cannot be found."))
}

fn without_catalog(parts: &[String]) -> &[String] {
    match parts {
        [catalog, rest @ ..] if !rest.is_empty() && catalog.eq_ignore_ascii_case(CATALOG) => rest,
        _ => parts,
    }
}
