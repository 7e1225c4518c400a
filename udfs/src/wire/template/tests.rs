//! Requests of a template as they are sent, and values out of their replies.

use arrow::datatypes::{DataType, Field};
use expect_test::{Expect, expect};

use super::*;
use crate::wire::echoes::function;
use crate::wire::encode;

/// Shows the request for one row of `(id, name, tags)`.
fn check(options: &[(&str, &str)], row: &'static str, expected: Expect) {
    let arguments = ["id", "name", "tags"].map(|name| Field::new(name, DataType::Utf8, true));
    let api = function(arguments.to_vec().into(), DataType::Utf8, &[&[("format", "template")], options].concat());
    let shown = match encode(&api, &[Bytes::from(row)], "") {
        Ok(request) => {
            let url = request.url.map_or("(endpoint)".to_owned(), |url| url.to_string());
            let headers: Vec<_> = request
                .headers
                .iter()
                .map(|(name, value)| format!(" {name}: {}", String::from_utf8_lossy(value.as_bytes())))
                .collect();
            format!("{} {url}{} {}", request.method, headers.concat(), String::from_utf8_lossy(&request.body))
        }
        Err(message) => message,
    };
    expected.assert_eq(&shown);
}

const ROW: &str = r#"{"id":7,"name":"a/b ?&#%\"ü{","tags":["x",1.50]}"#;
const NULLS: &str = r#"{"id":null,"name":null,"tags":null}"#;
const USER: (&str, &str) = ("url", "https://api.example/v1/users/{name}/tags?of={id}");

#[test]
fn a_value_in_a_url_stays_in_its_place() {
    check(&[USER], ROW, expect!["GET https://api.example/v1/users/a%2Fb%20%3F%26%23%25%22%C3%BC%7B/tags?of=7 "]);
    check(
        &[("url", "https://api.example/{{x}}/{tags}")],
        ROW,
        expect!["GET https://api.example/%7Bx%7D/%5B%22x%22%2C1.50%5D "],
    );
}

#[test]
fn a_value_that_would_make_another_url_is_refused() {
    check(
        &[USER],
        r#"{"id":1,"name":"..","tags":null}"#,
        expect!["an argument in the path of the URL is empty, '.' or '..', which would make it another URL"],
    );
    check(
        &[USER],
        r#"{"id":1,"name":".","tags":null}"#,
        expect!["an argument in the path of the URL is empty, '.' or '..', which would make it another URL"],
    );
    check(
        &[USER],
        r#"{"id":1,"name":"","tags":null}"#,
        expect!["an argument in the path of the URL is empty, '.' or '..', which would make it another URL"],
    );
    check(
        &[USER],
        r#"{"id":1,"name":"../../admin","tags":null}"#,
        expect!["GET https://api.example/v1/users/..%2F..%2Fadmin/tags?of=1 "],
    );
    check(
        &[("url", "https://api.example/.{name}/x")],
        r#"{"id":1,"name":".","tags":null}"#,
        expect!["an argument in the path of the URL is empty, '.' or '..', which would make it another URL"],
    );
    check(&[USER], NULLS, expect!["argument 'name' is NULL, which cannot stand in a URL"]);
}

#[test]
fn queries_and_headers_without_a_value_are_left_out() {
    let options =
        [("query", r#"{"q":"{name}","top":"5","t":"{tags}"}"#), ("headers", r#"{"X-Id":"no. {id}","Accept":"*/*"}"#)];
    check(
        &options,
        ROW,
        expect![
            "GET http://api.example/f?q=a%2Fb+%3F%26%23%25%22%C3%BC%7B&top=5&t=%5B%22x%22%2C1.50%5D x-id: no. 7 accept: */* "
        ],
    );
    check(&options, NULLS, expect!["GET http://api.example/f?top=5 accept: */* "]);
    check(
        &[USER, options[0]],
        ROW,
        expect![
            "GET https://api.example/v1/users/a%2Fb%20%3F%26%23%25%22%C3%BC%7B/tags?of=7&q=a%2Fb+%3F%26%23%25%22%C3%BC%7B&top=5&t=%5B%22x%22%2C1.50%5D "
        ],
    );
}

#[test]
fn a_header_ends_with_its_line() {
    check(
        &[("headers", r#"{"X-Name":"{name}"}"#)],
        r#"{"id":1,"name":"a\r\nX-Admin: 1","tags":null}"#,
        expect!["the value of header 'x-name' has a line end or another character that no header may have"],
    );
}

#[test]
fn a_body_has_values_as_json_and_texts_as_text() {
    let body =
        r#"{"who": "{name}", "{id}": 1.50, "text": "{{Hi}} \"{name}\" ({id})", "all": ["{tags}", "{id}"], "\"": ""}"#;
    check(
        &[("body", body)],
        ROW,
        expect![[
            r#"POST (endpoint) content-type: application/json {"who": "a/b ?&#%\"ü{", "{id}": 1.50, "text": "{Hi} \"a/b ?&#%\"ü{\" (7)", "all": [["x",1.50], 7], "\"": ""}"#
        ]],
    );
    check(
        &[("body", body)],
        NULLS,
        expect![[
            r#"POST (endpoint) content-type: application/json {"who": null, "{id}": 1.50, "text": "{Hi} \"\" ()", "all": [null, null], "\"": ""}"#
        ]],
    );
    check(
        &[("body", "\"{tags}\""), ("headers", r#"{"Content-Type":"application/x-tags"}"#)],
        ROW,
        expect![[r#"POST (endpoint) content-type: application/x-tags ["x",1.50]"#]],
    );
}

#[test]
fn a_value_is_the_reply_or_in_it() {
    let value = |reply: &'static str, path| match split(&Bytes::from(reply), path) {
        Ok(values) => String::from_utf8(values.concat()).unwrap(),
        Err(message) => message,
    };
    expect!["1.50"].assert_eq(&value(r#"{"a":[1.50]}"#, Some("/a/0")));
    expect!["the reply has nothing at '/b'"].assert_eq(&value(r#"{"a":[1.50]}"#, Some("/b")));
    expect![[r#"{"a":[1.50]}"#]].assert_eq(&value(r#"{"a":[1.50]}"#, None));
    expect!["the reply is not JSON: expected value at line 1 column 1"].assert_eq(&value("<html>", Some("/b")));
    expect!["null"].assert_eq(&value("", Some("/b")));
}
