//! Spark's functions of the group datetime.

mod fields;
mod legacy;
mod make;
mod names;
mod now;
pub(crate) mod pattern;
pub(crate) mod read;
mod rules;
mod shift;
mod texts;
pub(crate) mod windows;
pub(crate) mod write;

use crate::checks::{In, plain, scalar};
use crate::{Call, DataType, Function, Group, Kernel, Resolve, Result, Typed};

/// The kernels of this group, file by file.
pub(crate) const KERNELS: &[&[&Kernel]] =
    &[fields::KERNELS, make::KERNELS, now::KERNELS, shift::KERNELS, texts::KERNELS, windows::KERNELS];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(name, Group::Datetime, usage, resolve)
}

/// The resolver sees to it.
const fn resolver(name: &'static str, usage: &'static str) -> Function {
    Function { name, group: Group::Datetime, usage, resolve: Resolve::Resolver }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("add_months", "add_months(date, n) - The date n months later.", |call| {
        plain(call, &shift::ADD_MONTHS, &[In::Date, In::Int], DataType::Date)
    }),
    row(
        "convert_timezone",
        "convert_timezone([from, ]to, ts) - A local time of one zone as that of another.",
        rules::convert_timezone,
    ),
    row("curdate", "curdate() - The date of the query.", now::current_date),
    row("current_date", "current_date() - The date of the query.", now::current_date),
    row("current_timestamp", "current_timestamp() - The time of the query.", now::current_timestamp),
    row("current_timezone", "current_timezone() - The session's time zone.", now::current_timezone),
    row("date_add", "date_add(date, n) - The date n days later.", |call| {
        rules::date_add(call, &shift::DATE_ADD, "date_add")
    }),
    row("date_diff", "date_diff(end, start) - Days from start to end.", rules::datediff),
    row("date_format", "date_format(ts, fmt) - A timestamp as text by a pattern.", rules::date_format),
    row("date_from_unix_date", "date_from_unix_date(days) - The date that many days after 1970-01-01.", |call| {
        plain(call, &make::SAME_DAYS, &[In::Int], DataType::Date)
    }),
    row("date_part", "date_part(field, source) - A part of a date, a timestamp or an interval.", rules::part),
    row("date_sub", "date_sub(date, n) - The date n days before.", |call| {
        rules::date_add(call, &shift::DATE_SUB, "date_sub")
    }),
    row("date_trunc", "date_trunc(fmt, ts) - The timestamp cut down to a unit.", |call| {
        plain(call, &shift::DATE_TRUNC, &[In::Text, In::Timestamp], DataType::Timestamp)
    }),
    row("dateadd", "dateadd(date, n) - The date n days later.", |call| {
        rules::date_add(call, &shift::DATE_ADD, "date_add")
    }),
    row("datediff", "datediff(end, start) - Days from start to end.", rules::datediff),
    row("datepart", "datepart(field, source) - A part of a date, a timestamp or an interval.", rules::part),
    row("day", "day(date) - The day of the month.", |call| {
        plain(call, &fields::DAY_OF_MONTH, &[In::Date], DataType::Int)
    }),
    row("dayofmonth", "dayofmonth(date) - The day of the month.", |call| {
        plain(call, &fields::DAY_OF_MONTH, &[In::Date], DataType::Int)
    }),
    row("dayofweek", "dayofweek(date) - The day of the week, Sunday is 1.", |call| {
        plain(call, &fields::DAY_OF_WEEK, &[In::Date], DataType::Int)
    }),
    row("dayofyear", "dayofyear(date) - The day of the year.", |call| {
        plain(call, &fields::DAY_OF_YEAR, &[In::Date], DataType::Int)
    }),
    row("extract", "extract(field FROM source) - A part of a date, a timestamp or an interval.", rules::part),
    row("from_unixtime", "from_unixtime(seconds[, fmt]) - Seconds of the epoch as text.", rules::from_unixtime),
    row("from_utc_timestamp", "from_utc_timestamp(ts, zone) - A time of UTC as that of a zone.", |call| {
        plain(call, &make::FROM_UTC, &[In::Timestamp, In::Text], DataType::Timestamp)
    }),
    row("hour", "hour(ts) - The hour.", |call| plain(call, &fields::HOUR_OF_DAY, &[In::AnyTimestamp], DataType::Int)),
    row("last_day", "last_day(date) - The last day of the month.", |call| {
        plain(call, &shift::LAST_DAY, &[In::Date], DataType::Date)
    }),
    row("localtimestamp", "localtimestamp() - The local time of the query.", now::localtimestamp),
    row("make_date", "make_date(year, month, day) - A date of its parts.", |call| {
        plain(call, &make::MAKE_DATE, &[In::Int, In::Int, In::Int], DataType::Date)
    }),
    row(
        "make_dt_interval",
        "make_dt_interval([days[, hours[, mins[, secs]]]]) - A day-time interval of its parts.",
        rules::make_dt_interval,
    ),
    row(
        "make_interval",
        "make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]]) - An interval of its parts.",
        rules::make_interval,
    ),
    row(
        "make_timestamp",
        "make_timestamp(year, month, day, hour, min, sec[, zone]) - A timestamp of its parts.",
        |call| rules::make_timestamp(call, None),
    ),
    row(
        "make_timestamp_ltz",
        "make_timestamp_ltz(year, month, day, hour, min, sec[, zone]) - A timestamp of its parts.",
        |call| rules::make_timestamp(call, Some(DataType::Timestamp)),
    ),
    row(
        "make_timestamp_ntz",
        "make_timestamp_ntz(year, month, day, hour, min, sec) - A local timestamp of its parts.",
        |call| rules::make_timestamp(call, Some(DataType::TimestampNtz)),
    ),
    row(
        "make_ym_interval",
        "make_ym_interval([years[, months]]) - A year-month interval of its parts.",
        rules::make_ym_interval,
    ),
    row("minute", "minute(ts) - The minute.", |call| {
        plain(call, &fields::MINUTE_OF_HOUR, &[In::AnyTimestamp], DataType::Int)
    }),
    row("month", "month(date) - The month.", |call| plain(call, &fields::MONTH, &[In::Date], DataType::Int)),
    row("months_between", "months_between(one, other[, rounds]) - Months from other to one.", rules::months_between),
    row("next_day", "next_day(date, name) - The next day of that name.", |call| {
        plain(call, &shift::NEXT_DAY, &[In::Date, In::Text], DataType::Date)
    }),
    row("now", "now() - The time of the query.", now::current_timestamp),
    row("quarter", "quarter(date) - The quarter.", |call| plain(call, &fields::QUARTER, &[In::Date], DataType::Int)),
    row("second", "second(ts) - The second.", |call| {
        plain(call, &fields::SECOND_OF_MINUTE, &[In::AnyTimestamp], DataType::Int)
    }),
    row("timestamp_micros", "timestamp_micros(n) - The time n microseconds after the epoch.", |call| {
        rules::whole(call, &make::TIMESTAMP_MICROS)
    }),
    row("timestamp_millis", "timestamp_millis(n) - The time n milliseconds after the epoch.", |call| {
        rules::whole(call, &make::TIMESTAMP_MILLIS)
    }),
    row("timestamp_seconds", "timestamp_seconds(n) - The time n seconds after the epoch.", rules::timestamp_seconds),
    row("timestampadd", "timestampadd(unit, n, ts) - The timestamp n units later.", rules::timestampadd),
    row("timestampdiff", "timestampdiff(unit, start, end) - Whole units from start to end.", rules::timestampdiff),
    row("to_date", "to_date(text[, fmt]) - The date that a text is.", |call| {
        rules::to_instant(call, &texts::TO_DATE, DataType::Date)
    }),
    row("to_timestamp", "to_timestamp(text[, fmt]) - The timestamp that a text is.", rules::to_timestamp),
    row("to_timestamp_ltz", "to_timestamp_ltz(text[, fmt]) - The timestamp that a text is.", |call| {
        rules::to_instant(call, &texts::TO_TIMESTAMP, DataType::Timestamp)
    }),
    row("to_timestamp_ntz", "to_timestamp_ntz(text[, fmt]) - The local timestamp that a text is.", |call| {
        rules::to_instant(call, &texts::TO_TIMESTAMP_NTZ, DataType::TimestampNtz)
    }),
    row(
        "to_unix_timestamp",
        "to_unix_timestamp(text[, fmt]) - The seconds of the epoch that a text is.",
        rules::unix_timestamp,
    ),
    row("to_utc_timestamp", "to_utc_timestamp(ts, zone) - A time of a zone as that of UTC.", |call| {
        plain(call, &make::TO_UTC, &[In::Timestamp, In::Text], DataType::Timestamp)
    }),
    row("trunc", "trunc(date, fmt) - The date cut down to a unit.", |call| {
        plain(call, &shift::TRUNC, &[In::Date, In::Text], DataType::Date)
    }),
    row(
        "try_to_timestamp",
        "try_to_timestamp(text[, fmt]) - As to_timestamp, NULL where it fails.",
        rules::try_to_timestamp,
    ),
    row("unix_date", "unix_date(date) - Days since 1970-01-01.", |call| {
        rules::strict(call, &make::SAME_DAYS, In::Date, DataType::Int)
    }),
    row("unix_micros", "unix_micros(ts) - Microseconds since the epoch.", |call| {
        rules::strict(call, &make::UNIX_MICROS, In::Timestamp, DataType::Long)
    }),
    row("unix_millis", "unix_millis(ts) - Milliseconds since the epoch.", |call| {
        rules::strict(call, &make::UNIX_MILLIS, In::Timestamp, DataType::Long)
    }),
    row("unix_seconds", "unix_seconds(ts) - Seconds since the epoch.", |call| {
        rules::strict(call, &make::UNIX_SECONDS, In::Timestamp, DataType::Long)
    }),
    row(
        "unix_timestamp",
        "unix_timestamp([text[, fmt]]) - The seconds of the epoch that a text is, or of the query's time.",
        rules::unix_timestamp,
    ),
    row("weekday", "weekday(date) - The day of the week, Monday is 0.", |call| {
        plain(call, &fields::WEEKDAY, &[In::Date], DataType::Int)
    }),
    row("weekofyear", "weekofyear(date) - The week of the year.", |call| {
        plain(call, &fields::WEEK, &[In::Date], DataType::Int)
    }),
    row("year", "year(date) - The year.", |call| plain(call, &fields::YEAR, &[In::Date], DataType::Int)),
    resolver("session_window", "session_window(ts, gap) - Windows of time that end after a gap."),
    resolver("window", "window(ts, length[, slide[, start]]) - Windows of time of a length."),
    row("window_time", "window_time(window) - The time of a window, its last microsecond.", windows::window_time),
];
