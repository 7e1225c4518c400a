//! Spark's functions of the group array.

mod elements;
mod making;
mod predicates;
mod sequence;
mod sets;
mod sorting;

use crate::function::Resolve::Scalar;
use crate::{Function, Group, Kernel, Resolve};

pub(crate) use elements::{ELEMENT, REVERSE};
pub(crate) use making::CONCAT;
pub(crate) use sorting::sort_without_comparator;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Array, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("array", Scalar(making::array), "array(expr, ...) - An array of the given elements."),
    row(
        "array_append",
        Scalar(making::append),
        "array_append(array, element) - The array with the element at its end.",
    ),
    row("array_compact", Scalar(elements::compact), "array_compact(array) - The array without its NULLs."),
    row(
        "array_contains",
        Scalar(predicates::contains),
        "array_contains(array, value) - Whether the value is in the array.",
    ),
    row("array_distinct", Scalar(sets::distinct), "array_distinct(array) - The array with each value once."),
    row(
        "array_except",
        Scalar(sets::except),
        "array_except(array1, array2) - What is in the first and not in the second, each once.",
    ),
    row(
        "array_insert",
        Scalar(making::insert),
        "array_insert(array, position, value) - The array with the value put at a position, counted from 1, from the end if negative.",
    ),
    row("array_intersect", Scalar(sets::intersect), "array_intersect(array1, array2) - What is in both, each once."),
    row(
        "array_join",
        Scalar(elements::join),
        "array_join(array, delimiter[, nullReplacement]) - The elements as one text; NULLs are left out or replaced.",
    ),
    row("array_max", Scalar(sorting::max), "array_max(array) - The greatest element; NULLs are passed over."),
    row("array_min", Scalar(sorting::min), "array_min(array) - The least element; NULLs are passed over."),
    row(
        "array_position",
        Scalar(predicates::position),
        "array_position(array, element) - Where the element is first, counted from 1; 0 if it isn't there.",
    ),
    row(
        "array_prepend",
        Scalar(making::prepend),
        "array_prepend(array, element) - The array with the element before its beginning.",
    ),
    row(
        "array_remove",
        Scalar(predicates::remove),
        "array_remove(array, element) - The array without elements equal to the given one.",
    ),
    row(
        "array_repeat",
        Scalar(making::repeat),
        "array_repeat(element, count) - An array of so many times the element.",
    ),
    row("array_union", Scalar(sets::union), "array_union(array1, array2) - What is in either, each once."),
    row(
        "arrays_overlap",
        Scalar(predicates::overlap),
        "arrays_overlap(a1, a2) - Whether they have an element in common that isn't NULL.",
    ),
    row(
        "arrays_zip",
        Scalar(making::zip),
        "arrays_zip(a1, a2, ...) - An array whose n-th struct has the n-th elements of all.",
    ),
    row("flatten", Scalar(elements::flatten), "flatten(arrayOfArrays) - The elements of all its arrays in one."),
    row(
        "get",
        Scalar(elements::get),
        "get(array, index) - The element at an index, counted from 0; NULL outside the array.",
    ),
    row(
        "sequence",
        Scalar(sequence::sequence),
        "sequence(start, stop[, step]) - An array of values from start to stop, which is included.",
    ),
    row("shuffle", Scalar(sorting::shuffle), "shuffle(array) - The array in an order by chance."),
    row(
        "slice",
        Scalar(elements::slice),
        "slice(x, start, length) - Part of an array; start counts from 1, from the end if negative.",
    ),
    row(
        "sort_array",
        Scalar(sorting::sort),
        "sort_array(array[, ascendingOrder]) - The array in order; NULLs first if it ascends.",
    ),
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[
    &making::ARRAY,
    &making::APPEND,
    &making::PREPEND,
    &making::INSERT,
    &making::REPEAT,
    &making::ZIP,
    &making::CONCAT,
    &elements::COMPACT,
    &elements::JOIN,
    &elements::FLATTEN,
    &elements::ELEMENT,
    &elements::SLICE,
    &elements::REVERSE,
    &predicates::CONTAINS,
    &predicates::POSITION,
    &predicates::REMOVE,
    &predicates::OVERLAP,
    &sets::DISTINCT,
    &sets::EXCEPT,
    &sets::INTERSECT,
    &sets::UNION,
    &sorting::MAX,
    &sorting::MIN,
    &sorting::SORT,
    &sorting::SHUFFLE,
    &sequence::SEQUENCE,
];
