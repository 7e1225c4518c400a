//! Runs a script of statements over nothing but constants; tells what the last one answers.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use expect_test::Expect;
use paceline_functions::{DataType, Error, Result, hive_row};
use paceline_sql::catalog::Session;
use paceline_sql::commands::{Action, plan_statement};

/// Checks the last statement's answer: a line for the columns, then a line for each row, or the error.
#[expect(clippy::unwrap_used, reason = "without a runtime there is no test")]
pub(crate) fn check(script: &str, expect: Expect) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut session = Session::default();
    let mut last = String::new();
    for piece in paceline_syntax::split(script) {
        last = match runtime.block_on(answer(&mut session, piece.text)) {
            Ok(text) => text,
            Err(error) => format!("{}: {}", error.class, error.message),
        };
    }
    expect.assert_eq(&last);
}

async fn answer(session: &mut Session, statement: &str) -> Result<String> {
    let resolved = match plan_statement(session, statement)? {
        Action::Query(resolved) => resolved,
        Action::Nothing => return Ok("done".to_owned()),
        _ => return Err(Error::unsupported("tables in these tests")),
    };
    let config = SessionConfig::new().with_target_partitions(1);
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let context = SessionContext::new_with_state(state);
    let batches = context.execute_logical_plan(resolved.plan).await?.collect().await?;
    let types: Vec<DataType> = resolved.output.iter().map(|it| it.data_type.clone()).collect();
    let columns: Vec<String> =
        resolved.output.iter().map(|it| format!("{}: {}", it.name, it.data_type.catalog())).collect();
    let mut lines = vec![columns.join(", ")];
    let settings = Arc::clone(&session.settings);
    for batch in &batches {
        for row in 0..batch.num_rows() {
            lines.push(hive_row(batch, row, &types, &settings)?);
        }
    }
    Ok(lines.join("\n"))
}
