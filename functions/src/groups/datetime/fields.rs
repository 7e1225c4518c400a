//! Parts of dates, times and intervals.

use arrow::array::{Array, Decimal128Array, Int32Array, Int64Array};
use arrow::datatypes::{DataType as Arrow, IntervalUnit};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::texts::is_local;
use crate::Arguments;
use crate::civil::{DAY, HOUR, MINUTE, SECOND, date, days};
use crate::columns::{Column, each, kernels, some};
use crate::intervals::CalendarInterval;
use crate::zone::Zone;

kernels! {
    YEAR = "spark_year", |a| of_date(a, |days| date(days).0);
    YEAR_OF_WEEK = "spark_year_of_week", |a| of_date(a, |days| week(days).0);
    QUARTER = "spark_quarter", |a| of_date(a, |days| (date(days).1 - 1) / 3 + 1);
    MONTH = "spark_month", |a| of_date(a, |days| date(days).1);
    WEEK = "spark_week_of_year", |a| of_date(a, |days| week(days).1);
    DAY_OF_MONTH = "spark_day_of_month", |a| of_date(a, |days| date(days).2);
    DAY_OF_YEAR = "spark_day_of_year", |a| of_date(a, |from| from - days(date(from).0, 1, 1).unwrap_or(from) + 1);
    DAY_OF_WEEK = "spark_day_of_week", |a| of_date(a, |days| (days + 4).rem_euclid(7) + 1);
    DAY_OF_WEEK_ISO = "spark_day_of_week_iso", |a| of_date(a, |days| (days + 3).rem_euclid(7) + 1);
    WEEKDAY = "spark_weekday", |a| of_date(a, |days| (days + 3).rem_euclid(7));
    HOUR_OF_DAY = "spark_hour", |a| of_time(a, |time| time / HOUR);
    MINUTE_OF_HOUR = "spark_minute", |a| of_time(a, |time| time % HOUR / MINUTE);
    SECOND_OF_MINUTE = "spark_second", |a| of_time(a, |time| time % MINUTE / SECOND);
    SECOND_WITH_FRACTION = "spark_second_with_fraction", |a| {
        let time = times(a)?;
        decimals(a, |row| time(row).map(|time| time % MINUTE))
    };
    INTERVAL_YEARS = "spark_part_of_interval_years", |a| of_interval(a, |interval| i64::from(interval.months / 12));
    INTERVAL_MONTHS = "spark_part_of_interval_months", |a| of_interval(a, |interval| i64::from(interval.months % 12));
    /// Those of a day-time interval are part of its time.
    INTERVAL_DAYS = "spark_part_of_interval_days", |a| {
        let is_day_time = matches!(a.fields.first().map(|field| field.data_type()), Some(Arrow::Duration(_)));
        of_interval(a, move |interval| if is_day_time { interval.micros / DAY } else { i64::from(interval.days) })
    };
    INTERVAL_HOURS = "spark_part_of_interval_hours", |a| {
        let is_day_time = matches!(a.fields.first().map(|field| field.data_type()), Some(Arrow::Duration(_)));
        of_interval(a, move |interval| if is_day_time { interval.micros % DAY / HOUR } else { interval.micros / HOUR })
    };
    INTERVAL_MINUTES = "spark_part_of_interval_minutes", |a| of_interval(a, |interval| interval.micros % HOUR / MINUTE);
    INTERVAL_SECONDS = "spark_part_of_interval_seconds", |a| {
        let interval = intervals(a)?;
        decimals(a, |row| interval(row).map(|interval| interval.micros % MINUTE))
    };
}

fn of_date(a: &Arguments<'_>, part: fn(i64) -> i64) -> Result<ColumnarValue> {
    let days = Column::<Int32Array>::of(a, 0)?;
    each::<Int32Array, i32>(a, |row| Ok(i32::try_from(part(i64::from(some!(days.get(row))))).ok()))
}

/// Microseconds of the local day.
fn times(a: &Arguments<'_>) -> Result<impl Fn(usize) -> Option<i64>> {
    let zone = if is_local(a, 0) { Zone::Fixed(0) } else { Zone::of(&a.settings.time_zone)? };
    let micros = Column::<Int64Array>::of(a, 0)?;
    Ok(move |row| micros.get(row).map(|micros| zone.local(micros).rem_euclid(DAY)))
}

fn of_time(a: &Arguments<'_>, part: fn(i64) -> i64) -> Result<ColumnarValue> {
    let time = times(a)?;
    each::<Int32Array, i32>(a, |row| Ok(time(row).and_then(|time| i32::try_from(part(time)).ok())))
}

/// Microseconds as seconds with six places.
fn decimals(a: &Arguments<'_>, value: impl Fn(usize) -> Option<i64>) -> Result<ColumnarValue> {
    let (rows, constant) = crate::columns::rows(a);
    let array: Decimal128Array = (0..rows).map(|row| value(row).map(i128::from)).collect();
    let array = array.with_precision_and_scale(8, 6)?;
    Ok(if constant {
        ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&array, 0)?)
    } else {
        ColumnarValue::Array(std::sync::Arc::new(array))
    })
}

/// Any interval as a calendar interval.
fn intervals(a: &Arguments<'_>) -> Result<impl Fn(usize) -> Option<CalendarInterval>> {
    let value = a.values.first().ok_or_else(|| exec_datafusion_err!("no interval"))?;
    let (array, constant) = match value {
        ColumnarValue::Array(array) => (array.clone(), false),
        ColumnarValue::Scalar(value) => (value.to_array()?, true),
    };
    let months = if matches!(array.data_type(), Arrow::Interval(IntervalUnit::YearMonth)) {
        Some(Column::<Int32Array>::of(a, 0)?)
    } else {
        None
    };
    let micros =
        if matches!(array.data_type(), Arrow::Duration(_)) { Some(Column::<Int64Array>::of(a, 0)?) } else { None };
    Ok(move |row: usize| {
        if let Some(months) = &months {
            return months.get(row).map(|months| CalendarInterval { months, ..CalendarInterval::default() });
        }
        if let Some(micros) = &micros {
            return micros.get(row).map(|micros| CalendarInterval { micros, ..CalendarInterval::default() });
        }
        let at = if constant { 0 } else { row };
        let calendar = array.as_any().downcast_ref::<arrow::array::IntervalMonthDayNanoArray>()?;
        (at < calendar.len() && !calendar.is_null(at)).then(|| CalendarInterval::of_arrow(calendar.value(at)))
    })
}

fn of_interval(a: &Arguments<'_>, part: impl Fn(CalendarInterval) -> i64) -> Result<ColumnarValue> {
    let interval = intervals(a)?;
    each::<Int64Array, i64>(a, |row| Ok(interval(row).map(&part)))
}

/// The year and the number of the week, by ISO 8601.
fn week(from: i64) -> (i64, i64) {
    let thursday = from - (from + 3).rem_euclid(7) + 3;
    let year = date(thursday).0;
    (year, (thursday - days(year, 1, 1).unwrap_or(thursday)) / 7 + 1)
}
