//! Rows as lists of arguments in their order, as the formats of data warehouses have them.

use arrow::datatypes::DataType;
use bytes::Bytes;

use super::json::Members;
use super::rewrite::{Write, has, rewrite};
use crate::ApiFunction;

/// Writes the rows as a JSON array of one array per row, each beginning with what `first` says of its number. `write` says
/// how values of the types that `changes` names are written.
pub(super) fn lists(
    api: &ApiFunction,
    rows: &[Bytes],
    changes: fn(&DataType) -> bool,
    write: Write<'_>,
    first: fn(usize) -> Option<String>,
    out: &mut String,
) -> Result<(), String> {
    let types: Vec<_> = api.arguments.iter().map(|field| (field, has(field.data_type(), changes))).collect();
    out.push('[');
    for (number, row) in rows.iter().enumerate() {
        let row = std::str::from_utf8(row).map_err(|error| format!("row {number} is not text: {error}"))?;
        let members = Members::of(row).map_err(|error| format!("row {number} is not a JSON object: {error}"))?;
        out.push_str(if number == 0 { "[" } else { ",[" });
        let first = first(number);
        out.push_str(first.as_deref().unwrap_or_default());
        for (at, (name, value)) in members.0.iter().enumerate() {
            if at > 0 || first.is_some() {
                out.push(',');
            }
            match types.iter().find(|(field, _)| field.name() == name) {
                Some((field, true)) => rewrite(field.data_type(), value.get(), write, out),
                _ => out.push_str(value.get()),
            }
        }
        out.push(']');
    }
    out.push(']');
    Ok(())
}
