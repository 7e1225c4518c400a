//! Spark's functions, a file or folder for each of its groups.

pub(crate) mod aggregate;
pub(crate) mod array;
mod bitmap;
mod bitwise;
mod collection;
mod conditional;
mod conversion;
mod csv;
mod datetime;
pub(crate) mod generator;
mod hash;
pub(crate) mod implicit;
mod json;
pub(crate) mod lambda;
pub(crate) mod map;
mod math;
mod misc;
mod predicate;
pub(crate) mod scalar;
mod string;
pub(crate) mod subscript;
pub(crate) mod structs;
mod table;
mod url;
pub(crate) mod window;
mod xml;

#[cfg(test)]
mod tests;

use crate::{Function, Kernel};

/// The rows of all groups.
pub(crate) const GROUPS: &[&[Function]] = &[
    aggregate::ROWS,
    array::ROWS,
    bitmap::ROWS,
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

/// The kernels of all groups, for the names that come over the wire.
const KERNELS: &[&[&Kernel]] =
    &[crate::cast::KERNELS, array::KERNELS, bitmap::KERNELS, collection::KERNELS, generator::KERNELS, map::KERNELS, structs::KERNELS];

/// All kernels of functions of one row.
pub(crate) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    let own = [csv::KERNELS, json::KERNELS, url::KERNELS];
    let files = string::KERNELS.iter().chain(datetime::KERNELS).copied().chain(own);
    KERNELS.iter().chain(crate::operators::KERNELS).copied().chain(files).flat_map(|kernels| kernels.iter().copied())
}
