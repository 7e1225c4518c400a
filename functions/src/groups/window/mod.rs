//! Spark's functions of the group window: DataFusion's, with Spark's types.
//!
//! Whatever a function of this group resolves to is a bare `Expr::WindowFunction`, to which the resolver puts the window.

mod udf;

use std::sync::Arc;

use datafusion::functions_window as df;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{Expr, WindowFunctionDefinition, WindowUDF};
use datafusion::scalar::ScalarValue;

use super::implicit::implicit;
use crate::constant::constant;
use crate::function::Resolve::Window;
use crate::nested::{arity, named, pretty, unexpected_input};
use crate::{Call, DataType, Error, Function, Group, Resolve, Result, Typed};

pub use udf::SparkWindow;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Window, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row(
        "cume_dist",
        Window(|call| plain(call, DataType::Double, false)),
        "cume_dist() - Which share of the rows is not after this one.",
    ),
    row(
        "dense_rank",
        Window(|call| plain(call, DataType::Int, true)),
        "dense_rank() - The rank of the row, without gaps.",
    ),
    row(
        "lag",
        Window(|call| neighbour(call, false)),
        "lag(input[, offset[, default]]) - The value of a row before this one.",
    ),
    row(
        "lead",
        Window(|call| neighbour(call, true)),
        "lead(input[, offset[, default]]) - The value of a row after this one.",
    ),
    row("nth_value", Window(nth_value), "nth_value(input, offset) - The value of the row of that number in the frame."),
    row("ntile", Window(ntile), "ntile(n) - In which of n parts, as equal as can be, the row is."),
    row(
        "percent_rank",
        Window(|call| plain(call, DataType::Double, true)),
        "percent_rank() - The rank of the row as a share.",
    ),
    row(
        "rank",
        Window(|call| plain(call, DataType::Int, true)),
        "rank() - The rank of the row: one more than rows before it.",
    ),
    row(
        "row_number",
        Window(|call| plain(call, DataType::Int, false)),
        "row_number() - The number of the row, from 1.",
    ),
];

/// A name, and what is wrapped under it.
type Wrapped = (&'static str, fn() -> Arc<WindowUDF>);

/// DataFusion's functions that are wrapped, by the names of the wrapped ones.
pub(crate) static WINDOWS: &[Wrapped] = &[
    ("spark_cume_dist", df::cume_dist::cume_dist_udwf),
    ("spark_dense_rank", df::rank::dense_rank_udwf),
    ("spark_first_value", df::nth_value::first_value_udwf),
    ("spark_lag", df::lead_lag::lag_udwf),
    ("spark_last_value", df::nth_value::last_value_udwf),
    ("spark_lead", df::lead_lag::lead_udwf),
    ("spark_nth_value", df::nth_value::nth_value_udwf),
    ("spark_ntile", df::ntile::ntile_udwf),
    ("spark_percent_rank", df::rank::percent_rank_udwf),
    ("spark_rank", df::rank::rank_udwf),
    ("spark_row_number", df::row_number::row_number_udwf),
];

fn made(function: &str, arguments: Vec<Expr>, data_type: DataType, nullable: bool, name: String) -> Result<Typed> {
    let wrapped = format!("spark_{function}");
    let returns = Arc::new(data_type.to_field(&wrapped, nullable));
    let Some(udf) = SparkWindow::named(&wrapped, returns) else { return Err(Error::unsupported(function)) };
    let udf = WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(udf)));
    let expr = Expr::WindowFunction(Box::new(WindowFunction::new(udf, arguments)));
    Ok(Typed { expr, data_type, nullable, name, foldable: false })
}

/// What computes an aggregate over a window: the aggregate itself, but for those of one value, which windows have themselves.
///
/// # Errors
/// It is no aggregate.
pub fn over_window(typed: Typed) -> Result<Typed> {
    let Expr::AggregateFunction(aggregate) = &typed.expr else {
        return match typed.expr {
            Expr::WindowFunction(_) => Ok(typed),
            _ => Err(Error::new(
                "UNSUPPORTED_EXPR_FOR_WINDOW",
                format!("Expression \"{}\" not supported within a window function.", typed.name),
            )),
        };
    };
    let params = aggregate.params.clone();
    let mut windowed = match aggregate.func.name() {
        name @ ("first_value" | "last_value") => made(name, params.args, typed.data_type, typed.nullable, typed.name)?,
        _ => {
            let udaf = WindowFunctionDefinition::AggregateUDF(Arc::clone(&aggregate.func));
            let expr = Expr::WindowFunction(Box::new(WindowFunction::new(udaf, params.args)));
            Typed { expr, ..typed }
        }
    };
    if let Expr::WindowFunction(window) = &mut windowed.expr {
        window.params.distinct = params.distinct;
        window.params.filter = params.filter;
        if let Some(treatment) = params.null_treatment {
            with_null_treatment(window, treatment);
        }
    }
    Ok(windowed)
}

/// `IGNORE NULLS` or `RESPECT NULLS` of a window function.
pub fn with_null_treatment(window: &mut WindowFunction, treatment: NullTreatment) {
    window.params.null_treatment = Some(treatment);
    let WindowFunctionDefinition::WindowUDF(udf) = &window.fun else { return };
    if let Some(ours) = udf.inner().downcast_ref::<SparkWindow>() {
        let mut ours = ours.clone();
        ours.ignores_nulls = treatment == NullTreatment::IgnoreNulls;
        window.fun = WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(ours)));
    }
}

fn plain(call: Call<'_>, data_type: DataType, upper: bool) -> Result<Typed> {
    arity(&call, 0..=0)?;
    let name = if upper { format!("{}()", call.name.to_uppercase()) } else { pretty(&call) };
    made(call.name, Vec::new(), data_type, false, name)
}

fn whole(call: &Call<'_>, at: usize, required: &str) -> Result<i64> {
    let argument = &call.arguments[at];
    if !argument.foldable {
        let what = format!(
            "the input {required} should be a foldable \"INT\" expression; however, got \"{}\".",
            argument.name
        );
        return Err(crate::nested::mismatch(&pretty(call), "NON_FOLDABLE_INPUT", what));
    }
    let Some(typed) = implicit(argument, &DataType::Int, call.settings)? else {
        return Err(unexpected_input(call, at, "the \"INT\" type"));
    };
    match constant(&typed)? {
        ScalarValue::Int32(Some(value)) => Ok(value.into()),
        _ => Err(Error::new(
            "DATATYPE_MISMATCH.UNEXPECTED_NULL",
            format!("The {required} of {} must not be null.", call.name),
        )),
    }
}

fn long(value: i64) -> Expr {
    Expr::Literal(ScalarValue::Int64(Some(value)), None)
}

fn ntile(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 0..=1)?;
    if call.arguments.is_empty() {
        call.arguments.push(Typed::literal(ScalarValue::Int32(Some(1)), DataType::Int, "1"));
    }
    if call.arguments[0].data_type != DataType::Int {
        return Err(unexpected_input(&call, 0, "the \"INT\" type"));
    }
    let name = pretty(&call);
    let parts = whole(&call, 0, "buckets")?;
    if parts <= 0 {
        let what = format!("The buckets must be between (0, 2147483647] (current value = {parts}).");
        return Err(crate::nested::mismatch(&name, "VALUE_OUT_OF_RANGE", what));
    }
    made("ntile", vec![long(parts)], DataType::Int, false, name)
}

fn nth_value(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    let at = whole(&call, 1, "offset")?;
    if at <= 0 {
        let what = format!("The `offset` must be between (0, 2147483647] (current value = {at}L).");
        return Err(crate::nested::mismatch(&name, "VALUE_OUT_OF_RANGE", what));
    }
    let value = call.arguments.swap_remove(0);
    made("nth_value", vec![value.expr, long(at)], value.data_type, true, name)
}

fn neighbour(mut call: Call<'_>, after: bool) -> Result<Typed> {
    arity(&call, 1..=3)?;
    if call.arguments.len() == 1 {
        call.arguments.push(Typed::literal(ScalarValue::Int32(Some(1)), DataType::Int, "1"));
    }
    if call.arguments.len() == 2 {
        call.arguments.push(Typed::literal(ScalarValue::Null, DataType::Void, "NULL"));
    }
    let name = named(call.name, &call.arguments);
    let mut by = whole(&call, 1, "offset")?;
    // An offset of less than nothing looks the other way.
    let mut looks_after = after;
    if by < 0 {
        (by, looks_after) = (-by, !after);
    }
    let (value, default) = (call.arguments[0].clone(), call.arguments[2].clone());
    let Some(default) = implicit(&default, &value.data_type, call.settings)? else {
        return Err(unexpected_input(&call, 2, &format!("the \"{}\" type", value.data_type.sql())));
    };
    let (nullable, data_type) = (value.nullable || default.nullable, value.data_type.clone());
    let function = if looks_after { "lead" } else { "lag" };
    let mut arguments = vec![value.expr, long(by)];
    if default.foldable {
        arguments.push(Expr::Literal(constant(&default)?, None));
    } else {
        return Err(Error::unsupported(format!("a default of {} that is no constant", call.name)));
    }
    made(function, arguments, data_type, nullable, name)
}
