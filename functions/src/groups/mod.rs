//! Spark's functions, a file or folder for each of its groups.

pub(crate) mod aggregate;
pub(crate) mod array;
mod bitmap;
mod bitwise;
mod collection;
mod conditional;
mod conversion;
mod csv;
pub(crate) mod datetime;
pub(crate) mod generator;
mod hash;
pub(crate) mod implicit;
pub(crate) mod json;
pub(crate) mod lambda;
pub(crate) mod map;
pub(crate) mod math;
pub(crate) mod miscellaneous;
mod predicate;
pub(crate) mod scalar;
mod string;
pub(crate) mod structs;
pub(crate) mod subscript;
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
    miscellaneous::ROWS,
    predicate::ROWS,
    string::ROWS,
    structs::ROWS,
    table::ROWS,
    url::ROWS,
    window::ROWS,
    xml::ROWS,
];

/// The kernels of all groups, for the names that come over the wire.
const KERNELS: &[&[&Kernel]] = &[
    crate::cast::KERNELS,
    aggregate::KERNELS,
    array::KERNELS,
    bitmap::KERNELS,
    bitwise::KERNELS,
    collection::KERNELS,
    csv::KERNELS,
    generator::KERNELS,
    json::KERNELS,
    map::KERNELS,
    structs::KERNELS,
    url::KERNELS,
];

/// All kernels of functions of one row.
pub(crate) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    let folders = [math::KERNELS, conversion::KERNELS, miscellaneous::KERNELS, hash::KERNELS];
    let folders = folders.into_iter().flatten().chain(crate::operators::KERNELS);
    let all = KERNELS.iter().chain(folders).chain(string::KERNELS).chain(datetime::KERNELS);
    all.copied().flat_map(|kernels| kernels.iter().copied())
}
