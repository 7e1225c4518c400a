//! The names that columns have where a user sees them: a resolved plan has names of its own for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::Result;

/// Names by the plan's names, known to the planner by the session's configuration.
#[derive(Debug, Default)]
pub struct ColumnNames(pub BTreeMap<String, String>);

impl ColumnNames {
    /// Those of a schema's columns.
    pub(super) fn of(&self, schema: &Schema) -> Arc<[String]> {
        let name = |field: &Arc<Field>| self.0.get(field.name()).unwrap_or(field.name()).clone();
        schema.fields().iter().map(name).collect()
    }
}

/// A schema with these names. Columns of a join may have the same one, keys of a JSON object may not: the second `id` becomes
/// `id_2`.
pub(super) fn distinct(schema: &Schema, shown: &[String]) -> SchemaRef {
    let mut names: Vec<String> = Vec::new();
    let field = |(at, field): (usize, &Arc<Field>)| {
        let wanted = shown.get(at).unwrap_or(field.name());
        let mut name = wanted.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        names.push(name.clone());
        field.as_ref().clone().with_name(name)
    };
    Arc::new(Schema::new(schema.fields().iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// The same rows under other names.
pub(super) fn renamed(batch: &RecordBatch, names: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(names), batch.columns().to_vec(), &options)?)
}
