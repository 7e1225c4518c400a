//! Checks an output against its input: every record exactly once, with the answer that the mock API gives.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, path::Path};
use serde_json::{Map, Value};

use super::api::answer;
use crate::EngineError;
use crate::io::stores::{Place, Stores};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows in the output.
    pub rows: u64,
    /// Ids from 1 to the number of records that are not there, at most ten of them.
    pub missing: Vec<u64>,
    /// Ids that are there more than once, at most ten of them.
    pub double: Vec<u64>,
    /// Ids whose answer is not what the API gave, at most ten of them.
    pub wrong: Vec<u64>,
    /// Whether the output is marked as complete.
    pub success: bool,
}

impl Verified {
    /// Whether the output is exactly what it must be.
    pub fn is_exact(&self, records: u64) -> bool {
        self.rows == records && self.success && [&self.missing, &self.double, &self.wrong].iter().all(|l| l.is_empty())
    }
}

/// Reads the Parquet files at `url`, whose rows have `id` (from 1 to `records`), the arguments of the call and its
/// `answer`.
///
/// # Errors
/// The output cannot be read.
pub async fn verify_parquet(
    stores: &Stores,
    url: &str,
    records: u64,
    arguments: &[&str],
) -> Result<Verified, EngineError> {
    let place = stores.place(url)?;
    let failed = |source| EngineError::Storage { action: "cannot read", url: url.to_owned(), source };
    let files: Vec<Path> = place
        .store
        .objects()
        .list(Some(&place.path))
        .map_ok(|file| file.location)
        .try_collect()
        .await
        .map_err(failed)?;
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    let mut verified = Verified::default();
    for file in files {
        let name = file.filename().unwrap_or_default();
        verified.success |= name == "_SUCCESS";
        if name.ends_with(".parquet") {
            for row in read_rows(&place, &file).await? {
                verified.rows += 1;
                let id = row.get("id").and_then(Value::as_u64).unwrap_or(0);
                *seen.entry(id).or_default() += 1;
                let sent =
                    arguments.iter().map(|name| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default()));
                if row.get("answer") != Some(&answer(&sent.collect())) {
                    note(&mut verified.wrong, id);
                }
            }
        }
    }
    for id in 1..=records {
        match seen.get(&id) {
            None => note(&mut verified.missing, id),
            Some(1) => {}
            Some(_) => note(&mut verified.double, id),
        }
    }
    Ok(verified)
}

fn note(ids: &mut Vec<u64>, id: u64) {
    if ids.len() < 10 {
        ids.push(id);
    }
}

async fn read_rows(place: &Place, file: &Path) -> Result<Vec<Map<String, Value>>, EngineError> {
    let failed = |source| EngineError::Storage { action: "cannot read", url: format!("{}: {file}", place.url), source };
    let bytes = place.store.objects().get(file).await.map_err(failed)?.bytes().await.map_err(failed)?;
    let unreadable = |why: String| EngineError::Setting(format!("'{file}' is not a Parquet file of this job: {why}"));
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|builder| builder.build());
    let mut rows = Vec::new();
    for batch in reader.map_err(|error| unreadable(error.to_string()))? {
        let batch = batch.map_err(|error| unreadable(error.to_string()))?;
        rows.extend(to_json(&batch).map_err(|error| unreadable(error.to_string()))?);
    }
    Ok(rows)
}

fn to_json(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, Box<dyn std::error::Error>> {
    let mut lines = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut lines);
    writer.write(batch)?;
    writer.finish()?;
    let rows = serde_json::Deserializer::from_slice(&lines).into_iter();
    Ok(rows.collect::<Result<_, _>>()?)
}
