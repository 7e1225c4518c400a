//! The API function in a DataFusion context that knows nothing of Paceline.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use expect_test::expect;
use paceline_engine::api_call::api_function;
use paceline_udfs::client::Transport;
use paceline_udfs::quota::Quotas;
use paceline_udfs::testing::{Script, Step};
use paceline_udfs::{ApiFunction, Caller};

fn echo(on_error: &str, steps: impl IntoIterator<Item = Step>) -> SessionContext {
    let options = [("endpoint", "http://api.example/"), ("rate_limit_calls", "5000"), ("on_error", on_error)];
    let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let arguments = Fields::from(vec![Field::new("id", DataType::Int64, true)]);
    let returns = DataType::Struct(arguments.clone());
    let api = Arc::new(ApiFunction::declare("echo", arguments, returns, false, &options).unwrap());
    let quota =
        Quotas::default().get(&api.options.pace.quota, &api.options.pace.limits, std::time::SystemTime::now()).unwrap();
    let script: Arc<dyn Transport> = Arc::new(Script::new(std::time::Duration::from_millis(1), steps));
    let caller = Caller::new(api, quota, script, tokio::runtime::Handle::current());
    let context = SessionContext::new();
    context.register_udf(api_function(Arc::new(caller)));
    context
}

#[tokio::test]
async fn it_is_an_async_function_like_any_other() {
    let context = echo("fail", []);
    let rows = context.sql("SELECT v, echo(v) AS e FROM (VALUES (1), (2)) AS t(v) ORDER BY v").await.unwrap();
    let rows = rows.collect().await.unwrap();
    expect![[r#"
        +---+---------+
        | v | e       |
        +---+---------+
        | 1 | {id: 1} |
        | 2 | {id: 2} |
        +---+---------+"#]]
    .assert_eq(&pretty_format_batches(&rows).unwrap().to_string());
}

#[tokio::test]
async fn a_row_that_is_given_up_ends_the_query_or_is_null() {
    let query = "SELECT echo(v)['id'] AS id FROM (VALUES (1), (2)) AS t(v)";
    let refused = || [Step::Echo(404)];
    let error = echo("dead_letter", refused()).sql(query).await.unwrap().collect().await.unwrap_err();
    expect!["Execution error: API function 'echo': the API refused the request with status 404 (http_4xx, attempts: 1); with on_error 'null' the row would stay with NULL, with 'dead_letter' an INSERT would set it aside"].assert_eq(&error.strip_backtrace());
    let rows = echo("null", refused()).sql(query).await.unwrap().collect().await.unwrap();
    expect![[r#"
        +----+
        | id |
        +----+
        |    |
        | 2  |
        +----+"#]]
    .assert_eq(&pretty_format_batches(&rows).unwrap().to_string());
}
