//! An API function in a DataFusion context that knows nothing of Paceline: it is an async scalar function.
//!
//! `cargo run -p paceline-engine --features demo --example plain_datafusion`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::prelude::SessionContext;
use paceline_engine::api_call::api_function;
use paceline_engine::demo::{MockApi, MockApiOptions};
use paceline_udfs::auth::Services;
use paceline_udfs::client::HttpClient;
use paceline_udfs::quota::Quotas;
use paceline_udfs::{ApiFunction, Caller};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let latency = Duration::from_millis(50);
    let api = MockApi::start(([127, 0, 0, 1], 0).into(), MockApiOptions { latency, ..MockApiOptions::default() })?;

    let arguments = vec![Field::new("id", DataType::Int64, true), Field::new("email", DataType::Utf8, true)];
    let returns = vec![Field::new("status", DataType::Utf8, true), Field::new("score", DataType::Float64, true)];
    let options = [
        ("endpoint".to_owned(), api.url()),
        ("rate_limit_calls".to_owned(), "100".to_owned()),
        ("on_error".to_owned(), "null".to_owned()),
    ];
    let declared = ApiFunction::declare("enrich", arguments.into(), DataType::Struct(returns.into()), false, &options)?;
    let quota = Quotas::default().get(
        &declared.options.pace.quota,
        &declared.options.pace.limits,
        std::time::SystemTime::now(),
    )?;
    let client = HttpClient::new(&declared.options, &Services::default())?;
    let network = tokio::runtime::Handle::current();
    let caller = Caller::new(Arc::new(declared), quota, Arc::new(client), network);

    let context = SessionContext::new();
    context.register_udf(api_function(Arc::new(caller)));
    let rows = context
        .sql("SELECT id, enrich(id, email) AS answer FROM (VALUES (1, 'a@example.com'), (2, 'b@example.com')) AS t(id, email)")
        .await?;
    rows.show().await?;
    Ok(())
}
