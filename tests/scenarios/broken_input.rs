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
use paceline_udfs::client::Transport;
use paceline_udfs::quota::Quotas;
use paceline_udfs::testing::Script;
use paceline_udfs::{ApiFunction, Caller};

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
    let options = [("endpoint", "http://api.example/"), ("rate_limit_calls", "unlimited")];
    let options: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let api = ApiFunction::declare("f", Fields::from(vec![id.clone()]), DataType::Utf8, &options).unwrap();
    let quota = Quotas::default().get("f", api.options.rate).unwrap();
    let script: Arc<dyn Transport> = Arc::new(Script::new(Duration::ZERO, []));
    let caller = Arc::new(Caller::new(Arc::new(api), quota, script, tokio::runtime::Handle::current()));

    let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(Panics(Arc::clone(&schema)))];
    let input = StreamingTableExec::try_new(Arc::clone(&schema), partitions, None, [], false, None).unwrap();
    let asked = Asked { caller, arguments: vec![Arc::new(Column::new("id", 0))], guard: None };
    let output = Arc::new(Schema::new(vec![id, Field::new("answer", DataType::Utf8, true)]));
    let plan = Arc::new(ApiCallExec::new(asked, Arc::new(input), output, false));
    let error = datafusion::physical_plan::collect(plan, SessionContext::new().task_ctx()).await.unwrap_err();
    assert!(error.to_string().contains("the rows to be called could not be read"), "{error}");
}
