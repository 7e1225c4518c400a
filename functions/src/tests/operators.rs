//! Operators.

use super::{ansi, boolean, byte, check, decimal, double, float, int, long, null, of, session, text};
use crate::DataType::{Date, Timestamp};
use crate::operators::BinaryOperator::{
    Add, BitAnd, BitXor, Divide, Equal, Greater, IntegralDivide, Less, Multiply, NotEqual, NullSafeEqual, Remainder,
    Subtract,
};
use crate::operators::{BinaryOperator, between, binary, bitwise_not, case_when, in_list, is_null, negate, not};
use crate::{DataType, DayTimeField, Result, Typed, YearMonthField};

fn on(left: Typed, operator: BinaryOperator, right: Typed) -> Result<Typed> {
    binary(operator, left, right, &session())
}

fn day(written: &str) -> Typed {
    of(DataType::DayTime(DayTimeField::Day, DayTimeField::Day), written)
}

fn hour(written: &str) -> Typed {
    of(DataType::DayTime(DayTimeField::Hour, DayTimeField::Hour), written)
}

fn month(written: &str) -> Typed {
    of(DataType::YearMonth(YearMonthField::Month, YearMonthField::Month), written)
}

#[test]
fn arithmetic_promotes_numbers_and_wraps_around() {
    check(
        &session(),
        vec![
            (on(byte(127), Add, byte(1)), "(127 + 1): tinyint = -128"),
            (on(int(i32::MAX), Add, int(1)), "(2147483647 + 1): int = -2147483648"),
            (on(int(1), Divide, int(0)), "(1 / 0): double = NULL"),
            (on(int(3), Divide, int(2)), "(3 / 2): double = 1.5"),
            (on(int(7), IntegralDivide, int(2)), "(7 div 2): bigint = 3"),
            (on(int(-7), Remainder, int(2)), "(-7 % 2): int = -1"),
            (on(text("1"), Add, int(1)), "(1 + 1): double = 2.0"),
            (on(text("5"), IntegralDivide, int(2)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (on(text("5"), IntegralDivide, text("2")), "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]"),
            (on(boolean(true), Add, int(1)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (on(null(), Add, int(1)), "(NULL + 1): int = NULL"),
            (on(null(), Add, null()), "(NULL + NULL): double = NULL"),
            (on(float(1.5), Add, decimal("1.5")), "(1.5 + 1.5): double = 3.0"),
            (on(double(1.0), Divide, double(-0.0)), "(1.0 / -0.0): double = NULL"),
            (negate(text("1"), &session()), "(- 1): double = -1.0"),
        ],
    );
}

#[test]
fn decimals_have_the_digits_of_their_result() {
    check(
        &session(),
        vec![
            (on(int(1), Add, decimal("1.5")), "(1 + 1.5): decimal(3,1) = 2.5"),
            (on(decimal("1.5"), Multiply, decimal("2.25")), "(1.5 * 2.25): decimal(6,3) = 3.375"),
            (on(decimal("1.5"), Divide, decimal("2.25")), "(1.5 / 2.25): decimal(9,6) = 0.666667"),
            (on(decimal("1.5"), Remainder, int(2)), "(1.5 % 2): decimal(2,1) = 1.5"),
            (on(decimal("5.5"), IntegralDivide, int(2)), "(5.5 div 2): bigint = 2"),
            (on(decimal("1.5"), Divide, int(0)), "(1.5 / 0): decimal(7,6) = NULL"),
            (
                on(of(DataType::Decimal(38, 10), "1"), Multiply, of(DataType::Decimal(38, 10), "1")),
                "(1.0000000000 * 1.0000000000): decimal(38,6) = 1.000000",
            ),
            (
                on(of(DataType::Decimal(38, 10), "1"), Divide, of(DataType::Decimal(38, 10), "3")),
                "(1.0000000000 / 3.0000000000): decimal(38,6) = 0.333333",
            ),
        ],
    );
}

#[test]
fn dates_and_intervals_go_together() {
    let date = || of(Date, "2020-01-05");
    let stamp = || of(Timestamp, "2020-01-05 00:00:00");
    check(
        &session(),
        vec![
            (
                on(date(), Subtract, day("1")),
                "date_add(DATE '2020-01-05', (- extractansiintervaldays(INTERVAL '1' DAY))): date = 2020-01-04",
            ),
            (on(hour("2"), Add, date()), "DATE '2020-01-05' + INTERVAL '02' HOUR: timestamp = 2020-01-05 02:00:00"),
            (on(date(), Subtract, month("1")), "DATE '2020-01-05' - INTERVAL '1' MONTH: date = 2019-12-05"),
            (on(int(1), Add, date()), "date_add(DATE '2020-01-05', 1): date = 2020-01-06"),
            (on(date(), Subtract, int(1)), "date_sub(DATE '2020-01-05', 1): date = 2020-01-04"),
            (on(date(), Add, text("1")), "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"),
            (
                on(date(), Subtract, of(Date, "2020-01-01")),
                "(DATE '2020-01-05' - DATE '2020-01-01'): interval day = 4 00:00:00.000000000",
            ),
            (
                on(stamp(), Subtract, date()),
                "(TIMESTAMP '2020-01-05 00:00:00' - DATE '2020-01-05'): interval day to second = 0 00:00:00.000000000",
            ),
            (on(text("2020-01-01"), Add, day("1")), "2020-01-01 + INTERVAL '1' DAY: string = 2020-01-02 00:00:00"),
            (
                on(day("1"), Add, hour("2")),
                "(INTERVAL '1' DAY + INTERVAL '02' HOUR): interval day to hour = 1 02:00:00.000000000",
            ),
            (on(int(2), Multiply, day("1")), "(INTERVAL '1' DAY * 2): interval day to second = 2 00:00:00.000000000"),
            (on(month("13"), Multiply, decimal("1.5")), "(INTERVAL '13' MONTH * 1.5): interval year to month = 1-8"),
            (on(month("13"), Divide, int(2)), "(INTERVAL '13' MONTH / 2): interval year to month = 0-7"),
            (on(day("1"), Divide, text("2")), "(INTERVAL '1' DAY / 2): interval day to second = 0 12:00:00.000000000"),
            (
                on(day("1"), Divide, int(0)),
                "(INTERVAL '1' DAY / 0): interval day to second = [INTERVAL_DIVIDED_BY_ZERO]",
            ),
            (on(day("4"), IntegralDivide, day("1")), "(INTERVAL '4' DAY div INTERVAL '1' DAY): bigint = 4"),
            (on(month("1"), Add, day("1")), "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"),
            (on(stamp(), Add, int(1)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (negate(day("1"), &session()), "(- INTERVAL '1' DAY): interval day = -1 00:00:00.000000000"),
        ],
    );
}

#[test]
fn comparisons_meet_in_the_type_that_spark_chooses() {
    let session = &session();
    check(
        session,
        vec![
            (on(text("1"), Greater, int(2)), "(1 > 2): boolean = false"),
            (on(text("2020-01-01"), Less, of(Date, "2020-02-01")), "(2020-01-01 < DATE '2020-02-01'): boolean = true"),
            (on(text("1"), Equal, boolean(true)), "(1 = true): boolean = true"),
            (on(boolean(true), Equal, int(1)), "true: boolean = true"),
            (on(decimal("1.5"), Equal, text("1.5")), "(1.5 = 1.5): boolean = true"),
            (on(int(1), NotEqual, decimal("1.5")), "(NOT (1 = 1.5)): boolean = true"),
            (on(double(-0.0), Equal, double(0.0)), "(-0.0 = 0.0): boolean = true"),
            (on(double(f64::NAN), Equal, double(f64::NAN)), "(NaN = NaN): boolean = true"),
            (on(double(f64::NAN), Greater, double(f64::INFINITY)), "(NaN > Infinity): boolean = true"),
            (on(null(), NullSafeEqual, null()), "(NULL <=> NULL): boolean = true"),
            (on(null(), Equal, int(1)), "(NULL = 1): boolean = NULL"),
            (on(int(1), Less, boolean(true)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (between(int(2), text("1"), long(3), session), "((2 >= 1) AND (2 <= 3)): boolean = true"),
            (in_list(int(1), vec![text("1"), int(2)], session), "(1 IN (1, 2)): boolean = true"),
            (in_list(int(1), vec![boolean(true)], session), "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]"),
            (in_list(int(3), vec![int(2), null()], session), "(3 IN (2, NULL)): boolean = NULL"),
            (not(int(1), session), "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"),
            (Ok(is_null(int(1), false)), "(1 IS NULL): boolean = false"),
            (on(int(1), BitAnd, long(3)), "(1 & 3): bigint = 1"),
            (on(int(1), BitXor, int(3)), "(1 ^ 3): int = 2"),
            (on(decimal("1.5"), BitAnd, int(1)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (bitwise_not(int(1), session), "~1: int = -2"),
            (
                case_when(vec![(boolean(true), int(1))], Some(decimal("2.5")), session),
                "CASE WHEN true THEN 1 ELSE 2.5 END: decimal(11,1) = 1.0",
            ),
        ],
    );
}

#[test]
fn ansi_mode_has_errors() {
    let ansi = &ansi();
    let on = |left, operator, right| binary(operator, left, right, ansi);
    check(
        ansi,
        vec![
            (on(int(i32::MAX), Add, int(1)), "(2147483647 + 1): int = [ARITHMETIC_OVERFLOW]"),
            (on(byte(127), Add, byte(1)), "(127 + 1): tinyint = [BINARY_ARITHMETIC_OVERFLOW]"),
            (on(int(1), Divide, int(0)), "(1 / 0): double = [DIVIDE_BY_ZERO]"),
            (
                on(long(i64::MIN), IntegralDivide, int(-1)),
                "(-9223372036854775808 div -1): bigint = [ARITHMETIC_OVERFLOW]",
            ),
            (on(text("1"), Add, int(1)), "(1 + 1): bigint = 2"),
            (on(text("x"), Equal, int(1)), "(x = 1): boolean = [CAST_INVALID_INPUT]"),
            (on(boolean(true), Equal, int(1)), "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"),
            (negate(int(i32::MIN), ansi), "(- -2147483648): int = [ARITHMETIC_OVERFLOW]"),
        ],
    );
}
