//! ORC files, as Spark's own ORC reader has them.

mod tail;

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::AsyncChunkReader;
use orc_rust::{ArrowReaderBuilder, TimestampPrecision};

use super::own::{Batches, FileReader, Listed, Part};
use super::{Options, merge_schemas};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &["mergeSchema", "compression"];

/// How ORC files are read.
#[derive(Debug)]
pub(super) struct OrcFiles {
    merges: bool,
    given: Vec<(String, String)>,
}

impl OrcFiles {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        Ok(OrcFiles { merges: options.flag("mergeSchema", false)?, given: options.given.to_vec() })
    }
}

#[async_trait]
impl FileReader for OrcFiles {
    fn format(&self) -> &'static str {
        "orc"
    }

    fn given(&self) -> &[(String, String)] {
        &self.given
    }

    fn reads_parts(&self) -> bool {
        false
    }

    /// As in Spark, those of the first file that has any, or of all together.
    async fn columns(&self, files: &Listed<'_>) -> Result<SchemaRef> {
        let mut schemas: Vec<Schema> = Vec::new();
        for file in files.files {
            schemas.push(tail::columns(files.store, file).await?);
            if !self.merges {
                break;
            }
        }
        Ok(Arc::new(merge_schemas(schemas)?))
    }

    async fn rows(&self, part: Part) -> Result<Batches> {
        let file = StoredFile { store: Arc::clone(&part.store), file: part.file.clone() };
        let builder = ArrowReaderBuilder::try_new_async(file).await.map_err(outer)?;
        let root = builder.file_metadata().root_data_type().clone();
        let names: Vec<&str> = root.children().iter().map(|child| child.name()).collect();
        // Files of old Hives call their columns by their number.
        let numbered = names.iter().all(|name| name.starts_with("_col"));
        let in_file = |wanted: &str| -> Option<String> {
            if numbered {
                let at = part.file_columns.fields().iter().position(|field| field.name() == wanted)?;
                return names.get(at).map(|name| (*name).to_owned());
            }
            let exact = names.iter().find(|name| **name == wanted);
            exact.or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(wanted))).map(|name| (*name).to_owned())
        };
        let found: Vec<Option<String>> = part.columns.fields().iter().map(|field| in_file(field.name())).collect();
        let read: Vec<&String> = found.iter().flatten().collect();
        if read.is_empty() {
            let rows = usize::try_from(builder.file_metadata().number_of_rows()).unwrap_or(usize::MAX);
            return nothing_but_rows(part, rows);
        }
        let mask = ProjectionMask::named_roots(&root, &read);
        let batches = builder
            .with_timestamp_precision(TimestampPrecision::Microsecond)
            .with_batch_size(part.rows)
            .with_projection(mask)
            .build_async();
        Ok(batches
            .map(move |batch| {
                let batch = batch?;
                let column = |(name, field): (&Option<String>, &Arc<arrow::datatypes::Field>)| -> ArrayRef {
                    let array = name.as_ref().and_then(|name| batch.column_by_name(name)).cloned();
                    array.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
                };
                let columns = found.iter().zip(part.columns.fields()).map(column).collect();
                part.batch(columns, batch.num_rows())
            })
            .boxed())
    }
}

/// Rows of which no column is in the file.
fn nothing_but_rows(part: Part, rows: usize) -> Result<Batches> {
    let step = part.rows.max(1);
    let batches = (0..rows).step_by(step).map(move |from| {
        let rows = step.min(rows - from);
        let columns = part.columns.fields().iter().map(|field| new_null_array(field.data_type(), rows)).collect();
        part.batch(columns, rows)
    });
    Ok(futures::stream::iter(batches).boxed())
}

fn outer(error: orc_rust::error::OrcError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A file of a store, read in ranges.
struct StoredFile {
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
}

impl AsyncChunkReader for StoredFile {
    fn len(&mut self) -> BoxFuture<'_, std::io::Result<u64>> {
        let size = self.file.size;
        async move { Ok(size) }.boxed()
    }

    fn get_bytes(&mut self, from: u64, length: u64) -> BoxFuture<'_, std::io::Result<Bytes>> {
        async move {
            let range = from..from.saturating_add(length);
            Ok(self.store.get_range(&self.file.location, range).await?)
        }
        .boxed()
    }
}
