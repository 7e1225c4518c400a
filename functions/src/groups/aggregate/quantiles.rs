//! How calls of percentiles become expressions.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::scalar::ScalarValue;

use super::fold::Fold;
use super::percentile as of_percentiles;
use super::resolving::{expect, fold};
use crate::constant::constant;
use crate::groups::implicit::{cast, implicit};
use crate::nested::{arity, mismatch, pretty, unexpected_input};
use crate::{Call, DataType, Result, Settings, Typed};

/// The percentages of a call: whether they are an array, and they.
fn percentages(call: &Call<'_>, at: usize, shown: &str, what: &str) -> Result<(bool, Vec<f64>)> {
    let argument = &call.arguments[at];
    if !argument.foldable {
        let text =
            format!("the input {what} should be a foldable \"DOUBLE\" expression; however, got \"{}\".", argument.name);
        return Err(mismatch(shown, "NON_FOLDABLE_INPUT", text));
    }
    let (many, to) = match argument.data_type {
        DataType::Array(_, contains_null) => (true, DataType::Array(Box::new(DataType::Double), contains_null)),
        _ => (false, DataType::Double),
    };
    let Some(typed) = implicit_array(argument, &to, call.settings)? else {
        return Err(unexpected_input(call, at, "the \"DOUBLE\" type"));
    };
    let value = constant(&typed)?;
    let null = || mismatch(shown, "UNEXPECTED_NULL", format!("The {what} must not be null."));
    let values: Option<Vec<f64>> = match &value {
        ScalarValue::Float64(value) => value.map(|value| vec![value]),
        ScalarValue::List(list) if list.len() == 1 && list.is_valid(0) => {
            list.value(0).as_primitive_opt::<Float64Type>().and_then(|values| values.iter().collect())
        }
        _ => None,
    };
    let values = values.ok_or_else(null)?;
    if let Some(wrong) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        let text = format!("The {what} must be between [0.0, 1.0] (current value = {wrong}D).");
        return Err(mismatch(shown, "VALUE_OUT_OF_RANGE", text));
    }
    Ok((many, values))
}

fn implicit_array(argument: &Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Option<Typed>> {
    match (&argument.data_type, to) {
        (DataType::Array(from, _), DataType::Array(..)) if from.is_numeric() => {
            cast(argument.clone(), to, settings).map(Some)
        }
        _ => implicit(argument, to, settings),
    }
}

/// What a continuous percentile of a type returns; the argument becomes a double unless it is an interval.
fn continuous(call: &mut Call<'_>, shown: &str) -> Result<DataType> {
    match call.arguments[0].data_type {
        DataType::YearMonth(..) => Ok(DataType::YEAR_TO_MONTH),
        DataType::DayTime(..) => Ok(DataType::DAY_TO_SECOND),
        _ => match implicit(&call.arguments[0], &DataType::Double, call.settings)? {
            Some(argument) => {
                call.arguments[0] = argument;
                Ok(DataType::Double)
            }
            None => {
                let argument = &call.arguments[0];
                let what = format!(
                    "Parameter 1 requires the (\"NUMERIC\" or \"ANSI INTERVAL\") type, however \"{}\" has the type \"{}\".",
                    argument.name,
                    argument.data_type.sql()
                );
                Err(mismatch(shown, "UNEXPECTED_INPUT_TYPE", what))
            }
        },
    }
}

/// `percentile`
pub(super) fn percentile(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=3)?;
    let shown = match call.arguments.len() {
        2 => format!("percentile({}, {}, 1)", call.arguments[0].name, call.arguments[1].name),
        _ => pretty(&call),
    };
    let (many, percentages) = percentages(&call, 1, &shown, "percentage")?;
    let element = continuous(&mut call, &shown)?;
    if call.arguments.len() == 3 && !call.arguments[2].data_type.is_integral() {
        return Err(unexpected_input(&call, 2, "the \"INTEGRAL\" type"));
    }
    call.arguments.remove(1);
    Ok(percentile_call(&of_percentiles::PERCENTILE, call, many, false, percentages, element, shown))
}

fn percentile_call(
    own: &'static Fold,
    call: Call<'_>,
    many: bool,
    descending: bool,
    percentages: Vec<f64>,
    element: DataType,
    shown: String,
) -> Typed {
    let mut parameters = vec![f64::from(u8::from(many)), f64::from(u8::from(descending))];
    parameters.extend(percentages);
    let returns = if many { DataType::Array(Box::new(element), false) } else { element };
    fold(own, call, &parameters, (returns, true), shown)
}

/// `median`
pub(super) fn median(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let shown = pretty(&call);
    let element = continuous(&mut call, &shown)?;
    Ok(percentile_call(&of_percentiles::PERCENTILE, call, false, false, vec![0.5], element, shown))
}

/// `percentile_cont(fraction) WITHIN GROUP (ORDER BY value [DESC])`, and `percentile_disc`.
///
/// # Errors
/// The fraction is no constant between 0 and 1, or the values are no numbers.
pub fn percentile_within(
    written: &str,
    discrete: bool,
    fraction: Typed,
    value: Typed,
    descending: bool,
    settings: &Arc<Settings>,
) -> Result<Typed> {
    let order = if descending { " DESC" } else { "" };
    let shown = format!("{}({}) WITHIN GROUP (ORDER BY {}{order})", written.to_lowercase(), fraction.name, value.name);
    let mut call = Call { written, name: "percentile", arguments: vec![value, fraction], settings };
    let (many, percentages) = percentages(&call, 1, &shown, "percentage")?;
    call.arguments.truncate(1);
    let element = continuous(&mut call, &shown)?;
    let own = match discrete {
        true if settings.flag("spark.sql.legacy.percentilediscalculation", false) => &of_percentiles::DISCRETE_BEFORE,
        true => &of_percentiles::DISCRETE,
        false => &of_percentiles::PERCENTILE,
    };
    Ok(percentile_call(own, call, many, descending, percentages, element, shown))
}

/// `percentile_approx`
pub(super) fn percentile_approx(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=3)?;
    if call.arguments.len() == 2 {
        call.arguments.push(Typed::literal(ScalarValue::Int32(Some(10_000)), DataType::Int, "10000"));
    }
    let shown = pretty(&call);
    let element = match call.arguments[0].data_type.clone() {
        DataType::String | DataType::Void => {
            expect(&mut call, 0, &DataType::Double, "NUMERIC")?;
            DataType::Double
        }
        element @ (DataType::Date
        | DataType::Timestamp
        | DataType::TimestampNtz
        | DataType::YearMonth(..)
        | DataType::DayTime(..)) => element,
        element if element.is_numeric() => element,
        _ => {
            let required = "the (\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\") type";
            return Err(unexpected_input(&call, 0, required));
        }
    };
    let (many, percentages) = percentages(&call, 1, &shown, "percentage")?;
    expect(&mut call, 2, &DataType::Long, "INTEGRAL")?;
    if !call.arguments[2].foldable {
        let what = format!(
            "the input accuracy should be a foldable \"INTEGRAL\" expression; however, got \"{}\".",
            call.arguments[2].name
        );
        return Err(mismatch(&shown, "NON_FOLDABLE_INPUT", what));
    }
    match constant(&call.arguments[2])? {
        ScalarValue::Int64(Some(accuracy)) if (1..=i64::from(i32::MAX)).contains(&accuracy) => {}
        ScalarValue::Int64(Some(accuracy)) => {
            let what = format!("The accuracy must be between (0, 2147483647] (current value = {accuracy}L).");
            return Err(mismatch(&shown, "VALUE_OUT_OF_RANGE", what));
        }
        _ => return Err(mismatch(&shown, "UNEXPECTED_NULL", "The accuracy must not be null.")),
    }
    call.arguments.truncate(1);
    Ok(percentile_call(&of_percentiles::APPROXIMATE, call, many, false, percentages, element, shown))
}
