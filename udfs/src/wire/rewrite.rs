//! Walks through a JSON value along its Arrow type and gives each plain value to a function, which writes what stands in
//! its place: how a format's own texts become ours and back.

use arrow::datatypes::DataType;

use super::json::{Members, elements, quoted};
use super::types::key_and_value;

/// Writes the text that stands in the place of a plain value, given its type and JSON. It never gets `null`.
pub(super) type Write<'f> = &'f mut dyn FnMut(&DataType, &str, &mut String);

/// Whether a type is one that `wanted` names, or has one inside.
pub(super) fn has(data_type: &DataType, wanted: fn(&DataType) -> bool) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            has(item.data_type(), wanted)
        }
        DataType::Struct(fields) => fields.iter().any(|field| has(field.data_type(), wanted)),
        DataType::Map(entries, _) => has(entries.data_type(), wanted),
        DataType::Dictionary(_, values) => has(values, wanted),
        plain => wanted(plain),
    }
}

/// Writes `json`, a value of `data_type`, to `out`. What is not of that type is copied: whoever reads it will say so.
pub(super) fn rewrite(data_type: &DataType, json: &str, write: Write<'_>, out: &mut String) {
    let known = rewritten(data_type, json, write, out);
    if known.is_none() {
        out.push_str(json);
    }
}

/// `None`, with nothing written, where the value is not of that type.
fn rewritten(data_type: &DataType, json: &str, write: Write<'_>, out: &mut String) -> Option<()> {
    if json == "null" {
        return None;
    }
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let elements = elements(json).ok()?;
            for (at, element) in elements.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                rewrite(item.data_type(), element.get(), write, out);
            }
            out.push_str(if elements.is_empty() { "[]" } else { "]" });
        }
        DataType::Struct(fields) => {
            let members = Members::of(json).ok()?.0;
            for (at, (name, value)) in members.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                out.push_str(&quoted(name));
                out.push(':');
                match fields.find(name) {
                    Some((_, field)) => rewrite(field.data_type(), value.get(), write, out),
                    None => out.push_str(value.get()),
                }
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        DataType::Map(entries, _) => {
            let (key_type, value_type) = key_and_value(entries)?;
            let members = Members::of(json).ok()?.0;
            for (at, (key, value)) in members.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                let start = out.len();
                rewrite(key_type.data_type(), &quoted(key), write, out);
                if !out[start..].starts_with('"') {
                    out.insert(start, '"');
                    out.push('"');
                }
                out.push(':');
                rewrite(value_type.data_type(), value.get(), write, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        DataType::Dictionary(_, values) => return rewritten(values, json, write, out),
        plain => write(plain, json, out),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field, Fields};
    use expect_test::expect;

    use super::*;

    #[test]
    fn plain_values_are_replaced_wherever_they_stand() {
        let list = DataType::List(Arc::new(Field::new("element", DataType::Int32, true)));
        let pair = Fields::from(vec![Field::new("key", DataType::Int32, false), Field::new("value", list, true)]);
        let map = DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false);
        let data_type =
            DataType::Struct(vec![Field::new("m", map, true), Field::new("s", DataType::Utf8, true)].into());
        let shown = |json| {
            let mut out = String::new();
            let mut write = |data_type: &DataType, json: &str, out: &mut String| {
                *out += &if *data_type == DataType::Int32 { format!("<{json}>") } else { json.to_owned() };
            };
            rewrite(&data_type, json, &mut write, &mut out);
            out
        };
        expect![[r#"{"m":{"<"1">":[<1>,null],"<"2">":[],"<"3">":null},"s":"x","n":7}"#]]
            .assert_eq(&shown(r#"{"m":{"1":[1,null],"2":[],"3":null}, "s":"x","n":7}"#));
        expect![[r#"{"m":[1]}"#]].assert_eq(&shown(r#"{"m":[1]}"#));
        expect!["{}"].assert_eq(&shown("{ }"));
        assert!(has(&data_type, |data_type| *data_type == DataType::Int32));
        assert!(!has(&data_type, |data_type| *data_type == DataType::Binary));
    }
}
