//! JSON files as Spark's `DataFrameReader.json` reads them: an object a line, or a value a file.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter;
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::common::{Result, exec_err, plan_err};
use futures::StreamExt;
use paceline_functions::records::{JsonReader, JsonTypes};
use paceline_functions::{DataType, Settings, StructField};

use super::lines::{Lines, text_of, whole};
use super::own::{Batches, FileReader, Listed, Part};
use super::{Mode, Options, SampledRows};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &[
    "multiLine",
    "mode",
    "columnNameOfCorruptRecord",
    "primitivesAsString",
    "prefersDecimal",
    "allowComments",
    "allowUnquotedFieldNames",
    "allowSingleQuotes",
    "allowNumericLeadingZeros",
    "allowNonNumericNumbers",
    "allowBackslashEscapingAnyCharacter",
    "allowUnquotedControlChars",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "inferTimestamp",
    "dropFieldIfAllNull",
    "samplingRatio",
    "lineSep",
    "encoding",
    "charset",
    "locale",
    "enableDateTimeParsingFallback",
];

/// How JSON files are read.
#[derive(Debug)]
pub(super) struct JsonFiles {
    multi_line: bool,
    mode: Mode,
    corrupt: String,
    separator: Option<Vec<u8>>,
    sampled: SampledRows,
    given: Vec<(String, String)>,
}

impl JsonFiles {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        options.only_utf8()?;
        options.no_locale()?;
        options.refuse_true("enableDateTimeParsingFallback")?;
        let flags = [
            "primitivesAsString",
            "prefersDecimal",
            "allowComments",
            "allowUnquotedFieldNames",
            "allowSingleQuotes",
            "allowNumericLeadingZeros",
            "allowNonNumericNumbers",
            "allowBackslashEscapingAnyCharacter",
            "allowUnquotedControlChars",
            "inferTimestamp",
            "dropFieldIfAllNull",
        ];
        for flag in flags {
            options.flag(flag, false)?;
        }
        let refused = |error| EngineError::Setting(format!("an option of json: {error}"));
        JsonTypes::new(options.given, &Settings::default()).map_err(refused)?;
        JsonReader::new(&[], options.given, &Settings::default()).map_err(refused)?;
        Ok(JsonFiles {
            multi_line: options.flag("multiLine", false)?,
            mode: options.mode()?,
            corrupt: options.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record").to_owned(),
            separator: options.line_separator()?,
            sampled: SampledRows::new(options.ratio()?),
            given: options.given.to_vec(),
        })
    }

    /// That every column is of a type that JSON has.
    pub fn check(&self, schema: &Schema) -> Result<(), EngineError> {
        let wrong = |why: String| Err(EngineError::Setting(why));
        for field in schema.fields() {
            match DataType::of(field) {
                Err(error) => return wrong(error.to_string()),
                Ok(DataType::CalendarInterval | DataType::Void) => {
                    let (name, data_type) = (field.name(), paceline_sql::type_name(field.data_type()));
                    return wrong(format!(
                        "JSON files have no columns of the type {data_type}, as '{name}' is declared"
                    ));
                }
                Ok(data_type) if *field.name() == self.corrupt && data_type != DataType::String => {
                    let (name, data_type) = (field.name(), data_type.sql());
                    return wrong(format!(
                        "'{name}' takes the text of malformed records and must be a STRING, not {data_type}"
                    ));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

#[async_trait]
impl FileReader for JsonFiles {
    fn format(&self) -> &'static str {
        "json"
    }

    fn given(&self) -> &[(String, String)] {
        &self.given
    }

    fn reads_parts(&self) -> bool {
        !self.multi_line && self.separator.is_none()
    }

    async fn columns(&self, files: &Listed<'_>) -> Result<SchemaRef> {
        let mut types = JsonTypes::new(&self.given, &Settings::default())?;
        let mut sampled = self.sampled;
        for file in files.files {
            if self.multi_line {
                if sampled.next() {
                    types.add(&text_of(whole(files.store, file, files.compression).await?))?;
                }
                continue;
            }
            let mut lines = Lines::of_file(files.store, file, files.compression, self.separator.clone()).await?;
            while let Some(line) = lines.next().await? {
                if sampled.next() {
                    types.add(&line)?;
                }
            }
        }
        let fields = types.columns().into_iter().map(|field| field.to_arrow().with_nullable(true));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<Field>>())))
    }

    async fn rows(&self, part: Part) -> Result<Batches> {
        let wanted =
            part.columns.fields().iter().map(|field| Ok(StructField::new(field.name(), DataType::of(field)?, true)));
        let wanted = wanted.collect::<Result<Vec<_>>>()?;
        if wanted.len() == 1 && wanted.iter().any(|column| column.name == self.corrupt) {
            let name = &self.corrupt;
            return plan_err!("a query of a JSON file needs another column than '{name}' too, as in Spark");
        }
        let reader = JsonReader::new(&wanted, &self.given, &Settings::default())?;
        if self.multi_line {
            let text = text_of(whole(&part.store, &part.file, part.compression).await?);
            let batch = rows(&reader, self.mode, &part, &[text.as_str()], 0);
            return Ok(futures::stream::iter([batch]).boxed());
        }
        let lines = Lines::of(&part, self.separator.clone()).await?;
        let mode = self.mode;
        let next = move |(mut lines, reader, part, before): (Lines, JsonReader, Part, u64)| async move {
            let mut texts: Vec<String> = Vec::new();
            while texts.len() < part.rows
                && let Some(line) = lines.next().await?
            {
                texts.push(line);
            }
            if texts.is_empty() {
                return Ok(None);
            }
            let read: Vec<&str> = texts.iter().map(String::as_str).collect();
            let batch = rows(&reader, mode, &part, &read, before)?;
            let before = before + texts.len() as u64;
            Ok(Some((batch, (lines, reader, part, before))))
        };
        Ok(futures::stream::try_unfold((lines, reader, part, 0), next).boxed())
    }
}

/// The rows of some texts, before which there were so many.
fn rows(
    reader: &JsonReader,
    mode: Mode,
    part: &Part,
    texts: &[&str],
    before: u64,
) -> Result<arrow::array::RecordBatch> {
    let read = reader.read(texts)?;
    let malformed = read.bad.iter().filter(|bad| **bad).count();
    let mut columns: Vec<ArrayRef> = read.columns;
    let mut count = read.bad.len();
    if let Some(first) = read.bad.iter().position(|bad| *bad) {
        let at = read.texts.get(first).copied().unwrap_or_default();
        let text: String = texts.get(at).copied().unwrap_or_default().chars().take(60).collect();
        let line = before + at as u64 + 1;
        let of = if part.range.is_some() { " of a part" } else { "" };
        match mode {
            Mode::FailFast => {
                return exec_err!("line {line}{of}, the record is malformed (mode FAILFAST): {text}");
            }
            Mode::DropMalformed => {
                let kept: BooleanArray = read.bad.iter().map(|bad| Some(!*bad)).collect();
                columns = columns.iter().map(|column| filter(column, &kept)).collect::<Result<_, _>>()?;
                count -= malformed;
                part.dropped.add(malformed);
            }
            Mode::Permissive => part.malformed.add(malformed),
        }
        if before == 0 {
            tracing::warn!(file = %part.url, line, "malformed record");
        }
    }
    part.batch(columns, count)
}
