//! Intervals as Spark writes and reads them. A year-month interval is its months, a day-time interval its microseconds; a
//! calendar interval keeps months, days and microseconds apart, since their lengths differ.

mod calendar;
mod display;
mod text;

pub use calendar::CalendarInterval;
pub use display::{Style, day_time_text, year_month_text};
pub use text::{day_time_of_text, year_month_of_text};

#[cfg(test)]
mod tests;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(crate) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(crate) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
