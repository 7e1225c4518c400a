//! The schema of an Avro file as Spark writes it.
//! Source: Spark 3.5, `SchemaConverters.toAvroType`.

use paceline_functions::{DataType, StructField};
use serde_json::{Value, json};

const TOP: &str = "topLevelRecord";
const SPARK_TYPE: &str = "spark.sql.catalyst.type";

/// That of rows with these columns.
pub(super) fn of(fields: &[StructField]) -> String {
    record(fields, TOP, "").to_string()
}

fn record(fields: &[StructField], name: &str, space: &str) -> Value {
    let inside = if space.is_empty() { name.to_owned() } else { format!("{space}.{name}") };
    let fields: Vec<Value> = fields
        .iter()
        .map(|field| json!({"name": field.name, "type": of_type(&field.data_type, field.nullable, &field.name, &inside)}))
        .collect();
    match space {
        "" => json!({"type": "record", "name": name, "fields": fields}),
        space => json!({"type": "record", "name": name, "namespace": space, "fields": fields}),
    }
}

fn of_type(data_type: &DataType, nullable: bool, name: &str, space: &str) -> Value {
    let logical = |kind: &str, logical: &str| json!({"type": kind, "logicalType": logical});
    let plain = match data_type {
        DataType::Boolean => json!("boolean"),
        DataType::Byte | DataType::Short | DataType::Int => json!("int"),
        DataType::Long => json!("long"),
        DataType::Float => json!("float"),
        DataType::Double => json!("double"),
        DataType::Binary => json!("bytes"),
        DataType::Date => logical("int", "date"),
        DataType::Timestamp => logical("long", "timestamp-micros"),
        DataType::TimestampNtz => logical("long", "local-timestamp-micros"),
        DataType::YearMonth(..) => json!({"type": "int", SPARK_TYPE: data_type.catalog()}),
        DataType::DayTime(..) => json!({"type": "long", SPARK_TYPE: data_type.catalog()}),
        DataType::Decimal(precision, scale) => json!({
            "type": "fixed",
            "name": "fixed",
            "namespace": format!("{space}.{name}"),
            "size": bytes_of(*precision),
            "logicalType": "decimal",
            "precision": precision,
            "scale": scale
        }),
        DataType::Array(element, contains_null) => {
            json!({"type": "array", "items": of_type(element, *contains_null, name, space)})
        }
        DataType::Map(_, value, contains_null) => {
            json!({"type": "map", "values": of_type(value, *contains_null, name, space)})
        }
        DataType::Struct(fields) => record(fields, name, space),
        _ => json!("string"),
    };
    if nullable { json!([plain, "null"]) } else { plain }
}

/// The fewest bytes that hold so many digits.
fn bytes_of(precision: u8) -> u32 {
    let most = 10_i128.checked_pow(u32::from(precision)).map_or(i128::MAX, |power| power - 1);
    // One bit more than the number has, for its sign.
    (128 - most.leading_zeros() + 1).div_ceil(8)
}
