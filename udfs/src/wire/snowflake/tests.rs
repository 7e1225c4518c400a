//! Requests with all their headers, replies, and what is wrong with them.

use arrow::datatypes::{DataType, Field, Fields};
use expect_test::{Expect, expect};

use super::*;
use crate::wire::decode;
use crate::wire::echoes::{body, function, reply};

fn api(returns: DataType, options: &[(&str, &str)]) -> ApiFunction {
    let arguments = [
        ("id", DataType::Int64),
        ("größe", DataType::Decimal128(10, 2)),
        ("raw", DataType::Binary),
        ("at", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()))),
    ];
    let arguments: Fields = arguments.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
    function(arguments, returns, &[&[("format", "snowflake")], options].concat())
}

const ROWS: [&[u8]; 2] = [
    br#"{"id":1,"gr\u00f6\u00dfe":1.50,"raw":"/wA=","at":"2017-03-06T12:34:56.789012Z"}"#,
    br#"{"id":null,"gr\u00f6\u00dfe":null,"raw":"","at":null}"#,
];

#[test]
fn a_request_has_numbered_rows_and_says_all_about_itself() {
    let api = api(DataType::Utf8, &[("custom_headers", r#"{"volume-measure":"litres"}"#)]);
    let rows = ROWS.map(Bytes::from_static);
    let request = crate::wire::encode(&api, &rows, "0a1b").unwrap();
    expect![[r#"{"data":[[0,1,1.50,"FF00","2017-03-06T12:34:56.789012Z"],[1,null,null,"",null]]}"#]]
        .assert_eq(&body(&request));
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    expect![[r#"
        content-type: application/json
        sf-external-function-format: json
        sf-external-function-format-version: 1.0
        sf-external-function-current-query-id: 0a1b
        sf-external-function-query-batch-id: 0a1b
        sf-external-function-name: F
        sf-external-function-name-base64: Rg==
        sf-external-function-signature: (ID NUMBER, GR?SSE NUMBER(10,2), RAW BINARY, AT TIMESTAMP_LTZ)
        sf-external-function-signature-base64: KElEIE5VTUJFUiwgR1LDllNTRSBOVU1CRVIoMTAsMiksIFJBVyBCSU5BUlksIEFUIFRJTUVTVEFNUF9MVFop
        sf-external-function-return-type: VARCHAR
        sf-external-function-return-type-base64: VkFSQ0hBUg==
        sf-custom-volume-measure: litres"#]].assert_eq(&headers.join("\n"));
    let twin = &request.headers["sf-external-function-signature-base64"];
    assert_eq!(
        BASE64.decode(twin).unwrap(),
        "(ID NUMBER, GRÖSSE NUMBER(10,2), RAW BINARY, AT TIMESTAMP_LTZ)".as_bytes()
    );
}

#[test]
fn an_accepted_request_is_asked_for_with_its_headers_and_no_body() {
    let api = api(DataType::Utf8, &[("compression", "gzip")]);
    let sent = crate::wire::encode(&api, &[Bytes::from_static(ROWS[0])], "0a1b").unwrap();
    let accepted = Reply { status: 202, ..reply("") };
    let poll = crate::wire::poll(&api, &sent, &accepted).unwrap();
    assert_eq!((&poll.method, poll.body.len(), &poll.url), (&Method::GET, 0, &sent.url));
    let mut headers = sent.headers.clone();
    headers.remove(CONTENT_ENCODING).unwrap();
    assert_eq!(poll.headers, headers);
    assert_eq!(crate::wire::poll(&api, &poll, &reply("{}")), None);
    assert_eq!(crate::wire::poll(&api, &poll, &accepted), Some(poll));
    let array = function(Fields::empty(), DataType::Utf8, &[("format", "array")]);
    assert_eq!(crate::wire::poll(&array, &sent, &accepted), None);
}

#[test]
fn the_wait_between_polls_grows_up_to_its_bound() {
    let waits: Vec<_> = (0..10).map(|polls| poll_wait(polls).as_millis().to_string()).collect();
    expect!["500 750 1125 1687 2531 3796 5695 8542 10000 10000"].assert_eq(&waits.join(" "));
    assert_eq!(poll_wait(u32::MAX), Duration::from_secs(10));
}

fn check(returns: DataType, reply: &Reply, expected: Expect) {
    let api = api(returns, &[]);
    let shown = match split(&api, reply, 2) {
        Ok(values) => {
            let texts: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
            let bad = decode(&api.returns, &values.into_iter().map(Some).collect::<Vec<_>>()).unwrap().bad;
            let bad: Vec<_> = bad.into_iter().map(|bad| format!("\nrow {}: {}", bad.row, bad.message)).collect();
            texts.join(" | ") + &bad.concat()
        }
        Err(message) => message,
    };
    expected.assert_eq(&shown);
}

#[test]
fn rows_of_a_reply_are_numbered() {
    check(DataType::Utf8, &reply(r#"{"data":[[0,"a"],[1,{"b":1.50}]]}"#), expect![[r#""a" | {"b":1.50}"#]]);
    check(DataType::Utf8, &reply(r#"{"data":[["0",1],["1",null]]}"#), expect!["1 | null"]);
    check(DataType::Utf8, &reply(r#"{"data":[[1,"a"],[0,"b"]]}"#), expect!["row 0 of the reply has the row number 1"]);
    check(DataType::Utf8, &reply(r#"{"data":[[0,"a"]]}"#), expect!["the reply has 1 values for 2 rows"]);
    check(
        DataType::Utf8,
        &reply(r#"{"data":[[0,"a"],[1]]}"#),
        expect!["row 1 of the reply is not an array of a row number and a value"],
    );
    check(
        DataType::Utf8,
        &reply(r#"{"data":[[0,"a"],1]}"#),
        expect!["row 1 of the reply is not an array of a row number and a value"],
    );
    check(DataType::Utf8, &reply(r#"{"rows":[]}"#), expect!["the reply has no 'data'"]);
    check(
        DataType::Utf8,
        &reply("<html>"),
        expect!["the reply is not a JSON object: expected value at line 1 column 1"],
    );
    check(
        DataType::Utf8,
        &reply("[[[0,1],[1,2]]]"),
        expect!["the reply is not a JSON object: invalid type: sequence, expected an object at line 1 column 0"],
    );
    check(
        DataType::Utf8,
        &Reply { status: 202, ..reply("") },
        expect!["the function still works on the request (status 202) when poll_timeout has passed"],
    );
}

#[test]
fn bytes_are_hexadecimal() {
    check(DataType::Binary, &reply(r#"{"data":[[0,"FF00"],[1,"ff"]]}"#), expect![[r#""/wA=" | "/w==""#]]);
    check(
        DataType::Binary,
        &reply(r#"{"data":[[0,"FF0"],[1,"zz"]]}"#),
        expect![[r#"
        "FF0 is not hexadecimal" | "zz is not hexadecimal"
        row 0: the reply is not Binary: Json error: "FF0 is not hexadecimal" is not base64: Invalid symbol 32, offset 3.
        row 1: the reply is not Binary: Json error: "zz is not hexadecimal" is not base64: Invalid symbol 32, offset 2."#]],
    );
    check(
        DataType::Binary,
        &reply(r#"{"data":[[0,7],[1,null]]}"#),
        expect![[r#"
        7 | null
        row 0: the reply is not Binary: Json error: expected string got 7"#]],
    );
}

#[test]
fn a_damaged_reply_is_refused() {
    let body = r#"{"data":[[0,1],[1,2]]}"#;
    let with_md5 = |md5: &'static str| {
        let mut reply = reply(body);
        reply.headers.insert("content-md5", HeaderValue::from_static(md5));
        reply
    };
    check(
        DataType::Int32,
        &with_md5("1B2M2Y8AsgTpgAmY7PhCfg=="),
        expect![
            "the reply was damaged on its way: its Content-MD5 is 1B2M2Y8AsgTpgAmY7PhCfg==, and its body's is wyPPu3kN3K28kVWOQQapOQ=="
        ],
    );
    // printf '{"data":[[0,1],[1,2]]}' | openssl md5 -binary | base64
    check(DataType::Int32, &with_md5("wyPPu3kN3K28kVWOQQapOQ=="), expect!["1 | 2"]);
    let mut decompressed = with_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    decompressed.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    check(DataType::Int32, &decompressed, expect!["1 | 2"]);
}
