//! Casts.

use super::{ansi, boolean, bytes, check, decimal, double, float, int, long, null, of, session, text};
use crate::DataType::{
    Binary, Boolean, Byte, Date, Decimal, Double, Float, Int, Long, Short, String as Text, Timestamp, TimestampNtz,
};
use crate::cast::{CastMode, cast};
use crate::{DataType, DayTimeField, Result, Typed, YearMonthField};

const DAY: DataType = DataType::DayTime(DayTimeField::Day, DayTimeField::Day);
const HOUR: DataType = DataType::DayTime(DayTimeField::Hour, DayTimeField::Hour);
const SECOND: DataType = DataType::DayTime(DayTimeField::Second, DayTimeField::Second);
const MONTH: DataType = DataType::YearMonth(YearMonthField::Month, YearMonthField::Month);

fn legacy(value: Typed, to: DataType) -> Result<Typed> {
    cast(value, &to, CastMode::Legacy, &session())
}

fn values(cases: Vec<(Typed, DataType, &str)>) {
    let session = session();
    let cases = cases.into_iter().map(|(value, to, expected)| {
        let result = cast(value, &to, CastMode::Legacy, &session).map(|typed| typed.named("_"));
        (result, format!("_: {} = {expected}", to.catalog()))
    });
    let cases: Vec<_> = cases.collect();
    check(&session, cases.iter().map(|(result, expected)| (copy(result), expected.as_str())).collect());
}

fn copy(result: &Result<Typed>) -> Result<Typed> {
    match result {
        Ok(typed) => Ok(typed.clone()),
        Err(error) => Err(crate::Error::new(error.class.clone(), error.message.clone())),
    }
}

#[test]
fn a_cast_has_its_type_in_its_name() {
    check(
        &session(),
        vec![
            (legacy(int(300), Byte), "CAST(300 AS TINYINT): tinyint = 44"),
            (legacy(int(1), Date), "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]"),
            (legacy(decimal("1.5"), Binary), "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]"),
            (cast(int(300), &Byte, CastMode::Try, &session()), "TRY_CAST(300 AS TINYINT): tinyint = NULL"),
            (cast(text("1.9"), &Int, CastMode::Try, &session()), "TRY_CAST(1.9 AS INT): int = NULL"),
            (legacy(null(), Int), "CAST(NULL AS INT): int = NULL"),
        ],
    );
}

#[test]
fn whole_numbers_wrap_and_saturate_as_java_does() {
    values(vec![
        (double(1e10), Int, "2147483647"),
        (double(-1e10), Long, "-10000000000"),
        (double(f64::NAN), Int, "0"),
        (double(1e10), Short, "-1"),
        (double(70000.5), Short, "4464"),
        (double(1e20), Byte, "-1"),
        (decimal("12345678901.5"), Int, "-539222987"),
        (decimal("-1.5"), Int, "-1"),
        (boolean(true), Int, "1"),
        (int(2), Boolean, "true"),
        (boolean(true), Decimal(2, 1), "1.0"),
        (int(1), Binary, "\0\0\0\u{1}"),
    ]);
}

#[test]
fn text_is_trimmed_and_read_as_numbers() {
    values(vec![
        (text("1e3"), Int, "NULL"),
        (text("1.9"), Int, "1"),
        (text(" 12 "), Int, "12"),
        (text("12x"), Int, "NULL"),
        (text("+5"), Int, "5"),
        (text(".5"), Int, "0"),
        (text("5."), Int, "5"),
        (text("-."), Int, "0"),
        (text(""), Int, "NULL"),
        (text("2147483648"), Int, "NULL"),
        (text("1.x"), Int, "NULL"),
        (text("1.5f"), Float, "1.5"),
        (text("1d"), Double, "1.0"),
        (text("inf"), Double, "Infinity"),
        (text("-Infinity"), Double, "-Infinity"),
        (text("nan"), Double, "NaN"),
        (text("+inf"), Double, "Infinity"),
        (text("1e400"), Double, "Infinity"),
        (text("0x1p3"), Double, "8.0"),
        (text("1e2"), Decimal(5, 1), "100.0"),
        (text("1.25"), Decimal(3, 1), "1.3"),
        (text("-1.25"), Decimal(3, 1), "-1.3"),
        (text("1000"), Decimal(3, 1), "NULL"),
        (text("x"), Decimal(10, 0), "NULL"),
        (double(1.005), Decimal(10, 2), "1.01"),
        (float(0.1), Decimal(10, 8), "0.10000000"),
        (double(1e30), Decimal(38, 0), "1000000000000000000000000000000"),
        (double(f64::NAN), Decimal(5, 1), "NULL"),
        (text(" Yes "), Boolean, "true"),
        (text("on"), Boolean, "NULL"),
    ]);
}

#[test]
fn numbers_are_written_as_java_writes_them() {
    values(vec![
        (double(1e10), Text, "1.0E10"),
        (double(123456789.0), Text, "1.23456789E8"),
        (double(9999999.0), Text, "9999999.0"),
        (double(0.001), Text, "0.001"),
        (double(0.0001), Text, "1.0E-4"),
        (float(1e-5), Text, "1.0E-5"),
        (float(f32::MAX), Text, "3.4028235E38"),
        (double(4.9e-324), Text, "4.9E-324"),
        (double(-0.0), Text, "-0.0"),
        (double(1234.5), Text, "1234.5"),
        (decimal("0.00000001"), Text, "1E-8"),
        (of(Decimal(38, 18), "0"), Text, "0E-18"),
        (decimal("1.10"), Text, "1.10"),
    ]);
}

#[test]
fn dates_and_timestamps_are_read_in_all_forms() {
    let stamp = |written: &str, expected| (text(written), Timestamp, expected);
    let date = |written: &str, expected| (text(written), Date, expected);
    values(vec![
        date("2020-1-1", "2020-01-01"),
        date("2020", "2020-01-01"),
        date("2020-13-01", "NULL"),
        date("2020-01-01T10", "2020-01-01"),
        date("2020-01-01 x", "2020-01-01"),
        date("epoch", "1970-01-01"),
        date("20200101", "NULL"),
        date("+12345-01-01", "12345-01-01"),
        stamp("2020", "2020-01-01 00:00:00"),
        stamp("2020-01-01T10:11", "2020-01-01 10:11:00"),
        stamp("2020-01-01 10:11:12.1234567Z", "2020-01-01 02:11:12.123456"),
        stamp("2020-01-01 10:11:12+08:00", "2019-12-31 18:11:12"),
        stamp("2020-01-01 10:11:12 Europe/Paris", "2020-01-01 01:11:12"),
        stamp("2020-01-01 25:00:00", "NULL"),
        stamp("2020-03-08 02:30:00", "2020-03-08 03:30:00"),
        stamp("2020-01-01 10:11:12 PST", "2020-01-01 10:11:12"),
        stamp("2020-01-01 1:2:3", "2020-01-01 01:02:03"),
        stamp("2020-01-01 10:11:12+8", "2019-12-31 18:11:12"),
        stamp("2020-01-01 10:11:12UTC+8:30", "2019-12-31 17:41:12"),
        stamp("epoch", "1969-12-31 16:00:00"),
        (text("2020-01-01 10:11:12Z"), TimestampNtz, "2020-01-01 10:11:12"),
        (of(TimestampNtz, "2020-03-08 02:30:00"), Timestamp, "2020-03-08 03:30:00"),
        (of(Timestamp, "2020-01-01 00:00:00"), TimestampNtz, "2020-01-01 00:00:00"),
        (of(Timestamp, "2020-01-01 00:00:00"), Date, "2020-01-01"),
        (of(Date, "2020-01-01"), Timestamp, "2020-01-01 00:00:00"),
        (boolean(true), Timestamp, "1969-12-31 16:00:00.000001"),
        (decimal("1.5"), Timestamp, "1969-12-31 16:00:01.5"),
        (double(1.5), Timestamp, "1969-12-31 16:00:01.5"),
        (of(Timestamp, "2020-01-01 00:00:00.5"), Double, "1.5778656005E9"),
        (of(Timestamp, "2020-01-01 00:00:00.5"), Decimal(20, 3), "1577865600.500"),
        (of(Timestamp, "1960-01-01 00:00:00.5"), Long, "-315590400"),
        (of(Date, "2020-01-01"), Int, "NULL"),
        (long(i64::MAX), Timestamp, "294247-01-09 20:00:54.775807"),
    ]);
}

#[test]
fn intervals_are_text_with_their_fields_and_numbers_of_one() {
    values(vec![
        (of(DataType::YEAR_TO_MONTH, "1-2"), Text, "INTERVAL '1-2' YEAR TO MONTH"),
        (of(DAY, "1"), Text, "INTERVAL '1' DAY"),
        (of(DataType::DAY_TO_SECOND, "-1 02:03:04.5"), Text, "INTERVAL '-1 02:03:04.5' DAY TO SECOND"),
        (of(HOUR, "2"), Text, "INTERVAL '02' HOUR"),
        (text("interval '1-2' year to month"), DataType::YEAR_TO_MONTH, "1-2"),
        (int(1), DAY, "1 00:00:00.000000000"),
        (decimal("1.5"), SECOND, "0 00:00:01.500000000"),
        (decimal("2.5"), MONTH, "0-3"),
        (decimal("-1.5"), MONTH, "-0-2"),
        (of(SECOND, "90"), Decimal(5, 1), "90.0"),
        (text("1 day 2 hours -3.5 seconds"), DataType::CalendarInterval, "1 days 1 hours 59 minutes 56.5 seconds"),
        (bytes(&[0xc3, 0xa9]), Text, "é"),
    ]);
}

#[test]
fn ansi_mode_refuses_what_does_not_fit() {
    let ansi = ansi();
    let errors = |value: Typed, to: DataType| {
        let result = cast(value, &to, CastMode::Ansi, &ansi).and_then(|typed| crate::evaluate::row(&typed));
        result.err().map_or_else(|| "none".to_owned(), |error| error.to_string())
    };
    for (value, to, expected) in [
        (
            text("x"),
            Int,
            "[CAST_INVALID_INPUT] The value 'x' of the type \"STRING\" cannot be cast to \"INT\" because it",
        ),
        (text("1.9"), Int, "[CAST_INVALID_INPUT] The value '1.9' of"),
        (
            int(300),
            Byte,
            "[CAST_OVERFLOW] The value 300 of the type \"INT\" cannot be cast to \"TINYINT\" due to an overflow.",
        ),
        (double(1e10), Int, "[CAST_OVERFLOW] The value 1.0E10D of the type \"DOUBLE\" cannot be cast to \"INT\""),
        (decimal("12345678901.5"), Int, "[CAST_OVERFLOW] The value 12345678901.5BD of the type \"DECIMAL(12,1)\""),
        (double(f64::NAN), Int, "[CAST_OVERFLOW] The value NaN of"),
        (int(1000), Decimal(3, 1), "[NUMERIC_VALUE_OUT_OF_RANGE] 1000 cannot be represented as Decimal(3, 1)."),
        (text("1000"), Decimal(3, 1), "[NUMERIC_VALUE_OUT_OF_RANGE] 1000 cannot be"),
        (double(1e30), Decimal(10, 0), "[NUMERIC_VALUE_OUT_OF_RANGE] 1000000000000000000000000000000 cannot be"),
        (of(Timestamp, "2020-01-01"), Byte, "[CAST_OVERFLOW] The value TIMESTAMP '2020-01-01 00:00:00' of"),
        (of(Date, "2020-01-01"), Int, "[DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION]"),
        (int(1), Binary, "[DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION]"),
    ] {
        let got = errors(value, to);
        assert!(got.starts_with(expected), "expected {expected}\n     got {got}");
    }
}
