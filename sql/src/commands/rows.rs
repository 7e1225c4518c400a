//! Results that are known when the statement is planned.

use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, Result, StructField, Typed};

use super::Action;
use crate::catalog::Session;
use crate::resolve::Resolver;

/// A value of such a result.
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Null,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

/// A query of these rows.
pub(super) fn known(session: &Session, columns: &[(&str, DataType)], rows: Vec<Vec<Value>>) -> Result<Action> {
    let mut resolver = Resolver::new(session);
    let mut resolved = resolver.constants(
        columns.iter().map(|(name, data_type)| StructField::new(*name, data_type.clone(), true)).collect(),
        rows.into_iter()
            .map(|row| {
                row.into_iter()
                    .zip(columns)
                    .map(|(value, (_, data_type))| {
                        let value = match value {
                            Value::Text(text) => ScalarValue::Utf8(Some(text)),
                            Value::Flag(flag) => ScalarValue::Boolean(Some(flag)),
                            Value::Null => ScalarValue::try_from(&data_type.to_arrow()).unwrap_or(ScalarValue::Null),
                        };
                        Typed::literal(value, data_type.clone(), "")
                    })
                    .collect()
            })
            .collect(),
    )?;
    for (field, (name, _)) in resolved.output.iter_mut().zip(columns) {
        field.name = (*name).to_owned();
    }
    Ok(Action::Query(resolved))
}

/// Columns of text.
pub(super) fn texts(session: &Session, columns: &[&str], rows: Vec<Vec<Value>>) -> Result<Action> {
    let columns: Vec<(&str, DataType)> = columns.iter().map(|name| (*name, DataType::String)).collect();
    known(session, &columns, rows)
}
