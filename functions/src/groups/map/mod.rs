//! Spark's functions of the group map.

mod making;
mod reading;
mod text;

use super::subscript::{Outside, at};
use crate::function::Resolve::Scalar;
use crate::nested::{arity, pretty};
use crate::{Call, Function, Group, Kernel, Resolve, Result, Typed};

pub(crate) use making::{MapMaker, valid_key};
pub(crate) use reading::VALUE;

const fn row(name: &'static str, resolve: Resolve, usage: &'static str) -> Function {
    Function { name, group: Group::Map, usage, resolve }
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row(
        "element_at",
        Scalar(element_at),
        "element_at(array, index), element_at(map, key) - The element at an index counted from 1, or the value of a key.",
    ),
    row("map", Scalar(making::map), "map(key0, value0, key1, value1, ...) - A map of the given keys and values."),
    row("map_concat", Scalar(making::concat), "map_concat(map, ...) - All entries of the maps in one."),
    row("map_contains_key", Scalar(reading::contains_key), "map_contains_key(map, key) - Whether the map has the key."),
    row("map_entries", Scalar(reading::entries), "map_entries(map) - The entries as an array of structs."),
    row(
        "map_from_arrays",
        Scalar(making::from_arrays),
        "map_from_arrays(keys, values) - A map of an array of keys and one of values.",
    ),
    row(
        "map_from_entries",
        Scalar(making::from_entries),
        "map_from_entries(arrayOfEntries) - A map of an array of structs of key and value.",
    ),
    row("map_keys", Scalar(reading::keys), "map_keys(map) - The keys as an array."),
    row("map_values", Scalar(reading::values), "map_values(map) - The values as an array."),
    row(
        "str_to_map",
        Scalar(text::str_to_map),
        "str_to_map(text[, pairDelim[, keyValueDelim]]) - A map of a text that is split at delimiters, which are regular expressions.",
    ),
    row(
        "try_element_at",
        Scalar(try_element_at),
        "try_element_at(array, index), try_element_at(map, key) - As element_at, but NULL where that fails.",
    ),
];

/// What computes them.
pub(crate) const KERNELS: &[&Kernel] = &[
    &making::MAP,
    &making::CONCAT,
    &making::FROM_ARRAYS,
    &making::FROM_ENTRIES,
    &reading::VALUE,
    &reading::CONTAINS_KEY,
    &reading::ENTRIES,
    &reading::KEYS,
    &reading::VALUES,
    &text::STR_TO_MAP,
];

fn element_at(call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    let outside = if call.settings.ansi { Outside::Fail } else { Outside::Null };
    at(call, name, outside)
}

fn try_element_at(call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let name = pretty(&call);
    at(call, name, Outside::Null)
}
