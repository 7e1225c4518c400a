//! Which partition of a plan a task has. Ballista cuts a plan's leaves down to what one task reads, and everything above
//! counts from 0 again; keys, the journal and the names of files need the number in the whole plan.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ballista_core::execution_plans::ShuffleReaderExec;
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// The partitions of an operator's input by what they read, in order. Where it is not known, a partition has the number that
/// it is asked for by, as in a plan that is not cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering(Option<Arc<[u64]>>);

impl Numbering {
    /// That of the partitions of a whole plan.
    ///
    /// # Errors
    /// Two partitions read the same, so that nobody could tell which of them a task has.
    pub fn of(input: &Arc<dyn ExecutionPlan>) -> Result<Self> {
        let partitions = input.output_partitioning().partition_count();
        let marks: Vec<_> = (0..partitions).map(|partition| mark(input, partition)).collect();
        let mut numbers: HashMap<u64, usize> = HashMap::new();
        for (number, mark) in marks.iter().enumerate() {
            if let Some(other) = numbers.insert(*mark, number) {
                return plan_err!("partitions {other} and {number} of '{}' read the same rows", input.name());
            }
        }
        Ok(Numbering(Some(marks.into())))
    }

    /// The number, in the whole plan, of a partition of `input`, which may be a part of it.
    ///
    /// # Errors
    /// It is no part of it.
    pub fn number(&self, input: &Arc<dyn ExecutionPlan>, partition: usize) -> Result<usize> {
        let Some(marks) = &self.0 else { return Ok(partition) };
        let wanted = mark(input, partition);
        marks.iter().position(|mark| *mark == wanted).ok_or_else(|| {
            exec_datafusion_err!("a task has a partition of '{}' that its plan does not have", input.name())
        })
    }

    /// How many partitions the whole plan has, where that is known.
    pub fn partitions(&self) -> Option<usize> {
        self.0.as_ref().map(|marks| marks.len())
    }

    pub(super) fn marks(&self) -> Vec<u64> {
        self.0.iter().flat_map(|marks| marks.iter().copied()).collect()
    }

    pub(super) fn from_marks(marks: Vec<u64>) -> Self {
        Numbering((!marks.is_empty()).then(|| marks.into()))
    }
}

/// What a partition reads, as a number that is the same in every process of this version.
fn mark(plan: &Arc<dyn ExecutionPlan>, partition: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(plan, partition, &mut hasher);
    hasher.finish()
}

fn add(plan: &Arc<dyn ExecutionPlan>, partition: usize, hasher: &mut DefaultHasher) {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>()
        && let Some(scan) = source.data_source().downcast_ref::<FileScanConfig>()
    {
        scan.object_store_url.as_str().hash(hasher);
        for file in scan.file_groups.get(partition).iter().flat_map(|group| group.iter()) {
            file.object_meta.location.as_ref().hash(hasher);
            file.range.as_ref().map(|range| (range.start, range.end)).hash(hasher);
        }
        return;
    }
    if let Some(reader) = plan.downcast_ref::<ShuffleReaderExec>() {
        // A partition that nobody wrote to has no place, and no rows that would need a number.
        let place = reader.partition.get(partition).and_then(|places| places.first());
        return place.map_or(partition, |place| place.partition_id.partition_id).hash(hasher);
    }
    if plan.is::<RepartitionExec>() || plan.is::<CoalescePartitionsExec>() || plan.is::<SortPreservingMergeExec>() {
        return partition.hash(hasher);
    }
    let children = plan.children();
    if plan.is::<UnionExec>() {
        let mut left = partition;
        for (at, child) in children.into_iter().enumerate() {
            let partitions = child.output_partitioning().partition_count();
            if left < partitions {
                at.hash(hasher);
                return add(child, left, hasher);
            }
            left -= partitions;
        }
        return;
    }
    // The partitions of a join are those of its right side; the left one may be whole in each.
    match children.last() {
        Some(child) => add(child, partition, hasher),
        None => partition.hash(hasher),
    }
}
