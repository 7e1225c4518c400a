//! Aggregates that keep a sketch of what they saw.

use arrow::datatypes::DataType as Arrow;
use datafusion::scalar::ScalarValue;

use super::resolving::{expect, fold};
use super::sketches;
use crate::constant::constant;
use crate::nested::{arity, mismatch, orderable, pretty, unexpected_input};
use crate::{Call, DataType, Error, Result, StructField, Typed};

/// A constant number of a call.
fn number(call: &Call<'_>, at: usize, required: &str) -> Result<f64> {
    let argument = &call.arguments[at];
    if !argument.foldable || !argument.data_type.is_numeric() {
        return Err(unexpected_input(call, at, required));
    }
    match constant(argument)?.cast_to(&Arrow::Float64).map_err(Error::from)? {
        ScalarValue::Float64(Some(number)) => Ok(number),
        _ => Err(unexpected_input(call, at, required)),
    }
}

/// `approx_count_distinct`
pub(super) fn approx_count_distinct(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=2)?;
    let deviation = if call.arguments.len() == 2 { number(&call, 1, "the \"DOUBLE\" type")? } else { 0.05 };
    call.arguments.truncate(1);
    orderable(&call, &call.arguments[0].data_type)?;
    let name = pretty(&call);
    Ok(fold(&sketches::DISTINCT, call, &[deviation], (DataType::Long, false), name))
}

/// `histogram_numeric`
pub(super) fn histogram(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    let of = call.arguments[0].data_type.clone();
    let known = of.is_numeric()
        || matches!(
            of,
            DataType::Date
                | DataType::Timestamp
                | DataType::TimestampNtz
                | DataType::YearMonth(..)
                | DataType::DayTime(..)
        );
    if !known {
        return Err(unexpected_input(
            &call,
            0,
            "the (\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\") type",
        ));
    }
    let bins = number(&call, 1, "the \"INT\" type")?;
    if bins < 2.0 {
        let what = format!("The number of bins must be between [2, 2147483647] (current value = {bins}).");
        return Err(mismatch(&name, "VALUE_OUT_OF_RANGE", what));
    }
    call.arguments.truncate(1);
    let fields = vec![StructField::new("x", of, true), StructField::new("y", DataType::Double, true)];
    let returns = DataType::Array(Box::new(DataType::Struct(fields)), true);
    Ok(fold(&sketches::HISTOGRAM, call, &[bins], (returns, true), name))
}

/// `bitmap_construct_agg`
pub(super) fn bitmap_construct(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    expect(&mut call, 0, &DataType::Long, "BIGINT")?;
    Ok(fold(&sketches::BITMAP, call, &[], (DataType::Binary, false), name))
}

/// `bitmap_or_agg`
pub(super) fn bitmap_or(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    if call.arguments[0].data_type != DataType::Binary {
        return Err(unexpected_input(&call, 0, "the \"BINARY\" type"));
    }
    let name = pretty(&call);
    Ok(fold(&sketches::BITMAP_OR, call, &[], (DataType::Binary, false), name))
}
