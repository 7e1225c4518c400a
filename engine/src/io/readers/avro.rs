//! Avro files, with the types that Spark's Avro source gives them.
//! Source: the Avro 1.11 specification, and Spark 3.5's `SchemaConverters`.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_avro::reader::ReaderBuilder;
use async_trait::async_trait;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStore};
use paceline_functions::{DataType, StructField, records};
use serde_json::Value;

use super::Options;
use super::lines::whole;
use super::own::{Batches, FileReader, Listed, Part};
use crate::EngineError;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &["ignoreExtension", "mode", "datetimeRebaseMode", "compression"];

/// How Avro files are read.
#[derive(Debug)]
pub(super) struct AvroFiles {
    given: Vec<(String, String)>,
}

impl AvroFiles {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        options.flag("ignoreExtension", true)?;
        options.no_rebase("datetimeRebaseMode")?;
        match options.get("mode").map(str::to_uppercase).as_deref() {
            None | Some("FAILFAST") => Ok(AvroFiles { given: options.given.to_vec() }),
            Some(other) => Err(options.wrong("mode", other, "FAILFAST, as Avro files are always read")),
        }
    }
}

#[async_trait]
impl FileReader for AvroFiles {
    fn format(&self) -> &'static str {
        "avro"
    }

    fn given(&self) -> &[(String, String)] {
        &self.given
    }

    fn reads_parts(&self) -> bool {
        false
    }

    /// Those of the first file, as in Spark.
    async fn columns(&self, files: &Listed<'_>) -> Result<SchemaRef> {
        match files.files.first() {
            Some(file) => Ok(Arc::new(columns(&bytes(files.store, file).await?)?)),
            None => Ok(Arc::new(Schema::empty())),
        }
    }

    async fn rows(&self, part: Part) -> Result<Batches> {
        let bytes = bytes(&part.store, &part.file).await?;
        // What the reader below would take another way is refused here.
        columns(&bytes)?;
        let mut reader =
            ReaderBuilder::new().with_batch_size(part.rows.max(1)).build(Cursor::new(bytes)).map_err(outer)?;
        let names: HashMap<String, usize> =
            reader.schema().fields().iter().enumerate().map(|(at, field)| (field.name().to_lowercase(), at)).collect();
        let batches = std::iter::from_fn(move || {
            let batch = match reader.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(DataFusionError::from(error))),
            };
            let column = |field: &Arc<arrow::datatypes::Field>| wanted(&batch, field, &names);
            let columns = part.columns.fields().iter().map(column).collect();
            Some(part.batch(columns, batch.num_rows()))
        });
        Ok(futures::stream::iter(batches).boxed())
    }
}

fn wanted(batch: &RecordBatch, field: &arrow::datatypes::Field, names: &HashMap<String, usize>) -> ArrayRef {
    let array = names.get(&field.name().to_lowercase()).map(|at| Arc::clone(batch.column(*at)));
    array.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
}

async fn bytes(store: &Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<Vec<u8>> {
    whole(store, file, FileCompressionType::UNCOMPRESSED).await
}

fn outer(error: arrow::error::ArrowError) -> DataFusionError {
    DataFusionError::from(error)
}

/// The columns of a file as Spark has them.
fn columns(bytes: &[u8]) -> Result<Schema> {
    let reader = ReaderBuilder::new().build(Cursor::new(bytes)).map_err(outer)?;
    let header = reader.avro_header();
    let json = header.get("avro.schema").ok_or_else(|| exec_datafusion_err!("the file has no Avro schema"))?;
    let json: Value = serde_json::from_slice(json).map_err(|error| exec_datafusion_err!("the Avro schema: {error}"))?;
    match data_type(&json, &mut HashMap::new(), 0)?.0 {
        DataType::Struct(fields) => {
            Ok(Schema::new(fields.iter().map(|field| field.to_arrow().with_nullable(true)).collect::<Vec<_>>()))
        }
        other => exec_err!("an Avro file whose rows are {}", other.catalog()),
    }
}

/// A type, and whether it may be NULL.
fn data_type(schema: &Value, named: &mut HashMap<String, DataType>, depth: usize) -> Result<(DataType, bool)> {
    if depth > 100 {
        return exec_err!("Avro types nested this deeply are not read");
    }
    let of = |name: &str| schema.get(name);
    let text = |name: &str| of(name).and_then(Value::as_str);
    if let Some(branches) = schema.as_array() {
        let is_null = |branch: &&Value| **branch == Value::String("null".to_owned());
        let others: Vec<&Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
        return match others.as_slice() {
            [one] => Ok((data_type(one, named, depth + 1)?.0, others.len() < branches.len())),
            _ => exec_err!("Avro unions of several types are not read"),
        };
    }
    let name = schema.as_str().or_else(|| text("type"));
    let Some(name) = name else {
        let inner = of("type").ok_or_else(|| exec_datafusion_err!("the Avro schema says no type"))?;
        return data_type(inner, named, depth + 1);
    };
    let number = |name: &str, default: u64| of(name).and_then(Value::as_u64).unwrap_or(default);
    if let Some(noted) = text("spark.sql.catalyst.type") {
        return Ok((records::type_of(&noted.to_lowercase())?, false));
    }
    let data_type = match (name, text("logicalType").unwrap_or_default()) {
        (_, "decimal") => {
            let (precision, scale) = (number("precision", 0), number("scale", 0));
            match (u8::try_from(precision), i8::try_from(scale)) {
                (Ok(precision @ 1..=38), Ok(scale)) => DataType::Decimal(precision, scale),
                _ => return exec_err!("Avro decimals of {precision} digits are not read"),
            }
        }
        ("int", "date") => DataType::Date,
        ("long", "timestamp-millis" | "timestamp-micros") => DataType::Timestamp,
        ("long", "local-timestamp-millis" | "local-timestamp-micros") => DataType::TimestampNtz,
        ("int" | "long", logical) if logical.starts_with("time") => {
            return exec_err!("Avro's {logical} is not read");
        }
        ("fixed", "duration") => return exec_err!("Avro's duration is not read"),
        ("null", _) => DataType::Void,
        ("boolean", _) => DataType::Boolean,
        ("int", _) => DataType::Int,
        ("long", _) => DataType::Long,
        ("float", _) => DataType::Float,
        ("double", _) => DataType::Double,
        ("string" | "enum", _) => DataType::String,
        ("bytes" | "fixed", _) => DataType::Binary,
        ("array", _) => {
            let items = of("items").ok_or_else(|| exec_datafusion_err!("an Avro array without items"))?;
            let (element, nullable) = data_type(items, named, depth + 1)?;
            DataType::Array(Box::new(element), nullable)
        }
        ("map", _) => {
            let values = of("values").ok_or_else(|| exec_datafusion_err!("an Avro map without values"))?;
            let (value, nullable) = data_type(values, named, depth + 1)?;
            DataType::Map(Box::new(DataType::String), Box::new(value), nullable)
        }
        ("record", _) => {
            let mut fields = Vec::new();
            for field in of("fields").and_then(Value::as_array).into_iter().flatten() {
                let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
                let inner = field.get("type").ok_or_else(|| exec_datafusion_err!("an Avro field without a type"))?;
                let (data_type, nullable) = data_type(inner, named, depth + 1)?;
                fields.push(StructField::new(name, data_type, nullable));
            }
            DataType::Struct(fields)
        }
        (other, _) => match named.get(other) {
            Some(known) => known.clone(),
            None => return exec_err!("the Avro type '{other}' is not known, or is one that contains itself"),
        },
    };
    if let (Some(full), true) = (text("name"), matches!(name, "record" | "enum" | "fixed")) {
        named.insert(full.to_owned(), data_type.clone());
        if let Some(space) = text("namespace") {
            named.insert(format!("{space}.{full}"), data_type.clone());
        }
    }
    Ok((data_type, false))
}
