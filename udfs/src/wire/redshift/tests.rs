//! Requests as Redshift's documentation shows them, and replies as functions really write them.

use arrow::datatypes::{DataType, Field, Fields};
use expect_test::{Expect, expect};
use http::HeaderValue;

use super::*;
use crate::wire::echoes::{body, function, reply};
use crate::wire::encode;

#[test]
fn a_request_has_its_rows_as_arguments() {
    let arguments: Fields = ["a", "b"].map(|name| Field::new(name, DataType::Int64, true)).to_vec().into();
    let api = function(arguments, DataType::Int64, &[("format", "redshift"), ("session_user", "admin")]);
    let rows = [r#"{"a":1,"b":"/w=="}"#, r#"{"a":null,"b":2}"#].map(Bytes::from);
    expect![[r#"{"request_id":"0a1b","cluster":"paceline","user":"admin","database":"paceline","external_function":"f","query_id":4254826860,"num_records":2,"arguments":[[1,"/w=="],[null,2]]}"#]].assert_eq(&body(&encode(&api, &rows, "0a1b").unwrap()));
}

fn check(reply: &Reply, expected: Expect) {
    let shown = match split(reply, 2) {
        Ok(values) => {
            values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join(" | ")
        }
        Err(message) => message,
    };
    expected.assert_eq(&shown);
}

#[test]
fn replies_are_read_leniently() {
    check(&reply(r#"{"success":true,"num_records":2,"results":[1.50,null]}"#), expect!["1.50 | null"]);
    check(&reply(r#"{"results":[1,2]}"#), expect!["1 | 2"]);
    check(
        &reply(r#"{"success":"True","num_records":"2","error_msg":"","results":["a",{"b":1}]}"#),
        expect![[r#""a" | {"b":1}"#]],
    );
    check(&reply(r#""{\"success\": true, \"results\": [\"\\u00fc\", 2]}""#), expect![[r#""\u00fc" | 2"#]]);
}

#[test]
fn what_is_wrong_with_a_reply_is_said() {
    check(
        &reply(r#"{"success":false,"error_msg":"no such table","num_records":2,"results":[1,2]}"#),
        expect!["the function failed: no such table"],
    );
    check(&reply(r#"{"success":"false"}"#), expect!["the function failed: without an error_msg"]);
    check(&reply(r#"{"error_msg":"broken"}"#), expect!["the function failed: broken"]);
    check(&reply(r#"{"success":true}"#), expect!["the reply has no 'results'"]);
    check(&reply(r#"{"results":7}"#), expect!["'results' in the reply is not an array"]);
    check(&reply(r#"{"results":[1]}"#), expect!["the reply has 1 values for 2 rows"]);
    check(&reply(r#"{"num_records":3,"results":[1,2]}"#), expect!["the reply says num_records 3 and has 2 values"]);
    check(
        &reply("[true,2,null,[1,2]]"),
        expect!["the reply is not a JSON object: invalid type: sequence, expected an object at line 1 column 0"],
    );
    check(&reply("\"<html>\""), expect!["the reply is not a JSON object: expected value at line 1 column 1"]);
}

#[test]
fn a_lambda_function_that_threw_is_a_failure_whatever_it_says() {
    let threw = |body: &'static str| {
        let mut reply = reply(body);
        reply.headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
        reply
    };
    check(
        &threw(r#"{"errorMessage":"division by zero","errorType":"ZeroDivisionError"}"#),
        expect!["the Lambda function failed (Unhandled): division by zero"],
    );
    check(&threw(r#"{"results":[1,2]}"#), expect!["the Lambda function failed (Unhandled): without a message"]);
    check(&threw(""), expect!["the Lambda function failed (Unhandled): without a message"]);
}
