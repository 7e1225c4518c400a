//! What Spark reads and prints.

use expect_test::{Expect, expect};

use super::*;
use crate::{DayTimeField, Error, YearMonthField};

fn shown<T: std::fmt::Display>(result: Result<T, Error>) -> String {
    result.map_or_else(|error| error.message, |value| value.to_string())
}

fn check(texts: &[&str], expected: Expect) {
    let lines = texts.iter().map(|text| shown(CalendarInterval::of_text(text)) + "\n");
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn a_calendar_interval_is_pairs_of_number_and_unit() {
    check(
        &[
            "1 year 2 months 3 weeks 4 days",
            "  INTERVAL 1 Day -2 hours +3.0000019 seconds ",
            "-.5 second",
            "- 1 month",
            "1 day 86400 seconds",
            "0 day",
            "1 milliseconds 2 microsecond",
        ],
        expect![[r#"
            1 years 2 months 25 days
            1 days -1 hours -59 minutes -56.999999 seconds
            -0.5 seconds
            -1 months
            1 days 24 hours
            0 seconds
            0.001002 seconds
        "#]],
    );
}

#[test]
fn what_is_none_says_where() {
    check(
        &[
            "",
            "interval",
            "intervals 1 day",
            "1",
            "1 fortnight",
            "x day",
            "1.5 days",
            "1day",
            "1.0000000001 seconds",
            "-",
        ],
        expect![[r#"
            Error parsing '' to interval, interval string cannot be empty
            Error parsing 'interval' to interval, interval string cannot be empty
            Error parsing 'intervals 1 day' to interval, invalid interval prefix intervals
            Error parsing '1' to interval, expect a unit name after '1' but hit EOL
            Error parsing '1 fortnight' to interval, invalid unit 'fortnight'
            Error parsing 'x day' to interval, unrecognized number 'x'
            Error parsing '1.5 days' to interval, 'days' cannot have fractional part
            Error parsing '1day' to interval, invalid value '1day'
            Error parsing '1.0000000001 seconds' to interval, interval can only support nanosecond precision, '1.0000000001' is out of range
            Error parsing '-' to interval, expect a number after '-' but hit EOL
        "#]],
    );
}

#[test]
fn year_month_intervals_read_and_print() {
    use YearMonthField::{Month, Year};
    let line = |text, from, to| {
        let months = year_month_of_text(text, from, to);
        let ansi = months.map(|months| {
            format!(
                "{} {}",
                year_month_text(months, Style::Hive, from, to),
                year_month_text(months, Style::Ansi, from, to)
            )
        });
        shown(ansi) + "\n"
    };
    let lines = [
        line("1-2", Year, Month),
        line(" INTERVAL -'1-2' YEAR TO MONTH", Year, Month),
        line("-3", Year, Year),
        line("13", Month, Month),
        line("1-12", Year, Month),
        line("x", Year, Year),
    ];
    expect![[r#"
        1-2 INTERVAL '1-2' YEAR TO MONTH
        -1-2 INTERVAL '-1-2' YEAR TO MONTH
        -3-0 INTERVAL '-3' YEAR
        1-1 INTERVAL '13' MONTH
        Error parsing '1-12' to interval, requirement failed: month 12 outside range [0, 11]
        Interval string does not match year-month format of `[+|-]y`, `INTERVAL [+|-]'[+|-]y' YEAR` when cast to interval year: x
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn day_time_intervals_read_and_print() {
    use DayTimeField::{Day, Hour, Minute, Second};
    let line = |text, from, to| {
        let micros = day_time_of_text(text, from, to);
        let ansi = micros.map(|micros| {
            format!("{} {}", day_time_text(micros, Style::Hive, from, to), day_time_text(micros, Style::Ansi, from, to))
        });
        shown(ansi) + "\n"
    };
    let lines = [
        line("1 2:03:04.5", Day, Second),
        line("-1 23", Day, Hour),
        line("INTERVAL '-100:7' HOUR TO MINUTE", Hour, Minute),
        line("5.000001", Second, Second),
        line("1 24:00:00", Day, Second),
        line("1", Day, Second),
    ];
    expect![[r#"
        1 02:03:04.500000000 INTERVAL '1 02:03:04.5' DAY TO SECOND
        -1 23:00:00.000000000 INTERVAL '-1 23' DAY TO HOUR
        -4 04:07:00.000000000 INTERVAL '-100:07' HOUR TO MINUTE
        0 00:00:05.000001000 INTERVAL '05.000001' SECOND
        Error parsing '1 24:00:00' to interval, requirement failed: hour 24 outside range [0, 23]
        Interval string does not match day-time format of `[+|-]d h:m:s.n`, `INTERVAL [+|-]'[+|-]d h:m:s.n' DAY TO SECOND` when cast to interval day to second: 1
    "#]]
    .assert_eq(&lines.concat());
    assert_eq!(day_time_text(MICROS_PER_DAY, Style::Ansi, Day, Day), "INTERVAL '1' DAY");
    assert_eq!(day_time_text(i64::MIN, Style::Hive, Day, Second), "-106751991 04:00:54.775808000");
}
