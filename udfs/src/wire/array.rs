//! Format `array`: a JSON array of objects per request; the reply is an array of as many values in the same order, or
//! has one at `reply_path` (a JSON pointer) or under the key `results`.

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

use super::json::{at_pointer, elements};
use crate::client::Outgoing;

pub(super) fn request(objects: &[Bytes]) -> Outgoing {
    let mut body = BytesMut::with_capacity(objects.iter().map(|object| object.len() + 1).sum::<usize>() + 2);
    for (at, object) in objects.iter().enumerate() {
        body.extend_from_slice(if at == 0 { b"[" } else { b"," });
        body.extend_from_slice(object);
    }
    body.extend_from_slice(b"]");
    Outgoing::json(body.freeze())
}

pub(super) fn split(reply: &Bytes, rows: usize, reply_path: Option<&str>) -> Result<Vec<Bytes>, String> {
    let not_json = |error: serde_json::Error| format!("the reply is not JSON: {error}");
    let whole: &RawValue = serde_json::from_slice(reply).map_err(not_json)?;
    let array = match reply_path {
        Some(path) => at_pointer(whole, path).ok_or_else(|| format!("the reply has nothing at '{path}'"))?,
        None if whole.get().starts_with('{') => {
            at_pointer(whole, "/results").ok_or("the reply is an object without 'results', expected an array")?
        }
        None => whole,
    };
    let values = elements(array.get()).map_err(|_| "the reply is not an array")?;
    if values.len() != rows {
        return Err(format!("the reply has {} values for {rows} rows", values.len()));
    }
    Ok(values.into_iter().map(|value| reply.slice_ref(value.get().as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn a_request_is_an_array_of_objects() {
        let body = request(&[Bytes::from(r#"{"id":1}"#), Bytes::from(r#"{"id":2}"#)]).body;
        assert_eq!(body, r#"[{"id":1},{"id":2}]"#);
    }

    fn check_split(reply: &str, path: Option<&str>, expected: Expect) {
        let shown = match split(&Bytes::from(reply.to_owned()), 2, path) {
            Ok(values) => {
                values.iter().map(|v| String::from_utf8_lossy(v).into_owned()).collect::<Vec<_>>().join(" | ")
            }
            Err(message) => message,
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_reply_is_an_array_or_has_one() {
        check_split(r#"[{"a":1}, null]"#, None, expect![[r#"{"a":1} | null"#]]);
        check_split(r#"{"took":3,"results":[1,2]}"#, None, expect!["1 | 2"]);
        check_split(r#"{"data":[{"rows":[1,2]}]}"#, Some("/data/0/rows"), expect!["1 | 2"]);
    }

    #[test]
    fn what_is_wrong_with_a_reply_is_said() {
        check_split("<html>", None, expect!["the reply is not JSON: expected value at line 1 column 1"]);
        check_split("[1]", None, expect!["the reply has 1 values for 2 rows"]);
        check_split("[1,2,3]", None, expect!["the reply has 3 values for 2 rows"]);
        check_split("7", None, expect!["the reply is not an array"]);
        check_split("{}", None, expect!["the reply is an object without 'results', expected an array"]);
        check_split("{}", Some("/a/b"), expect!["the reply has nothing at '/a/b'"]);
        check_split("[1,2", None, expect!["the reply is not JSON: EOF while parsing a list at line 1 column 4"]);
    }
}
