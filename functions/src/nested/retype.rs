//! The same values in a type that differs in names and nullability of fields only, as plans compare types to the letter.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;

/// The values as that type.
pub(crate) fn retype(array: &ArrayRef, to: &Arrow) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    Ok(match (array.data_type(), to) {
        (Arrow::List(_), Arrow::List(field)) => {
            let list = array.as_list::<i32>();
            let values = retype(list.values(), field.data_type())?;
            Arc::new(ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?)
        }
        (Arrow::Map(..), Arrow::Map(entries, sorted)) => {
            let map = array.as_map();
            let parts: ArrayRef = Arc::new(map.entries().clone());
            let parts = retype(&parts, entries.data_type())?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, parts.as_struct().clone(), nulls, *sorted)?)
        }
        (Arrow::Struct(from), Arrow::Struct(fields)) if from.len() == fields.len() => {
            let parts = array.as_struct();
            let columns = parts
                .columns()
                .iter()
                .zip(fields)
                .map(|(column, field)| retype(column, field.data_type()))
                .collect::<Result<Vec<_>>>()?;
            if columns.is_empty() {
                return Ok(Arc::new(StructArray::new_empty_fields(parts.len(), parts.nulls().cloned())));
            }
            Arc::new(StructArray::try_new(fields.clone(), columns, parts.nulls().cloned())?)
        }
        (Arrow::Null, to) => new_null_array(to, array.len()),
        (_, to) => cast(array, to)?,
    })
}
