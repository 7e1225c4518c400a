//! INSERT OVERWRITE DIRECTORY.

use paceline_functions::{Error, Result};
use paceline_syntax::tree::{Cte, Insert, InsertTarget, Query};

use super::{Action, Overwrite, name_parts};
use crate::catalog::Session;
use crate::resolve::{Resolved, Resolver};

/// Rows that replace the files of a directory.
#[derive(Clone, Debug)]
pub struct InsertDirectory {
    /// Where to.
    pub directory: String,
    /// The format, in lower case.
    pub format: String,
    /// How it is written.
    pub options: Vec<(String, String)>,
    /// The rows.
    pub query: Resolved,
    /// Which files give way.
    pub overwrite: Overwrite,
}

pub(super) fn insert(session: &Session, ctes: &[Cte], insert: &Insert, query: &Query) -> Result<Action> {
    let (path, format, options) = match &insert.target {
        InsertTarget::Directory { path, format, options, .. } => (path, format, options),
        InsertTarget::HiveDirectory { .. } => {
            return Err(Error::unsupported("INSERT OVERWRITE DIRECTORY without USING, which is Hive's"));
        }
        InsertTarget::Where { .. } => return Err(Error::unsupported("INSERT INTO … REPLACE WHERE")),
        InsertTarget::Table { .. } => return Err(Error::new("INTERNAL_ERROR", "It is no directory.")),
    };
    let mut options: Vec<_> = options.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
    let directory = match path {
        Some(path) => path.clone(),
        None => {
            let at = options.iter().position(|(key, _)| key.eq_ignore_ascii_case("path"));
            let at = at.ok_or_else(|| {
                Error::new("_LEGACY_ERROR_TEMP_0051", "Directory path and 'path' in OPTIONS should be specified one.")
            })?;
            options.remove(at).1
        }
    };
    let mut resolver = Resolver::new(session);
    resolver.define(ctes)?;
    let relation = resolver.query(query)?;
    let query = resolver.finish(relation)?;
    for (at, field) in query.output.iter().enumerate() {
        let same = |name: &str| match session.settings.case_sensitive {
            true => name == field.name,
            false => name.to_lowercase() == field.name.to_lowercase(),
        };
        if query.output[..at].iter().any(|other| same(&other.name)) {
            let name = field.name.to_lowercase();
            let why = "Consider to choose another name or rename the existing column.";
            return Err(Error::new("COLUMN_ALREADY_EXISTS", format!("The column `{name}` already exists. {why}")));
        }
    }
    let format = name_parts(format).join(".").to_lowercase();
    Ok(Action::InsertDirectory(Box::new(InsertDirectory {
        directory,
        format,
        options,
        query,
        overwrite: Overwrite::Everything,
    })))
}
