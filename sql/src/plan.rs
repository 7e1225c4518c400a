//! A parsed query to a logical plan, under the settings that make DataFusion answer as Spark does.

use datafusion::common::config::SqlParserOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{Query, Statement as SqlStatement};

use crate::SqlError;

/// Settings of the session that Spark's rules need: `1.1` is a decimal, NULL sorts as the smallest value, text is
/// `Utf8`.
pub fn spark_settings(config: SessionConfig) -> SessionConfig {
    let mut config = config;
    config.options_mut().sql_parser = SqlParserOptions {
        parse_float_as_decimal: true,
        map_string_types_to_utf8view: false,
        default_null_ordering: "nulls_min".to_owned(),
        ..config.options().sql_parser.clone()
    };
    config
}

/// Plans a query against the tables and functions of `state`.
///
/// # Errors
/// The query names something unknown, or its types do not fit.
pub async fn plan_query(state: &SessionState, query: Box<Query>) -> Result<LogicalPlan, SqlError> {
    let statement = DataFusionStatement::Statement(Box::new(SqlStatement::Query(query)));
    Ok(state.statement_to_plan(statement).await?)
}
