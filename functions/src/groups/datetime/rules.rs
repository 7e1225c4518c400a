//! How calls of date and time functions become expressions, where a list of types does not say it.

use datafusion::scalar::ScalarValue;

use super::{fields, make, shift, texts};
use crate::checks::{
    In, boolean, cast, cast_call, constant_text, count, defaults, explicit, implicit, int, named, named_as, plain,
    text, unexpected,
};
use crate::error::{Error, Result};
use crate::{Call, DataType, DayTimeField, Kernel, SparkUdf, TimestampType, Typed, YearMonthField};

/// The pattern that a call without one has.
const PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

/// What `TIMESTAMP` is in this session.
fn timestamp_type(call: &Call<'_>) -> DataType {
    match call.settings.timestamp_type {
        TimestampType::Ltz => DataType::Timestamp,
        TimestampType::Ntz => DataType::TimestampNtz,
    }
}

/// A call of a kernel whose name is not that of the table.
fn call_as(kernel: &'static Kernel, call: Call<'_>, returns: DataType, name: String) -> Typed {
    SparkUdf::call(kernel, call.settings, call.arguments, returns, true, name)
}

/// The refusal of a constant pattern comes before any row.
fn check_pattern(call: &Call<'_>, parses: bool) -> Result<()> {
    match constant_text(call, 1) {
        Some(pattern) if !call.settings.legacy_time_parser => super::pattern::pieces(pattern, parses).map(|_| ()),
        _ => Ok(()),
    }
}

pub(super) fn date_format(call: Call<'_>) -> Result<Typed> {
    count(&call, &[2])?;
    check_pattern(&call, false)?;
    cast_call(call, &texts::DATE_FORMAT, &[In::AnyTimestamp, In::Text], DataType::String)
}

pub(super) fn from_unixtime(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 1, &[text(PATTERN)])?;
    check_pattern(&call, false)?;
    cast_call(call, &texts::FROM_UNIXTIME, &[In::Long, In::Text], DataType::String)
}

pub(super) fn unix_timestamp(mut call: Call<'_>) -> Result<Typed> {
    if call.arguments.is_empty() && call.name == "unix_timestamp" {
        call.arguments.push(Typed { name: "current_timestamp()".to_owned(), ..super::now::instant() });
    }
    defaults(&mut call, 1, &[text(PATTERN)])?;
    let name = named(&call);
    let kind = call.arguments.first().map(|argument| argument.data_type.clone());
    match kind {
        Some(DataType::Date | DataType::Timestamp | DataType::TimestampNtz) => cast(&mut call, &[In::Any, In::Text])?,
        _ => {
            check_pattern(&call, true)?;
            cast(&mut call, &[In::Text, In::Text])?;
        }
    }
    Ok(call_as(&texts::UNIX_TIMESTAMP, call, DataType::Long, name))
}

/// Without a pattern it is a cast; so it is of what is a date or time already.
pub(super) fn to_instant(mut call: Call<'_>, kernel: &'static Kernel, to: DataType) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = named(&call);
    let is_number = call.arguments.first().is_some_and(|argument| argument.data_type.is_numeric());
    if is_number && to != DataType::Timestamp {
        let number = call.arguments.swap_remove(0);
        call.arguments.insert(0, implicit(number, &DataType::String, call.settings)?);
    }
    if is_number && call.arguments.len() == 2 && to == DataType::Timestamp {
        return Err(unexpected(&name, 0, &call.arguments[0], "\"STRING\""));
    }
    let is_text =
        call.arguments.first().is_some_and(|argument| matches!(argument.data_type, DataType::String | DataType::Void));
    if call.arguments.len() == 1 || !is_text {
        let value = call.arguments.swap_remove(0);
        let instant = explicit(value, &to, call.settings)?;
        return Ok(Typed { name, ..instant });
    }
    check_pattern(&call, true)?;
    cast(&mut call, &[In::Text, In::Text])?;
    Ok(call_as(kernel, call, to, name))
}

pub(super) fn to_timestamp(call: Call<'_>) -> Result<Typed> {
    let to = timestamp_type(&call);
    let kernel = if to == DataType::Timestamp { &texts::TO_TIMESTAMP } else { &texts::TO_TIMESTAMP_NTZ };
    to_instant(call, kernel, to)
}

pub(super) fn try_to_timestamp(call: Call<'_>) -> Result<Typed> {
    let to = timestamp_type(&call);
    to_instant(call, &texts::TRY_TO_TIMESTAMP, to)
}

/// Days added to a date; with a unit it is `timestampadd`.
pub(super) fn date_add(mut call: Call<'_>, kernel: &'static Kernel, name: &'static str) -> Result<Typed> {
    if call.arguments.len() == 3 {
        return timestampadd(call);
    }
    count(&call, &[2])?;
    let name = named_as(name, &call.arguments);
    let date = call.arguments.swap_remove(0);
    let more = call.arguments.swap_remove(0);
    let more = match &more.data_type {
        DataType::Int | DataType::Short | DataType::Byte | DataType::Void => {
            implicit(more, &DataType::Int, call.settings)?
        }
        DataType::String => {
            if let Some(ScalarValue::Utf8(Some(written))) = more.as_literal()
                && written.trim().parse::<i32>().is_err()
            {
                return Err(Error::new(
                    "SECOND_FUNCTION_ARGUMENT_NOT_INTEGER",
                    format!("The second argument of {} function needs to be an integer.", call.name),
                ));
            }
            implicit(more, &DataType::Int, call.settings)?
        }
        _ => return Err(unexpected(&name, 1, &more, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")")),
    };
    call.arguments = vec![date, more];
    cast(&mut call, &[In::Date, In::Any])?;
    Ok(call_as(kernel, call, DataType::Date, name))
}

/// Days between dates; with a unit it is `timestampdiff`.
pub(super) fn datediff(call: Call<'_>) -> Result<Typed> {
    match call.arguments.len() {
        3 => timestampdiff(call),
        _ => plain(call, &shift::DATEDIFF, &[In::Date, In::Date], DataType::Int),
    }
}

pub(super) fn timestampadd(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[3])?;
    let name = named_as("timestampadd", &call.arguments);
    let returns = match call.arguments.get(2).map(|argument| &argument.data_type) {
        Some(DataType::TimestampNtz) => DataType::TimestampNtz,
        _ => DataType::Timestamp,
    };
    cast(&mut call, &[In::Text, In::Int, In::AnyTimestamp])?;
    cast(&mut call, &[In::Text, In::Long, In::AnyTimestamp])?;
    Ok(call_as(&shift::TIMESTAMPADD, call, returns, name))
}

pub(super) fn timestampdiff(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[3])?;
    let name = named_as("timestampdiff", &call.arguments);
    cast(&mut call, &[In::Text, In::Timestamp, In::Timestamp])?;
    Ok(call_as(&shift::TIMESTAMPDIFF, call, DataType::Long, name))
}

pub(super) fn months_between(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 2, &[boolean(true)])?;
    cast_call(call, &shift::MONTHS_BETWEEN, &[In::Timestamp, In::Timestamp, In::Boolean], DataType::Double)
}

pub(super) fn make_timestamp(call: Call<'_>, returns: Option<DataType>) -> Result<Typed> {
    let returns = returns.unwrap_or_else(|| timestamp_type(&call));
    let zoned = returns == DataType::Timestamp;
    count(&call, if zoned { &[6, 7] } else { &[6] })?;
    let kernel = if zoned { &make::MAKE_TIMESTAMP } else { &make::MAKE_TIMESTAMP_NTZ };
    let inputs = [In::Int, In::Int, In::Int, In::Int, In::Int, In::Seconds(16), In::Text];
    cast_call(call, kernel, &inputs, returns)
}

/// No seconds, with six places.
fn no_seconds() -> Typed {
    Typed::literal(ScalarValue::Decimal128(Some(0), 18, 6), DataType::Decimal(18, 6), "0.000000")
}

pub(super) fn make_interval(mut call: Call<'_>) -> Result<Typed> {
    let zeros: Vec<Typed> = (0..6).map(|_| int(0)).chain([no_seconds()]).collect();
    defaults(&mut call, 0, &zeros)?;
    let inputs = [In::Int, In::Int, In::Int, In::Int, In::Int, In::Int, In::Seconds(18)];
    cast_call(call, &make::MAKE_INTERVAL, &inputs, DataType::CalendarInterval)
}

pub(super) fn make_dt_interval(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 0, &[int(0), int(0), int(0), no_seconds()])?;
    let inputs = [In::Int, In::Int, In::Int, In::Seconds(18)];
    cast_call(call, &make::MAKE_DT_INTERVAL, &inputs, DataType::DAY_TO_SECOND)
}

pub(super) fn make_ym_interval(mut call: Call<'_>) -> Result<Typed> {
    defaults(&mut call, 0, &[int(0), int(0)])?;
    cast_call(call, &make::MAKE_YM_INTERVAL, &[In::Int, In::Int], DataType::YEAR_TO_MONTH)
}

pub(super) fn timestamp_seconds(call: Call<'_>) -> Result<Typed> {
    count(&call, &[1])?;
    let input = match call.arguments.first() {
        Some(argument) if matches!(argument.data_type, DataType::Float | DataType::Double | DataType::Decimal(..)) => {
            In::Any
        }
        Some(argument) if argument.data_type.is_integral() => In::Long,
        Some(argument) if matches!(argument.data_type, DataType::Void | DataType::String) => In::Double,
        Some(argument) => return Err(unexpected(&named(&call), 0, argument, "\"NUMERIC\"")),
        None => In::Any,
    };
    cast_call(call, &make::TIMESTAMP_SECONDS, &[input], DataType::Timestamp)
}

pub(super) fn whole(call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    if let Some(argument) = call.arguments.first()
        && !argument.data_type.is_integral()
        && argument.data_type != DataType::Void
    {
        return Err(unexpected(&named(&call), 0, argument, "\"INTEGRAL\""));
    }
    plain(call, kernel, &[In::Long], DataType::Timestamp)
}

/// With two arguments the session's zone comes first.
pub(super) fn convert_timezone(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2, 3])?;
    if call.arguments.len() == 2 {
        let zone = Typed { name: "current_timezone()".to_owned(), ..text(&call.settings.time_zone) };
        call.arguments.insert(0, zone);
    }
    cast_call(call, &make::CONVERT_TIMEZONE, &[In::Text, In::Text, In::TimestampNtz], DataType::TimestampNtz)
}

/// `date_part('field', source)`, and `extract(field FROM source)`, whose field comes as a constant.
pub(super) fn part(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2])?;
    let source = call.arguments.pop().unwrap_or_else(|| text(""));
    let field = call.arguments.pop().unwrap_or_else(|| text(""));
    let between = if call.name == "date_part" { "," } else { " FROM" };
    let name = format!("{}({}{between} {})", call.name, field.name, source.name);
    let written = match field.as_literal() {
        Some(ScalarValue::Utf8(Some(written))) => written.clone(),
        _ if field.foldable => return Ok(Typed::literal(ScalarValue::Float64(None), DataType::Double, name)),
        _ => {
            return Err(Error::new(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                format!(
                    "Cannot resolve \"{name}\" due to data type mismatch: the input `field` should be a foldable \"STRING\" expression."
                ),
            ));
        }
    };
    let unknown =
        || Error::new("INVALID_EXTRACT_FIELD", format!("Cannot extract `{written}` from \"{}\".", source.name));
    let field = Field::of(&written).ok_or_else(unknown)?;
    let seconds = DataType::Decimal(8, 6);
    let (kernel, input, returns) = match (&source.data_type, field) {
        (DataType::YearMonth(_, to), Field::Month) if *to == YearMonthField::Month => {
            (&fields::INTERVAL_MONTHS, In::Any, DataType::Byte)
        }
        (DataType::YearMonth(from, _), Field::Year) if *from == YearMonthField::Year => {
            (&fields::INTERVAL_YEARS, In::Any, DataType::Int)
        }
        (DataType::YearMonth(YearMonthField::Month, _), Field::Year) => return Err(unknown()),
        (DataType::DayTime(from, to), field) => {
            let (own, kernel, returns) = match field {
                Field::Day => (DayTimeField::Day, &fields::INTERVAL_DAYS, DataType::Int),
                Field::Hour => (DayTimeField::Hour, &fields::INTERVAL_HOURS, DataType::Byte),
                Field::Minute => (DayTimeField::Minute, &fields::INTERVAL_MINUTES, DataType::Byte),
                Field::Second => (DayTimeField::Second, &fields::INTERVAL_SECONDS, seconds),
                _ => return Err(unknown()),
            };
            if own < *from || own > *to {
                return Err(unknown());
            }
            (kernel, In::Any, returns)
        }
        (DataType::CalendarInterval, field) => match field {
            Field::Year => (&fields::INTERVAL_YEARS, In::Any, DataType::Int),
            Field::Month => (&fields::INTERVAL_MONTHS, In::Any, DataType::Byte),
            Field::Day => (&fields::INTERVAL_DAYS, In::Any, DataType::Int),
            Field::Hour => (&fields::INTERVAL_HOURS, In::Any, DataType::Byte),
            Field::Minute => (&fields::INTERVAL_MINUTES, In::Any, DataType::Byte),
            Field::Second => (&fields::INTERVAL_SECONDS, In::Any, seconds),
            _ => return Err(unknown()),
        },
        (DataType::YearMonth(..), _) => return Err(unknown()),
        (_, field) => match field {
            Field::Year => (&fields::YEAR, In::Date, DataType::Int),
            Field::YearOfWeek => (&fields::YEAR_OF_WEEK, In::Date, DataType::Int),
            Field::Quarter => (&fields::QUARTER, In::Date, DataType::Int),
            Field::Month => (&fields::MONTH, In::Date, DataType::Int),
            Field::Week => (&fields::WEEK, In::Date, DataType::Int),
            Field::Day => (&fields::DAY_OF_MONTH, In::Date, DataType::Int),
            Field::DayOfWeek => (&fields::DAY_OF_WEEK, In::Date, DataType::Int),
            Field::DayOfWeekIso => (&fields::DAY_OF_WEEK_ISO, In::Date, DataType::Int),
            Field::DayOfYear => (&fields::DAY_OF_YEAR, In::Date, DataType::Int),
            Field::Hour => (&fields::HOUR_OF_DAY, In::AnyTimestamp, DataType::Int),
            Field::Minute => (&fields::MINUTE_OF_HOUR, In::AnyTimestamp, DataType::Int),
            Field::Second => (&fields::SECOND_WITH_FRACTION, In::AnyTimestamp, seconds),
        },
    };
    call.arguments = vec![source];
    cast(&mut call, &[input])?;
    Ok(call_as(kernel, call, returns, name))
}

#[derive(Clone, Copy)]
enum Field {
    Year,
    YearOfWeek,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    DayOfWeekIso,
    DayOfYear,
    Hour,
    Minute,
    Second,
}

impl Field {
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => Field::Year,
            "YEAROFWEEK" => Field::YearOfWeek,
            "QUARTER" | "QTR" => Field::Quarter,
            "MONTH" | "MON" | "MONS" | "MONTHS" => Field::Month,
            "WEEK" | "W" | "WEEKS" => Field::Week,
            "DAY" | "D" | "DAYS" => Field::Day,
            "DAYOFWEEK" | "DOW" => Field::DayOfWeek,
            "DAYOFWEEK_ISO" | "DOW_ISO" => Field::DayOfWeekIso,
            "DOY" => Field::DayOfYear,
            "HOUR" | "H" | "HOURS" | "HR" | "HRS" => Field::Hour,
            "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => Field::Minute,
            "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => Field::Second,
            _ => return None,
        })
    }
}

/// A function that takes this type and casts nothing to it.
pub(super) fn strict(call: Call<'_>, kernel: &'static Kernel, input: In, returns: DataType) -> Result<Typed> {
    let (wanted, shown) = match input {
        In::Date => (DataType::Date, "\"DATE\""),
        _ => (DataType::Timestamp, "\"TIMESTAMP\""),
    };
    if let Some(argument) = call.arguments.first()
        && argument.data_type != wanted
        && argument.data_type != DataType::Void
    {
        return Err(unexpected(&named(&call), 0, argument, shown));
    }
    plain(call, kernel, &[input], returns)
}
