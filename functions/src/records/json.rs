//! JSON texts as rows, and as the types of their columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};

use super::unchanged;
use crate::error::{Error, Result};
use crate::groups::json::infer::{self, Types, merged};
use crate::groups::json::options::Options;
use crate::groups::json::read::{self, How};
use crate::groups::json::text::{Json, Rules};
use crate::{DataType, Settings, StructField};

/// Reads JSON texts as rows of some columns.
pub struct JsonReader {
    how: How,
    rules: Rules,
    /// As they are in the files; without the column of malformed texts.
    columns: Vec<StructField>,
    /// Where the column of malformed texts stands among those that are wanted.
    corrupt: Option<usize>,
}

/// Rows of JSON texts.
pub struct JsonRows {
    /// The columns that were wanted.
    pub columns: Vec<ArrayRef>,
    /// The text that each row is of.
    pub texts: Vec<usize>,
    /// Whether what each row is of is malformed: it is no object, or a value is not of its column's type.
    pub bad: Vec<bool>,
}

impl JsonReader {
    /// For these columns.
    ///
    /// # Errors
    /// A pattern or the time zone is not one.
    pub fn new(columns: &[StructField], options: &[(String, String)], settings: &Settings) -> Result<JsonReader> {
        let options = Options::given(options);
        let name = options.get("columnnameofcorruptrecord").unwrap_or("_corrupt_record");
        let corrupt = columns.iter().position(|column| column.name == name);
        let columns = columns.iter().filter(|column| column.name != name).cloned().collect();
        Ok(JsonReader { how: options.how(settings)?, rules: rules(&options), columns, corrupt })
    }

    /// The rows of some texts; an array is a row for each of its elements, an empty text is none.
    ///
    /// # Errors
    /// Spark ends the query at a text that only Java's older parser reads as a time.
    pub fn read(&self, texts: &[&str]) -> Result<JsonRows> {
        let (mut values, mut of, mut bad): (Vec<Option<Json>>, Vec<usize>, Vec<bool>) = Default::default();
        for (at, text) in texts.iter().enumerate() {
            let mut add = |value: Option<Json>| {
                of.push(at);
                bad.push(value.is_none());
                values.push(value);
            };
            match Json::by(text, self.rules).map(|(value, _)| value) {
                Some(Json::Array(items)) if items.iter().all(|item| matches!(item, Json::Object(_) | Json::Null)) => {
                    items.into_iter().for_each(|item| add(Some(item)));
                }
                Some(object @ Json::Object(_)) => add(Some(object)),
                None if text.trim_matches([' ', '\t', '\n', '\r', '\u{feff}']).is_empty() => {}
                _ => add(None),
            }
        }
        let cells: Vec<read::Cell<'_>> = values.iter().map(Option::as_ref).enumerate().collect();
        let mut columns = Vec::with_capacity(self.columns.len() + 1);
        if !self.columns.is_empty() {
            let wanted = DataType::Struct(self.columns.clone());
            let (array, _) = read::build(&wanted, &cells, &self.how, &mut bad)?;
            columns.extend(array.as_struct().columns().iter().cloned());
        }
        unchanged(&self.how)?;
        if let Some(at) = self.corrupt {
            let records: StringArray =
                of.iter().zip(&bad).map(|(text, bad)| texts.get(*text).copied().filter(|_| *bad)).collect();
            columns.insert(at.min(columns.len()), Arc::new(records));
        }
        Ok(JsonRows { columns, texts: of, bad })
    }
}

impl std::fmt::Debug for JsonReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonReader of {} columns", self.columns.len())
    }
}

/// The columns that JSON texts have together.
pub struct JsonTypes {
    types: Types,
    rules: Rules,
    corrupt: String,
    drops_malformed: bool,
    fails_fast: bool,
    drops_all_null: bool,
    seen: DataType,
    malformed: bool,
}

impl JsonTypes {
    /// # Errors
    /// A pattern or the time zone is not one.
    pub fn new(options: &[(String, String)], settings: &Settings) -> Result<JsonTypes> {
        let options = Options::given(options);
        let is = |name: &str| options.is_true(name, false);
        let mode = options.get("mode").unwrap_or_default().to_uppercase();
        Ok(JsonTypes {
            types: Types {
                primitives_as_strings: is("primitivesasstring"),
                prefers_decimals: is("prefersdecimal"),
                timestamps: if is("infertimestamp") { Some(options.how(settings)?) } else { None },
            },
            rules: rules(&options),
            corrupt: options.get("columnnameofcorruptrecord").unwrap_or("_corrupt_record").to_owned(),
            drops_malformed: mode == "DROPMALFORMED",
            fails_fast: mode == "FAILFAST",
            drops_all_null: is("dropfieldifallnull"),
            seen: DataType::Void,
            malformed: false,
        })
    }

    /// Looks at one more text.
    ///
    /// # Errors
    /// It is malformed, and the mode does not allow that.
    pub fn add(&mut self, text: &str) -> Result<()> {
        let seen = match Json::by(text, self.rules).map(|(value, _)| value) {
            Some(Json::Array(items)) => items.iter().map(|item| infer::of(item, &self.types)).collect(),
            Some(value) => vec![infer::of(&value, &self.types)],
            None if text.trim().is_empty() => return Ok(()),
            None => Vec::new(),
        };
        if seen.is_empty() || seen.iter().any(|seen| !matches!(seen, DataType::Struct(_) | DataType::Void)) {
            if self.fails_fast {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_2165",
                    "Malformed records are detected in schema inference. Parse Mode: FAILFAST.",
                ));
            }
            self.malformed |= !self.drops_malformed;
            return Ok(());
        }
        for seen in seen {
            self.seen = merged(std::mem::replace(&mut self.seen, DataType::Void), seen);
        }
        Ok(())
    }

    /// The columns.
    pub fn columns(self) -> Vec<StructField> {
        let seen = if self.drops_all_null { without_nulls(self.seen) } else { Some(self.seen) };
        let mut columns = match seen.map(infer::known) {
            Some(DataType::Struct(columns)) => columns,
            _ => Vec::new(),
        };
        if self.malformed && !columns.iter().any(|column| column.name == self.corrupt) {
            columns.push(StructField::new(self.corrupt, DataType::String, true));
            columns.sort_by(|one, other| one.name.cmp(&other.name));
        }
        columns
    }
}

impl std::fmt::Debug for JsonTypes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonTypes, so far {}", self.seen.catalog())
    }
}

/// Without what was never anything but NULL.
fn without_nulls(data_type: DataType) -> Option<DataType> {
    match data_type {
        DataType::Void => None,
        DataType::Array(element, contains_null) => {
            Some(DataType::Array(Box::new(without_nulls(*element)?), contains_null))
        }
        DataType::Struct(fields) => {
            let kept = |field: StructField| Some(StructField { data_type: without_nulls(field.data_type)?, ..field });
            let fields: Vec<_> = fields.into_iter().filter_map(kept).collect();
            (!fields.is_empty()).then_some(DataType::Struct(fields))
        }
        other => Some(other),
    }
}

fn rules(options: &Options) -> Rules {
    let is = |name: &str, default: bool| options.is_true(name, default);
    Rules {
        zeros: is("allownumericleadingzeros", false),
        comments: is("allowcomments", false),
        bare_names: is("allowunquotedfieldnames", false),
        single_quotes: is("allowsinglequotes", true),
        non_numeric: is("allownonnumericnumbers", true),
        any_escape: is("allowbackslashescapinganycharacter", false),
        controls: is("allowunquotedcontrolchars", false),
    }
}
