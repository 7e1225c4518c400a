//! The columns of a batch in the types that a file holds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayData, ArrayRef, RecordBatch, make_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Fields, Schema, SchemaRef};
use datafusion::common::Result;
use paceline_functions::{DataType, StructField};

/// The columns in the one form that each of Spark's types has.
pub(super) fn as_spark_has_them(batch: &RecordBatch, fields: &[StructField]) -> Result<Vec<ArrayRef>> {
    let column = |(array, field): (&ArrayRef, &StructField)| to(array, &field.data_type.to_arrow());
    batch.columns().iter().zip(fields).map(column).collect()
}

/// The columns of a file, in which some types stand for others.
pub(super) struct Stored {
    pub fields: Vec<StructField>,
    pub schema: SchemaRef,
    /// The same, with the numbers that intervals are.
    numbers: Vec<Arrow>,
}

impl Stored {
    /// Columns whose types a file has as `stored` says.
    pub fn new(fields: Vec<StructField>, stored: fn(&DataType) -> Arrow) -> Self {
        let field = |field: &StructField| Field::new(&field.name, inner(&field.data_type, stored), field.nullable);
        let schema = Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()));
        let numbers = fields.iter().map(|field| inner(&field.data_type, in_parquet)).collect();
        Stored { fields, schema, numbers }
    }

    /// A batch as it is stored.
    pub fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = as_spark_has_them(batch, &self.fields)?;
        let column = |((array, field), (numbers, stored)): ((&ArrayRef, &StructField), (&Arrow, &Arc<Field>))| {
            let array = match has_intervals(&field.data_type) {
                true => make_array(relabelled(array.to_data(), numbers)?),
                false => Arc::clone(array),
            };
            to(&array, stored.data_type())
        };
        let columns = columns.iter().zip(&self.fields).zip(self.numbers.iter().zip(self.schema.fields())).map(column);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_>>()?)?)
    }
}

/// The type of a column, whatever is nested in it too.
fn inner(data_type: &DataType, stored: fn(&DataType) -> Arrow) -> Arrow {
    match data_type {
        DataType::Array(element, contains_null) => {
            Arrow::List(Arc::new(Field::new("element", inner(element, stored), *contains_null)))
        }
        DataType::Map(key, value, contains_null) => {
            let entry = Fields::from(vec![
                Field::new("key", inner(key, stored), false),
                Field::new("value", inner(value, stored), *contains_null),
            ]);
            Arrow::Map(Arc::new(Field::new("key_value", Arrow::Struct(entry), false)), false)
        }
        DataType::Struct(fields) => {
            let field = |field: &StructField| Field::new(&field.name, inner(&field.data_type, stored), field.nullable);
            Arrow::Struct(fields.iter().map(field).collect())
        }
        other => stored(other),
    }
}

/// As Spark stores it in Parquet: intervals are numbers.
pub(super) fn in_parquet(data_type: &DataType) -> Arrow {
    match data_type {
        DataType::YearMonth(..) => Arrow::Int32,
        DataType::DayTime(..) => Arrow::Int64,
        other => other.to_arrow(),
    }
}

/// As Spark stores it in Avro, which has no small integers either.
pub(super) fn in_avro(data_type: &DataType) -> Arrow {
    match data_type {
        DataType::Byte | DataType::Short => Arrow::Int32,
        other => in_parquet(other),
    }
}

/// As Spark stores it in ORC: instants are local times of UTC.
pub(super) fn in_orc(data_type: &DataType) -> Arrow {
    match data_type {
        DataType::Timestamp => DataType::TimestampNtz.to_arrow(),
        other => in_parquet(other),
    }
}

fn to(array: &ArrayRef, data_type: &Arrow) -> Result<ArrayRef> {
    if array.data_type() == data_type { Ok(Arc::clone(array)) } else { Ok(cast(array, data_type)?) }
}

fn has_intervals(data_type: &DataType) -> bool {
    match data_type {
        DataType::YearMonth(..) | DataType::DayTime(..) => true,
        DataType::Array(element, _) => has_intervals(element),
        DataType::Map(key, value, _) => has_intervals(key) || has_intervals(value),
        DataType::Struct(fields) => fields.iter().any(|field| has_intervals(&field.data_type)),
        _ => false,
    }
}

/// The same bytes as another type. Arrow casts no intervals to the numbers that they are.
fn relabelled(data: ArrayData, to: &Arrow) -> Result<ArrayData> {
    let types: Vec<&Arrow> = match to {
        Arrow::List(element) | Arrow::Map(element, _) => vec![element.data_type()],
        Arrow::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => Vec::new(),
    };
    let inner = data.child_data().iter().cloned().zip(types).map(|(data, to)| relabelled(data, to));
    let inner = inner.collect::<Result<Vec<_>>>()?;
    Ok(data.into_builder().data_type(to.clone()).child_data(inner).build()?)
}
