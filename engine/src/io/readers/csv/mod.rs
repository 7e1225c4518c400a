//! CSV files as Spark's `DataFrameReader.csv` reads them: what the options mean.

mod batch;
mod bytes;
mod decode;
mod fields;
mod infer;
mod record;
mod source;
mod table;
mod values;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Field};
use paceline_sql::datetime;

use self::infer::{Inference, Seen};
use self::record::Dialect;
pub use self::source::{BYTES_READ, DROPPED, MALFORMED};
pub(super) use self::source::{CsvFormat, given, records_in};
use self::values::Numbers;
use super::Options;
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &[
    "path",
    "header",
    "inferSchema",
    "sep",
    "delimiter",
    "quote",
    "escape",
    "charToEscapeQuoteEscaping",
    "comment",
    "multiLine",
    "mode",
    "columnNameOfCorruptRecord",
    "enforceSchema",
    "nullValue",
    "emptyValue",
    "nanValue",
    "positiveInf",
    "negativeInf",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "prefersDate",
    "encoding",
    "charset",
];

/// What is done with a record that is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// What cannot be read is NULL.
    Permissive,
    /// It is left out.
    DropMalformed,
    /// It ends the query.
    FailFast,
}

/// How CSV files are read.
#[derive(Clone, Debug)]
pub(super) struct CsvOptions {
    header: bool,
    infer_schema: bool,
    dialect: Dialect,
    comment: Option<u8>,
    null_value: String,
    mode: Mode,
    corrupt_column: String,
    enforce_schema: bool,
    numbers: Numbers,
    prefers_date: bool,
    zone: Tz,
    /// As they were given.
    pub given: Vec<(String, String)>,
}

/// The zone of timestamps that have none.
const ZONE: &str = "UTC";

impl CsvOptions {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        let text = |key: &str, default: &str| options.get(key).unwrap_or(default).to_owned();
        for key in ["encoding", "charset"] {
            if let Some(other) =
                options.get(key).filter(|name| !["utf-8", "utf8"].contains(&name.to_lowercase().as_str()))
            {
                return Err(options.wrong(key, other, "UTF-8, the only encoding that is read"));
            }
        }
        let quote = options.character("quote", Some(b'"'))?;
        let escape = options.character("escape", Some(b'\\'))?;
        let escape_of_escape = escape.filter(|_| escape != quote);
        let separator = options.get("sep").or(options.get("delimiter")).unwrap_or(",");
        let null_value = text("nullValue", "");
        Ok(CsvOptions {
            header: options.flag("header", false)?,
            infer_schema: options.flag("inferSchema", false)?,
            dialect: Dialect {
                separator: separator_of(options, separator)?,
                quote,
                escape,
                escape_of_escape: options.character("charToEscapeQuoteEscaping", escape_of_escape)?,
                null_value: null_value.clone().into_bytes(),
                empty_value: text("emptyValue", "").into_bytes(),
                trim_start: options.flag("ignoreLeadingWhiteSpace", false)?,
                trim_end: options.flag("ignoreTrailingWhiteSpace", false)?,
                multi_line: options.flag("multiLine", false)?,
            },
            comment: options.character("comment", None)?,
            null_value,
            mode: match text("mode", "PERMISSIVE").to_uppercase().as_str() {
                "PERMISSIVE" => Mode::Permissive,
                "DROPMALFORMED" => Mode::DropMalformed,
                "FAILFAST" => Mode::FailFast,
                other => return Err(options.wrong("mode", other, "PERMISSIVE, DROPMALFORMED or FAILFAST")),
            },
            corrupt_column: text("columnNameOfCorruptRecord", "_corrupt_record"),
            enforce_schema: options.flag("enforceSchema", true)?,
            numbers: Numbers {
                nan: text("nanValue", "NaN"),
                infinity: text("positiveInf", "Inf"),
                minus_infinity: text("negativeInf", "-Inf"),
            },
            prefers_date: options.flag("prefersDate", true)?,
            zone: datetime::parse_zone(ZONE)
                .ok_or_else(|| EngineError::Setting(format!("the time zone '{ZONE}' is not known")))?,
            given: options.given.to_vec(),
        })
    }

    /// The names of columns without a header: `_c0`, `_c1`, ….
    fn numbered(&self, columns: usize) -> Vec<String> {
        (0..columns).map(|at| format!("_c{at}")).collect()
    }

    /// The names in a header, made different from each other as Spark does it.
    fn names(&self, first: &[String]) -> Vec<String> {
        let lower: Vec<_> = first.iter().map(|name| name.to_lowercase()).collect();
        let twice = |at: usize| lower.iter().filter(|name| **name == lower[at]).count() > 1;
        let name = |(at, name): (usize, &String)| match name.as_str() {
            name if name.is_empty() || name == self.null_value => format!("_c{at}"),
            name if twice(at) => format!("{name}{at}"),
            name => name.to_owned(),
        };
        first.iter().enumerate().map(name).collect()
    }

    fn inference(&self) -> Inference {
        Inference {
            numbers: self.numbers.clone(),
            prefers_date: self.prefers_date,
            zone: self.zone,
            null_value: self.null_value.clone(),
        }
    }

    fn field(&self, name: &str, seen: Seen) -> Field {
        let data_type = if self.infer_schema { seen.data_type(ZONE) } else { DataType::Utf8 };
        Field::new(name, data_type, true)
    }

    /// That every column is of a type that CSV has.
    pub fn check(&self, schema: &arrow::datatypes::Schema) -> Result<(), EngineError> {
        for field in schema.fields() {
            let (name, data_type) = (field.name(), paceline_sql::type_name(field.data_type()));
            if !values::is_supported(field.data_type()) {
                let why = format!("CSV files have no columns of the type {data_type}, as '{name}' is declared");
                return Err(EngineError::Setting(why));
            }
            if *name == self.corrupt_column && data_type != "string" {
                let why = format!("'{name}' takes the text of malformed records and must be a STRING, not {data_type}");
                return Err(EngineError::Setting(why));
            }
        }
        Ok(())
    }
}

fn separator_of(options: &Options<'_>, text: &str) -> Result<Vec<u8>, EngineError> {
    match text {
        "\\t" => Ok(b"\t".to_vec()),
        "" => Err(options.wrong("sep", text, "at least one character")),
        _ if text.contains(['\\', '\n', '\r']) => {
            Err(options.wrong("sep", text, "text without '\\' and ends of lines, or '\\t'"))
        }
        _ => Ok(text.as_bytes().to_vec()),
    }
}
