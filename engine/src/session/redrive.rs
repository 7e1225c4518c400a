//! Dead letters sent again: what stands above the call that failed runs once more, on the rows that were set aside, and the
//! rows that now succeed are added to the output. Letters and rows change places in one commit.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use datafusion::arrow::array::{AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use paceline_sql::commands::InsertDirectory;
use paceline_udfs::key::Key;
use paceline_udfs::wire;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Session, Written};
use crate::EngineError;
use crate::api_call::{Answers, ApiCallExec, Run};
use crate::checkpoint::{Begun, Kept, Open, Step, success_note};
use crate::io::commit;
use crate::io::job_folder::JobFolder;
use crate::io::sink::StagedFile;
use crate::job::REDRIVE;

/// What is needed of a line of a file of dead letters.
#[derive(Deserialize)]
struct Letter {
    call: String,
    key: Option<String>,
    row: Box<RawValue>,
}

impl Session {
    /// Sends the dead letters of an INSERT again; `None` where there are none.
    ///
    /// # Errors
    /// The output is not of that job any more, or carrying it out failed; then the letters are as they were.
    pub(crate) async fn redrive(
        &self,
        insert: &InsertDirectory,
        job: &Begun,
        statement: usize,
    ) -> Result<Option<Written>, EngineError> {
        let own = Begun { job: format!("{}{REDRIVE}", job.job), ..job.clone() };
        let mut target = self.target(insert, &own.job)?;
        let folder = target.folder.clone();
        commit::prepare(&folder).await?;
        let note = self.note_of(&folder, job, statement).await?;
        let files = folder.dead_letters().await?;
        let letters = read_letters(&folder, &files).await?;
        if letters.is_empty() {
            return Ok(None);
        }
        let replaced = files.iter().map(ToString::to_string).collect::<Vec<_>>();
        let text = format!("redrive {}", replaced.join(" "));
        let folder = folder.with_success(&note).appending(replaced);

        target.folder = folder.clone();
        let plan = self.plan_insert(insert, target).await?;
        let step = Step { begun: &own, statement, again: true };
        let kept = Kept::of(&self.checkpoints, &self.stores, &folder, &step)?;
        let mut earlier = kept.earlier().await?;
        if earlier.as_ref().is_some_and(|earlier| !earlier.is_of(&text)) {
            kept.remove().await; // of an earlier redrive, which has changed the letters
            earlier = None;
        }
        let pinned: Arc<dyn ExecutionPlan> = Arc::new(EmptyExec::new(plan.schema())); // its rows come from the letters
        let open = kept.open(earlier, &step, &text, &pinned, self.network.handle()).await?;
        let staged = self.stage_each(&folder, &plan, letters, &open, &format!("{}/{text}", open.run)).await;
        let (total, files) = self.closing(&folder, Some(&open.journal), staged).await?;
        self.commit(&folder, &total, files).await?;
        kept.remove().await;
        Ok(Some(total))
    }

    /// Carries out what stands above each call, on the call's letters.
    async fn stage_each(
        &self,
        folder: &JobFolder,
        plan: &Arc<dyn ExecutionPlan>,
        letters: Letters,
        open: &Open,
        scope: &str,
    ) -> Result<(Written, Vec<StagedFile>), EngineError> {
        let mut total = Written::nothing(folder.url());
        let mut staged = Vec::new();
        for (call, letters) in letters {
            total.records_read += letters.len() as u64;
            let (rows, keys): (Vec<_>, VecDeque<_>) = letters.into_iter().unzip(); // one partition, in this order
            let plan = on_rows(plan, &call, rows)?;
            let run = Run {
                scope: format!("{scope}/{call}"),
                journal: Answers::In(Arc::clone(&open.journal)),
                keys: Mutex::new(HashMap::from([(call, keys)])),
            };
            let (written, files) = self.stage(folder, plan, run, None).await?;
            total.records_written += written.records_written;
            total.records_failed += written.records_failed;
            staged.extend(files);
        }
        Ok((total, staged))
    }

    /// What `_SUCCESS` says, where that is the commit of this job.
    async fn note_of(&self, folder: &JobFolder, job: &Begun, statement: usize) -> Result<String, EngineError> {
        let run = job.outputs.get(&statement).map_or(&job.run, |output| &output.run);
        let expected = success_note(job, run, statement);
        match folder.success().await? {
            Some(note) if note == expected => Ok(note),
            Some(_) => Err(EngineError::Setting(format!(
                "the output '{}' is not that of job '{}' any more: another job has written there since",
                folder.url(),
                job.job
            ))),
            None => Err(EngineError::Setting(format!(
                "the output '{}' is not complete; finish it with 'paceline resume {}' first",
                folder.url(),
                job.job
            ))),
        }
    }
}

/// Rows by call, each with the key that it had, in the order of the files.
type Letters = BTreeMap<String, Vec<(Bytes, Key)>>;

async fn read_letters(folder: &JobFolder, files: &[Path]) -> Result<Letters, EngineError> {
    let mut letters = Letters::new();
    for file in files {
        let failed =
            |source| EngineError::Storage { action: "cannot read the dead letters at", url: file.to_string(), source };
        let text = folder.objects().get(file).await.map_err(failed)?.bytes().await.map_err(failed)?;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let damaged = |why: String| {
                EngineError::Setting(format!("line {} of the dead letters '{file}' cannot be read: {why}", number + 1))
            };
            let letter: Letter = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
            let key = letter.key.as_deref().and_then(Key::parse).ok_or_else(|| damaged("it has no key".to_owned()))?;
            let row = Bytes::from(letter.row.get().to_owned());
            letters.entry(letter.call).or_default().push((row, key));
        }
    }
    Ok(letters)
}

/// The plan, with these rows in place of what the call had as input, and nothing in place of its other inputs.
fn on_rows(plan: &Arc<dyn ExecutionPlan>, call: &str, rows: Vec<Bytes>) -> Result<Arc<dyn ExecutionPlan>, EngineError> {
    let Some((schema, named)) = input_of(plan, call) else {
        return Err(EngineError::Setting(format!(
            "the dead letters are of a call '{call}' that the statement does not have: it was another one then"
        )));
    };
    let rows = batch(&schema, &named, rows)?;
    let source: Arc<dyn ExecutionPlan> = MemorySourceConfig::try_new_exec(&[vec![rows]], schema, None)?;
    Ok(replaced(plan, call, &source)?)
}

/// The columns of what a call had as input: as they are in the plan, and as they are in letters.
fn input_of(plan: &Arc<dyn ExecutionPlan>, call: &str) -> Option<(SchemaRef, SchemaRef)> {
    match plan.downcast_ref::<ApiCallExec>() {
        Some(found) if found.site() == call => Some((found.input().schema(), found.letter_schema())),
        _ => plan.children().into_iter().find_map(|child| input_of(child, call)),
    }
}

fn replaced(
    plan: &Arc<dyn ExecutionPlan>,
    call: &str,
    source: &Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let children = match plan.downcast_ref::<ApiCallExec>() {
        Some(found) if found.site() == call => vec![Arc::clone(source)],
        _ if input_of(plan, call).is_none() => {
            let partitions = plan.output_partitioning().partition_count();
            return Ok(Arc::new(EmptyExec::new(plan.schema()).with_partitions(partitions)));
        }
        _ => plan.children().into_iter().map(|child| replaced(child, call, source)).collect::<Result<_, _>>()?,
    };
    Arc::clone(plan).replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}

/// Rows as they stand in letters, with the types that they had.
fn batch(schema: &SchemaRef, named: &SchemaRef, rows: Vec<Bytes>) -> Result<RecordBatch, EngineError> {
    let count = rows.len();
    let values: Vec<_> = rows.into_iter().map(Some).collect();
    let decoded = wire::decode(&DataType::Struct(named.fields().clone()), &values).map_err(DataFusionError::from)?;
    if let Some(bad) = decoded.bad.first() {
        return Err(EngineError::Setting(format!(
            "dead letter {} has not the columns that the statement reads now: {}",
            bad.row + 1,
            bad.message
        )));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let columns = decoded.values.as_struct().columns().to_vec();
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(DataFusionError::from)?)
}
