//! Folders such as `day=2026-01-01/region=eu/` as columns: which there are, and what type their values have together.
//! Source: Spark 3.5, `PartitioningUtils`, and what Spark 3.5.4 answers.

mod table;
mod values;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

pub(super) use self::table::PartitionedFiles;
use self::values::Kind;
use super::listing::Listing;
use crate::EngineError;

/// What stands for NULL.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns that folders give to the files below them.
#[derive(Debug)]
pub(super) struct Partitions {
    /// The columns, which stand behind those of the files.
    pub columns: Vec<FieldRef>,
    /// The values of each file.
    pub values: Vec<(Path, Vec<ScalarValue>)>,
}

impl Partitions {
    /// Those of the files at a place; `None` where no folder is one of a partition. A column that is declared has the type
    /// that it is declared with, others that of their values, or are strings where types are not `inferred`.
    ///
    /// # Errors
    /// The folders of two files are of different columns, or a value is none of the declared type.
    pub fn of(
        listing: &Listing,
        declared: Option<&Fields>,
        inferred: bool,
        time_zone: &str,
    ) -> Result<Option<Self>, EngineError> {
        let files = &listing.files;
        let wrong = |why: String| EngineError::Setting(format!("cannot read '{}': {why}", listing.place.url));
        let folders: Vec<Vec<(String, String)>> =
            files.iter().zip(&listing.bases).map(|(file, base)| folders(base, &file.location)).collect();
        let names = |folders: &[(String, String)]| folders.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let Some(first) = folders.iter().map(|folders| names(folders)).find(|names| !names.is_empty()) else {
            return Ok(None);
        };
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
        if let Some(other) = folders.iter().map(|folders| names(folders)).find(|other| lower(other) != lower(&first)) {
            let shown = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(wrong(format!(
                "conflicting partition column names: {} and {}; all files must be in folders of the same columns",
                shown(&first),
                shown(&other)
            )));
        }
        if let Some((name, _)) = folders.iter().flatten().find(|(_, value)| value.is_empty()) {
            return Err(wrong(format!("empty partition column value in '{name}='")));
        }
        let mut columns = Vec::new();
        let mut values: Vec<_> = files.iter().map(|file| (file.location.clone(), Vec::new())).collect();
        for (at, name) in first.iter().enumerate() {
            let texts = || folders.iter().map(|folders| Some(folders[at].1.as_str()).filter(|text| *text != NULL));
            let of_it = declared.and_then(|fields| fields.iter().find(|field| field.name().eq_ignore_ascii_case(name)));
            let (name, data_type) = match of_it {
                Some(field) => (field.name(), field.data_type().clone()),
                None if inferred => (name, Kind::of(texts().flatten()).data_type()),
                None => (name, DataType::Utf8),
            };
            for (text, (file, values)) in texts().zip(&mut values) {
                let value = values::scalar(text, &data_type, time_zone).map_err(|error| {
                    let why = paceline_sql::root_message(&error);
                    wrong(format!("the folder of '{file}' has a value of '{name}' that cannot be read: {why}"))
                })?;
                values.push(value);
            }
            columns.push(FieldRef::new(Field::new(name, data_type, true)));
        }
        Ok(Some(Partitions { columns, values }))
    }

    /// Whether a column is one of these.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|field| field.name().to_lowercase() == column.to_lowercase())
    }
}

/// The columns and values in the folders of a file, from the outermost. Folders below the innermost one of a partition do
/// not matter, nor do those above one that is none.
fn folders(place: &Path, file: &Path) -> Vec<(String, String)> {
    let parts: Vec<_> = file.prefix_match(place).into_iter().flatten().map(|part| part.as_ref().to_owned()).collect();
    let Some((_, folders)) = parts.split_last() else { return Vec::new() };
    let columns = folders.iter().rev().map(|folder| folder.split_once('=').filter(|(name, _)| !name.is_empty()));
    let mut found: Vec<_> = columns.skip_while(Option::is_none).map_while(|column| column).collect();
    found.reverse();
    found.into_iter().map(|(name, value)| (decoded(name), value.to_owned())).collect()
}

/// `unescapePathName` of Spark: `%XX` is a character; what is no such escape stays.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                decoded.push(char::from(code));
                decoded.push_str(&piece[2..]);
            }
            None => {
                decoded.push('%');
                decoded.push_str(piece);
            }
        }
    }
    decoded
}
