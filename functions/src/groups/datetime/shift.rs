//! Dates and times moved, compared, and cut off.

use arrow::array::{BooleanArray, Float64Array, Int32Array, Int64Array, StringArray};
use datafusion::common::Result;

use super::texts::is_local;
use crate::Arguments;
use crate::civil::{DAY, HOUR, MINUTE, SECOND, add_months, date, days, month_length};
use crate::columns::{Column, each, kernels, some};
use crate::error::Error;
use crate::zone::Zone;

kernels! {
    DATE_ADD = "spark_date_add", |a| {
        let (days, more) = (Column::<Int32Array>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| Ok(Some(some!(days.get(row)).wrapping_add(some!(more.get(row))))))
    };
    DATE_SUB = "spark_date_sub", |a| {
        let (days, less) = (Column::<Int32Array>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| Ok(Some(some!(days.get(row)).wrapping_sub(some!(less.get(row))))))
    };
    DATEDIFF = "spark_datediff", |a| {
        let (end, start) = (Column::<Int32Array>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| Ok(Some(some!(end.get(row)).wrapping_sub(some!(start.get(row))))))
    };
    ADD_MONTHS = "spark_add_months", |a| {
        let (days, months) = (Column::<Int32Array>::of(a, 0)?, Column::<Int32Array>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| {
            let moved = add_months(some!(days.get(row)).into(), some!(months.get(row)).into());
            Ok(Some(moved.and_then(|days| i32::try_from(days).ok()).ok_or_else(overflow)?))
        })
    };
    LAST_DAY = "spark_last_day", |a| {
        let from = Column::<Int32Array>::of(a, 0)?;
        each::<Int32Array, i32>(a, |row| {
            let from = i64::from(some!(from.get(row)));
            let (year, month, day) = date(from);
            Ok(i32::try_from(from + month_length(year, month) - day).ok())
        })
    };
    NEXT_DAY = "spark_next_day", |a| {
        let (from, name) = (Column::<Int32Array>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| {
            let (from, name) = (some!(from.get(row)), some!(name.get(row)));
            match week_day(name) {
                Some(day) => Ok(Some(from.wrapping_add(1 + (day - 1 - (from.rem_euclid(7) + 3)).rem_euclid(7)))),
                None if a.settings.ansi => Err(Error::new("ILLEGAL_DAY_OF_WEEK", format!("Illegal input for day of week: {name}.")).into()),
                None => Ok(None),
            }
        })
    };
    MONTHS_BETWEEN = "spark_months_between", |a| {
        let zone = Zone::of(&a.settings.time_zone)?;
        let (one, other) = (Column::<Int64Array>::of(a, 0)?, Column::<Int64Array>::of(a, 1)?);
        let rounds = Column::<BooleanArray>::of(a, 2)?;
        each::<Float64Array, f64>(a, |row| {
            let (one, other, rounds) = (some!(one.get(row)), some!(other.get(row)), some!(rounds.get(row)));
            Ok(Some(months_between(zone, one, other, rounds)))
        })
    };
    TRUNC = "spark_trunc", |a| {
        let (from, unit) = (Column::<Int32Array>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        each::<Int32Array, i32>(a, |row| {
            let (from, unit) = (some!(from.get(row)), some!(unit.get(row)));
            Ok(first_day(i64::from(from), unit).and_then(|days| i32::try_from(days).ok()))
        })
    };
    DATE_TRUNC = "spark_date_trunc", |a| {
        let (unit, micros) = (Column::<StringArray>::of(a, 0)?, Column::<Int64Array>::of(a, 1)?);
        let zone = Zone::of(&a.settings.time_zone)?;
        each::<Int64Array, i64>(a, |row| {
            let (unit, micros) = (some!(unit.get(row)), some!(micros.get(row)));
            let local = zone.local(micros);
            let cut = |size: i64| micros.checked_sub(local.rem_euclid(size));
            Ok(match unit.to_ascii_uppercase().as_str() {
                "MICROSECOND" => Some(micros),
                "MILLISECOND" => cut(1000),
                "SECOND" => cut(SECOND),
                "MINUTE" => cut(MINUTE),
                "HOUR" => cut(HOUR),
                "DAY" | "DD" => zone.instant(local.div_euclid(DAY).saturating_mul(DAY)),
                _ => first_day(local.div_euclid(DAY), unit).and_then(|days| zone.instant(days.saturating_mul(DAY))),
            })
        })
    };
    TIMESTAMPADD = "spark_timestampadd", |a| {
        let (unit, count) = (Column::<StringArray>::of(a, 0)?, Column::<Int64Array>::of(a, 1)?);
        let micros = Column::<Int64Array>::of(a, 2)?;
        let zone = zone_of(a, 2)?;
        each::<Int64Array, i64>(a, |row| {
            let (unit, count, micros) = (some!(unit.get(row)), some!(count.get(row)), some!(micros.get(row)));
            Ok(Some(add(unit, count, micros, zone)?.ok_or_else(overflow)?))
        })
    };
    TIMESTAMPDIFF = "spark_timestampdiff", |a| {
        let unit = Column::<StringArray>::of(a, 0)?;
        let (start, end) = (Column::<Int64Array>::of(a, 1)?, Column::<Int64Array>::of(a, 2)?);
        let zone = zone_of(a, 1)?;
        each::<Int64Array, i64>(a, |row| {
            let (unit, start, end) = (some!(unit.get(row)), some!(start.get(row)), some!(end.get(row)));
            difference(unit, zone.local(start), zone.local(end)).map(Some)
        })
    };
}

fn overflow() -> Error {
    Error::new("DATETIME_OVERFLOW", "Datetime operation overflow.")
}

fn zone_of(a: &Arguments<'_>, at: usize) -> Result<Zone> {
    Ok(if is_local(a, at) { Zone::Fixed(0) } else { Zone::of(&a.settings.time_zone)? })
}

/// From Monday, 0.
fn week_day(name: &str) -> Option<i32> {
    let name = name.trim().to_ascii_uppercase();
    super::names::DAYS.iter().zip(0..).find_map(|(day, at)| {
        let day = day.to_ascii_uppercase();
        let short = |length: usize| day.get(..length).is_some_and(|short| short == name);
        (day == name || short(2) || short(3)).then_some(at)
    })
}

fn months_between(zone: Zone, one: i64, other: i64, rounds: bool) -> f64 {
    let days = |micros: i64| zone.local(micros).div_euclid(DAY);
    let ((year, month, day), (other_year, other_month, other_day)) = (date(days(one)), date(days(other)));
    let months = ((year - other_year) * 12 + month - other_month) as f64;
    let last = |year, month, day| day == month_length(year, month);
    if day == other_day || (last(year, month, day) && last(other_year, other_month, other_day)) {
        return months;
    }
    // What has gone by of the day, which is not the time on the clock where that was changed.
    let seconds = |micros: i64| {
        let midnight = zone.instant(days(micros).saturating_mul(DAY)).unwrap_or(micros);
        micros.saturating_sub(midnight) / SECOND
    };
    let difference = (day - other_day) * 86_400 + seconds(one) - seconds(other);
    let between = months + difference as f64 / (31.0 * 86_400.0);
    if rounds { (between * 1e8).round() / 1e8 } else { between }
}

/// The first day of the week, month, quarter or year.
fn first_day(from: i64, unit: &str) -> Option<i64> {
    let (year, month, _) = date(from);
    match unit.to_ascii_uppercase().as_str() {
        "WEEK" => Some(from - (from + 3).rem_euclid(7)),
        "MON" | "MONTH" | "MM" => days(year, month, 1),
        "QUARTER" => days(year, (month - 1) / 3 * 3 + 1, 1),
        "YEAR" | "YYYY" | "YY" => days(year, 1, 1),
        _ => None,
    }
}

fn add(unit: &str, count: i64, micros: i64, zone: Zone) -> Result<Option<i64>> {
    let time = |size: i64| count.checked_mul(size).and_then(|more| micros.checked_add(more));
    let local = zone.local(micros);
    let months = |size: i64| {
        let days = add_months(local.div_euclid(DAY), count.checked_mul(size)?)?;
        zone.instant(days.checked_mul(DAY)?.checked_add(local.rem_euclid(DAY))?)
    };
    let days = |size: i64| {
        let more = count.checked_mul(size)?.checked_mul(DAY)?;
        zone.instant(local.checked_add(more)?)
    };
    Ok(match unit.to_ascii_uppercase().as_str() {
        "MICROSECOND" => time(1),
        "MILLISECOND" => time(1000),
        "SECOND" => time(SECOND),
        "MINUTE" => time(MINUTE),
        "HOUR" => time(HOUR),
        "DAY" | "DAYOFYEAR" => days(1),
        "WEEK" => days(7),
        "MONTH" => months(1),
        "QUARTER" => months(3),
        "YEAR" => months(12),
        _ => return Err(unknown_unit(unit).into()),
    })
}

/// Whole units from one local time to the other.
fn difference(unit: &str, start: i64, end: i64) -> Result<i64> {
    let time = |size: i64| (i128::from(end) - i128::from(start)) / i128::from(size);
    let months = || {
        let ((year, month, day), (other_year, other_month, other_day)) =
            (date(start.div_euclid(DAY)), date(end.div_euclid(DAY)));
        let whole = (other_year - year) * 12 + other_month - month;
        let rest = (other_day, end.rem_euclid(DAY)).cmp(&(day, start.rem_euclid(DAY)));
        match (whole.signum(), rest) {
            (1, std::cmp::Ordering::Less) => whole - 1,
            (-1, std::cmp::Ordering::Greater) => whole + 1,
            _ => whole,
        }
    };
    let whole = match unit.to_ascii_uppercase().as_str() {
        "MICROSECOND" => time(1),
        "MILLISECOND" => time(1000),
        "SECOND" => time(SECOND),
        "MINUTE" => time(MINUTE),
        "HOUR" => time(HOUR),
        "DAY" | "DAYOFYEAR" => time(DAY),
        "WEEK" => time(7 * DAY),
        "MONTH" => months().into(),
        "QUARTER" => (months() / 3).into(),
        "YEAR" => (months() / 12).into(),
        _ => return Err(unknown_unit(unit).into()),
    };
    i64::try_from(whole).map_err(|_| overflow().into())
}

fn unknown_unit(unit: &str) -> Error {
    Error::new("INVALID_PARAMETER_VALUE.DATETIME_UNIT", format!("The value of parameter(s) `unit` is invalid: {unit}."))
}
