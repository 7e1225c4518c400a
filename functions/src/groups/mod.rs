//! Spark's functions, a file or folder for each of its groups.

mod aggregate;
mod array;
mod bitwise;
mod collection;
mod conditional;
mod conversion;
mod csv;
mod datetime;
mod generator;
mod hash;
mod json;
mod lambda;
mod map;
mod math;
mod misc;
mod predicate;
pub(crate) mod scalar;
mod string;
mod structs;
mod table;
mod url;
mod window;
mod xml;

use crate::Function;

/// The rows of all groups.
pub(crate) const GROUPS: &[&[Function]] = &[
    aggregate::ROWS,
    array::ROWS,
    bitwise::ROWS,
    collection::ROWS,
    conditional::ROWS,
    conversion::ROWS,
    csv::ROWS,
    datetime::ROWS,
    generator::ROWS,
    hash::ROWS,
    json::ROWS,
    lambda::ROWS,
    map::ROWS,
    math::ROWS,
    misc::ROWS,
    predicate::ROWS,
    string::ROWS,
    structs::ROWS,
    table::ROWS,
    url::ROWS,
    window::ROWS,
    xml::ROWS,
];

/// The kernels of the groups that have their own, by which an executor finds them.
pub(crate) const KERNELS: &[&[&[&crate::Kernel]]] =
    &[math::KERNELS, conversion::KERNELS, misc::KERNELS, hash::KERNELS, &[bitwise::KERNELS]];
