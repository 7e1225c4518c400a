//! A parsed query to a logical plan, under the settings that make DataFusion answer as Spark does.

use std::ops::ControlFlow;

use datafusion::common::config::SqlParserOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Query, Statement as SqlStatement, Value, visit_expressions_mut,
};

use crate::SqlError;

/// Settings of the session that Spark's rules need: NULL sorts as the smallest value, text is `Utf8`, and a partition reads
/// what the plan gave it and nothing else, so that rows have an order and a task that is run again reads the same ones.
pub fn spark_settings(config: SessionConfig) -> SessionConfig {
    let mut config = config;
    config.options_mut().sql_parser = SqlParserOptions {
        map_string_types_to_utf8view: false,
        default_null_ordering: "nulls_min".to_owned(),
        ..config.options().sql_parser.clone()
    };
    config.options_mut().execution.enable_file_stream_work_stealing = false;
    config
}

/// Plans a query against the tables and functions of `state`.
///
/// # Errors
/// The query names something unknown, or its types do not fit.
pub async fn plan_query(state: &SessionState, mut query: Box<Query>) -> Result<LogicalPlan, SqlError> {
    let ControlFlow::Continue(()) = visit_expressions_mut(&mut query, |expr| {
        name_fields(expr);
        ControlFlow::<std::convert::Infallible>::Continue(())
    });
    let statement = DataFusionStatement::Statement(Box::new(SqlStatement::Query(query)));
    Ok(state.statement_to_plan(statement).await?)
}

/// `f(x).score`: DataFusion takes the name of a field behind an expression as a string only.
fn name_fields(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expr else { return };
    for access in access_chain {
        if let AccessExpr::Dot(Expr::Identifier(name)) = access {
            let name = Value::SingleQuotedString(std::mem::take(&mut name.value));
            *access = AccessExpr::Dot(Expr::value(name));
        }
    }
}
