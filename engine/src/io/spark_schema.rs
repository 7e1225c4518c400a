//! The schema that Spark notes in the Parquet files that it writes, as JSON.
//! Source: Spark 3.5, `DataType.json` and `DataType.fromJson`.

use paceline_functions::{DataType, StructField, records};
use serde_json::{Value, json};

/// Where it stands in a file.
pub(crate) const KEY: &str = "org.apache.spark.sql.parquet.row.metadata";

/// Columns as Spark writes them down.
pub(crate) fn to_json(fields: &[StructField]) -> String {
    of_type(&DataType::Struct(fields.to_vec())).to_string()
}

fn of_type(data_type: &DataType) -> Value {
    match data_type {
        DataType::Byte => json!("byte"),
        DataType::Short => json!("short"),
        DataType::Int => json!("integer"),
        DataType::Long => json!("long"),
        DataType::Array(element, contains_null) => {
            json!({"type": "array", "elementType": of_type(element), "containsNull": contains_null})
        }
        DataType::Map(key, value, contains_null) => json!({
            "type": "map", "keyType": of_type(key), "valueType": of_type(value), "valueContainsNull": contains_null
        }),
        DataType::Struct(fields) => {
            let field = |field: &StructField| {
                json!({
                    "name": field.name, "type": of_type(&field.data_type), "nullable": field.nullable, "metadata": {}
                })
            };
            json!({"type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>()})
        }
        other => json!(other.catalog()),
    }
}

/// The columns that a text says, if it can be understood.
///
/// # Errors
/// It cannot; why.
pub(crate) fn of_json(text: &str) -> Result<Vec<StructField>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match type_in(&value, 0)? {
        DataType::Struct(fields) => Ok(fields),
        other => Err(format!("{} is no struct", other.catalog())),
    }
}

fn type_in(value: &Value, depth: usize) -> Result<DataType, String> {
    let get = |key: &str| value.get(key).ok_or_else(|| format!("'{key}' is missing"));
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(true);
    if depth > 100 {
        return Err("it is nested too deeply".to_owned());
    }
    if let Some(name) = value.as_str() {
        return match name {
            "byte" => Ok(DataType::Byte),
            "short" => Ok(DataType::Short),
            "integer" => Ok(DataType::Int),
            "long" => Ok(DataType::Long),
            name if name.starts_with("char(") || name.starts_with("varchar(") => Ok(DataType::String),
            name => records::type_of(name).map_err(|error| error.to_string()),
        };
    }
    match get("type")?.as_str().unwrap_or_default() {
        "array" => Ok(DataType::Array(Box::new(type_in(get("elementType")?, depth + 1)?), flag("containsNull"))),
        "map" => {
            let (key, value) = (type_in(get("keyType")?, depth + 1)?, type_in(get("valueType")?, depth + 1)?);
            Ok(DataType::Map(Box::new(key), Box::new(value), flag("valueContainsNull")))
        }
        "struct" => {
            let mut fields = Vec::new();
            for field in get("fields")?.as_array().ok_or("no fields")? {
                let name = field.get("name").and_then(Value::as_str).ok_or("a field without a name")?;
                let data_type = type_in(field.get("type").ok_or("a field without a type")?, depth + 1)?;
                let nullable = field.get("nullable").and_then(Value::as_bool).unwrap_or(true);
                fields.push(StructField::new(name, data_type, nullable));
            }
            Ok(DataType::Struct(fields))
        }
        other => Err(format!("the type '{other}' is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["struct<a:int,b:array<struct<c:decimal(10,2)>>>", "struct<m:map<string,bigint>,t:timestamp_ntz>"] {
            let DataType::Struct(fields) = records::type_of(text).unwrap() else { panic!("{text}") };
            assert_eq!(of_json(&to_json(&fields)).unwrap(), fields);
        }
    }
}
