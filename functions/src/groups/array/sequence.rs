//! `sequence`: of whole numbers, and of dates and timestamps by an interval.

use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, AsArray, Int64Builder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType as Arrow, DurationMicrosecondType, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType,
};
use chrono::{DateTime, Days, Months};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use crate::groups::implicit::{cast, wider_type};
use crate::nested::{arity, list_of, pretty, returned, unexpected_input};
use crate::zone::Zone;
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

pub(crate) static SEQUENCE: Kernel = Kernel { name: "spark_sequence", volatile: false, run };

const DAY: i64 = 86_400_000_000;
const MAX: i64 = 1 << 27;

/// `sequence(start, stop[, step])`
pub(crate) fn sequence(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=3)?;
    let wider = wider_type(&call.arguments[0].data_type, &call.arguments[1].data_type, call.settings);
    let whole = |data_type: &DataType| data_type.is_integral();
    let step = call.arguments.get(2).map(|step| step.data_type.clone());
    let element = match (wider, &step) {
        (Some(DataType::Void), None) => DataType::Int,
        (Some(element), None) if whole(&element) => element,
        (Some(element), Some(step)) if whole(&element) && (whole(step) || *step == DataType::Void) => {
            wider_type(&element, step, call.settings).unwrap_or(element)
        }
        (Some(element @ (DataType::Date | DataType::Timestamp | DataType::TimestampNtz)), step)
            if step.as_ref().is_none_or(|step| {
                matches!(
                    step,
                    DataType::CalendarInterval | DataType::YearMonth(..) | DataType::DayTime(..) | DataType::Void
                )
            }) =>
        {
            element
        }
        _ => {
            return Err(crate::nested::mismatch(
                &pretty(&call),
                "SEQUENCE_WRONG_INPUT_TYPES",
                "`sequence` uses the wrong parameter type. The parameter type must conform to: 1. The start and stop \
                 expressions must resolve to the same type. 2. If start and stop expressions resolve to the (\"TIMESTAMP\" or \
                 \"TIMESTAMP_NTZ\" or \"DATE\") type, then the step expression must resolve to the (\"INTERVAL\" or \"INTERVAL \
                 YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\") type. 3. Otherwise, if start and stop expressions resolve to the \
                 \"INTEGRAL\" type, then the step expression must resolve to the same type.",
            ));
        }
    };
    let name = pretty(&call);
    for at in 0..2 {
        call.arguments[at] = cast(call.arguments[at].clone(), &element, call.settings)?;
    }
    if let Some(step) = call.arguments.get(2).cloned() {
        if whole(&element) {
            call.arguments[2] = cast(step, &element, call.settings)?;
        } else if step.data_type == DataType::Void {
            call.arguments[2] = cast(step, &DataType::DAY_TO_SECOND, call.settings)?;
        }
    }
    if matches!(element, DataType::Void) {
        return Err(unexpected_input(&call, 0, "the \"INTEGRAL\" type"));
    }
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let data_type = DataType::Array(Box::new(element), false);
    Ok(SparkUdf::call(&SEQUENCE, call.settings, call.arguments, data_type, nullable, name))
}

/// How far apart two values are: each part for itself.
#[derive(Clone, Copy, Default)]
struct Step {
    months: i64,
    days: i64,
    micros: i64,
}

fn run(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::List(field) = arguments.returns.data_type() else {
        return Err(Error::new("INTERNAL_ERROR", "sequence returns an array").into());
    };
    let (starts, stops) = (whole(&arguments.array(0)?)?, whole(&arguments.array(1)?)?);
    let step = if arguments.values.len() > 2 { Some(arguments.array(2)?) } else { None };
    let steps = step.as_ref().map(steps).transpose()?;
    let (date, stamp) = (field.data_type() == &Arrow::Date32, matches!(field.data_type(), Arrow::Timestamp(..)));
    let zone = match field.data_type() {
        Arrow::Timestamp(_, Some(_)) => Some(Zone::of(&arguments.settings.time_zone)?),
        _ => None,
    };
    let mut values = Int64Builder::new();
    let mut lengths = Vec::with_capacity(arguments.rows);
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let given = steps.as_ref().map(|steps| steps.get(row).copied().flatten());
        if starts.is_null(row) || stops.is_null(row) || matches!(given, Some(None)) {
            lengths.push(0);
            valid.push(false);
            continue;
        }
        let (start, stop) = (starts.value(row), stops.value(row));
        let begun = values.len();
        let step = given.flatten().unwrap_or_else(|| {
            let sign = if start <= stop { 1 } else { -1 };
            if date || stamp {
                Step { days: sign, ..Step::default() }
            } else {
                Step { micros: sign, ..Step::default() }
            }
        });
        if date || stamp {
            dates(&mut values, start, stop, step, date, zone)?;
        } else {
            numbers(&mut values, start, stop, step.micros)?;
        }
        lengths.push(values.len() - begun);
        valid.push(true);
    }
    let nulls = if valid.iter().all(|valid| *valid) { None } else { Some(NullBuffer::from(valid)) };
    let values: ArrayRef = Arc::new(values.finish());
    let narrow = if date { arrow_cast(&values, &Arrow::Int32)? } else { values };
    let values = arrow_cast(&narrow, field.data_type())?;
    returned(arguments, list_of(values, OffsetBuffer::from_lengths(lengths), nulls, arguments.returns.data_type())?)
}

fn whole(array: &ArrayRef) -> DataFusionResult<arrow::array::Int64Array> {
    let array = if array.data_type() == &Arrow::Date32 { arrow_cast(array, &Arrow::Int32)? } else { Arc::clone(array) };
    Ok(arrow_cast(&array, &Arrow::Int64)?.as_primitive::<Int64Type>().clone())
}

fn steps(array: &ArrayRef) -> DataFusionResult<Vec<Option<Step>>> {
    Ok(match array.data_type() {
        Arrow::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>();
            months.iter().map(|months| months.map(|months| Step { months: months.into(), ..Step::default() })).collect()
        }
        Arrow::Duration(_) => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            let split = |micros: i64| Step { months: 0, days: micros / DAY, micros: micros % DAY };
            micros.iter().map(|micros| micros.map(split)).collect()
        }
        Arrow::Interval(IntervalUnit::MonthDayNano) => {
            let parts = array.as_primitive::<IntervalMonthDayNanoType>();
            let split = |part: arrow::datatypes::IntervalMonthDayNano| Step {
                months: part.months.into(),
                days: part.days.into(),
                micros: part.nanoseconds / 1000,
            };
            parts.iter().map(|part| part.map(split)).collect()
        }
        _ => whole(array)?.iter().map(|by| by.map(|by| Step { micros: by, ..Step::default() })).collect(),
    })
}

/// How many values there are, if the step leads from start to stop.
fn length(start: i64, stop: i64, step: i128) -> Result<i64> {
    let distance = i128::from(stop) - i128::from(start);
    let legal = (step > 0 && distance >= 0) || (step < 0 && distance <= 0) || (step == 0 && distance == 0);
    if !legal {
        return Err(Error::new(
            "java.lang.IllegalArgumentException",
            format!("requirement failed: Illegal sequence boundaries: {start} to {stop} by {step}"),
        ));
    }
    let length = if distance == 0 { 1 } else { 1 + distance / step };
    match i64::try_from(length) {
        Ok(length) if length <= MAX => Ok(length),
        _ => Err(Error::new(
            "COLLECTION_SIZE_LIMIT_EXCEEDED",
            format!("Too long sequence: {length}. Should be <= {MAX}"),
        )),
    }
}

fn numbers(values: &mut Int64Builder, start: i64, stop: i64, step: i64) -> Result<()> {
    let length = length(start, stop, step.into())?;
    room(values, length)?;
    (0..length).for_each(|at| values.append_value(start.wrapping_add(at.wrapping_mul(step))));
    Ok(())
}

fn room(values: &Int64Builder, length: i64) -> Result<()> {
    if i64::try_from(values.len()).unwrap_or(i64::MAX).saturating_add(length) > MAX {
        let what = format!("The sequences of one batch have more than {MAX} values.");
        return Err(Error::new("COLLECTION_SIZE_LIMIT_EXCEEDED", what));
    }
    Ok(())
}

fn dates(values: &mut Int64Builder, start: i64, stop: i64, step: Step, date: bool, zone: Option<Zone>) -> Result<()> {
    if date && step.micros != 0 {
        let what =
            "sequence step must be an interval day to second of day granularity if start and end values are dates";
        return Err(Error::new("java.lang.IllegalArgumentException", what));
    }
    if step.months == 0 && (date || step.days == 0) {
        return numbers(values, start, stop, if date { step.days } else { step.micros });
    }
    let scale = if date { DAY } else { 1 };
    let (first, last) = (start.saturating_mul(scale), stop.saturating_mul(scale));
    // Months count as 28 days for the estimate of how many there are, which is only made to refuse what is too many.
    let about = i128::from(step.months) * 28 * i128::from(DAY)
        + i128::from(step.days) * i128::from(DAY)
        + i128::from(step.micros);
    let most = length(first, last, about)?;
    room(values, most)?;
    // A day that the clock shortens makes room for one more.
    for at in 0..=if about == 0 { 0 } else { most } {
        let Some(value) = added(first, step, at, zone) else {
            return Err(Error::new("DATETIME_OVERFLOW", "A value of sequence is beyond the range of timestamps."));
        };
        if (about > 0 && value > last) || (about < 0 && value < last) {
            break;
        }
        values.append_value(value.div_euclid(scale));
    }
    Ok(())
}

/// A timestamp and so many times the step, on the clock of the zone for months and days.
fn added(micros: i64, step: Step, times: i64, zone: Option<Zone>) -> Option<i64> {
    let local = zone.map_or(micros, |zone| zone.local(micros));
    let clock = DateTime::from_timestamp_micros(local)?.naive_utc();
    let months = step.months.checked_mul(times)?;
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let clock = if months >= 0 { clock.checked_add_months(count) } else { clock.checked_sub_months(count) }?;
    let days = step.days.checked_mul(times)?;
    let count = Days::new(days.unsigned_abs());
    let clock = if days >= 0 { clock.checked_add_days(count) } else { clock.checked_sub_days(count) }?;
    let local = clock.and_utc().timestamp_micros();
    let instant = zone.map_or(Some(local), |zone| zone.instant(local))?;
    instant.checked_add(step.micros.checked_mul(times)?)
}
