//! Intervals as text.

use std::fmt::Write;

use arrow::array::types::IntervalMonthDayNano;

use super::Style;
use crate::{DataType, DayTimeField, YearMonthField};

/// A year-month interval of months or a day-time interval of microseconds: `INTERVAL '1 02' DAY TO HOUR` in casts and
/// `1 02:00:00.000000000` in result rows. `None` if the type is another.
pub(crate) fn interval_text(value: i64, data_type: &DataType, style: Style) -> Option<String> {
    let ansi = matches!(style, Style::Cast { .. });
    let sign = if value < 0 { "-" } else { "" };
    let amount = value.unsigned_abs();
    Some(match data_type {
        DataType::YearMonth(from, to) => {
            let (years, months) = (amount / 12, amount % 12);
            if !ansi {
                return Some(format!("{sign}{years}-{months}"));
            }
            let body = match (from, to) {
                (YearMonthField::Year, YearMonthField::Year) => format!("{sign}{years}"),
                (YearMonthField::Month, _) => format!("{sign}{amount}"),
                _ => format!("{sign}{years}-{months}"),
            };
            frame(&body, from.name(), to.name())
        }
        DataType::DayTime(from, to) => {
            let (seconds, micros) = (amount / 1_000_000, amount % 1_000_000);
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
            if !ansi {
                return Some(format!(
                    "{sign}{days} {:02}:{:02}:{:02}.{micros:06}000",
                    hours % 24,
                    minutes % 60,
                    seconds % 60
                ));
            }
            let mut body = sign.to_owned();
            for field in [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second] {
                if field < *from || field > *to {
                    continue;
                }
                let first = field == *from;
                let (value, size) = match field {
                    DayTimeField::Day => (days, u64::MAX),
                    DayTimeField::Hour => (hours, 24),
                    DayTimeField::Minute => (minutes, 60),
                    DayTimeField::Second => (seconds, 60),
                };
                let value = if first { value } else { value % size };
                let separator = match field {
                    _ if first => "",
                    DayTimeField::Hour => " ",
                    _ => ":",
                };
                let width = if field == DayTimeField::Day { 1 } else { 2 };
                let _ = write!(body, "{separator}{value:0width$}");
                if field == DayTimeField::Second && micros > 0 {
                    let fraction = format!(".{micros:06}");
                    body.push_str(fraction.trim_end_matches('0'));
                }
            }
            frame(&body, from.name(), to.name())
        }
        _ => return None,
    })
}

fn frame(body: &str, from: &str, to: &str) -> String {
    let (from, to) = (from.to_uppercase(), to.to_uppercase());
    if from == to { format!("INTERVAL '{body}' {from}") } else { format!("INTERVAL '{body}' {from} TO {to}") }
}

/// `1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds`, without what is zero.
pub(crate) fn calendar_text(interval: IntervalMonthDayNano) -> String {
    let (months, days, micros) = (interval.months, interval.days, interval.nanoseconds / 1000);
    let mut parts = Vec::new();
    let mut part = |value: i64, unit: &str| {
        if value != 0 {
            parts.push(format!("{value} {unit}"));
        }
    };
    part(i64::from(months / 12), "years");
    part(i64::from(months % 12), "months");
    part(i64::from(days), "days");
    part(micros / 3_600_000_000, "hours");
    part(micros % 3_600_000_000 / 60_000_000, "minutes");
    let rest = micros % 60_000_000;
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let rest = rest.unsigned_abs();
        let text = format!("{}.{:06}", rest / 1_000_000, rest % 1_000_000);
        parts.push(format!("{sign}{} seconds", text.trim_end_matches('0').trim_end_matches('.')));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}
