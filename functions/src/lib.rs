//! What Spark's types, operators and functions mean, as DataFusion expressions.
//!
//! A front end resolves names and gives this crate typed expressions; it gets typed expressions back, with Spark's name for
//! each. Nothing here parses SQL, knows a table, or runs a plan.

pub mod cast;
mod checks;
mod civil;
mod codec;
pub mod coercion;
mod columns;
mod constant;
mod data_type;
mod decimal_type;
mod determinism;
mod display;
mod error;
mod evaluate;
#[cfg(test)]
mod examples;
mod function;
mod groups;
mod interval_fields;
pub mod intervals;
mod kernel;
mod literal;
mod nested;
pub mod operators;
pub mod records;
mod schema_text;
mod settings;
mod text;
mod typed;
mod zone;

pub use codec::{
    decode, decode_aggregate, decode_field, decode_lambda, decode_window, encode, encode_aggregate, encode_field,
    encode_lambda, encode_window,
};
pub use data_type::{DataType, StructField};
pub use determinism::is_nondeterministic;
pub use display::hive_row;
pub use error::{Error, Result};
pub use function::{Call, Function, Group, Resolve, all, find};
pub use groups::aggregate::{SparkAggregate, percentile_within, single_value};
pub use groups::datetime::windows::{TimeWindow, time_window};
pub use groups::generator::generated_columns;
pub use groups::lambda::{LambdaInput, SparkLambda, resolve_lambda};
pub use groups::math::random::Random;
pub use groups::miscellaneous::position::{Position, position_of};
pub use groups::structs::structure;
pub use groups::subscript::{field, subscript};
pub use groups::window::{SparkWindow, over_window, with_null_treatment};
pub use interval_fields::{DayTimeField, YearMonthField};
pub use kernel::{Arguments, Kernel, SparkUdf, may_be_null};
pub use settings::{Settings, TimestampType};
pub use typed::Typed;
pub use zone::is_zone;

#[cfg(test)]
mod tests;
