//! Dates and timestamps as text.

use crate::civil::{DAY, HOUR, MINUTE, SECOND, date};

/// How years before the first and after 9999 are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Years {
    /// `-0001`, `+10000`
    Signed,
    /// `0002` for -1, as Hive's rows have it.
    OfEra,
}

/// `2024-02-29`
pub(crate) fn date_text(days: i64, years: Years) -> String {
    let (year, month, day) = date(days);
    match (years, year) {
        (Years::OfEra, ..=0) => format!("{:04}-{month:02}-{day:02}", 1 - year),
        (Years::Signed, ..=-1) => format!("{year:05}-{month:02}-{day:02}"),
        (Years::Signed, 10_000..) => format!("+{year}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// `2024-02-29 12:00:00.123`, of local microseconds.
pub(crate) fn timestamp_text(local: i64, years: Years) -> String {
    let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (hour, minute, second) = (time / HOUR, time % HOUR / MINUTE, time % MINUTE / SECOND);
    let text = format!("{} {hour:02}:{minute:02}:{second:02}", date_text(days, years));
    match time % SECOND {
        0 => text,
        micros => format!("{text}.{micros:06}").trim_end_matches('0').to_owned(),
    }
}
