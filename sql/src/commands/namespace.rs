//! Databases.

use paceline_functions::{Error, Result};
use paceline_syntax::tree::Statement;

use super::rows::texts;
use super::{Action, parts};
use crate::catalog::{CATALOG, Database, Session};

pub(super) fn namespace(session: &mut Session, statement: &Statement) -> Result<Action> {
    match statement {
        Statement::CreateNamespace { name, if_not_exists, comment, location, properties } => {
            let name = single(parts(session, name)?)?;
            let key = name.to_lowercase();
            if session.catalog.databases.contains_key(&key) {
                if *if_not_exists {
                    return Ok(Action::Nothing);
                }
                return Err(Error::new(
                    "SCHEMA_ALREADY_EXISTS",
                    format!(
                        "Cannot create schema `{name}` because it already exists. Choose a different name, drop the existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema."
                    ),
                ));
            }
            let mut database = Database::named(&name);
            database.comment = comment.clone().unwrap_or_default();
            if let Some(location) = location {
                database.location.clone_from(location);
            }
            database.properties = properties.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
            session.catalog.databases.insert(key, database);
            Ok(Action::Nothing)
        }
        Statement::SetNamespaceProperties { name, properties } => {
            let name = single(parts(session, name)?)?;
            let database = session.catalog.database_mut(&name)?;
            database.properties.extend(properties.iter().map(|it| (it.key.clone(), it.value.clone())));
            Ok(Action::Nothing)
        }
        Statement::SetNamespaceLocation { name, location } => {
            let name = single(parts(session, name)?)?;
            session.catalog.database_mut(&name)?.location.clone_from(location);
            Ok(Action::Nothing)
        }
        Statement::CommentOnNamespace { name, comment } => {
            let name = single(parts(session, name)?)?;
            session.catalog.database_mut(&name)?.comment = comment.clone().unwrap_or_default();
            Ok(Action::Nothing)
        }
        Statement::DropNamespace { name, if_exists, cascade } => {
            let name = single(parts(session, name)?)?;
            let key = name.to_lowercase();
            match session.catalog.databases.get(&key) {
                None if *if_exists => return Ok(Action::Nothing),
                None => drop(session.catalog.database(&name)?),
                Some(_) if key == "default" => {
                    return Err(Error::new(
                        "UNSUPPORTED_FEATURE.DROP_DATABASE",
                        "The feature is not supported: drop the default database `default`.",
                    ));
                }
                Some(database) if !cascade && !database.objects.is_empty() => {
                    return Err(Error::new(
                        "SCHEMA_NOT_EMPTY",
                        format!(
                            "Cannot drop a schema `{name}` because it contains objects. Use DROP SCHEMA ... CASCADE to drop the schema and all its objects."
                        ),
                    ));
                }
                Some(_) => {}
            }
            session.catalog.databases.remove(&key);
            if session.catalog.current == key {
                session.catalog.current = "default".to_owned();
            }
            Ok(Action::Nothing)
        }
        Statement::DescribeNamespace { name, extended } => {
            let name = single(parts(session, name)?)?;
            let database = session.catalog.database(&name)?;
            let mut rows = vec![
                vec!["Catalog Name".into(), CATALOG.into()],
                vec!["Namespace Name".into(), database.name.clone().into()],
                vec!["Comment".into(), database.comment.clone().into()],
                vec!["Location".into(), database.location.clone().into()],
                vec!["Owner".into(), "".into()],
            ];
            if *extended {
                let properties: Vec<String> =
                    database.properties.iter().map(|(key, value)| format!("({key},{value})")).collect();
                let shown = if properties.is_empty() { String::new() } else { format!("({})", properties.join(", ")) };
                rows.push(vec!["Properties".into(), shown.into()]);
            }
            texts(session, &["info_name", "info_value"], rows)
        }
        _ => Err(Error::new("INTERNAL_ERROR", "No statement of databases.")),
    }
}

fn single(name: Vec<String>) -> Result<String> {
    match name.as_slice() {
        [only] => Ok(only.clone()),
        [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => Ok(name.clone()),
        _ => Err(Error::new(
            "REQUIRES_SINGLE_PART_NAMESPACE",
            format!("{CATALOG} requires a single-part namespace, but got {}.", crate::catalog::quoted(&name)),
        )),
    }
}
