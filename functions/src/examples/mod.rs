//! For tests: `SELECT` of constant expressions, resolved and computed with this crate alone, shown as Spark shows them.

mod kit;
mod parse;

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::prelude::SessionContext;

use crate::{Error, Settings, Typed, hive_row};

/// It plans expressions, nothing more.
static SESSION: std::sync::LazyLock<SessionContext> = std::sync::LazyLock::new(SessionContext::new);

/// The settings that the conformance kit has.
pub(crate) fn settings() -> Settings {
    Settings { time_zone: "America/Los_Angeles".to_owned(), ..Settings::default() }
}

/// The schema and the row of a statement, or its error.
pub(crate) fn answer(sql: &str, settings: Settings) -> Result<(String, String), Error> {
    let settings = Arc::new(settings);
    let columns = parse::select(sql, &settings)?;
    let schema: Vec<String> =
        columns.iter().map(|column| format!("{}:{}", column.name, column.data_type.catalog())).collect();
    Ok((format!("struct<{}>", schema.join(",")), row(&columns, &settings)?))
}

fn row(columns: &[Typed], settings: &Arc<Settings>) -> Result<String, Error> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let empty = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options);
    let empty = empty.map_err(|error| Error::new("ARROW", error.to_string()))?;
    let mut arrays = Vec::new();
    let mut fields = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let physical = SESSION.create_physical_expr(column.expr.clone(), &DFSchema::empty())?;
        let array = physical.evaluate(&empty)?.into_array(1)?;
        fields.push(Field::new(format!("c{at}"), array.data_type().clone(), true));
        let expected = column.data_type.to_arrow();
        assert!(same(array.data_type(), &expected), "{}: {} is not {expected}", column.name, array.data_type());
        arrays.push(array);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
    let batch = batch.map_err(|error| Error::new("ARROW", error.to_string()))?;
    let types: Vec<_> = columns.iter().map(|column| column.data_type.clone()).collect();
    hive_row(&batch, 0, &types, settings)
}

fn same(one: &arrow::datatypes::DataType, other: &arrow::datatypes::DataType) -> bool {
    one.equals_datatype(other)
        || format!("{one}").replace("non-null ", "") == format!("{other}").replace("non-null ", "")
}
