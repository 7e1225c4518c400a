//! What Spark's types, operators and functions mean, as DataFusion expressions.
//!
//! A front end resolves names and gives this crate typed expressions; it gets typed expressions back, with Spark's name for
//! each. Nothing here parses SQL, knows a table, or runs a plan.

pub mod cast;
mod civil;
mod codec;
pub mod coercion;
mod data_type;
mod decimal_type;
mod display;
mod error;
mod evaluate;
mod function;
mod groups;
mod interval_fields;
mod kernel;
mod literal;
pub mod operators;
mod settings;
mod text;
mod typed;
mod zone;

pub use codec::{decode, encode};
pub use data_type::{DataType, StructField};
pub use display::hive_row;
pub use error::{Error, Result};
pub use function::{Call, Function, Group, Resolve, all, find};
pub use interval_fields::{DayTimeField, YearMonthField};
pub use kernel::{Arguments, Kernel, SparkUdf, kernel};
pub use settings::{Settings, TimestampType};
pub use typed::Typed;

#[cfg(test)]
mod tests;
