//! Year-month and day-time intervals as text, in both of Spark's styles.

use std::fmt::Write;

use super::calendar::seconds;
use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::{DayTimeField, YearMonthField};

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `INTERVAL '1-2' YEAR TO MONTH`: a literal, and what a cast to string gives.
    Ansi,
    /// `1-2`: what a result shows.
    Hive,
}

/// A year-month interval.
pub fn year_month_text(months: i32, style: Style, from: YearMonthField, to: YearMonthField) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let both = format!("{sign}{}-{}", months / 12, months % 12);
    match (style, from, to) {
        (Style::Hive, ..) => both,
        (Style::Ansi, YearMonthField::Year, YearMonthField::Year) => format!("INTERVAL '{sign}{}' YEAR", months / 12),
        (Style::Ansi, YearMonthField::Month, _) => format!("INTERVAL '{sign}{months}' MONTH"),
        (Style::Ansi, ..) => format!("INTERVAL '{both}' YEAR TO MONTH"),
    }
}

/// A day-time interval.
pub fn day_time_text(micros: i64, style: Style, from: DayTimeField, to: DayTimeField) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let mut rest = micros.unsigned_abs();
    let mut take = |unit: i64| {
        let unit = unit.unsigned_abs();
        let count = rest / unit;
        rest %= unit;
        count
    };
    if style == Style::Hive {
        let (days, hours, minutes) = (take(MICROS_PER_DAY), take(MICROS_PER_HOUR), take(MICROS_PER_MINUTE));
        let (seconds, micros) = (take(MICROS_PER_SECOND), take(1));
        return format!("{sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{micros:06}000");
    }
    let mut text = format!("INTERVAL '{sign}");
    for (field, unit) in [
        (DayTimeField::Day, MICROS_PER_DAY),
        (DayTimeField::Hour, MICROS_PER_HOUR),
        (DayTimeField::Minute, MICROS_PER_MINUTE),
    ] {
        if field < from || field > to {
            continue;
        }
        let count = take(unit);
        let _ = match field {
            DayTimeField::Day => write!(text, "{count}"),
            _ if field == from => write!(text, "{count:02}"),
            DayTimeField::Hour => write!(text, " {count:02}"),
            _ => write!(text, ":{count:02}"),
        };
    }
    if to == DayTimeField::Second {
        let colon = if from == DayTimeField::Second { "" } else { ":" };
        let micros = i64::try_from(take(1)).unwrap_or(i64::MAX);
        let zero = if micros < 10 * MICROS_PER_SECOND { "0" } else { "" };
        let _ = write!(text, "{colon}{zero}{}", seconds(micros));
    }
    text.push_str("' ");
    text.push_str(&from.name().to_uppercase());
    if from != to {
        let _ = write!(text, " TO {}", to.name().to_uppercase());
    }
    text
}
