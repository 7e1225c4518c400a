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

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use paceline_functions::Settings;
use paceline_functions::records::Times;

pub(super) use self::bytes::open as open_bytes;
use self::infer::{Inference, Seen};
use self::record::Dialect;
pub use self::source::BYTES_READ;
pub(super) use self::source::{CsvFormat, given, records_in};
use self::values::Numbers;
use super::{Mode, Options, SampledRows};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &[
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
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "lineSep",
    "samplingRatio",
    "locale",
    "maxColumns",
    "maxCharsPerColumn",
    "unescapedQuoteHandling",
    "enableDateTimeParsingFallback",
];

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
    times: Arc<Times>,
    /// The same for inference, where a text that the older parser would have taken is no error.
    guessed_times: Arc<Times>,
    /// How many records of each hundred or so decide on the types.
    sampled: SampledRows,
    /// As they were given.
    pub given: Vec<(String, String)>,
}

impl CsvOptions {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        let text = |key: &str, default: &str| options.get(key).unwrap_or(default).to_owned();
        options.only_utf8()?;
        options.no_locale()?;
        options.refuse_true("enableDateTimeParsingFallback")?;
        let multi_line = options.flag("multiLine", false)?;
        let line_end = options.line_separator()?;
        if let (true, Some(text)) = (multi_line, options.get("lineSep")) {
            return Err(options.wrong("lineSep", text, "nothing where multiLine is true"));
        }
        if let Some(other) = options.get("unescapedQuoteHandling").filter(|text| *text != "STOP_AT_DELIMITER") {
            return Err(options.wrong("unescapedQuoteHandling", other, "STOP_AT_DELIMITER, as is Spark's default"));
        }
        for key in ["maxColumns", "maxCharsPerColumn"] {
            let wrong = |text: &&str| text.parse::<i64>().is_err();
            if let Some(text) = options.get(key).filter(wrong) {
                return Err(options.wrong(key, text, "a whole number; records of every width are read"));
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
                multi_line,
                line_end,
            },
            comment: options.character("comment", None)?,
            null_value,
            mode: options.mode()?,
            corrupt_column: text("columnNameOfCorruptRecord", "_corrupt_record"),
            enforce_schema: options.flag("enforceSchema", true)?,
            numbers: Numbers {
                nan: text("nanValue", "NaN"),
                infinity: text("positiveInf", "Inf"),
                minus_infinity: text("negativeInf", "-Inf"),
            },
            prefers_date: options.flag("prefersDate", true)?,
            times: Arc::new(times(options)?),
            guessed_times: Arc::new(times(options)?),
            sampled: SampledRows::new(options.ratio()?),
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
            times: Arc::clone(&self.guessed_times),
            null_value: self.null_value.clone(),
        }
    }

    fn field(&self, name: &str, seen: Seen) -> Field {
        let data_type = if self.infer_schema { seen.data_type() } else { DataType::Utf8 };
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

fn times(options: &Options<'_>) -> Result<Times, EngineError> {
    let refused = |error| EngineError::Setting(format!("an option of csv: {error}"));
    Times::new(options.given, &Settings::default()).map_err(refused)
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
