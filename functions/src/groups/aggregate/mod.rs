//! Spark's functions of the group aggregate.
//!
//! Whatever a function of this group resolves to is a bare `Expr::AggregateFunction`, so that DISTINCT, FILTER and OVER can be
//! put to it. What DataFusion has with Spark's meaning is DataFusion's own; the rest are folds (`fold`).

mod collecting;
mod count_min;
mod distinct;
mod estimates;
mod fold;
mod gathered;
mod hll;
mod moments;
mod percentile;
mod quantiles;
mod resolving;
mod single;
mod sketches;
mod totals;
mod udaf;

use crate::function::Resolve::{Aggregate, Resolver};
use crate::{Function, Group, Resolve};

pub(crate) use fold::{Context, FOLDS};
pub(crate) use hll::{KERNELS, sketch_estimate, union};
pub use quantiles::percentile_within;
pub use single::single_value;
pub use udaf::SparkAggregate;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Aggregate, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("any", Aggregate(resolving::any), "any(expr) - Whether one value is true."),
    row("any_value", Aggregate(resolving::first), "any_value(expr[, isIgnoreNull]) - Some value of the group."),
    row(
        "approx_count_distinct",
        Aggregate(estimates::approx_count_distinct),
        "approx_count_distinct(expr[, relativeSD]) - About how many different values there are.",
    ),
    row(
        "approx_percentile",
        Aggregate(quantiles::percentile_approx),
        "approx_percentile(col, percentage[, accuracy]) - A value of the column at a percentage.",
    ),
    row("array_agg", Aggregate(resolving::collect_list), "array_agg(expr) - All values as an array."),
    row("avg", Aggregate(resolving::avg), "avg(expr) - The mean."),
    row("bit_and", Aggregate(resolving::bit_and), "bit_and(expr) - The bits that all values have."),
    row("bit_or", Aggregate(resolving::bit_or), "bit_or(expr) - The bits that any value has."),
    row("bit_xor", Aggregate(resolving::bit_xor), "bit_xor(expr) - The exclusive or of the values' bits."),
    row(
        "bitmap_construct_agg",
        Aggregate(estimates::bitmap_construct),
        "bitmap_construct_agg(child) - A bitmap of the positions that are given.",
    ),
    row(
        "bitmap_or_agg",
        Aggregate(estimates::bitmap_or),
        "bitmap_or_agg(child) - The bits that any of the bitmaps has.",
    ),
    row("bool_and", Aggregate(resolving::every), "bool_and(expr) - Whether all values are true."),
    row("bool_or", Aggregate(resolving::any), "bool_or(expr) - Whether one value is true."),
    row("collect_list", Aggregate(resolving::collect_list), "collect_list(expr) - All values as an array."),
    row("collect_set", Aggregate(resolving::collect_set), "collect_set(expr) - The different values as an array."),
    row("corr", Aggregate(resolving::pairs), "corr(expr1, expr2) - Pearson's coefficient of correlation."),
    row(
        "count",
        Aggregate(resolving::count),
        "count(*), count(expr, ...) - How many rows there are, or how many where no expression is NULL.",
    ),
    row("count_if", Aggregate(resolving::count_if), "count_if(expr) - For how many rows it is true."),
    row(
        "count_min_sketch",
        Aggregate(count_min::count_min_sketch),
        "count_min_sketch(col, eps, confidence, seed) - A count-min sketch of a column.",
    ),
    row("covar_pop", Aggregate(resolving::pairs), "covar_pop(expr1, expr2) - The covariance of a population."),
    row("covar_samp", Aggregate(resolving::pairs), "covar_samp(expr1, expr2) - The covariance of a sample."),
    row("every", Aggregate(resolving::every), "every(expr) - Whether all values are true."),
    row("first", Aggregate(resolving::first), "first(expr[, isIgnoreNull]) - The first value."),
    row("first_value", Aggregate(resolving::first), "first_value(expr[, isIgnoreNull]) - The first value."),
    row("grouping", Resolver, "grouping(col) - 1 if the column is not grouped by in this row's grouping set, else 0."),
    row("grouping_id", Resolver, "grouping_id([col, ...]) - The bits of grouping() of the columns as one number."),
    row(
        "histogram_numeric",
        Aggregate(estimates::histogram),
        "histogram_numeric(expr, nb) - A histogram of so many bins.",
    ),
    row(
        "hll_sketch_agg",
        Aggregate(hll::sketch_agg),
        "hll_sketch_agg(expr[, lgConfigK]) - A HyperLogLog sketch of the values.",
    ),
    row(
        "hll_union_agg",
        Aggregate(hll::union_agg),
        "hll_union_agg(expr[, allowDifferentLgConfigK]) - The union of HyperLogLog sketches.",
    ),
    row("kurtosis", Aggregate(resolving::moments), "kurtosis(expr) - How heavy the tails of the values are."),
    row("last", Aggregate(resolving::last), "last(expr[, isIgnoreNull]) - The last value."),
    row("last_value", Aggregate(resolving::last), "last_value(expr[, isIgnoreNull]) - The last value."),
    row("max", Aggregate(resolving::max), "max(expr) - The greatest value."),
    row("max_by", Aggregate(resolving::max_by), "max_by(x, y) - The x of the greatest y."),
    row("mean", Aggregate(resolving::avg), "mean(expr) - The mean."),
    row("median", Aggregate(quantiles::median), "median(col) - The value in the middle."),
    row("min", Aggregate(resolving::min), "min(expr) - The least value."),
    row("min_by", Aggregate(resolving::min_by), "min_by(x, y) - The x of the least y."),
    row("mode", Aggregate(resolving::mode), "mode(col) - The value that is there most often."),
    row(
        "percentile",
        Aggregate(quantiles::percentile),
        "percentile(col, percentage[, frequency]) - The exact value at a percentage, which may lie between two.",
    ),
    row(
        "percentile_approx",
        Aggregate(quantiles::percentile_approx),
        "percentile_approx(col, percentage[, accuracy]) - A value of the column at a percentage.",
    ),
    row("regr_avgx", Aggregate(resolving::pairs), "regr_avgx(y, x) - The mean of x where neither is NULL."),
    row("regr_avgy", Aggregate(resolving::pairs), "regr_avgy(y, x) - The mean of y where neither is NULL."),
    row("regr_count", Aggregate(resolving::regr_count), "regr_count(y, x) - For how many rows neither is NULL."),
    row(
        "regr_intercept",
        Aggregate(resolving::pairs),
        "regr_intercept(y, x) - Where the line of regression crosses the axis.",
    ),
    row("regr_r2", Aggregate(resolving::pairs), "regr_r2(y, x) - The coefficient of determination."),
    row("regr_slope", Aggregate(resolving::pairs), "regr_slope(y, x) - How steep the line of regression is."),
    row("regr_sxx", Aggregate(resolving::pairs), "regr_sxx(y, x) - The sum of squares of x about its mean."),
    row("regr_sxy", Aggregate(resolving::pairs), "regr_sxy(y, x) - The sum of products of x and y about their means."),
    row("regr_syy", Aggregate(resolving::pairs), "regr_syy(y, x) - The sum of squares of y about its mean."),
    row("skewness", Aggregate(resolving::moments), "skewness(expr) - How far the values lean to one side."),
    row("some", Aggregate(resolving::any), "some(expr) - Whether one value is true."),
    row("std", Aggregate(resolving::moments), "std(expr) - The standard deviation of a sample."),
    row("stddev", Aggregate(resolving::moments), "stddev(expr) - The standard deviation of a sample."),
    row("stddev_pop", Aggregate(resolving::moments), "stddev_pop(expr) - The standard deviation of a population."),
    row("stddev_samp", Aggregate(resolving::moments), "stddev_samp(expr) - The standard deviation of a sample."),
    row("sum", Aggregate(resolving::sum), "sum(expr) - The sum."),
    row("try_avg", Aggregate(resolving::avg), "try_avg(expr) - The mean; NULL where it is too large."),
    row("try_sum", Aggregate(resolving::sum), "try_sum(expr) - The sum; NULL where it is too large."),
    row("var_pop", Aggregate(resolving::moments), "var_pop(expr) - The variance of a population."),
    row("var_samp", Aggregate(resolving::moments), "var_samp(expr) - The variance of a sample."),
    row("variance", Aggregate(resolving::moments), "variance(expr) - The variance of a sample."),
];
