//! JSON text taken apart without reading what is inside its values, so that every value keeps its exact text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, in order.
#[derive(Debug)]
pub(super) struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Takes an object apart.
    pub fn of(json: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// Takes a reply apart that must be an object.
    pub fn of_reply(reply: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(reply).map_err(|error| format!("the reply is not a JSON object: {error}"))
    }

    /// The value of a name; of the last one where it is there twice, as most readers of JSON have it.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Members)
    }
}

/// The elements of a JSON array.
pub(super) fn elements(json: &str) -> serde_json::Result<Vec<&RawValue>> {
    serde_json::from_str(json)
}

/// What a JSON pointer (RFC 6901) names.
pub(super) fn at_pointer<'a>(value: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    pointer.split('/').skip(1).try_fold(value, |value, key| {
        let key = key.replace("~1", "/").replace("~0", "~");
        if value.get().starts_with('[') {
            return elements(value.get()).ok()?.get(key.parse::<usize>().ok()?).copied();
        }
        Members::of(value.get()).ok()?.get(&key)
    })
}

/// A value as plain text: a string is itself, everything else its JSON. `None` for `null`.
pub(super) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    match serde_json::from_str::<Option<String>>(json) {
        Ok(text) => text.map(Cow::Owned),
        Err(_) => Some(Cow::Borrowed(json)),
    }
}

/// A text as a JSON string, with its quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_text() {
        let members = Members::of(r#"{"b": 1.50, "a\n": {"x":[ ]}, "b": null}"#).unwrap();
        let shown: Vec<_> = members.0.iter().map(|(name, value)| format!("{name:?}={}", value.get())).collect();
        assert_eq!(shown, [r#""b"=1.50"#, r#""a\n"={"x":[ ]}"#, r#""b"=null"#]);
        assert_eq!(members.get("b").unwrap().get(), "null");
        assert!(members.get("c").is_none());
        assert!(Members::of("[1]").is_err());
    }

    #[test]
    fn pointers_go_through_objects_and_arrays() {
        let value: &RawValue = serde_json::from_str(r#"{"a/b":[10,{"~":true}]}"#).unwrap();
        let at = |pointer| at_pointer(value, pointer).map(RawValue::get);
        assert_eq!(at("/a~1b/1/~0"), Some("true"));
        assert_eq!(at("/a~1b/0"), Some("10"));
        assert_eq!(at("/a~1b/2"), None);
        assert_eq!(at("/a~1b/0/x"), None);
    }

    #[test]
    fn text_has_no_quotes() {
        let shown = |json| text(serde_json::from_str(json).unwrap()).map(Cow::into_owned);
        assert_eq!(shown(r#""a\"b""#).as_deref(), Some("a\"b"));
        assert_eq!(shown("1.50").as_deref(), Some("1.50"));
        assert_eq!(shown("[1]").as_deref(), Some("[1]"));
        assert_eq!(shown("null"), None);
    }
}
