//! What a task staged: one row per file, which travels from the task to the driver as an Arrow batch.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, exec_datafusion_err};
use serde::{Deserialize, Serialize};

/// A file that is complete but not visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Where it will be, as a path in its store.
    pub path: String,
    /// What it holds.
    pub kind: Kind,
    /// How it is made visible.
    pub staged: Staged,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// What a staged file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Rows of the result.
    Rows,
    /// Rows that were given up.
    DeadLetters,
}

/// Where the bytes of a staged file are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Staged {
    /// In the parts of an upload that is not completed.
    Upload {
        /// The upload.
        id: String,
        /// Its parts, in order.
        parts: Vec<String>,
    },
    /// In another file of the same store.
    File {
        /// Its path.
        path: String,
    },
}

/// One column, `staged`, with each file as JSON: the row is for Paceline's driver only and may gain fields.
pub(super) static SCHEMA: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::new(vec![Field::new("staged", DataType::Utf8, false)])));

impl StagedFile {
    pub(super) fn to_batch(files: &[StagedFile]) -> Result<RecordBatch> {
        let rows = files.iter().map(serde_json::to_string).collect::<std::result::Result<Vec<_>, _>>();
        let rows = rows.map_err(|error| exec_datafusion_err!("a staged file cannot be described: {error}"))?;
        Ok(RecordBatch::try_new(Arc::clone(&SCHEMA), vec![Arc::new(StringArray::from(rows))])?)
    }

    /// Reads what the tasks of a [`super::WriteFilesExec`] returned.
    ///
    /// # Errors
    /// The batches are not from there.
    pub fn from_batches(batches: &[RecordBatch]) -> Result<Vec<StagedFile>> {
        let mut files = Vec::new();
        for batch in batches {
            let column = batch.column(0).as_string_opt::<i32>();
            let column = column.ok_or_else(|| exec_datafusion_err!("a task returned something else than its files"))?;
            for row in column.iter().flatten() {
                files.push(serde_json::from_str(row).map_err(|error| {
                    exec_datafusion_err!("a task returned a file that cannot be understood: {error}")
                })?);
            }
        }
        Ok(files)
    }
}
