//! How rows are written: Parquet, CSV or JSON lines, with the options and file names of Spark's writers.

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::LineDelimited;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{Result, plan_err};
use datafusion::parquet::basic::Compression;

use super::layout::{self, Layout, Wrong};
use crate::EngineError;

/// A format and its options.
#[derive(Clone, Debug)]
pub enum OutputFormat {
    /// Parquet, compressed.
    Parquet(Compression),
    /// Comma-separated values.
    Csv {
        /// Whether each file begins with the names of the columns.
        header: bool,
        /// Between two values.
        separator: char,
    },
    /// One JSON object a line; NULLs are left out.
    Json,
}

/// Timestamps as Spark writes them to text, with a zone and without.
const TIMESTAMP_TZ: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.3f";

impl OutputFormat {
    pub(super) fn parse(name: &str, options: &[(String, String)]) -> Result<(Self, Layout), EngineError> {
        let own: &[&str] = match name {
            "parquet" => &["compression"],
            "csv" => &["header", "sep", "delimiter"],
            "json" => &[],
            _ => {
                let known = "use parquet, csv or json";
                return Err(EngineError::Setting(format!("output USING {name} is not supported; {known}")));
            }
        };
        let names = [own, &layout::OPTIONS].concat();
        if let Some((key, _)) = options.iter().find(|(key, _)| !names.iter().any(|name| name.eq_ignore_ascii_case(key)))
        {
            let valid = names.join(", ");
            return Err(EngineError::Setting(format!("unknown {name} output option '{key}'; there are {valid}")));
        }
        let get = |key: &str| options.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
        let wrong = |key: &str, value: &str, expected: &str| {
            EngineError::Setting(format!("the {name} output option '{key}' is '{value}', expected {expected}"))
        };
        let layout = Layout::parse(get).map_err(|Wrong { key, value, expected }| wrong(key, value, expected))?;
        let format = match name {
            "csv" => {
                let header = get("header").unwrap_or("false").to_lowercase();
                let header = header.parse().map_err(|_| wrong("header", &header, "true or false"))?;
                let separator = get("sep").or(get("delimiter")).unwrap_or(",").replace("\\t", "\t");
                let separator = separator.parse().map_err(|_| wrong("sep", &separator, "one character"))?;
                OutputFormat::Csv { header, separator }
            }
            "json" => OutputFormat::Json,
            _ => {
                let compression = get("compression").unwrap_or("snappy").to_lowercase();
                OutputFormat::Parquet(match compression.as_str() {
                    "snappy" => Compression::SNAPPY,
                    "none" | "uncompressed" => Compression::UNCOMPRESSED,
                    "gzip" => Compression::GZIP(Default::default()),
                    "zstd" => Compression::ZSTD(Default::default()),
                    other => return Err(wrong("compression", other, "snappy, gzip, zstd or none")),
                })
            }
        };
        Ok((format, layout))
    }

    /// The end of a file's name, as Spark has it.
    pub(super) fn ending(&self) -> &'static str {
        match self {
            OutputFormat::Parquet(Compression::UNCOMPRESSED) => "parquet",
            OutputFormat::Parquet(Compression::GZIP(_)) => "gz.parquet",
            OutputFormat::Parquet(Compression::ZSTD(_)) => "zstd.parquet",
            OutputFormat::Parquet(_) => "snappy.parquet",
            OutputFormat::Csv { .. } => "csv",
            OutputFormat::Json => "json",
        }
    }

    /// Whether every column can be written.
    ///
    /// # Errors
    /// A column is of a type that the format has no room for.
    pub fn check(&self, schema: &SchemaRef) -> Result<()> {
        let nested = schema.fields().iter().find(|field| field.data_type().is_nested());
        match (self, nested) {
            (OutputFormat::Csv { .. }, Some(field)) => plan_err!(
                "CSV cannot hold the column '{}', which is {}; select its fields, as in {}.field AS field",
                field.name(),
                field.data_type(),
                field.name()
            ),
            _ => Ok(()),
        }
    }
}

/// The lines of a batch of CSV. A NULL is nothing, an empty string is `""`; within quotes, quotes and
/// backslashes have a backslash in front.
pub(super) fn csv(batch: &RecordBatch, separator: char) -> Result<Vec<u8>> {
    let options =
        FormatOptions::default().with_timestamp_tz_format(Some(TIMESTAMP_TZ)).with_timestamp_format(Some(TIMESTAMP));
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let mut lines = String::new();
    for row in 0..batch.num_rows() {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                lines.push(separator);
            }
            if batch.column(at).is_valid(row) {
                let is_text =
                    matches!(batch.column(at).data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
                push_quoted(&mut lines, &column.value(row).try_to_string()?, separator, is_text);
            }
        }
        lines.push('\n');
    }
    Ok(lines.into_bytes())
}

/// The names of the columns, as the first line of a CSV file.
pub(super) fn csv_header(schema: &SchemaRef, separator: char) -> Vec<u8> {
    let mut line = String::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            line.push(separator);
        }
        push_quoted(&mut line, field.name(), separator, true);
    }
    line.push('\n');
    line.into_bytes()
}

fn push_quoted(out: &mut String, text: &str, separator: char, is_text: bool) {
    let needs_quotes = is_text && (text.is_empty() || text.contains([separator, '"', '\n', '\r']));
    if !needs_quotes {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
    out.push('"');
}

/// The lines of a batch of JSON.
pub(super) fn json(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut writer = WriterBuilder::new()
        .with_timestamp_tz_format(TIMESTAMP_TZ.to_owned())
        .with_timestamp_format(TIMESTAMP.to_owned())
        .build::<_, LineDelimited>(&mut lines);
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
    use expect_test::{Expect, expect};

    use super::*;

    fn batch() -> RecordBatch {
        let times = TimestampMicrosecondArray::from(vec![Some(1_500_000), None, Some(0)]);
        RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef, true),
            ("a,b", Arc::new(StringArray::from(vec![Some("x\"y"), Some(""), None])), true),
            ("at", Arc::new(times.clone().with_timezone("UTC")), true),
            ("local", Arc::new(times), true),
        ])
        .unwrap()
    }

    #[test]
    fn rows_become_lines() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let lines = text(csv_header(&batch().schema(), ',')) + &text(csv(&batch(), ',').unwrap());
        expect![[r#"
            id,"a,b",at,local
            1,"x\"y",1970-01-01T00:00:01.500Z,1970-01-01T00:00:01.500
            ,"",,
            3,,1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.000
        "#]]
        .assert_eq(&lines);
        expect![[r#"
            {"id":1,"a,b":"x\"y","at":"1970-01-01T00:00:01.500Z","local":"1970-01-01T00:00:01.500"}
            {"a,b":""}
            {"id":3,"at":"1970-01-01T00:00:00.000Z","local":"1970-01-01T00:00:00.000"}
        "#]]
        .assert_eq(&text(json(&batch()).unwrap()));
    }

    fn check(name: &str, options: &[(&str, &str)], expected: Expect) {
        let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let parsed = OutputFormat::parse(name, &options);
        expected.assert_eq(
            &parsed.map_or_else(|error| error.to_string(), |(format, _)| format!("{format:?} {}", format.ending())),
        );
    }

    #[test]
    fn formats_and_options_are_known_or_named() {
        check("parquet", &[("Compression", "ZSTD")], expect!["Parquet(ZSTD(ZstdLevel(1))) zstd.parquet"]);
        check("csv", &[("header", "TRUE"), ("sep", "\\t")], expect![[r#"Csv { header: true, separator: '\t' } csv"#]]);
        check("orc", &[], expect!["output USING orc is not supported; use parquet, csv or json"]);
        check(
            "csv",
            &[("quoteAll", "true")],
            expect![
                "unknown csv output option 'quoteAll'; there are header, sep, delimiter, partitionBy, maxRecordsPerFile, partitionOverwriteMode"
            ],
        );
        check(
            "parquet",
            &[("compression", "lzo")],
            expect!["the parquet output option 'compression' is 'lzo', expected snappy, gzip, zstd or none"],
        );
        check(
            "json",
            &[("x", "y")],
            expect!["unknown json output option 'x'; there are partitionBy, maxRecordsPerFile, partitionOverwriteMode"],
        );
        check(
            "csv",
            &[("partitionBy", "a,,b")],
            expect!["the csv output option 'partitionBy' is 'a,,b', expected names of columns, as in 'day,region'"],
        );
        check(
            "json",
            &[("maxRecordsPerFile", "x")],
            expect!["the json output option 'maxRecordsPerFile' is 'x', expected a whole number, 0 for no limit"],
        );
        check(
            "json",
            &[("partitionOverwriteMode", "x")],
            expect!["the json output option 'partitionOverwriteMode' is 'x', expected static or dynamic"],
        );
    }
}
