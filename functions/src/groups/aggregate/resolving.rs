//! How calls of aggregates become expressions.

use std::sync::Arc;

use datafusion::functions_aggregate as df;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr, ExprFunctionExt, when};
use datafusion::scalar::ScalarValue;

use super::fold::Fold;
use super::{collecting, moments as of_moments, totals, udaf::SparkAggregate};
use crate::groups::implicit::{cast, implicit};
use crate::groups::structs::structure;
use crate::nested::{arity, mismatch, orderable, pretty, unexpected_input};
use crate::{Call, DataType, Error, Result, Settings, Typed};

/// A call of an aggregate of DataFusion.
fn native(udaf: Arc<AggregateUDF>, argument: Expr, returns: (DataType, bool), name: String) -> Typed {
    let expr = Expr::AggregateFunction(AggregateFunction::new_udf(udaf, vec![argument], false, None, Vec::new(), None));
    Typed { expr, data_type: returns.0, nullable: returns.1, name, foldable: false }
}

pub(super) fn fold(
    fold: &'static Fold,
    call: Call<'_>,
    parameters: &[f64],
    returns: (DataType, bool),
    name: String,
) -> Typed {
    SparkAggregate::call(fold, call.settings, call.arguments, parameters, returns, name)
}

/// An argument as a type, or Spark's error that says the type.
pub(super) fn expect(call: &mut Call<'_>, at: usize, data_type: &DataType, shown: &str) -> Result<()> {
    match implicit(&call.arguments[at], data_type, call.settings)? {
        Some(argument) => call.arguments[at] = argument,
        None => return Err(unexpected_input(call, at, &format!("the \"{shown}\" type"))),
    }
    Ok(())
}

fn boolean(call: &mut Call<'_>) -> Result<()> {
    arity(call, 1..=1)?;
    match call.arguments[0].data_type {
        DataType::Boolean | DataType::Void => expect(call, 0, &DataType::Boolean, "BOOLEAN"),
        _ => Err(unexpected_input(call, 0, "the \"BOOLEAN\" type")),
    }
}

/// `bool_or`
pub(super) fn any(mut call: Call<'_>) -> Result<Typed> {
    boolean(&mut call)?;
    let name = pretty(&call);
    Ok(native(df::bool_and_or::bool_or_udaf(), call.arguments.swap_remove(0).expr, (DataType::Boolean, true), name))
}

/// `bool_and`
pub(super) fn every(mut call: Call<'_>) -> Result<Typed> {
    boolean(&mut call)?;
    let name = pretty(&call);
    Ok(native(df::bool_and_or::bool_and_udaf(), call.arguments.swap_remove(0).expr, (DataType::Boolean, true), name))
}

/// `count`
pub(super) fn count(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    if call.arguments.is_empty() && call.settings.flag("spark.sql.legacy.allowparameterlesscount", false) {
        // No row has all of no values.
        let nothing = Expr::Literal(ScalarValue::Boolean(None), None);
        return Ok(native(df::count::count_udaf(), nothing, (DataType::Long, false), name));
    }
    if call.arguments.is_empty() {
        return Err(Error::new(
            "WRONG_NUM_ARGS.WITH_SUGGESTION",
            "The `count` requires  >= 1 parameters but the actual number is 0. If you have to call this function with 0 \
             parameters, set the legacy configuration \"spark.sql.legacy.allowParameterlessCount\" to \"true\".",
        ));
    }
    let argument = all_present(call.arguments, call.settings)?;
    Ok(native(df::count::count_udaf(), argument, (DataType::Long, false), name))
}

/// A value where none of them is NULL, another one for other values, and else NULL.
fn all_present(mut values: Vec<Typed>, settings: &Arc<Settings>) -> Result<Expr> {
    if values.len() == 1 {
        return Ok(values.swap_remove(0).expr);
    }
    let present = values.iter().map(|value| value.expr.clone().is_not_null()).reduce(Expr::and);
    let all = structure(values, &[], settings)?;
    match present {
        Some(present) => Ok(when(present, all.expr).end()?),
        None => Ok(all.expr),
    }
}

/// `regr_count`
pub(super) fn regr_count(call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    let argument = all_present(call.arguments, call.settings)?;
    Ok(native(df::count::count_udaf(), argument, (DataType::Long, false), name))
}

/// `count_if`
pub(super) fn count_if(mut call: Call<'_>) -> Result<Typed> {
    boolean(&mut call)?;
    let name = pretty(&call);
    let argument = call.arguments.swap_remove(0).expr;
    let truth = Expr::Literal(ScalarValue::Boolean(Some(true)), None);
    Ok(native(df::count::count_udaf(), when(argument, truth).end()?, (DataType::Long, false), name))
}

/// The argument of a sum or mean: whole numbers, decimals, doubles or intervals.
fn summed(call: &mut Call<'_>) -> Result<DataType> {
    arity(call, 1..=1)?;
    let of = call.arguments[0].data_type.clone();
    let to = match &of {
        whole if whole.is_integral() => DataType::Long,
        DataType::Decimal(..) | DataType::YearMonth(..) | DataType::DayTime(..) => of,
        DataType::Float | DataType::Double | DataType::String | DataType::Void => DataType::Double,
        // Of timestamps, their seconds.
        DataType::Timestamp => DataType::Double,
        _ => return Err(unexpected_input(call, 0, "the \"NUMERIC\" or \"ANSI INTERVAL\" type")),
    };
    call.arguments[0] = cast(call.arguments[0].clone(), &to, call.settings)?;
    Ok(to)
}

/// `sum` and `try_sum`
pub(super) fn sum(mut call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    let of = summed(&mut call)?;
    let tries = call.name == "try_sum";
    let checked = tries || call.settings.ansi;
    let own = if tries { &totals::TRY_SUM } else { &totals::SUM };
    let returns = match &of {
        DataType::Decimal(precision, scale) => DataType::Decimal(precision.saturating_add(10).min(38), *scale),
        other => other.clone(),
    };
    match of {
        DataType::Double => {}
        DataType::Long if !checked => {}
        // The sum of 10^10 values at least fits.
        DataType::Decimal(precision, _) if precision <= 28 => {}
        _ => return Ok(fold(own, call, &[], (returns, true), name)),
    }
    Ok(native(df::sum::sum_udaf(), call.arguments.swap_remove(0).expr, (returns, true), name))
}

/// `avg`, `mean` and `try_avg`
pub(super) fn avg(mut call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    let own = if call.name == "try_avg" { &totals::TRY_AVG } else { &totals::AVG };
    let returns = match summed(&mut call)? {
        DataType::Decimal(precision, scale) => {
            DataType::Decimal(precision.saturating_add(4).min(38), scale.saturating_add(4).min(38))
        }
        DataType::YearMonth(..) => DataType::YEAR_TO_MONTH,
        DataType::DayTime(..) => DataType::DAY_TO_SECOND,
        _ => {
            let argument = cast(call.arguments.swap_remove(0), &DataType::Double, call.settings)?;
            return Ok(native(df::average::avg_udaf(), argument.expr, (DataType::Double, true), name));
        }
    };
    Ok(fold(own, call, &[], (returns, true), name))
}

/// `max`
pub(super) fn max(call: Call<'_>) -> Result<Typed> {
    extreme(call, &collecting::MAX, df::min_max::max_udaf())
}

/// `min`
pub(super) fn min(call: Call<'_>) -> Result<Typed> {
    extreme(call, &collecting::MIN, df::min_max::min_udaf())
}

fn extreme(mut call: Call<'_>, own: &'static Fold, theirs: Arc<AggregateUDF>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let of = call.arguments[0].data_type.clone();
    orderable(&call, &of)?;
    let name = pretty(&call);
    if matches!(
        of,
        DataType::Array(..) | DataType::Struct(_) | DataType::Void | DataType::YearMonth(..) | DataType::DayTime(..)
    ) {
        return Ok(fold(own, call, &[], (of, true), name));
    }
    Ok(native(theirs, call.arguments.swap_remove(0).expr, (of, true), name))
}

fn whole(call: &mut Call<'_>) -> Result<DataType> {
    arity(call, 1..=1)?;
    if call.arguments[0].data_type == DataType::Void {
        call.arguments[0] = cast(call.arguments[0].clone(), &DataType::Int, call.settings)?;
    }
    match call.arguments[0].data_type.clone() {
        whole if whole.is_integral() => Ok(whole),
        _ => Err(unexpected_input(call, 0, "the \"INTEGRAL\" type")),
    }
}

/// `bit_and`
pub(super) fn bit_and(call: Call<'_>) -> Result<Typed> {
    bits(call, df::bit_and_or_xor::bit_and_udaf())
}

/// `bit_or`
pub(super) fn bit_or(call: Call<'_>) -> Result<Typed> {
    bits(call, df::bit_and_or_xor::bit_or_udaf())
}

/// `bit_xor`
pub(super) fn bit_xor(call: Call<'_>) -> Result<Typed> {
    bits(call, df::bit_and_or_xor::bit_xor_udaf())
}

fn bits(mut call: Call<'_>, udaf: Arc<AggregateUDF>) -> Result<Typed> {
    let of = whole(&mut call)?;
    let name = pretty(&call);
    Ok(native(udaf, call.arguments.swap_remove(0).expr, (of, true), name))
}

/// `first`, `first_value` and `any_value`
pub(super) fn first(call: Call<'_>) -> Result<Typed> {
    one(call, df::first_last::first_value_udaf())
}

/// `last` and `last_value`
pub(super) fn last(call: Call<'_>) -> Result<Typed> {
    one(call, df::first_last::last_value_udaf())
}

fn one(mut call: Call<'_>, udaf: Arc<AggregateUDF>) -> Result<Typed> {
    arity(&call, 1..=2)?;
    let ignores = match call.arguments.get(1).map(|flag| (flag.as_literal().cloned(), &flag.data_type)) {
        None => false,
        Some((Some(ScalarValue::Boolean(Some(ignores))), _)) => ignores,
        Some((_, DataType::Boolean)) => {
            let what = format!("The second argument in {} should be a boolean literal.", call.name);
            return Err(Error::new("_LEGACY_ERROR_TEMP_1100", what));
        }
        Some(_) => return Err(unexpected_input(&call, 1, "the \"BOOLEAN\" type")),
    };
    call.arguments.truncate(1);
    let name = pretty(&call);
    let argument = call.arguments.swap_remove(0);
    let mut typed = native(udaf, argument.expr, (argument.data_type, true), name);
    if ignores {
        typed.expr = typed.expr.null_treatment(NullTreatment::IgnoreNulls).build()?;
    }
    Ok(typed)
}

/// `collect_list` and `array_agg`
pub(super) fn collect_list(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = crate::nested::named("collect_list", &call.arguments);
    let returns = DataType::Array(Box::new(call.arguments[0].data_type.clone()), false);
    Ok(fold(&collecting::LIST, call, &[], (returns, false), name))
}

/// `collect_set`
pub(super) fn collect_set(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    let of = call.arguments[0].data_type.clone();
    if crate::groups::map::valid_key(&name, &of).is_err() {
        let what = "The input of `collect_set` can't be \"MAP\" type data.";
        return Err(mismatch(&name, "UNSUPPORTED_INPUT_TYPE", what));
    }
    Ok(fold(&collecting::SET, call, &[], (DataType::Array(Box::new(of), false), false), name))
}

/// `mode`
pub(super) fn mode(call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (name, of) = (pretty(&call), call.arguments[0].data_type.clone());
    Ok(fold(&collecting::MODE, call, &[], (of, true), name))
}

/// `max_by`
pub(super) fn max_by(call: Call<'_>) -> Result<Typed> {
    by(call, &collecting::MAX_BY)
}

/// `min_by`
pub(super) fn min_by(call: Call<'_>) -> Result<Typed> {
    by(call, &collecting::MIN_BY)
}

fn by(call: Call<'_>, own: &'static Fold) -> Result<Typed> {
    arity(&call, 2..=2)?;
    orderable(&call, &call.arguments[1].data_type)?;
    let (name, of) = (pretty(&call), call.arguments[0].data_type.clone());
    Ok(fold(own, call, &[], (of, true), name))
}

/// Variances, skewness and kurtosis.
pub(super) fn moments(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    expect(&mut call, 0, &DataType::Double, "DOUBLE")?;
    let returns = (DataType::Double, true);
    let theirs = match call.name {
        "skewness" => return Ok(fold(&of_moments::SKEWNESS, call, &[], returns, name)),
        "kurtosis" => return Ok(fold(&of_moments::KURTOSIS, call, &[], returns, name)),
        "var_pop" => df::variance::var_pop_udaf(),
        "var_samp" | "variance" => df::variance::var_samp_udaf(),
        "stddev_pop" => df::stddev::stddev_pop_udaf(),
        _ => df::stddev::stddev_udaf(),
    };
    Ok(native(theirs, call.arguments.swap_remove(0).expr, returns, name))
}

/// Functions of two columns of doubles.
pub(super) fn pairs(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    expect(&mut call, 0, &DataType::Double, "DOUBLE")?;
    expect(&mut call, 1, &DataType::Double, "DOUBLE")?;
    let own = match call.name {
        "covar_pop" => &of_moments::COVAR_POP,
        "covar_samp" => &of_moments::COVAR_SAMP,
        "regr_avgx" => &of_moments::REGR_AVGX,
        "regr_avgy" => &of_moments::REGR_AVGY,
        "regr_r2" => &of_moments::REGR_R2,
        "regr_sxx" => &of_moments::REGR_SXX,
        "regr_sxy" => &of_moments::REGR_SXY,
        "regr_syy" => &of_moments::REGR_SYY,
        "regr_slope" => &of_moments::REGR_SLOPE,
        "regr_intercept" => &of_moments::REGR_INTERCEPT,
        _ => &of_moments::CORR,
    };
    Ok(fold(own, call, &[], (DataType::Double, true), name))
}
