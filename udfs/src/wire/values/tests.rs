//! JSON values as a column.

use super::*;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Fields, TimestampMicrosecondType};
use expect_test::{Expect, expect};

fn answer() -> DataType {
    DataType::Struct(Fields::from(vec![
        Field::new("status", DataType::Utf8, true),
        Field::new("score", DataType::Float64, true),
    ]))
}

fn check(returns: &DataType, replies: &[Option<&str>], expected: Expect) {
    let replies: Vec<_> = replies.iter().map(|reply| reply.map(|text| Bytes::from(text.to_owned()))).collect();
    let decoded = decode(returns, &replies).unwrap();
    assert_eq!(decoded.values.len(), replies.len());
    let mut shown = String::new();
    for row in 0..replies.len() {
        let value = arrow::util::display::array_value_to_string(&decoded.values, row).unwrap();
        let bad = decoded.bad.iter().find(|bad| bad.row == row);
        shown += &bad.map_or_else(|| format!("{value}\n"), |bad| format!("bad: {}\n", bad.message));
    }
    expected.assert_eq(&shown);
}

#[test]
fn replies_become_values() {
    check(
        &answer(),
        &[Some(r#"{"status":"ok","score":0.5}"#), None, Some(r#" {"score":2,"more":[1]} "#), Some("null")],
        expect![[r#"
            {status: ok, score: 0.5}

            {status: , score: 2.0}

        "#]],
    );
    check(&DataType::Int64, &[Some("12"), Some("3"), None], expect![["12\n3\n\n"]]);
}

#[test]
fn a_bad_reply_costs_its_own_row_only() {
    check(
        &answer(),
        &[
            Some(r#"{"status":"ok","score":1}"#),
            Some("<html>"),
            Some(""),
            Some(r#"{"status":"a"} {"status":"b"}"#),
            Some(r#"{"status":"ok","#),
            Some(r#"{"status":"ok","score":"high"}"#),
            Some("[1]"),
            Some(r#"{"status":"last","score":2}"#),
        ],
        expect![[r#"
            {status: ok, score: 1.0}
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: Encountered unexpected '<' whilst parsing value
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: not exactly one JSON value
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: whilst decoding field 'score': failed to parse "high" as Float64
            bad: the reply is not Struct("status": Utf8, "score": Float64): Json error: expected { got [1]
            {status: last, score: 2.0}
        "#]],
    );
}

#[test]
fn an_error_in_a_good_reply_fails_its_row_alone() {
    let replies = [
        Some(r#"{"error":"no such user","status":"x"}"#),
        Some(r#"{"status":"the \"error\" is mine","error":null}"#),
        Some(r#"{"error":{"code":7}}"#),
    ];
    check(
        &answer(),
        &replies,
        expect![[r#"
        bad: the API answered this row with an error: no such user
        {status: the "error" is mine, score: }
        bad: the API answered this row with an error: {"code":7}
    "#]],
    );
    let words = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    check(
        &words,
        &[Some(r#"["error"]"#), Some(r#"{"error":"no words"}"#)],
        expect![[r#"
        [error]
        bad: the API answered this row with an error: no words
    "#]],
    );
    let own = DataType::Struct(vec![Field::new("error", DataType::Utf8, true)].into());
    check(
        &own,
        &[Some(r#"{"error":"kept"}"#)],
        expect![[r#"
        {error: kept}
    "#]],
    );
}

#[test]
fn a_string_function_takes_any_json() {
    let replies = [Some(r#""a\nb""#), Some("null"), None, Some(r#" {"a": [1]} "#), Some("7"), Some("{")];
    check(
        &DataType::Utf8,
        &replies,
        expect![[r#"
        a
        b


        {"a": [1]}
        7
        bad: the reply is not JSON: EOF while parsing an object at line 1 column 1
    "#]],
    );
}

#[test]
fn a_number_with_a_fraction_is_not_whole() {
    let count = DataType::Struct(vec![Field::new("n", DataType::Int64, true)].into());
    let replies = [
        Some(r#"{"n":1.5}"#),
        Some(r#"{"n":2.0}"#),
        Some(r#"{"n":3e2}"#),
        Some(r#"{"n":"9223372036854775807"}"#),
        Some(r#"{"n":9223372036854775807}"#),
        Some(r#"{"n":9223372036854775808}"#),
        Some(r#"{"n":9007199254740993.0}"#),
        Some(r#"{"n":"seven"}"#),
        Some(r#"{"n":true}"#),
    ];
    check(
        &count,
        &replies,
        expect![[r#"
            bad: the reply is not Struct("n": Int64): 1.5 is not a whole number
            {n: 2}
            {n: 300}
            {n: 9223372036854775807}
            {n: 9223372036854775807}
            bad: the reply is not Struct("n": Int64): Json error: whilst decoding field 'n': failed to parse 9223372036854775808 as Int64
            bad: the reply is not Struct("n": Int64): 9007199254740993.0 is not a whole number
            bad: the reply is not Struct("n": Int64): "seven" is not a whole number
            bad: the reply is not Struct("n": Int64): true is not a whole number
        "#]],
    );
    check(
        &DataType::Int8,
        &[Some("127"), Some("128"), Some("-0.5")],
        expect![[r#"
        127
        bad: the reply is not Int8: Json error: failed to parse 128 as Int8
        bad: the reply is not Int8: -0.5 is not a whole number
    "#]],
    );
}

#[test]
fn decimals_are_exact_or_refused() {
    let returns = DataType::Decimal128(38, 2);
    let digits = "123456789012345678901234567890123456.78";
    let quoted = format!("\"{digits}\"");
    let replies = [
        Some(digits),
        Some(&quoted),
        Some("1.5"),
        Some("-7"),
        Some("1e3"),
        Some("1234567890123456789012345678901234567"),
    ];
    check(
        &returns,
        &replies,
        expect![[r#"
        123456789012345678901234567890123456.78
        123456789012345678901234567890123456.78
        1.50
        -7.00
        1000.00
        bad: the reply is not Decimal128(38, 2): Parser error: parse decimal overflow (1234567890123456789012345678901234567)
    "#]],
    );
}

#[test]
fn texts_of_other_writers_are_taken() {
    let instant = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("Europe/Berlin".into()));
    let decoded = decode(
        &instant,
        &[
            Some(Bytes::from(r#""2017-03-06T12:34:56.789012+02:00""#)),
            Some(Bytes::from(r#""2017-03-06 10:34:56.789012""#)),
            Some(Bytes::from(r#""2017-03-06T10:34:56.789012Z""#)),
        ],
    );
    let instants = decoded.unwrap().values;
    assert_eq!(*instants.data_type(), instant);
    let micros = instants.as_primitive::<TimestampMicrosecondType>();
    assert_eq!(micros.values().to_vec(), [1_488_796_496_789_012; 3]);

    check(
        &DataType::Binary,
        &[Some(r#""/w==""#), Some(r#""/w""#), Some(r#""no base64""#), Some("7")],
        expect![[r#"
        ff
        ff
        bad: the reply is not Binary: Json error: "no base64" is not base64: Invalid symbol 32, offset 2.
        bad: the reply is not Binary: Json error: expected string got 7
    "#]],
    );
    check(
        &DataType::Float64,
        &[Some(r#""NaN""#), Some(r#""-Infinity""#), Some(r#""1.5""#), Some(r#""much""#)],
        expect![[r#"
            NaN
            -inf
            1.5
            bad: the reply is not Float64: Json error: failed to parse "much" as Float64
        "#]],
    );
    check(
        &DataType::Date32,
        &[Some(r#""2017-03-06""#), Some(r#""06.03.2017""#)],
        expect![[r#"
        2017-03-06
        bad: the reply is not Date32: Json error: failed to parse "06.03.2017" as Date32
    "#]],
    );
}

#[test]
fn a_boolean_key_is_true_or_false() {
    let pair =
        Fields::from(vec![Field::new("key", DataType::Boolean, false), Field::new("value", DataType::Int32, true)]);
    let map = DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false);
    check(
        &map,
        &[Some(r#"{"true":1,"false":null}"#), Some(r#"{"yes":1}"#)],
        expect![[r#"
        {true: 1, false: }
        bad: the reply is not Map("entries": non-null Struct("key": non-null Boolean, "value": Int32), unsorted): Json error: "yes" is not true or false
    "#]],
    );
}
