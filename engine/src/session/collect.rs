//! Running a plan: in this process, or on a cluster.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use paceline_udfs::Caller;

use super::Session;
use super::elsewhere::Elsewhere;
use crate::api_call::{ApiCallExec, Run};
use crate::cluster::{Carried, Cluster, READ_LOCALLY, READ_REMOTELY, Ran, SPILLED, hashing};
use crate::io::readers;
use crate::io::stores::Place;
use crate::observe::progress::Executors;

/// The bytes that scans have read, by the names of our readers and of DataFusion's of Parquet.
const READ: [&str; 2] = [readers::BYTES_READ, "bytes_scanned"];

/// How often the numbers of a plan that runs elsewhere are looked at.
const PROGRESS: Duration = Duration::from_millis(250);

/// Every so many looks the executors are looked at too.
const EXECUTORS: u64 = 8;

/// What a plan led to.
#[derive(Debug)]
pub(super) struct Collected {
    /// Its rows, as Spark collects them: in the order of the partitions.
    pub batches: Vec<RecordBatch>,
    /// Rows that its scans read.
    pub read: u64,
    /// Those of them that were malformed and have NULLs.
    pub malformed: u64,
    /// Records that were malformed and are no rows.
    pub dropped: u64,
}

impl Session {
    /// Runs a plan to its end. `journal` is where the answers of a cluster are written down.
    pub(super) async fn collect(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        run: Run,
        journal: Option<&Place>,
    ) -> Result<Collected> {
        // Keys of an earlier job belong to rows that are here; there are as few as there were dead letters.
        let has_keys = !run.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let Some(cluster) = self.cluster.as_ref().filter(|_| !has_keys) else {
            let batches =
                datafusion::physical_plan::collect_partitioned(Arc::clone(&plan), self.task_context(run)).await?;
            let read = sum_of_leaves(&plan, &|metrics| metrics.output_rows());
            let bytes = READ.map(|name| sum_of_leaves(&plan, &|metrics| Some(metrics.sum_by_name(name)?.as_usize())));
            {
                let moved = &mut self.moved().0;
                moved.spilled_bytes += spilled(&plan);
                moved.read_bytes += bytes.iter().sum::<u64>();
                moved.read_records += read;
            }
            return Ok(Collected {
                batches: batches.into_iter().flatten().collect(),
                read,
                malformed: sum_of_leaves(&plan, &|metrics| Some(metrics.sum_by_name(readers::MALFORMED)?.as_usize())),
                dropped: sum_of_leaves(&plan, &|metrics| Some(metrics.sum_by_name(readers::DROPPED)?.as_usize())),
            });
        };
        let ran = self.ran_on(cluster, plan, run.scope, journal).await?;
        let sum = |wanted: &str| ran.metrics.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value).sum();
        let (read, malformed, dropped) = (sum("scanned_rows"), sum(readers::MALFORMED), sum(readers::DROPPED));
        let batches = ran.rows.try_collect().await?;
        cluster.let_go().await;
        Ok(Collected { batches, read, malformed, dropped })
    }

    /// Runs a plan on a cluster. `journal` is where answers are written down.
    pub(super) async fn ran_on(
        &self,
        cluster: &Cluster,
        plan: Arc<dyn ExecutionPlan>,
        scope: String,
        journal: Option<&Place>,
    ) -> Result<Ran> {
        let journal = journal.map_or(String::new(), |place| place.url.to_string());
        let attempt = uuid::Uuid::now_v7().to_string();
        let carried = Carried { scope, attempt: attempt.clone(), journal, ..self.carried.clone() };
        let config = self.context.copied_config().with_option_extension(carried);
        let config = hashing(config, cluster.hashed().await);
        let ran = self.watched(cluster, plan, &config, &attempt).await?;
        let sum =
            |wanted: &str| ran.metrics.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value).sum::<u64>();
        let moved = &mut self.moved().0;
        moved.shuffle_local_bytes += sum(READ_LOCALLY);
        moved.shuffle_remote_bytes += sum(READ_REMOTELY);
        moved.spilled_bytes += sum(SPILLED);
        moved.read_bytes += READ.into_iter().map(sum).sum::<u64>();
        moved.read_records += sum("scanned_rows");
        Ok(ran)
    }

    /// Runs a plan on a cluster, and shows meanwhile what its calls come to as if they were made here.
    async fn watched(
        &self,
        cluster: &Cluster,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        attempt: &str,
    ) -> Result<Ran> {
        let mut callers = Vec::new();
        find_callers(&plan, &mut callers);
        let elsewhere = Elsewhere::new(callers);
        let mut s3_before = None;
        let show = |stages| *self.stages.lock().unwrap_or_else(PoisonError::into_inner) = stages;
        let run = cluster.run(plan, config, &show);
        // Both at once: the one may wait for what the other has begun.
        let over_budget = async {
            let mut ticks = tokio::time::interval(PROGRESS);
            for tick in 0_u64.. {
                ticks.tick().await;
                if tick.is_multiple_of(EXECUTORS) {
                    self.see_executors(cluster, &mut s3_before).await;
                }
                if let Err(error) = elsewhere.look(cluster, attempt).await {
                    return error;
                }
            }
            std::future::pending().await
        };
        let ran = tokio::select! {
            ran = run => ran,
            error = over_budget => return Err(error),
        };
        self.see_executors(cluster, &mut s3_before).await; // what its last tasks did
        elsewhere.look(cluster, attempt).await?;
        ran
    }

    /// Looks at the executors, and at what they have moved from and to S3 since they were looked at before.
    async fn see_executors(&self, cluster: &Cluster, s3_before: &mut Option<(u64, u64)>) {
        let Ok(seen) = cluster.describe().await else { return };
        let members = &seen.executors;
        let executors = Executors {
            count: members.len() as u64,
            slots: members.iter().map(|executor| executor.slots as u64).sum(),
            memory_permille: members.iter().filter_map(|executor| executor.memory_permille).max(),
            cpu_permille: seen.cpu_permille,
        };
        let s3 = (seen.s3_received, seen.s3_sent);
        let (received, sent) = s3_before.replace(s3).unwrap_or(s3);
        let mut moved = self.moved();
        moved.0.executors_s3_read_bytes += s3.0.saturating_sub(received);
        moved.0.executors_s3_written_bytes += s3.1.saturating_sub(sent);
        moved.1 = Some(executors);
    }

    pub(super) fn task_context(&self, run: Run) -> Arc<TaskContext> {
        let context = TaskContext::from(&self.context.state());
        let config = context.session_config().clone().with_extension(Arc::new(run));
        Arc::new(context.with_session_config(config))
    }
}

fn find_callers(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<Arc<Caller>>) {
    let call = plan.downcast_ref::<ApiCallExec>();
    found.extend(call.and_then(|call| call.asked().caller.caller().ok()).cloned());
    plan.children().into_iter().for_each(|child| find_callers(child, found));
}

/// Bytes that the operators of a plan spilled.
fn spilled(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or(0) as u64;
    own + plan.children().into_iter().map(spilled).sum::<u64>()
}

/// The sum of a number over the leaves of a plan.
fn sum_of_leaves(plan: &Arc<dyn ExecutionPlan>, number: &dyn Fn(MetricsSet) -> Option<usize>) -> u64 {
    let children = plan.children();
    if children.is_empty() {
        return plan.metrics().and_then(number).unwrap_or(0) as u64;
    }
    children.into_iter().map(|child| sum_of_leaves(child, number)).sum()
}
