//! Lists, maps and structs as kernels read and make them: rows of elements by index, elements as keys that compare as Spark's
//! values do, and arrays brought to the exact type that a plan says. Knows no function.

mod keys;
mod lists;
mod resolving;
mod retype;

pub(crate) use keys::{Equality, keys, keys_of};
pub(crate) use lists::{ListMaker, Lists, list_of, pick, returned, with_nulls};
pub(crate) use resolving::{
    arity, array_argument, diff_types, mismatch, named, orderable, pretty, unexpected_input, wider_element,
};
pub(crate) use retype::retype;
