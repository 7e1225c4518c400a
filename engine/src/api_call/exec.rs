//! The operator `ApiCall`: one task per partition feeds requests to the process-wide window, the stream takes the
//! answers out in the order of the rows. Requests run on the network runtime; rows become JSON, and JSON columns, here.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::arrow::array::{BooleanArray, RecordBatch, UInt64Array};
use datafusion::arrow::compute::{filter_record_batch, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
    SendableRecordBatchStream,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use paceline_udfs::batch::Landed;
use paceline_udfs::dead_letter::{Call, GivenUp};
use paceline_udfs::key::Key;
use paceline_udfs::spec::OnError;
use paceline_udfs::{Caller, wire};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::callee::Callee;
use super::column_names;
use super::feed::{Fed, Feed, batch_error, rows_of};
use super::function::given_up_error;
use super::run::Run;
use crate::cluster::Numbering;

/// Calls one API function once for each row.
#[derive(Debug)]
pub struct ApiCallExec {
    asked: Asked,
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    dead_letters: Option<Arc<Outbox>>,
    /// Names of the input's columns in dead letters; where there are none they are the plan's.
    columns: Arc<[String]>,
    numbering: Numbering,
    run: Option<Arc<Run>>,
    /// Cancelled when nobody waits for the answers any more.
    ended: CancellationToken,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What is called, with what, and for which rows.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is called.
    pub caller: Callee,
    /// The arguments, over the input's columns.
    pub arguments: Vec<Arc<dyn PhysicalExpr>>,
    /// Which rows are called; `None` is all.
    pub guard: Option<Arc<dyn PhysicalExpr>>,
    /// The call's name in its plan, which sets it apart from other calls of the same function.
    pub site: Arc<str>,
}

/// Rows that were given up and wait for the sink, as dead letters.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Vec<String>>);

impl Outbox {
    /// Takes what is there.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, letters: Vec<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(letters);
    }
}

impl ApiCallExec {
    /// `schema` is the input's and the answer's column.
    pub fn new(asked: Asked, input: Arc<dyn ExecutionPlan>, schema: SchemaRef, dead_letters: bool) -> Self {
        Self::with_outbox(asked, input, schema, dead_letters.then(Arc::default))
    }

    fn with_outbox(
        asked: Asked,
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        dead_letters: Option<Arc<Outbox>>,
    ) -> Self {
        let unordered = || EquivalenceProperties::new(Arc::clone(&schema));
        // The answer stands behind the columns of the input, which are ordered as they were.
        let in_order = asked.caller.api().options.pace.preserve_order;
        let extended = in_order.then(|| unordered().extend(input.equivalence_properties().clone()).ok()).flatten();
        let properties = PlanProperties::new(
            extended.unwrap_or_else(unordered),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        let properties = Arc::new(properties);
        let metrics = ExecutionPlanMetricsSet::new();
        let (numbering, run, ended) = (Numbering::default(), None, CancellationToken::new());
        let columns = Arc::default();
        ApiCallExec { asked, input, schema, dead_letters, columns, numbering, run, ended, properties, metrics }
    }

    /// The same, whose input's columns have these names in dead letters.
    pub fn with_columns(self, columns: Arc<[String]>) -> Self {
        ApiCallExec { columns, ..self }
    }

    /// Names of the input's columns in dead letters.
    pub fn columns(&self) -> &Arc<[String]> {
        &self.columns
    }

    /// The input's columns as they are in dead letters.
    pub fn letter_schema(&self) -> SchemaRef {
        column_names::distinct(&self.input.schema(), &self.columns)
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn with_numbering(self, numbering: Numbering) -> Self {
        ApiCallExec { numbering, ..self }
    }

    /// The same, as a part of a plan whose partitions are numbered so.
    pub fn numbered(&self, numbering: Numbering) -> Self {
        self.with_input(Arc::clone(&self.input)).with_numbering(numbering)
    }

    /// The same, called by this caller on behalf of this statement, until `ended` is cancelled.
    pub fn called_by(&self, caller: Arc<Caller>, run: Arc<Run>, ended: CancellationToken) -> Self {
        let asked = Asked { caller: caller.into(), ..self.asked.clone() };
        ApiCallExec { asked, run: Some(run), ended, ..self.with_input(Arc::clone(&self.input)) }
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        let (asked, schema) = (self.asked.clone(), Arc::clone(&self.schema));
        let same = Self::with_outbox(asked, input, schema, self.dead_letters.clone());
        let (numbering, run, ended) = (self.numbering.clone(), self.run.clone(), self.ended.clone());
        ApiCallExec { columns: Arc::clone(&self.columns), numbering, run, ended, ..same }
    }

    /// The rows that are called.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// How the partitions of the whole plan are numbered.
    pub fn numbering(&self) -> &Numbering {
        &self.numbering
    }

    /// The call's name in its plan.
    pub fn site(&self) -> &str {
        &self.asked.site
    }

    /// What is called, with what, and for which rows.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Where this operator puts the rows it takes out, for the sink; `None` where no row may leave.
    pub fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.dead_letters.as_ref()
    }
}

impl DisplayAs for ApiCallExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { caller, arguments, guard, .. } = &self.asked;
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let options = &caller.api().options;
        write!(f, "ApiCallExec: {}({}), ", caller.api().name, arguments.join(", "))?;
        if let Some(guard) = guard {
            write!(f, "where {guard}, ")?;
        }
        write!(
            f,
            "quota={} ({}), dead_letters={}",
            options.pace.quota,
            options.pace.limits,
            self.dead_letters.is_some()
        )
    }
}

impl ExecutionPlan for ApiCallExec {
    fn name(&self) -> &str {
        "ApiCallExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.asked.caller.api().options.pace.preserve_order]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(
            self.asked.arguments.iter().chain(&self.asked.guard).cloned(),
            f,
        )
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("ApiCallExec has one child");
        };
        Ok(Arc::new(self.with_input(input)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(datafusion::physical_plan::ChildrenPropertiesMode::Recompute),
        )
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // Shared, for it notes the end of the partition when the last of it is dropped.
        let metrics = Arc::new(BaselineMetrics::new(&self.metrics, partition));
        let partitions = self.input.output_partitioning().partition_count();
        let caller = Arc::clone(self.asked.caller.caller()?);
        let run = self.run.clone().or_else(|| context.session_config().get_extension());
        let number = self.numbering.number(&self.input, partition)?;
        let feed = Feed::new(self.asked.clone(), Arc::clone(&caller), run, (number, partitions), &context);
        let (receiver, feeder) = feed.start(self.input.execute(partition, context)?);
        let fates = Fates {
            caller,
            site: Arc::clone(&self.asked.site),
            schema: Arc::clone(&self.schema),
            letters: self.letter_schema(),
            dead_letters: self.dead_letters.clone(),
        };
        // The feeder lives as long as the stream: dropping the stream ends it, and with it every pending request.
        let stream = futures::stream::unfold((receiver, Some(feeder)), |(mut receiver, feeder)| async move {
            let feeder = feeder?;
            if let Some(fed) = receiver.recv().await {
                return Some((fed, (receiver, Some(feeder))));
            }
            // The input may have ended, or the feeder broke down; the two must not look the same.
            let broken = feeder.join().await.err()?;
            Some((exec_err!("the rows to be called could not be read: {broken}"), (receiver, None)))
        });
        let landing = stream.map(move |fed| land(fed, fates.clone(), Arc::clone(&metrics)));
        let stream = match self.asked.caller.api().options.pace.preserve_order {
            true => landing.then(|rows| rows).boxed(),
            // Whatever is complete goes on; the room that sent rows share bounds how many batches there are.
            false => landing.buffer_unordered(usize::MAX).boxed(),
        };
        let stream = until(stream, self.ended.clone());
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }
}

/// The stream, which ends with an error when nobody waits for it any more. Whoever runs tasks does not always drop them.
fn until(
    stream: BoxStream<'static, Result<RecordBatch>>,
    ended: CancellationToken,
) -> BoxStream<'static, Result<RecordBatch>> {
    let last = ended.clone();
    let last = async move { last.is_cancelled().then(|| exec_err!("nobody waits for these answers any more")) };
    let stream = stream.take_until(ended.cancelled_owned());
    stream.chain(futures::stream::once(last).filter_map(std::future::ready)).boxed()
}

/// Waits until every row of a batch has its fate.
async fn land(fed: Result<Fed>, fates: Fates, metrics: Arc<BaselineMetrics>) -> Result<RecordBatch> {
    let Fed { batch, sent, called, room } = fed?;
    let landed = sent.land().await.map_err(batch_error)?;
    let landed = match called {
        Some(called) => spread(landed, &called, batch.num_rows())?,
        None => landed,
    };
    let output = fates.decide(batch, landed)?.record_output(metrics.as_ref());
    drop(room);
    Ok(output)
}

/// Puts the fates of the rows that were called in their places among all rows.
fn spread(landed: Landed, called: &[usize], rows: usize) -> Result<Landed> {
    let mut answer_of = vec![None; rows];
    called.iter().enumerate().for_each(|(answer, row)| answer_of[*row] = Some(answer as u64));
    let values = take(&landed.values, &UInt64Array::from(answer_of), None)?;
    let given_up = landed.given_up.into_iter().map(|(row, reason)| (called[row], reason)).collect();
    let mut keys = vec![None; rows];
    called.iter().zip(landed.keys).for_each(|(row, key)| keys[*row] = key);
    Ok(Landed { values, given_up, keys })
}

/// What is needed to decide what becomes of the rows of a batch.
#[derive(Clone)]
struct Fates {
    caller: Arc<Caller>,
    site: Arc<str>,
    schema: SchemaRef,
    /// The input's columns as they are in dead letters.
    letters: SchemaRef,
    dead_letters: Option<Arc<Outbox>>,
}

impl Fates {
    fn decide(&self, batch: RecordBatch, landed: Landed) -> Result<RecordBatch> {
        let Landed { values, given_up, keys } = landed;
        let api = self.caller.api();
        let mut columns = batch.columns().to_vec();
        columns.push(values);
        let output = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let Some((_, first)) = given_up.first() else { return Ok(output) };
        match (&self.dead_letters, api.options.failure.on_error) {
            (_, OnError::Null) => Ok(output),
            (Some(outbox), OnError::DeadLetter) => {
                outbox.put(self.dead_letters(&batch, &given_up, &keys)?);
                let mut stays = vec![true; batch.num_rows()];
                given_up.iter().for_each(|(row, _)| stays[*row] = false);
                Ok(filter_record_batch(&output, &BooleanArray::from(stays))?)
            }
            _ => Err(given_up_error(&api.name, first)),
        }
    }

    fn dead_letters(
        &self,
        batch: &RecordBatch,
        given_up: &[(usize, GivenUp)],
        keys: &[Option<Key>],
    ) -> Result<Vec<String>> {
        let rows: Vec<_> = given_up.iter().map(|(row, _)| *row).collect();
        let rows = wire::objects(&column_names::renamed(&rows_of(batch, &rows)?, &self.letters)?)?;
        let letter = |(object, (row, reason)): (&Bytes, &(usize, GivenUp))| {
            let object: &RawValue =
                serde_json::from_slice(object).map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(reason.to_json(&self.call(keys[*row]), object))
        };
        rows.iter().zip(given_up).map(letter).collect()
    }

    fn call(&self, key: Option<Key>) -> Call<'_> {
        Call { function: &self.caller.api().name, site: &self.site, key }
    }
}
