//! Spark SQL text to statements, and queries to DataFusion logical plans.
//!
//! A script is cut into statements ([`script`]), each is parsed into a [`Statement`], and queries are planned against
//! a DataFusion session state ([`plan_query`]). What cannot be done yet is an error that names the construct, never a
//! silently different answer.

pub mod catalog;
pub mod commands;
mod cursor;
pub mod datetime;
mod error;
mod plan;
pub mod resolve;
pub mod script;
mod statements;
mod types;

pub use error::{SqlError, root_message};
pub use plan::{plan_query, spark_settings};
pub use statements::{
    CreateFunction, CreateView, DescribeFunction, DropFunction, Explain, ExplainMode, FunctionKinds, InsertDirectory,
    KeyValues, ShowFunctions, Statement, ViewSource, parse,
};
pub use types::{parse_type, type_name};
