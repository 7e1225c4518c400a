//! The exactly-once check: every row of the input is in the output or in the dead letters, once, and every answer is the
//! one that the mock API gives.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use serde_json::{Map, Value};

use super::api::answer;
use crate::io::stores::Place;
use crate::{EngineError, Session};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows in the input.
    pub input: u64,
    /// Rows in the output.
    pub output: u64,
    /// Rows in the dead letters.
    pub dead_letters: u64,
    /// Rows of the input, shown by their id, that are nowhere; at most ten.
    pub missing: Vec<String>,
    /// Rows that are there more often than in the input, or not in the input at all; at most ten.
    pub double: Vec<String>,
    /// Rows whose answer is not what the API gives; at most ten.
    pub wrong: Vec<String>,
    /// Whether the output is marked as complete.
    pub success: bool,
}

impl Verified {
    /// Whether the output is exactly what it must be.
    pub fn is_exact(&self) -> bool {
        self.success && [&self.missing, &self.double, &self.wrong].iter().all(|list| list.is_empty())
    }
}

/// Reads a CSV file with a header and counts its rows.
///
/// # Errors
/// It cannot be read.
pub async fn count(session: &Session, input: &str) -> Result<u64, EngineError> {
    let mut rows = 0;
    each_batch(session, &format!("csv OPTIONS (path '{}', header 'true', inferSchema 'true')", text(input)), |batch| {
        rows += batch.num_rows() as u64;
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Compares a Parquet output with the CSV file that it was made of. `arguments` are the columns that were sent; none is all
/// of them. The answer is in the column `answer`, or its fields are columns.
///
/// # Errors
/// One of the two cannot be read.
pub async fn verify(
    session: &Session,
    input: &str,
    output: &str,
    arguments: &[String],
) -> Result<Verified, EngineError> {
    let mut found = Verified::default();
    let mut counts: HashMap<u128, i64> = HashMap::new();
    let mut columns = Vec::new();
    let csv = format!("csv OPTIONS (path '{}', header 'true', inferSchema 'true')", text(input));
    each_batch(session, &csv, |batch| {
        columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        found.input += batch.num_rows() as u64;
        rows_of(batch)?.iter().for_each(|row| *counts.entry(key(row)).or_default() += 1);
        Ok(())
    })
    .await?;

    let mut surplus = |row: &Map<String, Value>, double: &mut Vec<String>| {
        let left = counts.entry(key(row)).or_default();
        *left -= 1;
        if *left < 0 {
            note(double, row);
        }
    };
    let place = session.stores().place(output)?;
    let dead_letters = dead_letters(&place).await?;
    found.dead_letters = dead_letters.len() as u64;
    dead_letters.iter().for_each(|row| surplus(row, &mut found.double));
    each_batch(session, &format!("parquet OPTIONS (path '{}')", text(output)), |batch| {
        found.output += batch.num_rows() as u64;
        for row in rows_of(batch)? {
            let own: Map<_, _> =
                columns.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect();
            surplus(&own, &mut found.double);
            let sent = own.into_iter().filter(|(name, _)| arguments.is_empty() || arguments.contains(name)).collect();
            if !has_answer(&row, &columns, &answer(&sent)) {
                note(&mut found.wrong, &row);
            }
        }
        Ok(())
    })
    .await?;

    if counts.values().any(|left| *left > 0) {
        each_batch(session, &csv, |batch| {
            for row in rows_of(batch)? {
                if counts.get(&key(&row)).is_some_and(|left| *left > 0) {
                    note(&mut found.missing, &row);
                }
            }
            Ok(())
        })
        .await?;
    }
    found.success = place.store.objects().head(&place.path.clone().join("_SUCCESS")).await.is_ok();
    Ok(found)
}

/// The answer as one column, or its fields as columns of their own, where a name that the input has got a prefix.
fn has_answer(row: &Map<String, Value>, input: &[String], expected: &Value) -> bool {
    if let Some(found) = row.get("answer").filter(|_| !input.contains(&"answer".to_owned())) {
        return found == expected;
    }
    let Value::Object(expected) = expected else { return false };
    expected.iter().all(|(name, value)| {
        let column = if input.contains(name) { format!("response_{name}") } else { name.clone() };
        row.get(&column) == Some(value)
    })
}

async fn dead_letters(place: &Place) -> Result<Vec<Map<String, Value>>, EngineError> {
    let failed = |source| EngineError::Storage { action: "cannot read", url: place.url.to_string(), source };
    let objects = place.store.objects();
    let folder = place.path.clone().join("_dead_letter");
    let files: Vec<_> = objects.list(Some(&folder)).try_collect().await.map_err(failed)?;
    let mut rows = Vec::new();
    for file in files {
        let bytes = objects.get(&file.location).await.map_err(failed)?.bytes().await.map_err(failed)?;
        for letter in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let damaged = || EngineError::Setting(format!("'{}' holds a line that is no dead letter", file.location));
            let mut letter = letter.map_err(|_| damaged())?;
            let Value::Object(row) = letter["row"].take() else { return Err(damaged()) };
            rows.push(row);
        }
    }
    Ok(rows)
}

async fn each_batch(
    session: &Session,
    files: &str,
    mut work: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    session.sql(&format!("CREATE OR REPLACE TEMPORARY VIEW __verified USING {files}"), "verify").await?;
    let mut batches = session.stream("SELECT * FROM __verified").await?;
    while let Some(batch) = batches.try_next().await? {
        work(&batch)?;
    }
    Ok(())
}

/// Each row as a JSON object with every column.
fn rows_of(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, EngineError> {
    let rows: Vec<Bytes> = paceline_udfs::wire::objects(batch).map_err(DataFusionError::from)?;
    let parse = |row: &Bytes| serde_json::from_slice(row).map_err(|error| DataFusionError::External(Box::new(error)));
    Ok(rows.iter().map(parse).collect::<Result<_, _>>()?)
}

/// 128 bits that depend on every key and value, whatever their order.
fn key(row: &Map<String, Value>) -> u128 {
    let sorted: BTreeMap<_, _> = row.iter().map(|(name, value)| (name, value.to_string())).collect();
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &sorted).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

fn note(list: &mut Vec<String>, row: &Map<String, Value>) {
    if list.len() < 10 {
        let shown = row.get("id").map_or_else(|| Value::Object(row.clone()).to_string(), |id| format!("id {id}"));
        list.push(shown);
    }
}

/// A path within quotes.
fn text(path: &str) -> String {
    path.replace('\'', "''")
}
