//! Percentiles: between values, of the values themselves, and "approximate" ones, which are exact here.
//!
//! The first parameter says whether an array is returned, the second whether the order is descending, the rest are percentages.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Float64Type, Int32Type, Int64Type, IntervalYearMonthType};
use datafusion::common::{Result, exec_err};
use datafusion::scalar::ScalarValue;

use super::collecting::{list, value};
use super::fold::{Context, Fold, Gather, How, Skip};
use crate::Error;
use crate::nested::{Equality, keys_of, pick};

const fn gather(name: &'static str, finish: fn(&[ArrayRef], &Context) -> Result<ScalarValue>) -> Fold {
    Fold { name, how: How::Gather(Gather { skip: Skip::AnyNull, compact: None, finish }) }
}

pub(super) static PERCENTILE: Fold = gather("spark_percentile", continuous);
pub(super) static DISCRETE: Fold = gather("spark_percentile_disc", discrete);
/// As it was before Spark 4 and 3.5.3, by `spark.sql.legacy.percentileDiscCalculation`.
pub(super) static DISCRETE_BEFORE: Fold = gather("spark_percentile_disc_before", discrete_before);
pub(super) static APPROXIMATE: Fold = gather("spark_percentile_approx", approximate);

/// Places of the values in order.
fn order(values: &ArrayRef, descending: bool) -> Result<Vec<usize>> {
    let keys = keys_of(values, Equality::Comparison)?;
    let mut order: Vec<usize> = (0..keys.num_rows()).collect();
    order.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
    if descending {
        order.reverse();
    }
    Ok(order)
}

struct Asked {
    many: bool,
    descending: bool,
    percentages: Vec<f64>,
}

fn asked(context: &Context) -> Asked {
    let is = |at: usize| context.parameter(at) == Some(1.0);
    let percentages = context.parameters.iter().skip(2).map(|bits| f64::from_bits(*bits)).collect();
    Asked { many: is(0), descending: is(1), percentages }
}

/// The values, and how often each is there: the second column, if there is one.
fn weighted(columns: &[ArrayRef], descending: bool) -> Result<(ArrayRef, Vec<(usize, i64)>)> {
    let Some(values) = columns.first() else { return exec_err!("an aggregate has a column") };
    let order = order(values, descending)?;
    let Some(counts) = columns.get(1) else {
        return Ok((Arc::clone(values), order.into_iter().map(|at| (at, 1)).collect()));
    };
    let counts = cast(counts, &Arrow::Int64)?;
    let counts = counts.as_primitive::<Int64Type>();
    let mut weighted = Vec::with_capacity(order.len());
    for at in order {
        match counts.value(at) {
            0 => {}
            count if count < 0 => {
                let what = format!("Negative values found in {count}.");
                return Err(Error::new("_LEGACY_ERROR_TEMP_2013", what).into());
            }
            count => weighted.push((at, count)),
        }
    }
    Ok((Arc::clone(values), weighted))
}

/// The value at a place, counted with weights.
fn nth(weighted: &[(usize, i64)], ends: &[i64], place: i64) -> Option<usize> {
    let at = ends.partition_point(|end| *end <= place).min(weighted.len().checked_sub(1)?);
    weighted.get(at).map(|(at, _)| *at)
}

fn ends(weighted: &[(usize, i64)]) -> Vec<i64> {
    let mut end: i64 = 0;
    weighted
        .iter()
        .map(|(_, count)| {
            end = end.saturating_add(*count);
            end
        })
        .collect()
}

fn nothing(context: &Context) -> Result<ScalarValue> {
    ScalarValue::try_from(context.returns.data_type())
}

fn continuous(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let asked = asked(context);
    let (values, weighted) = weighted(columns, asked.descending)?;
    let ends = ends(&weighted);
    let Some(total) = ends.last() else { return nothing(context) };
    let plain = months(&values);
    let numbers = if plain.data_type() == &Arrow::Float64 {
        plain
    } else {
        cast(&cast(&plain, &Arrow::Int64)?, &Arrow::Float64)?
    };
    let numbers = numbers.as_primitive::<Float64Type>();
    let result: Float64Array = asked
        .percentages
        .iter()
        .map(|percentage| {
            let position = (*total - 1) as f64 * percentage;
            let (low, high) = (position.floor(), position.ceil());
            let at = |place: f64| nth(&weighted, &ends, place as i64).map(|at| numbers.value(at));
            let (below, above) = (at(low)?, at(high)?);
            let exact = low == high || below == above;
            Some(if exact { below } else { (high - position) * below + (position - low) * above })
        })
        .collect();
    finished(Arc::new(result), asked.many, context)
}

/// Intervals of months as their number; other values as they are.
pub(super) fn months(values: &ArrayRef) -> ArrayRef {
    match values.as_primitive_opt::<IntervalYearMonthType>() {
        Some(months) => Arc::new(months.reinterpret_cast::<Int32Type>()),
        None => Arc::clone(values),
    }
}

/// Doubles as what is returned: intervals are cut to whole months or microseconds.
fn finished(numbers: ArrayRef, many: bool, context: &Context) -> Result<ScalarValue> {
    let element = match context.returns.data_type() {
        Arrow::List(field) if many => field.data_type().clone(),
        other => other.clone(),
    };
    let numbers = match element {
        Arrow::Interval(_) => {
            let months = cast(&numbers, &Arrow::Int32)?;
            let months = months.as_primitive::<Int32Type>();
            Arc::new(months.reinterpret_cast::<IntervalYearMonthType>()) as ArrayRef
        }
        Arrow::Duration(_) => cast(&cast(&numbers, &Arrow::Int64)?, &element)?,
        _ => numbers,
    };
    if many { list(&numbers, context) } else { value(&numbers, Some(0), context) }
}

fn discrete(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let asked = asked(context);
    let (values, weighted) = weighted(columns, asked.descending)?;
    let ends = ends(&weighted);
    let (Some(total), Some(percentage)) = (ends.last(), asked.percentages.first()) else { return nothing(context) };
    // The first value whose share of the rows reaches the percentage.
    let place = (percentage * *total as f64).ceil() as i64 - 1;
    let at = nth(&weighted, &ends, place.max(0));
    let Some(at) = at else { return nothing(context) };
    value(&pick(&values, vec![Some(at)])?, Some(0), context)
}

fn discrete_before(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let asked = asked(context);
    let (values, weighted) = weighted(columns, asked.descending)?;
    let ends = ends(&weighted);
    let (Some(total), Some(percentage)) = (ends.last(), asked.percentages.first()) else { return nothing(context) };
    let Some(at) = nth(&weighted, &ends, (percentage * (*total - 1) as f64) as i64) else { return nothing(context) };
    value(&pick(&values, vec![Some(at)])?, Some(0), context)
}

fn approximate(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let asked = asked(context);
    let (values, weighted) = weighted(columns, asked.descending)?;
    let Ok(total) = i64::try_from(weighted.len()) else { return nothing(context) };
    if total == 0 {
        return nothing(context);
    }
    let ends = ends(&weighted);
    let at = |percentage: &f64| {
        let rank = (percentage * total as f64).ceil() as i64;
        nth(&weighted, &ends, (rank - 1).max(0))
    };
    let picked = asked.percentages.iter().map(at).collect();
    if asked.many {
        list(&pick(&values, picked)?, context)
    } else {
        value(&values, picked.first().copied().flatten(), context)
    }
}
