//! `INSERT OVERWRITE [LOCAL] DIRECTORY 'path' USING format [OPTIONS (…)] query`

use super::InsertDirectory;
use super::options::options;
use crate::SqlError;
use crate::cursor::Cursor;

pub(super) fn directory(mut cursor: Cursor) -> Result<InsertDirectory, SqlError> {
    let local = cursor.take(&["overwrite", "local", "directory"]);
    if !local && !cursor.take(&["overwrite", "directory"]) {
        let found = cursor.next_words();
        return Err(SqlError::Unsupported(format!("INSERT {found}; Paceline writes INSERT OVERWRITE DIRECTORY")));
    }
    let directory = cursor.string()?;
    if local && directory.contains("://") && !directory.starts_with("file://") {
        return Err(SqlError::Parse(format!("LOCAL DIRECTORY takes a local path, '{directory}' is not one")));
    }
    cursor.expect(&["using"])?;
    let format = cursor.name()?.to_lowercase();
    let options = options(&mut cursor)?;
    Ok(InsertDirectory { directory, format, options, query: cursor.query()? })
}
