//! Spark's functions of the group lambda: a body with variables, over the elements of arrays and the entries of maps.
//!
//! DataFusion's higher-order functions carry them: the body is an expression of the plan, which sees the columns around it, and
//! is computed for all elements of a batch at once. What each function does with the results is a [`LambdaKernel`].

mod arrays;
mod maps;
mod resolving;
mod sorting;
mod udf;

use crate::function::Resolve::Resolver;
use crate::{Function, Group};

pub use resolving::{LambdaInput, resolve_lambda};
pub use udf::SparkLambda;
pub(crate) use udf::{LambdaCall, LambdaKernel};

const fn row(name: &'static str, usage: &'static str) -> Function {
    Function { name, group: Group::Lambda, usage, resolve: Resolver }
}

/// The rows of this group; the resolver brings the bodies to [`resolve_lambda`].
pub(crate) const ROWS: &[Function] = &[
    row(
        "aggregate",
        "aggregate(expr, start, merge[, finish]) - What is left when all elements have been merged into the start.",
    ),
    row(
        "array_sort",
        "array_sort(expr[, func]) - The array in order, NULLs last, or in the order of a function of two elements.",
    ),
    row("exists", "exists(expr, pred) - Whether the predicate is true of an element."),
    row("filter", "filter(expr, func) - The elements of which the function is true."),
    row("forall", "forall(expr, pred) - Whether the predicate is true of all elements."),
    row("map_filter", "map_filter(expr, func) - The entries of which the function is true."),
    row(
        "map_zip_with",
        "map_zip_with(map1, map2, function) - A map of the keys of both, the values made by a function.",
    ),
    row(
        "reduce",
        "reduce(expr, start, merge[, finish]) - What is left when all elements have been merged into the start.",
    ),
    row("transform", "transform(expr, func) - The function of each element."),
    row("transform_keys", "transform_keys(expr, func) - The map with other keys, made by a function."),
    row("transform_values", "transform_values(expr, func) - The map with other values, made by a function."),
    row(
        "zip_with",
        "zip_with(left, right, func) - The function of the elements of two arrays, the shorter one filled up with NULLs.",
    ),
];

/// What computes them.
pub(crate) static KERNELS: &[&LambdaKernel] = &[
    &arrays::TRANSFORM,
    &arrays::FILTER,
    &arrays::EXISTS,
    &arrays::FORALL,
    &arrays::AGGREGATE,
    &arrays::ZIP_WITH,
    &sorting::SORT,
    &maps::TRANSFORM_KEYS,
    &maps::TRANSFORM_VALUES,
    &maps::FILTER,
    &maps::ZIP_WITH,
];
