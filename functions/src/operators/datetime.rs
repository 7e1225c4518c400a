//! Dates and timestamps with numbers of days, with intervals, and with each other.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::types::IntervalMonthDayNano;
use arrow::datatypes::{
    DataType as Arrow, Date32Type, DurationMicrosecondType, Int32Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimestampMicrosecondType,
};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::numbers::pairs;
use super::{BinaryOperator, negate, refusal};
use crate::cast::{CastMode, convert};
use crate::civil::{self, DAY};
use crate::coercion::coerce_to;
use crate::zone::Zone;
use crate::{Arguments, DataType, DayTimeField, Error, Kernel, Result, Settings, SparkUdf, Typed};

static ADD_DAYS: Kernel = Kernel { name: "spark_add_days", volatile: false, run: |a| days(a, 1) };
static SUBTRACT_DAYS: Kernel = Kernel { name: "spark_subtract_days", volatile: false, run: |a| days(a, -1) };
static ADD_INTERVAL: Kernel = Kernel { name: "spark_add_interval", volatile: false, run: |a| add_interval(a, false) };
static TRY_ADD_INTERVAL: Kernel =
    Kernel { name: "spark_try_add_interval", volatile: false, run: |a| add_interval(a, true) };
static DIFFERENCE: Kernel = Kernel { name: "spark_subtract_instants", volatile: false, run: difference };
static EXTRACT_DAYS: Kernel = Kernel { name: "spark_interval_days", volatile: false, run: extract_days };

/// The kernels here.
pub(super) const KERNELS: &[&Kernel] =
    &[&ADD_DAYS, &SUBTRACT_DAYS, &ADD_INTERVAL, &TRY_ADD_INTERVAL, &DIFFERENCE, &EXTRACT_DAYS];

/// `left + right` and `left - right` where one is a date or a timestamp, or a string beside an interval; `None` if it is other
/// arithmetic.
pub(super) fn resolve(
    operator: BinaryOperator,
    left: &Typed,
    right: &Typed,
    settings: &Arc<Settings>,
    name: &str,
    tries: bool,
) -> Result<Option<Typed>> {
    use DataType::{CalendarInterval, Date, DayTime, String, Timestamp, TimestampNtz, Void, YearMonth};
    let add = operator == BinaryOperator::Add;
    if !add && operator != BinaryOperator::Subtract {
        return Ok(None);
    }
    let (one, two) = (&left.data_type, &right.data_type);
    let interval = |of: &DataType| matches!(of, CalendarInterval | DayTime(..) | YearMonth(..));
    let instant = |of: &DataType| matches!(of, Date | Timestamp | TimestampNtz);
    let done = match (one, two) {
        (CalendarInterval, CalendarInterval) | (DayTime(..), DayTime(..)) | (YearMonth(..), YearMonth(..)) => {
            return Ok(None);
        }
        (Void, DayTime(..) | YearMonth(..) | CalendarInterval)
        | (DayTime(..) | YearMonth(..) | CalendarInterval, Void) => {
            return Ok(None);
        }
        (_, DayTime(..) | CalendarInterval) => plus(left, right, add, settings, tries)?,
        (DayTime(..) | CalendarInterval, _) if add => plus(right, left, add, settings, tries)?,
        (one, YearMonth(..)) if instant(one) => plus(left, right, add, settings, tries)?,
        (YearMonth(..), two) if add && instant(two) => plus(right, left, add, settings, tries)?,
        (one, two) if interval(one) || interval(two) => return Ok(None),
        (Timestamp | TimestampNtz, _) | (_, Timestamp | TimestampNtz) if !add => minus(left, right, settings, name)?,
        (_, Date) if !add => minus(left, right, settings, name)?,
        (Date, String) | (String, Date) => {
            let (date, number) = if *one == Date { (left, right) } else { (right, left) };
            let seen = coerce_to(number.clone(), &DataType::Double, settings)?;
            return Err(wrong_days(add, date, &seen));
        }
        (Date, _) => add_days(left.clone(), right.clone(), add, settings)?,
        (_, Date) => add_days(right.clone(), left.clone(), add, settings)?,
        _ => return Ok(None),
    };
    Ok(Some(done))
}

/// A date some days later, or earlier.
pub(crate) fn add_days(date: Typed, days: Typed, add: bool, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("{}({}, {})", if add { "date_add" } else { "date_sub" }, date.name, days.name);
    if !matches!(days.data_type, DataType::Byte | DataType::Short | DataType::Int | DataType::Void) {
        return Err(wrong_days(add, &date, &days));
    }
    let nullable = date.nullable || days.nullable;
    let days = convert(days, &DataType::Int, CastMode::Legacy, settings)?;
    let kernel = if add { &ADD_DAYS } else { &SUBTRACT_DAYS };
    Ok(SparkUdf::call(kernel, settings, vec![date, days], DataType::Date, nullable, name))
}

fn wrong_days(add: bool, date: &Typed, days: &Typed) -> Error {
    let name = format!("{}({}, {})", if add { "date_add" } else { "date_sub" }, date.name, days.name);
    refusal::wrong_input(&name, 2, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", days)
}

/// A date or timestamp and an interval.
fn plus(start: &Typed, interval: &Typed, add: bool, settings: &Arc<Settings>, tries: bool) -> Result<Typed> {
    let name = format!("{} {} {}", start.name, if add { "+" } else { "-" }, interval.name);
    let whole_days = interval.data_type == DataType::DayTime(DayTimeField::Day, DayTimeField::Day);
    if start.data_type == DataType::Date && whole_days {
        let days_name = format!("extractansiintervaldays({})", interval.name);
        let nullable = interval.nullable;
        let days = SparkUdf::call(&EXTRACT_DAYS, settings, vec![interval.clone()], DataType::Int, nullable, days_name);
        let days = if add { days } else { negate(days, settings)? };
        return add_days(start.clone(), days, true, settings);
    }
    let back = start.data_type.clone();
    let to = match (&start.data_type, &interval.data_type) {
        (DataType::Date, DataType::DayTime(..)) => DataType::Timestamp,
        (DataType::Date, _) => DataType::Date,
        (DataType::Timestamp, _) | (DataType::String, _) => DataType::Timestamp,
        (DataType::TimestampNtz, _) => DataType::TimestampNtz,
        _ => {
            return Err(refusal::wrong_input(&name, 1, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"", start));
        }
    };
    let from_string = back == DataType::String;
    let start = coerce_to(start.clone(), &to, settings)?;
    let interval = if add { interval.clone() } else { negate(interval.clone(), settings)? };
    let nullable = start.nullable || interval.nullable || tries;
    let kernel = if tries { &TRY_ADD_INTERVAL } else { &ADD_INTERVAL };
    let sum = SparkUdf::call(kernel, settings, vec![start, interval], to, nullable, name);
    if from_string { coerce_to(sum, &DataType::String, settings) } else { Ok(sum) }
}

/// Two dates or timestamps.
fn minus(left: &Typed, right: &Typed, settings: &Arc<Settings>, name: &str) -> Result<Typed> {
    use DataType::{Date, Timestamp, TimestampNtz};
    let stamp = |value: &Typed| matches!(value.data_type, Timestamp | TimestampNtz);
    let stamps = stamp(left) || stamp(right);
    let to = match (&left.data_type, &right.data_type) {
        (TimestampNtz, TimestampNtz) => TimestampNtz,
        _ if stamps => Timestamp,
        _ => Date,
    };
    for (at, value) in [(1, left), (2, right)] {
        let fits = matches!(value.data_type, Date | Timestamp | TimestampNtz | DataType::Void)
            || (value.data_type == DataType::String && (!stamps || settings.ansi));
        if !fits {
            let wanted = if stamps { "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"" } else { "\"DATE\"" };
            return Err(refusal::wrong_input(name, at, wanted, value));
        }
    }
    let data_type =
        if stamps { DataType::DAY_TO_SECOND } else { DataType::DayTime(DayTimeField::Day, DayTimeField::Day) };
    let operands = vec![coerce_to(left.clone(), &to, settings)?, coerce_to(right.clone(), &to, settings)?];
    let nullable = operands.iter().any(|operand| operand.nullable);
    Ok(SparkUdf::call(&DIFFERENCE, settings, operands, data_type, nullable, name))
}

fn days(arguments: &Arguments<'_>, sign: i32) -> DataFusionResult<ColumnarValue> {
    let (dates, days) = (arguments.array(0)?, arguments.array(1)?);
    let result = pairs::<_, _, Date32Type>(
        dates.as_primitive::<Date32Type>(),
        days.as_primitive::<Int32Type>(),
        |date, days| Ok(Some(date.wrapping_add(days.wrapping_mul(sign)))),
    )?;
    Ok(ColumnarValue::Array(Arc::new(result)))
}

fn extract_days(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let intervals = arguments.array(0)?;
    let intervals = intervals.as_primitive::<DurationMicrosecondType>();
    let days = crate::cast::primitives::<Int32Type>(intervals, |row| {
        i32::try_from(intervals.value(row) / DAY)
            .map(Some)
            .map_err(|_| super::numbers::overflow("integer overflow", None))
    })?;
    Ok(ColumnarValue::Array(Arc::new(days)))
}

fn add_interval(arguments: &Arguments<'_>, tries: bool) -> DataFusionResult<ColumnarValue> {
    let (starts, intervals) = (arguments.array(0)?, arguments.array(1)?);
    let zone = match starts.data_type() {
        Arrow::Timestamp(_, Some(_)) => Zone::of(&arguments.settings.time_zone)?,
        _ => Zone::Fixed(0),
    };
    let date = matches!(starts.data_type(), Arrow::Date32);
    // All kinds of intervals as the one that has all parts.
    let parts = match intervals.data_type() {
        Arrow::Duration(_) => {
            let values = intervals.as_primitive::<DurationMicrosecondType>();
            Parts::DayTime(values)
        }
        Arrow::Interval(IntervalUnit::YearMonth) => Parts::Months(intervals.as_primitive::<IntervalYearMonthType>()),
        Arrow::Int32 => Parts::Numbers(intervals.as_primitive::<Int32Type>()),
        Arrow::Interval(IntervalUnit::MonthDayNano) => {
            Parts::Calendar(intervals.as_primitive::<IntervalMonthDayNanoType>())
        }
        other => return exec_err!("no interval: {other}"),
    };
    if date {
        let starts = starts.as_primitive::<Date32Type>();
        let result = crate::cast::primitives::<Date32Type>(starts, |row| {
            let Some((months, days, micros)) = parts.at(row) else { return Ok(None) };
            if micros != 0 && arguments.settings.ansi {
                return Err(Error::new(
                    "_LEGACY_ERROR_TEMP_2000",
                    "Cannot add hours, minutes or seconds, milliseconds, microseconds to a date. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.",
                ));
            }
            let days = days.saturating_add(micros / DAY);
            let sum = civil::add_months(i64::from(starts.value(row)), months).and_then(|date| date.checked_add(days));
            match sum.and_then(|sum| i32::try_from(sum).ok()) {
                Some(sum) => Ok(Some(sum)),
                None if tries => Ok(None),
                None => Err(beyond()),
            }
        })?;
        return Ok(ColumnarValue::Array(Arc::new(result)));
    }
    let starts_of = starts.as_primitive::<TimestampMicrosecondType>();
    let result = crate::cast::primitives::<TimestampMicrosecondType>(starts_of, |row| {
        let Some((months, days, micros)) = parts.at(row) else { return Ok(None) };
        match later(starts_of.value(row), months, days, micros, zone) {
            Some(sum) => Ok(Some(sum)),
            None if tries => Ok(None),
            None => Err(beyond()),
        }
    })?;
    Ok(ColumnarValue::Array(Arc::new(result.with_data_type(starts.data_type().clone()))))
}

/// An instant and months, days and microseconds; the first two on the calendar of the zone.
fn later(start: i64, months: i64, days: i64, micros: i64, zone: Zone) -> Option<i64> {
    let moved = if months == 0 && days == 0 {
        start
    } else {
        let local = zone.local(start);
        let date = civil::add_months(local.div_euclid(DAY), months)?.checked_add(days)?;
        zone.instant(date.checked_mul(DAY)?.checked_add(local.rem_euclid(DAY))?)?
    };
    moved.checked_add(micros)
}

enum Parts<'a> {
    DayTime(&'a arrow::array::DurationMicrosecondArray),
    Months(&'a arrow::array::IntervalYearMonthArray),
    Numbers(&'a arrow::array::Int32Array),
    Calendar(&'a arrow::array::IntervalMonthDayNanoArray),
}

impl Parts<'_> {
    /// Months, days and microseconds.
    fn at(&self, row: usize) -> Option<(i64, i64, i64)> {
        use arrow::array::Array;
        match self {
            Parts::DayTime(values) => values.is_valid(row).then(|| {
                let value = values.value(row);
                (0, value / DAY, value % DAY)
            }),
            Parts::Months(values) => values.is_valid(row).then(|| (i64::from(values.value(row)), 0, 0)),
            Parts::Numbers(values) => values.is_valid(row).then(|| (i64::from(values.value(row)), 0, 0)),
            Parts::Calendar(values) => values.is_valid(row).then(|| {
                let IntervalMonthDayNano { months, days, nanoseconds } = values.value(row);
                (i64::from(months), i64::from(days), nanoseconds / 1000)
            }),
        }
    }
}

fn beyond() -> Error {
    Error::new("DATETIME_OVERFLOW", "Datetime operation overflow.")
}

fn difference(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    let result = if matches!(left.data_type(), Arrow::Date32) {
        pairs::<_, _, DurationMicrosecondType>(
            left.as_primitive::<Date32Type>(),
            right.as_primitive::<Date32Type>(),
            |left, right| {
                let days = i64::from(left) - i64::from(right);
                days.checked_mul(DAY).map(Some).ok_or_else(|| super::numbers::overflow("long overflow", None))
            },
        )?
    } else {
        let zone = match left.data_type() {
            Arrow::Timestamp(_, Some(_)) => Zone::of(&arguments.settings.time_zone)?,
            _ => Zone::Fixed(0),
        };
        pairs::<_, _, DurationMicrosecondType>(
            left.as_primitive::<TimestampMicrosecondType>(),
            right.as_primitive::<TimestampMicrosecondType>(),
            |left, right| {
                let micros = zone.local(left).checked_sub(zone.local(right));
                micros.map(Some).ok_or_else(|| super::numbers::overflow("long overflow", None))
            },
        )?
    };
    Ok(ColumnarValue::Array(Arc::new(result)))
}
