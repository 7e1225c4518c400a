//! An input that breaks down in the middle must not look like one that ends.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use paceline_engine::api_call::{ApiCallExec, Asked};
use paceline_udfs::testing::{self, Script};

/// One row, and then a panic.
#[derive(Debug)]
struct Panics(SchemaRef);

impl PartitionStream for Panics {
    fn schema(&self) -> &SchemaRef {
        &self.0
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let row: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let batch = RecordBatch::try_new(Arc::clone(&self.0), vec![row]).unwrap();
        let broken = futures::stream::once(async { panic!("a page is corrupt") });
        let batches = futures::stream::iter([Ok(batch)]).chain(broken);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.0), batches))
    }
}

#[tokio::test]
async fn a_panic_while_reading_fails_the_query() {
    let id = Field::new("id", DataType::Int64, true);
    let schema = Arc::new(Schema::new(vec![id.clone()]));
    let script = Arc::new(Script::new(Duration::ZERO, []));
    let arguments = Fields::from(vec![id.clone()]);
    let caller = testing::caller(arguments, DataType::Utf8, &[("rate_limit_calls", "unlimited")], &script);

    let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(Panics(Arc::clone(&schema)))];
    let input = StreamingTableExec::try_new(Arc::clone(&schema), partitions, None, [], false, None).unwrap();
    let asked = Asked {
        caller: caller.into(),
        arguments: vec![Arc::new(Column::new("id", 0))],
        guard: None,
        site: "call".into(),
    };
    let output = Arc::new(Schema::new(vec![id, Field::new("answer", DataType::Utf8, true)]));
    let plan = Arc::new(ApiCallExec::new(asked, Arc::new(input), output, false));
    let error = datafusion::physical_plan::collect(plan, SessionContext::new().task_ctx()).await.unwrap_err();
    assert!(error.to_string().contains("the rows to be called could not be read"), "{error}");
}
