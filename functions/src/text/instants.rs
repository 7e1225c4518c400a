//! Dates and timestamps as text. Years are those of their era, as in Spark.

use crate::civil::{DAY, HOUR, MINUTE, SECOND, date};

/// `2024-02-29`
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = date(days);
    let year = if year <= 0 { 1 - year } else { year };
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2024-02-29 12:00:00.123`, of local microseconds.
pub(crate) fn timestamp_text(local: i64) -> String {
    let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (hour, minute, second) = (time / HOUR, time % HOUR / MINUTE, time % MINUTE / SECOND);
    let text = format!("{} {hour:02}:{minute:02}:{second:02}", date_text(days));
    match time % SECOND {
        0 => text,
        micros => format!("{text}.{micros:06}").trim_end_matches('0').to_owned(),
    }
}
