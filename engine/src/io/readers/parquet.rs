//! Parquet files: DataFusion's reader, with the types that Spark gives them.
//! Source: Spark 3.5, `ParquetFileFormat` and `ParquetToSparkSchemaConverter`.

use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::execution::session_state::SessionState;
use object_store::{ObjectMeta, ObjectStore};
use paceline_functions::{DataType, StructField};

use super::{Options, merge_schemas};
use crate::EngineError;
use crate::io::spark_schema;

/// The names of the options.
pub(super) const OPTIONS: &[&str] = &["mergeSchema", "datetimeRebaseMode", "int96RebaseMode", "compression"];

/// How Parquet files are read.
#[derive(Debug)]
pub(super) struct ParquetFiles {
    merges: bool,
}

impl ParquetFiles {
    pub fn parse(options: &Options<'_>) -> Result<Self, EngineError> {
        options.no_rebase("datetimeRebaseMode")?;
        options.no_rebase("int96RebaseMode")?;
        Ok(ParquetFiles { merges: options.flag("mergeSchema", false)? })
    }

    /// DataFusion's format. INT96 is an instant of whole microseconds, as Spark takes it.
    pub fn format() -> ParquetFormat {
        let mut options = TableParquetOptions::default();
        options.global.coerce_int96 = Some("us".to_owned());
        options.global.coerce_int96_tz = Some("UTC".to_owned());
        ParquetFormat::default().with_options(options).with_force_view_types(false)
    }

    /// As in Spark, the columns of the first file, or of all together.
    pub async fn columns(
        &self,
        state: &SessionState,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let format = ParquetFiles::format().with_skip_metadata(false);
        let mut schemas = Vec::new();
        for file in files {
            let schema = format.infer_schema(state, store, std::slice::from_ref(file)).await?;
            schemas.push(columns(&schema)?);
            if !self.merges {
                break;
            }
        }
        Ok(Arc::new(merge_schemas(schemas)?))
    }
}

/// The columns of a file: what Spark noted in it, or what the types of Parquet are to Spark.
fn columns(schema: &Schema) -> Result<Schema> {
    if let Some(noted) = schema.metadata().get(spark_schema::KEY)
        && let Ok(fields) = spark_schema::of_json(noted)
        && fields.len() == schema.fields().len()
    {
        return Ok(Schema::new(fields.iter().map(|field| field.to_arrow().with_nullable(true)).collect::<Vec<_>>()));
    }
    let field = |field: &Arc<Field>| {
        refuse(field.name(), field.data_type())?;
        Ok(StructField::new(field.name(), DataType::of(field)?, true).to_arrow())
    };
    Ok(Schema::new(schema.fields().iter().map(field).collect::<Result<Vec<_>>>()?))
}

/// What Spark calls an illegal Parquet type.
fn refuse(name: &str, data_type: &Arrow) -> Result<()> {
    match data_type {
        Arrow::Timestamp(TimeUnit::Nanosecond, zone) => {
            exec_err!("Illegal Parquet type: INT64 (TIMESTAMP(NANOS,{})) of the column '{name}'", zone.is_some())
        }
        Arrow::Time32(_) | Arrow::Time64(_) | Arrow::Interval(_) => {
            exec_err!("Illegal Parquet type: {data_type} of the column '{name}'")
        }
        Arrow::List(inner) | Arrow::LargeList(inner) | Arrow::Map(inner, _) => refuse(name, inner.data_type()),
        Arrow::Struct(fields) => fields.iter().try_for_each(|field| refuse(name, field.data_type())),
        _ => Ok(()),
    }
}
