//! In which order rows leave the operator, on paused time.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_expr::expressions::Column;
use datafusion::prelude::SessionContext;
use paceline_engine::api_call::{ApiCallExec, Asked};
use paceline_udfs::testing::{self, Script, Step};

/// Three batches of a row each; the request of the first row fails once.
async fn order(preserve_order: &str) -> Vec<i64> {
    let id = Field::new("id", DataType::Int64, true);
    let schema = Arc::new(Schema::new(vec![id.clone()]));
    let options = [("rate_limit_calls", "unlimited"), ("preserve_order", preserve_order)];
    let script = Arc::new(Script::new(Duration::ZERO, [Step::Reply(503, "later")]));
    let caller = testing::caller(Fields::from(vec![id.clone()]), DataType::Utf8, &options, &script);

    let batch = |id: i64| {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![id]));
        RecordBatch::try_new(Arc::clone(&schema), vec![ids]).unwrap()
    };
    let input =
        MemorySourceConfig::try_new_exec(&[vec![batch(1), batch(2), batch(3)]], Arc::clone(&schema), None).unwrap();
    let asked = Asked {
        caller: caller.into(),
        arguments: vec![Arc::new(Column::new("id", 0))],
        guard: None,
        site: "call".into(),
    };
    let output = Arc::new(Schema::new(vec![id, Field::new("answer", DataType::Utf8, true)]));
    let plan = Arc::new(ApiCallExec::new(asked, input, output, false));
    let rows = datafusion::physical_plan::collect(plan, SessionContext::new().task_ctx()).await.unwrap();
    rows.iter().flat_map(|rows| rows.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_wait_for_slower_ones_before_them_unless_order_is_given_up() {
    assert_eq!(order("true").await, [1, 2, 3]);
    assert_eq!(order("false").await, [2, 3, 1]);
}
