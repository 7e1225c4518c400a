//! Windows of time: which of them a row is in, and the time of one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Fields, Int64Type};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, can_cast};
use crate::checks::{count, explicit, named_as, unexpected};
use crate::coercion::{Expected, coerce_to, implicit_type};
use crate::groups::structs::structure;
use crate::intervals::{CalendarInterval, MICROS_PER_DAY};
use crate::nested::{list_of, mismatch, returned};
use crate::operators::{BinaryOperator, binary, is_null};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, StructField, Typed};

/// The kernels of this file.
pub(super) const KERNELS: &[&Kernel] = &[&WINDOWS, &TIME];

static WINDOWS: Kernel = Kernel { name: "spark_time_windows", volatile: false, run: windows };
static TIME: Kernel = Kernel { name: "spark_window_time", volatile: false, run: time_of };

/// More windows that a row is in are refused.
const MOST_WINDOWS: i64 = 10_000;
/// More windows of one batch are refused.
const MOST_ROWS: usize = 1 << 24;

/// What `window(…)` or `session_window(…)` makes of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeWindow {
    /// One window; rows that the condition does not hold for have none.
    One {
        /// A struct of start and end.
        window: Typed,
        /// Which rows have it.
        condition: Typed,
    },
    /// Those of the array.
    Many(Typed),
}

/// A call of `window` or `session_window`.
///
/// # Errors
/// As Spark words them.
pub fn time_window(mut call: Call<'_>) -> Result<TimeWindow> {
    if call.name == "session_window" {
        count(&call, &[2])?;
        let name = crate::checks::named(&call);
        let time = time(&mut call, &name)?;
        return session(time, &call);
    }
    count(&call, &[2, 3, 4])?;
    let length = duration(&call.arguments[1])?;
    let slide = call.arguments.get(2).map_or(Ok(length), duration)?;
    let start = call.arguments.get(3).map_or(Ok(0), duration)?;
    let numbers = [length, slide, start].map(long);
    let shown: Vec<Typed> = call.arguments[..1].iter().cloned().chain(numbers.iter().cloned()).collect();
    let name = named_as("window", &shown);
    let time = time(&mut call, &name)?;
    for (what, value) in [("window_duration", length), ("slide_duration", slide)] {
        if value <= 0 {
            let what = format!("The `{what}` must be between (0, 9223372036854775807] (current value = {value}L).");
            return Err(mismatch(&name, "VALUE_OUT_OF_RANGE", what));
        }
    }
    if slide > length {
        let what = format!("The `slide_duration`({slide}L) must be <= the `window_duration`({length}L).");
        return Err(mismatch(&name, "PARAMETER_CONSTRAINT_VIOLATION", what));
    }
    if start.saturating_abs() >= slide {
        let what =
            format!("The `abs(start_time)`({}L) must be < the `slide_duration`({slide}L).", start.saturating_abs());
        return Err(mismatch(&name, "PARAMETER_CONSTRAINT_VIOLATION", what));
    }
    let each = (i128::from(length) + i128::from(slide) - 1) / i128::from(slide);
    if each > i128::from(MOST_WINDOWS) {
        return Err(Error::unsupported(format!("window with rows in more than {MOST_WINDOWS} windows each")));
    }
    let bound = |name: &str| StructField::new(name, time.data_type.clone(), true);
    let window = DataType::Struct(vec![bound("start"), bound("end")]);
    let condition = is_null(time.clone(), true);
    let arguments: Vec<Typed> = [time].into_iter().chain(numbers).collect();
    let made = |data_type| SparkUdf::call(&WINDOWS, call.settings, arguments, data_type, false, "window");
    Ok(if length == slide {
        TimeWindow::One { window: made(window), condition }
    } else {
        TimeWindow::Many(made(DataType::Array(Box::new(window), false)))
    })
}

/// A session that a row would have alone.
fn session(time: Typed, call: &Call<'_>) -> Result<TimeWindow> {
    let gap = call.arguments[1].clone();
    if !can_cast(&gap.data_type, &DataType::CalendarInterval, CastMode::Legacy) {
        return Err(Error::new(
            "_LEGACY_ERROR_TEMP_1040",
            format!(
                "Gap duration expression used in session window must be CalendarIntervalType, but got {}.",
                gap.data_type.sql()
            ),
        ));
    }
    let gap = explicit(gap, &DataType::CalendarInterval, call.settings)?;
    let end = binary(BinaryOperator::Add, time.clone(), gap, call.settings)?;
    let condition = binary(BinaryOperator::Greater, end.clone(), time.clone(), call.settings)?;
    let names = [Some("start".to_owned()), Some("end".to_owned())];
    let window = structure(vec![time, end], &names, call.settings)?.named("session_window");
    Ok(TimeWindow::One { window, condition })
}

/// The time that a row has, or that of a window.
fn time(call: &mut Call<'_>, name: &str) -> Result<Typed> {
    let given = call.arguments[0].clone();
    if is_window(&given.data_type).is_some() {
        return Ok(time_of_window(given, call));
    }
    match implicit_type(&given.data_type, &Expected::Timestamp, call.settings) {
        Some(to) => coerce_to(given, &to, call.settings),
        None => Err(unexpected(
            name,
            0,
            &given,
            "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\" or \
             \"STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>\")",
        )),
    }
}

/// The type of the bounds, if it is a window.
fn is_window(data_type: &DataType) -> Option<&DataType> {
    let DataType::Struct(fields) = data_type else { return None };
    let [start, end] = fields.as_slice() else { return None };
    let is = start.name == "start"
        && end.name == "end"
        && start.data_type == end.data_type
        && matches!(start.data_type, DataType::Timestamp | DataType::TimestampNtz);
    is.then_some(&start.data_type)
}

/// A length of time as a constant: of fixed length, or microseconds.
fn duration(argument: &Typed) -> Result<i64> {
    match argument.as_literal() {
        Some(ScalarValue::Utf8(Some(text))) => {
            let interval = CalendarInterval::of_text(text).map_err(|_unreadable| {
                Error::new(
                    "CANNOT_PARSE_INTERVAL",
                    format!(
                        "Unable to parse '{text}'. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. If the issue persists, please double check that the input value is not null or empty and try again."
                    ),
                )
            })?;
            if interval.months != 0 {
                return Err(Error::new(
                    "FAILED_FUNCTION_CALL",
                    "Failed preparing of the function `window` for call. Please, double check function's arguments.",
                ));
            }
            let days = i64::from(interval.days).checked_mul(MICROS_PER_DAY);
            let micros = days.and_then(|days| days.checked_add(interval.micros));
            micros.ok_or_else(|| Error::new("ARITHMETIC_OVERFLOW", "long overflow"))
        }
        Some(ScalarValue::Int32(Some(micros))) => Ok(i64::from(*micros)),
        Some(ScalarValue::Int64(Some(micros))) => Ok(*micros),
        _ => Err(Error::new(
            "_LEGACY_ERROR_TEMP_1207",
            "The duration and time inputs to window must be an integer, long or string literal.",
        )),
    }
}

fn long(value: i64) -> Typed {
    Typed::literal(value.into(), DataType::Long, value.to_string())
}

/// `window_time(window)`
pub(super) fn window_time(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[1])?;
    let name = crate::checks::named(&call);
    let window = call.arguments.swap_remove(0);
    if is_window(&window.data_type).is_some() {
        return Ok(time_of_window(window, &call));
    }
    Err(match &window.data_type {
        DataType::Struct(_) => Error::new(
            "org.apache.spark.sql.catalyst.ExtendedAnalysisException",
            format!("The input is not a correct window column: {name}"),
        ),
        _ => unexpected(&name, 0, &window, "\"STRUCT\""),
    })
}

fn time_of_window(window: Typed, call: &Call<'_>) -> Typed {
    let name = named_as("window_time", std::slice::from_ref(&window));
    let data_type = is_window(&window.data_type).cloned().unwrap_or(DataType::Timestamp);
    SparkUdf::call(&TIME, call.settings, vec![window], data_type, true, name)
}

/// The last microsecond of each window.
fn time_of(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let windows = arguments.array(0)?;
    let Some(windows) = windows.as_struct_opt() else {
        return exec_err!("a window was expected instead of {}", windows.data_type());
    };
    let Some(ends) = windows.column_by_name("end") else { return exec_err!("a window has an end") };
    let ends = cast(ends, &Arrow::Int64)?;
    let ends = ends.as_primitive::<Int64Type>();
    let times: Int64Array = (0..windows.len())
        .map(|row| (windows.is_valid(row) && ends.is_valid(row)).then(|| ends.value(row).wrapping_sub(1)))
        .collect();
    let times: ArrayRef = Arc::new(times);
    Ok(ColumnarValue::Array(cast(&times, arguments.returns.data_type())?))
}

/// The windows of each row, the latest first.
fn windows(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let number = |at: usize| match arguments.values.get(at) {
        Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(value)))) => Ok(*value),
        _ => exec_err!("the lengths of windows are constants"),
    };
    let (length, slide, offset) = (number(1)?, number(2)?, number(3)?);
    let times = cast(&arguments.array(0)?, &Arrow::Int64)?;
    let times = times.as_primitive::<Int64Type>();
    let latest = |time: i64| time.wrapping_sub(time.wrapping_sub(offset).rem_euclid(slide));
    let element = match arguments.returns.data_type() {
        Arrow::Struct(fields) => {
            let starts: Int64Array = times.iter().map(|time| time.map(latest)).collect();
            return returned(arguments, structs(fields, starts, length)?);
        }
        Arrow::List(element) => element,
        other => return exec_err!("windows are structs, not {other}"),
    };
    let Arrow::Struct(fields) = element.data_type() else {
        return exec_err!("windows are structs, not {}", element.data_type());
    };
    let (mut starts, mut lengths) = (Vec::new(), Vec::with_capacity(times.len()));
    for time in times {
        let before = starts.len();
        if let Some(time) = time {
            let mut start = latest(time);
            // Where the slide does not divide the length, the earliest may end before the row.
            while start.wrapping_add(length) > time {
                starts.push(start);
                start = start.wrapping_sub(slide);
            }
        }
        if starts.len() > MOST_ROWS {
            return exec_err!("the rows of one batch are in more than {MOST_ROWS} windows");
        }
        lengths.push(starts.len() - before);
    }
    let windows = structs(fields, Int64Array::from(starts), length)?;
    let lists = list_of(windows, OffsetBuffer::from_lengths(lengths), None, arguments.returns.data_type())?;
    returned(arguments, lists)
}

/// Windows that begin there.
fn structs(fields: &Fields, starts: Int64Array, length: i64) -> DataFusionResult<ArrayRef> {
    let ends: Int64Array = starts.iter().map(|start| start.map(|start| start.wrapping_add(length))).collect();
    let [start, end] = fields.as_ref() else { return exec_err!("a window has a start and an end") };
    let columns = vec![
        cast(&(Arc::new(starts) as ArrayRef), start.data_type())?,
        cast(&(Arc::new(ends) as ArrayRef), end.data_type())?,
    ];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}
