//! What the bytes of a function have, and how it is laid out.

use arrow::datatypes::{FieldRef, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::{Settings, TimestampType};

/// What makes a function complete, next to its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// The name without what is shown of constants.
    pub(super) name: String,
    /// Of the session.
    pub(super) settings: Settings,
    /// What is returned, then what else has a type.
    pub(super) fields: Vec<FieldRef>,
    /// Constants.
    pub(super) constants: Vec<u64>,
}

impl Parts {
    pub(super) fn field(&self, at: usize) -> Result<FieldRef> {
        self.fields.get(at).cloned().ok_or_else(|| foreign("there are too few fields"))
    }
}

fn foreign(what: &str) -> DataFusionError {
    exec_datafusion_err!("these are not the bytes of a function: {what}")
}

pub(super) fn write(parts: &Parts) -> Result<Vec<u8>> {
    let settings = &parts.settings;
    let header = json!({
        "name": parts.name,
        "constants": parts.constants,
        "ansi": settings.ansi,
        "zone": settings.time_zone,
        "ntz": settings.timestamp_type == TimestampType::Ntz,
        "case": settings.case_sensitive,
        "legacy_time": settings.legacy_time_parser,
        "others": settings.others,
    })
    .to_string();
    let length = u32::try_from(header.len()).map_err(|_| foreign("the settings are too long"))?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    // A stream without batches is a schema.
    let schema = Schema::new(parts.fields.clone());
    StreamWriter::try_new(&mut bytes, &schema)?.finish()?;
    Ok(bytes)
}

pub(super) fn read(bytes: &[u8]) -> Result<Parts> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| foreign("they are too short"))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| foreign("they are too long"))?;
    let (header, schema) = rest.split_at_checked(length).ok_or_else(|| foreign("they are too short"))?;
    let header: Value = serde_json::from_slice(header).map_err(|error| foreign(&error.to_string()))?;
    let truth = |key: &str| header.get(key).and_then(Value::as_bool).unwrap_or_default();
    let text = |key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let others: BTreeMap<String, String> = header
        .get("others")
        .and_then(Value::as_object)
        .map(|others| {
            others.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        })
        .unwrap_or_default();
    let constants =
        header.get("constants").and_then(Value::as_array).map(|all| all.iter().filter_map(Value::as_u64).collect());
    let schema = StreamReader::try_new(schema, None)?.schema();
    Ok(Parts {
        name: text("name"),
        settings: Settings {
            ansi: truth("ansi"),
            time_zone: text("zone"),
            timestamp_type: if truth("ntz") { TimestampType::Ntz } else { TimestampType::Ltz },
            case_sensitive: truth("case"),
            legacy_time_parser: truth("legacy_time"),
            others,
        },
        fields: schema.fields().iter().cloned().collect(),
        constants: constants.unwrap_or_default(),
    })
}
