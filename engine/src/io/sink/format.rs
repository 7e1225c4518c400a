//! How rows are written: the formats, with the options, defaults and file names of Spark's writers.

use arrow_avro::compression::CompressionCodec as AvroCodec;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Result, plan_err};
use datafusion::parquet::basic::Compression;
use orc_rust::compression::CompressionType as OrcCodec;
use paceline_functions::records::TextWriter;
use paceline_functions::{DataType, Settings, StructField};

use super::codec::Codec;
use super::csv_form::CsvForm;
use super::layout::{self, Layout, Wrong};
use crate::EngineError;

/// A format and its options.
#[derive(Clone, Debug)]
pub enum OutputFormat {
    /// Parquet, compressed.
    Parquet(Compression),
    /// ORC, compressed.
    Orc(Option<OrcCodec>),
    /// Avro, compressed.
    Avro(Option<AvroCodec>),
    /// Lines.
    Lines(Lines),
}

/// A text file.
#[derive(Clone, Debug)]
pub struct Lines {
    pub(super) form: Form,
    pub(super) end: String,
    pub(super) codec: Codec,
    /// As they were given: values are written as they say.
    given: Vec<(String, String)>,
}

/// What stands in a line.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Comma-separated values.
    Csv(CsvForm),
    /// A JSON object.
    Json,
    /// A text.
    Text,
}

const TIMES: [&str; 4] = ["dateFormat", "timestampFormat", "timestampNTZFormat", "locale"];
const CSV: [&str; 14] = [
    "header",
    "sep",
    "delimiter",
    "quote",
    "escape",
    "charToEscapeQuoteEscaping",
    "comment",
    "escapeQuotes",
    "quoteAll",
    "nullValue",
    "emptyValue",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "dateFormat",
];
const LINES: [&str; 4] = ["compression", "lineSep", "encoding", "charset"];

/// Options by name.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    format: &'a str,
    options: &'a [(String, String)],
}

impl<'a> Given<'a> {
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.options.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    pub fn wrong(&self, key: &str, value: &str, expected: &str) -> EngineError {
        let format = self.format;
        EngineError::Setting(format!("the {format} output option '{key}' is '{value}', expected {expected}"))
    }

    pub fn flag(&self, key: &str, default: bool) -> Result<bool, EngineError> {
        match self.get(key).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(self.wrong(key, other, "true or false")),
        }
    }
}

impl OutputFormat {
    pub(super) fn parse(name: &str, options: &[(String, String)]) -> Result<(Self, Layout), EngineError> {
        let own: Vec<&str> = match name.to_lowercase().as_str() {
            "parquet" | "orc" => vec!["compression"],
            "avro" => vec!["compression", "recordName", "recordNamespace"],
            "csv" => [&CSV[..], &TIMES[1..], &LINES].concat(),
            "json" => [&TIMES[..], &["ignoreNullFields"], &LINES].concat(),
            "text" => LINES.to_vec(),
            _ => {
                let known = "use avro, csv, json, orc, parquet or text";
                return Err(EngineError::Setting(format!("output USING {name} is not supported; {known}")));
            }
        };
        let names = [own.as_slice(), &layout::OPTIONS, &["timeZone"]].concat();
        if let Some((key, _)) = options.iter().find(|(key, _)| !names.iter().any(|name| name.eq_ignore_ascii_case(key)))
        {
            let valid = names.join(", ");
            return Err(EngineError::Setting(format!("unknown {name} output option '{key}'; there are {valid}")));
        }
        let given = Given { format: name, options };
        let layout = Layout::parse(|key| given.get(key))
            .map_err(|Wrong { key, value, expected }| given.wrong(key, value, expected))?;
        let compression = given.get("compression").map(str::to_lowercase);
        let unknown = |expected: &str| given.wrong("compression", compression.as_deref().unwrap_or_default(), expected);
        let compression = compression.as_deref();
        let format = match name.to_lowercase().as_str() {
            "parquet" => OutputFormat::Parquet(match compression.unwrap_or("snappy") {
                "snappy" => Compression::SNAPPY,
                "none" | "uncompressed" => Compression::UNCOMPRESSED,
                "gzip" => Compression::GZIP(Default::default()),
                "zstd" => Compression::ZSTD(Default::default()),
                "lz4" => Compression::LZ4,
                "lz4raw" | "lz4_raw" => Compression::LZ4_RAW,
                _ => return Err(unknown("snappy, gzip, zstd, lz4, lz4_raw or none")),
            }),
            "orc" => OutputFormat::Orc(match compression.unwrap_or("snappy") {
                "snappy" => Some(OrcCodec::Snappy),
                "none" | "uncompressed" => None,
                "zlib" => Some(OrcCodec::Zlib),
                "zstd" => Some(OrcCodec::Zstd),
                "lz4" => Some(OrcCodec::Lz4),
                _ => return Err(unknown("snappy, zlib, zstd, lz4 or none")),
            }),
            "avro" => {
                for key in ["recordName", "recordNamespace"] {
                    if let Some(value) = given.get(key).filter(|value| !["topLevelRecord", ""].contains(value)) {
                        return Err(given.wrong(key, value, "nothing else than Spark's default"));
                    }
                }
                OutputFormat::Avro(match compression.unwrap_or("snappy") {
                    "snappy" => Some(AvroCodec::Snappy),
                    "uncompressed" => None,
                    "deflate" => Some(AvroCodec::Deflate),
                    "bzip2" => Some(AvroCodec::Bzip2),
                    "xz" => Some(AvroCodec::Xz),
                    "zstandard" => Some(AvroCodec::ZStandard),
                    _ => return Err(unknown("snappy, deflate, bzip2, xz, zstandard or uncompressed")),
                })
            }
            text => OutputFormat::Lines(Lines::parse(text, given)?),
        };
        Ok((format, layout))
    }

    /// The end of a file's name, as Spark has it.
    pub(super) fn ending(&self) -> String {
        match self {
            OutputFormat::Parquet(Compression::UNCOMPRESSED) => "parquet".to_owned(),
            OutputFormat::Parquet(Compression::GZIP(_)) => "gz.parquet".to_owned(),
            OutputFormat::Parquet(Compression::ZSTD(_)) => "zstd.parquet".to_owned(),
            OutputFormat::Parquet(Compression::LZ4) => "lz4hadoop.parquet".to_owned(),
            OutputFormat::Parquet(Compression::LZ4_RAW) => "lz4raw.parquet".to_owned(),
            OutputFormat::Parquet(_) => "snappy.parquet".to_owned(),
            OutputFormat::Orc(None) => "orc".to_owned(),
            OutputFormat::Orc(Some(codec)) => format!("{}.orc", codec.to_string().to_lowercase()),
            OutputFormat::Avro(_) => "avro".to_owned(),
            OutputFormat::Lines(lines) => {
                let name = match lines.form {
                    Form::Csv(_) => "csv",
                    Form::Json => "json",
                    Form::Text => "txt",
                };
                format!("{name}{}", lines.codec.ending())
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            OutputFormat::Parquet(_) => "Parquet",
            OutputFormat::Orc(_) => "ORC",
            OutputFormat::Avro(_) => "Avro",
            OutputFormat::Lines(Lines { form: Form::Csv(_), .. }) => "CSV",
            OutputFormat::Lines(Lines { form: Form::Json, .. }) => "JSON",
            OutputFormat::Lines(Lines { form: Form::Text, .. }) => "Text",
        }
    }

    /// Whether every column can be written.
    ///
    /// # Errors
    /// A column is of a type that the format has no room for.
    pub fn check(&self, schema: &SchemaRef) -> Result<()> {
        let fields = columns(schema)?;
        if let OutputFormat::Lines(Lines { form: Form::Text, .. }) = self
            && fields.len() != 1
        {
            let count = fields.len();
            return plan_err!("Text data source supports only a single column, and you have {count} columns.");
        }
        let Some(field) = fields.iter().find(|field| !self.has_room(&field.data_type)) else { return Ok(()) };
        let (format, name, data_type) = (self.name(), &field.name, field.data_type.sql());
        let hint = match (self, &field.data_type) {
            (OutputFormat::Lines(Lines { form: Form::Csv(_), .. }), DataType::Struct(_)) => {
                format!(" Select its fields, as in {name}.field AS field.")
            }
            (OutputFormat::Orc(_), DataType::TimestampNtz) => " Cast it to TIMESTAMP, or write Parquet.".to_owned(),
            (OutputFormat::Orc(_), _) => " Paceline writes no such column to ORC; write Parquet.".to_owned(),
            _ => String::new(),
        };
        plan_err!(
            "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE] The {format} datasource doesn't support the column `{name}` of the type \
             \"{data_type}\".{hint}"
        )
    }

    fn has_room(&self, data_type: &DataType) -> bool {
        let nested = matches!(data_type, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_));
        match (self, data_type) {
            (_, DataType::Array(element, _)) if self.is_nestable() => self.has_room(element),
            (OutputFormat::Avro(_), DataType::Map(key, _, _)) if **key != DataType::String => false,
            (_, DataType::Map(key, value, _)) if self.is_nestable() => self.has_room(key) && self.has_room(value),
            (_, DataType::Struct(fields)) if self.is_nestable() => {
                fields.iter().all(|field| self.has_room(&field.data_type))
            }
            (_, _) if nested => false,
            (OutputFormat::Lines(Lines { form: Form::Text, .. }), other) => *other == DataType::String,
            (OutputFormat::Lines(Lines { form: Form::Json, .. }), other) => *other != DataType::CalendarInterval,
            (OutputFormat::Lines(_), other) => {
                !matches!(other, DataType::Binary | DataType::Void | DataType::CalendarInterval)
            }
            (OutputFormat::Parquet(_), other) => !matches!(other, DataType::Void | DataType::CalendarInterval),
            // Nothing in the file would say that the number is an interval.
            (OutputFormat::Avro(_), other) => !matches!(
                other,
                DataType::Void | DataType::CalendarInterval | DataType::YearMonth(..) | DataType::DayTime(..)
            ),
            (OutputFormat::Orc(_), other) => !matches!(
                other,
                DataType::Void
                    | DataType::CalendarInterval
                    | DataType::Decimal(..)
                    | DataType::TimestampNtz
                    | DataType::YearMonth(..)
                    | DataType::DayTime(..)
            ),
        }
    }

    fn is_nestable(&self) -> bool {
        matches!(
            self,
            OutputFormat::Parquet(_) | OutputFormat::Avro(_) | OutputFormat::Lines(Lines { form: Form::Json, .. })
        )
    }
}

impl Lines {
    fn parse(format: &str, given: Given<'_>) -> Result<Self, EngineError> {
        for key in ["encoding", "charset"] {
            if let Some(other) =
                given.get(key).filter(|name| !["utf-8", "utf8"].contains(&name.to_lowercase().as_str()))
            {
                return Err(given.wrong(key, other, "UTF-8, the only encoding that is written"));
            }
        }
        if let Some(other) = given.get("locale").filter(|locale| !locale.eq_ignore_ascii_case("en-US")) {
            return Err(given.wrong("locale", other, "en-US, the only one that is known"));
        }
        given.flag("ignoreNullFields", true)?;
        let form = match format {
            "csv" => Form::Csv(CsvForm::parse(&given)?),
            "json" => Form::Json,
            _ => Form::Text,
        };
        let end = given.get("lineSep").unwrap_or("\n").to_owned();
        if end.is_empty() {
            return Err(given.wrong("lineSep", "", "at least one character"));
        }
        let codec = given.get("compression").unwrap_or("none");
        let codec = Codec::parse(codec)
            .ok_or_else(|| given.wrong("compression", codec, "none, gzip, deflate, bzip2, snappy or lz4"))?;
        let lines = Lines { form, end, codec, given: given.options.to_vec() };
        lines.values().map_err(|error| EngineError::Setting(format!("an output option of {format}: {error}")))?;
        Ok(lines)
    }

    /// How values are written.
    pub(super) fn values(&self) -> paceline_functions::Result<TextWriter> {
        TextWriter::new(&self.given, &Settings::default())
    }
}

/// The columns as Spark's types.
pub(super) fn columns(schema: &Schema) -> Result<Vec<StructField>> {
    let column = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| {
        Ok(StructField::new(field.name(), DataType::of(field)?, field.is_nullable()))
    };
    schema.fields().iter().map(column).collect()
}

#[cfg(test)]
mod tests;
