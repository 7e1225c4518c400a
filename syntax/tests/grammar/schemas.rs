//! Data types and schemas.

use expect_test::{Expect, expect};
use paceline_syntax::{Settings, parse_columns, parse_data_type, parse_name};

use crate::sketch::shown;

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&shown(parse_data_type(text, Settings::default())));
}

#[test]
fn types_have_one_name_each() {
    check("long", expect!["BigInt"]);
    check("DEC(5, 2)", expect!["Decimal(5, 2)"]);
    check("character(3)", expect!["Char(3)"]);
    check(
        "array<map<string, struct<a: int NOT NULL COMMENT 'x', b array<int>>>>",
        expect![[
            r#"Array(Map(String, Struct([StructField {name: "a", data_type: Int, not_null: true, comment: Some("x")}, StructField {name: "b", data_type: Array(Int)}])))"#
        ]],
    );
    check("struct<>", expect!["Struct([])"]);
    check("interval day to second", expect!["DayTimeInterval(Day, Second)"]);
    check("interval month", expect!["YearMonthInterval(Month, Month)"]);
    check("interval", expect!["CalendarInterval"]);
    check("timestamp_ntz", expect!["TimestampNtz"]);
    check("void", expect!["Void"]);
}

#[test]
fn what_is_no_type_is_named() {
    check("foo", expect![[r#"UNSUPPORTED_DATATYPE: Unsupported data type "FOO". (1:0)"#]]);
    check("int(3)", expect![[r#"UNSUPPORTED_DATATYPE: Unsupported data type "INT(3)". (1:0)"#]]);
    check(
        "varchar",
        expect![[
            r#"DATATYPE_MISSING_SIZE: DataType "VARCHAR" requires a length parameter, for example "VARCHAR"(10). Please specify the length. (1:0)"#
        ]],
    );
    check(
        "map",
        expect![[
            r#"INCOMPLETE_TYPE_DEFINITION.MAP: Incomplete complex type: The definition of "MAP" type is incomplete. You must provide a key type and a value type. For example: "MAP<TIMESTAMP, INT>". (1:0)"#
        ]],
    );
    check(
        "decimal(40, 2)",
        expect!["DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION: Decimal precision 40 exceeds max precision 38. (1:0)"],
    );
    check(
        "decimal(5, 6)",
        expect!["_LEGACY_ERROR_TEMP_1228: Decimal scale (6) cannot be greater than precision (5). (1:0)"],
    );
    check("interval year to day", expect!["PARSE_SYNTAX_ERROR: Syntax error at or near 'day'. (1:17)"]);
}

#[test]
fn schemas_and_names_are_read_alone() {
    let columns = parse_columns("a INT NOT NULL, `b c` STRING COMMENT 'd'", Settings::default());
    expect![[r#"[StructField {name: "a", data_type: Int, not_null: true}, StructField {name: "b c", quoted: true, data_type: String, comment: Some("d")}]"#]].assert_eq(&shown(columns));
    expect![[r#"["a", "b.c", quoted: true]"#]].assert_eq(&shown(parse_name("a.`b.c`", Settings::default())));
    expect!["INVALID_IDENTIFIER: The identifier a-b is invalid. Please, consider quoting it with back-quotes as `a-b`. (1:1)"].assert_eq(&shown(parse_name("a-b", Settings::default())));
}
