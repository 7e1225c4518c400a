//! Text files: a row for each line, or one for each file, in a column `value`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::common::Result;
use futures::StreamExt;

use super::Options;
use super::lines::{Lines, text_of, whole};
use super::own::{Batches, FileReader, Listed, Part};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &["wholetext", "lineSep", "encoding", "charset"];

/// How text files are read.
#[derive(Debug)]
pub(super) struct TextFiles {
    whole: bool,
    separator: Option<Vec<u8>>,
    given: Vec<(String, String)>,
}

impl TextFiles {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        options.only_utf8()?;
        Ok(TextFiles {
            whole: options.flag("wholetext", false)?,
            separator: options.line_separator()?,
            given: options.given.to_vec(),
        })
    }

    /// Whether a file without any bytes is a row.
    pub fn reads_empty_files(&self) -> bool {
        self.whole
    }

    pub fn check(schema: &Schema) -> Result<(), EngineError> {
        match schema.fields().as_ref() {
            [one] if *one.data_type() == DataType::Utf8 => Ok(()),
            [] => Ok(()),
            [one] => Err(EngineError::Setting(format!(
                "text files have one column, a STRING; '{}' is declared as {}",
                one.name(),
                paceline_sql::type_name(one.data_type())
            ))),
            many => Err(EngineError::Setting(format!(
                "Text data source supports only a single column, and you have {} columns.",
                many.len()
            ))),
        }
    }
}

#[async_trait]
impl FileReader for TextFiles {
    fn format(&self) -> &'static str {
        "text"
    }

    fn given(&self) -> &[(String, String)] {
        &self.given
    }

    fn reads_parts(&self) -> bool {
        !self.whole && self.separator.is_none()
    }

    async fn columns(&self, _: &Listed<'_>) -> Result<SchemaRef> {
        Ok(Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)])))
    }

    async fn rows(&self, part: Part) -> Result<Batches> {
        let batch = |part: &Part, texts: Vec<String>| {
            let rows = texts.len();
            let columns = part.columns.fields().iter().map(|_| Arc::new(StringArray::from(texts.clone())) as ArrayRef);
            part.batch(columns.collect(), rows)
        };
        if self.whole {
            let text = text_of(whole(&part.store, &part.file, part.compression).await?);
            return Ok(futures::stream::iter([batch(&part, vec![text])]).boxed());
        }
        let lines = Lines::of(&part, self.separator.clone()).await?;
        let next = move |(mut lines, part): (Lines, Part)| async move {
            let mut texts = Vec::new();
            while texts.len() < part.rows
                && let Some(line) = lines.next().await?
            {
                texts.push(line);
            }
            if texts.is_empty() {
                return Ok(None);
            }
            Ok(Some((batch(&part, texts)?, (lines, part))))
        };
        Ok(futures::stream::try_unfold((lines, part), next).boxed())
    }
}
