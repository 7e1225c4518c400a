//! A plan that a front end has resolved, to its rows.

use datafusion::arrow::array::RecordBatch;
use datafusion::logical_expr::LogicalPlan;

use super::Session;
use super::collect::Collected;
use crate::EngineError;
use crate::api_call::Run;

impl Session {
    /// Plans a logical plan and runs it to its end, here or on the cluster.
    ///
    /// # Errors
    /// It cannot be planned, or running it failed.
    pub async fn rows(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>, EngineError> {
        let plan = self.context.state().create_physical_plan(plan).await?;
        let scope = uuid::Uuid::now_v7().to_string();
        let Collected { batches, .. } = self.collect(plan, Run { scope, ..Run::default() }, None).await?;
        Ok(batches)
    }
}
