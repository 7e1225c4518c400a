//! Dates, times and intervals of their parts, and of the epoch.

use arrow::array::{Decimal128Array, Float64Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;
use crate::civil::{DAY, HOUR, MINUTE, SECOND, days};
use crate::columns::{Column, each, kernels, some};
use crate::error::Error;
use crate::intervals::CalendarInterval;
use crate::zone::Zone;

kernels! {
    MAKE_DATE = "spark_make_date", |a| {
        let [year, month, day] = ints(a)?;
        each::<Int32Array, i32>(a, |row| {
            let (year, month, day) = (some!(year.get(row)), some!(month.get(row)), some!(day.get(row)));
            match days(year.into(), month.into(), day.into()).and_then(|days| i32::try_from(days).ok()) {
                Some(days) => Ok(Some(days)),
                None if a.settings.ansi => Err(impossible().into()),
                None => Ok(None),
            }
        })
    };
    MAKE_TIMESTAMP = "spark_make_timestamp", |a| timestamp(a, true);
    MAKE_TIMESTAMP_NTZ = "spark_make_timestamp_ntz", |a| timestamp(a, false);
    MAKE_INTERVAL = "spark_make_interval", |a| {
        let [years, months, weeks, days, hours, minutes] = ints(a)?;
        let seconds = Column::<Decimal128Array>::of(a, 6)?;
        let (rows, constant) = crate::columns::rows(a);
        let value = |row: usize| -> Result<Option<arrow::datatypes::IntervalMonthDayNano>> {
            let micros = some!(seconds.get(row));
            let (years, months, weeks) = (some!(years.get(row)), some!(months.get(row)), some!(weeks.get(row)));
            let (days, hours, minutes) = (some!(days.get(row)), some!(hours.get(row)), some!(minutes.get(row)));
            let parts = || {
                let months = years.checked_mul(12)?.checked_add(months)?;
                let days = weeks.checked_mul(7)?.checked_add(days)?;
                let micros = i128::from(hours) * i128::from(HOUR) + i128::from(minutes) * i128::from(MINUTE) + micros;
                Some(CalendarInterval { months, days, micros: i64::try_from(micros).ok()? })
            };
            match parts() {
                Some(interval) => Ok(Some(interval.to_arrow()?)),
                None if a.settings.ansi => Err(Error::new("ARITHMETIC_OVERFLOW", "integer overflow").into()),
                None => Ok(None),
            }
        };
        let array = (0..rows).map(value).collect::<Result<IntervalMonthDayNanoArray>>()?;
        Ok(if constant {
            ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&array, 0)?)
        } else {
            ColumnarValue::Array(std::sync::Arc::new(array))
        })
    };
    MAKE_DT_INTERVAL = "spark_make_dt_interval", |a| {
        let [days, hours, minutes] = ints(a)?;
        let seconds = Column::<Decimal128Array>::of(a, 3)?;
        each::<Int64Array, i64>(a, |row| {
            let (days, hours, minutes) = (some!(days.get(row)), some!(hours.get(row)), some!(minutes.get(row)));
            let sum = i128::from(days) * i128::from(DAY) + i128::from(hours) * i128::from(HOUR)
                + i128::from(minutes) * i128::from(MINUTE) + some!(seconds.get(row));
            Ok(Some(i64::try_from(sum).map_err(|_| overflow("long overflow"))?))
        })
    };
    MAKE_YM_INTERVAL = "spark_make_ym_interval", |a| {
        let [years, months] = ints(a)?;
        each::<Int32Array, i32>(a, |row| {
            let (years, months) = (some!(years.get(row)), some!(months.get(row)));
            let sum = years.checked_mul(12).and_then(|years| years.checked_add(months));
            Ok(Some(sum.ok_or_else(|| overflow("integer overflow"))?))
        })
    };
    TIMESTAMP_MICROS = "spark_timestamp_micros", |a| scaled(a, 1);
    TIMESTAMP_MILLIS = "spark_timestamp_millis", |a| scaled(a, 1000);
    TIMESTAMP_SECONDS = "spark_timestamp_seconds", |a| match a.fields.first().map(|field| field.data_type()) {
        Some(Arrow::Decimal128(_, scale)) => {
            let seconds = Column::<Decimal128Array>::of(a, 0)?;
            let scale = u32::try_from(*scale).unwrap_or(0);
            each::<Int64Array, i64>(a, |row| {
                let seconds = some!(seconds.get(row));
                let micros = if scale <= 6 {
                    seconds.checked_mul(10_i128.pow(6 - scale))
                } else {
                    let unit = 10_i128.pow(scale.min(38) - 6);
                    if seconds % unit != 0 {
                        return Err(Error::new("java.lang.ArithmeticException", "Rounding necessary").into());
                    }
                    Some(seconds / unit)
                };
                let micros = micros.and_then(|micros| i64::try_from(micros).ok());
                Ok(Some(micros.ok_or_else(|| Error::new("java.lang.ArithmeticException", "Overflow"))?))
            })
        }
        Some(Arrow::Float32 | Arrow::Float64) => {
            let seconds = Column::<Float64Array>::of(a, 0)?;
            each::<Int64Array, i64>(a, |row| Ok(seconds.get(row).filter(|seconds| seconds.is_finite()).map(|seconds| (seconds * 1e6) as i64)))
        }
        _ => scaled(a, SECOND),
    };
    UNIX_MICROS = "spark_unix_micros", |a| floored(a, 1);
    UNIX_MILLIS = "spark_unix_millis", |a| floored(a, 1000);
    UNIX_SECONDS = "spark_unix_seconds", |a| floored(a, SECOND);
    SAME_DAYS = "spark_days", |a| {
        let days = Column::<Int32Array>::of(a, 0)?;
        each::<Int32Array, i32>(a, |row| Ok(days.get(row)))
    };
    FROM_UTC = "spark_from_utc_timestamp", |a| moved(a, |zone, micros| Some(zone.local(micros)));
    TO_UTC = "spark_to_utc_timestamp", |a| moved(a, |zone, micros| zone.instant(micros));
    CONVERT_TIMEZONE = "spark_convert_timezone", |a| {
        let (from, to) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let micros = Column::<Int64Array>::of(a, 2)?;
        each::<Int64Array, i64>(a, |row| {
            let (from, to, micros) = (some!(from.get(row)), some!(to.get(row)), some!(micros.get(row)));
            let (from, to) = (zone(from)?, zone(to)?);
            Ok(from.instant(micros).map(|micros| to.local(micros)))
        })
    };
}

fn ints<const N: usize>(a: &Arguments<'_>) -> Result<[Column<Int32Array>; N]> {
    let columns = (0..N).map(|at| Column::of(a, at)).collect::<Result<Vec<_>>>()?;
    columns.try_into().map_err(|_| datafusion::common::exec_datafusion_err!("too few arguments"))
}

fn zone(name: &str) -> Result<Zone, Error> {
    Zone::parse(name)
        .ok_or_else(|| Error::new("java.time.zone.ZoneRulesException", format!("Unknown time-zone ID: {name}")))
}

fn impossible() -> Error {
    Error::new(
        "_LEGACY_ERROR_TEMP_2000",
        "Invalid value for a date or time. If necessary set spark.sql.ansi.enabled to false to bypass this error.",
    )
}

fn overflow(what: &str) -> Error {
    Error::new("INTERVAL_ARITHMETIC_OVERFLOW", format!("{what}."))
}

/// The seconds have six places; 60 without a fraction is the next minute.
fn timestamp(a: &Arguments<'_>, zoned: bool) -> Result<ColumnarValue> {
    let [year, month, day, hour, minute] = ints(a)?;
    let seconds = Column::<Decimal128Array>::of(a, 5)?;
    let session = Zone::of(&a.settings.time_zone)?;
    let zones = if a.values.len() > 6 { Some(Column::<StringArray>::of(a, 6)?) } else { None };
    each::<Int64Array, i64>(a, |row| {
        let (year, month, day) = (some!(year.get(row)), some!(month.get(row)), some!(day.get(row)));
        let (hour, minute, seconds) = (some!(hour.get(row)), some!(minute.get(row)), some!(seconds.get(row)));
        let own = match &zones {
            Some(zones) => zone(some!(zones.get(row)))?,
            None if zoned => session,
            None => Zone::Fixed(0),
        };
        let local = || {
            let seconds = i64::try_from(seconds).ok()?;
            let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=MINUTE).contains(&seconds);
            let date = days(year.into(), month.into(), day.into()).filter(|_| fits)?;
            date.checked_mul(DAY)?.checked_add(i64::from(hour) * HOUR + i64::from(minute) * MINUTE + seconds)
        };
        match local().and_then(|local| own.instant(local)) {
            Some(micros) => Ok(Some(micros)),
            None if a.settings.ansi => Err(impossible().into()),
            None => Ok(None),
        }
    })
}

fn scaled(a: &Arguments<'_>, unit: i64) -> Result<ColumnarValue> {
    let value = Column::<Int64Array>::of(a, 0)?;
    each::<Int64Array, i64>(a, |row| {
        let micros = some!(value.get(row)).checked_mul(unit);
        Ok(Some(micros.ok_or_else(|| Error::new("java.lang.ArithmeticException", "long overflow"))?))
    })
}

fn floored(a: &Arguments<'_>, unit: i64) -> Result<ColumnarValue> {
    let micros = Column::<Int64Array>::of(a, 0)?;
    each::<Int64Array, i64>(a, |row| Ok(Some(some!(micros.get(row)).div_euclid(unit))))
}

fn moved(a: &Arguments<'_>, to: fn(Zone, i64) -> Option<i64>) -> Result<ColumnarValue> {
    let (micros, name) = (Column::<Int64Array>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
    each::<Int64Array, i64>(a, |row| {
        let (micros, name) = (some!(micros.get(row)), some!(name.get(row)));
        Ok(to(zone(name)?, micros))
    })
}
