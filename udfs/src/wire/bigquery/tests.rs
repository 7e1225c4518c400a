//! Requests as BigQuery's documentation shows them, numbers as it writes them, and replies.

use arrow::datatypes::{Field, Fields};
use expect_test::{Expect, expect};

use super::*;
use crate::wire::echoes::{body, function, reply};
use crate::wire::encode;

fn api() -> ApiFunction {
    let arguments = [("n", DataType::Int64), ("d", DataType::Decimal128(38, 2)), ("s", DataType::Utf8)];
    let arguments: Fields = arguments.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
    let options =
        [("format", "bigquery"), ("session_user", "me@example.com"), ("user_defined_context", r#"{"mode":"x"}"#)];
    function(arguments, DataType::Utf8, &options)
}

#[test]
fn a_request_has_its_rows_as_calls() {
    let rows = [r#"{"n":1,"d":1.50,"s":"a"}"#, r#"{"n":null,"d":null,"s":null}"#].map(Bytes::from);
    expect![[r#"{"requestId":"0a1b","caller":"//paceline/f","sessionUser":"me@example.com","userDefinedContext":{"mode":"x"},"calls":[[1,"1.50","a"],[null,null,null]]}"#]].assert_eq(&body(&encode(&api(), &rows, "0a1b").unwrap()));
}

#[test]
fn what_a_double_has_not_exactly_is_a_string() {
    let row = |n: &str, d: &str| Bytes::from(format!(r#"{{"n":{n},"d":{d},"s":"1"}}"#));
    let rows = [
        row("9007199254740992", "9007199254740992.00"),
        row("9007199254740993", "9007199254740993.00"),
        row("-9007199254740993", "-0.50"),
        row("-9223372036854775808", "-7.00"),
    ];
    let request = body(&encode(&api(), &rows, "").unwrap());
    let (_, calls) = request.split_once(r#""calls":"#).unwrap();
    expect![[r#"[[9007199254740992,9007199254740992,"1"],["9007199254740993","9007199254740993.00","1"],["-9007199254740993","-0.50","1"],["-9223372036854775808",-7,"1"]]}"#]].assert_eq(calls);
}

fn check(answer: &'static str, expected: Expect) {
    let shown = match split(&reply(answer), 2) {
        Ok(values) => {
            values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join(" | ")
        }
        Err(message) => message,
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_reply_has_one_value_per_row_or_says_why_not() {
    check(r#"{"replies":[1.50, {"a":null}]}"#, expect![[r#"1.50 | {"a":null}"#]]);
    check(r#"{"replies":[1]}"#, expect!["the reply has 1 values for 2 rows"]);
    check(r#"{"replies":{}}"#, expect!["'replies' in the reply is not an array"]);
    check(
        r#"{"errorMessage":"Received but not expected that the argument 0 be null"}"#,
        expect!["the function failed: Received but not expected that the argument 0 be null"],
    );
    check(r#"{"replies":[1,2],"errorMessage":null}"#, expect!["1 | 2"]);
    check("{}", expect!["the reply has neither 'replies' nor 'errorMessage'"]);
    check(
        "[1,2]",
        expect!["the reply is not a JSON object: invalid type: sequence, expected an object at line 1 column 0"],
    );
}
