//! The façade: the trip of a statement on one screen.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Fields, SchemaRef};
use datafusion::catalog::Session as DataFusionSession;
use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};
use paceline_sql::{CreateFunction, CreateView, InsertDirectory, Statement, ViewSource};
use paceline_udfs::caller::Watch;
use paceline_udfs::client::HttpClient;
use paceline_udfs::quota::Quotas;
use paceline_udfs::{ApiFunction, Caller};
use url::Url;

use crate::EngineError;
use crate::api_call::{self, HoistApiCalls, PlanApiCalls, SetRowsAside};
use crate::api_defaults::ApiDefaults;
use crate::io::commit::{self, JobFolder};
use crate::io::readers;
use crate::io::sink::{Kind, OutputFormat, PlanWriteFiles, StagedFile, Target, WriteFiles};
use crate::io::stores::Stores;
use crate::network::{Network, most_connections};
use crate::observe::progress::{Progress, Running};
use crate::settings::Settings;
use crate::statements::{explain, functions};

/// Views, functions and settings of one user, and the way their statements take.
pub struct Session {
    context: SessionContext,
    stores: Arc<Stores>,
    quotas: Arc<Quotas>,
    watches: Mutex<Vec<Watch>>,
    network: Network,
    api_defaults: ApiDefaults,
    /// Where an INSERT is writing now.
    writing: Mutex<Option<JobFolder>>,
    /// The plan of an INSERT that runs now.
    running: Mutex<Option<Running>>,
}

/// What a statement led to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It changed the session.
    Done,
    /// Its rows.
    Rows {
        /// Their columns.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
    /// Its rows were written and committed.
    Written(Written),
}

/// What an INSERT did.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where to.
    pub url: Url,
    /// Rows read from files.
    pub records_read: u64,
    /// Those of them that were malformed and have NULLs (mode PERMISSIVE).
    pub records_malformed: u64,
    /// Records that were malformed and are no rows (mode DROPMALFORMED).
    pub records_dropped: u64,
    /// Rows in the output.
    pub records_written: u64,
    /// Rows in the dead letters.
    pub records_failed: u64,
}

impl Session {
    /// A session with no views and no API functions.
    ///
    /// # Errors
    /// The threads for network traffic cannot be started.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        let no_network = |error| EngineError::Setting(format!("the network threads cannot be started: {error}"));
        let network = Network::start().map_err(no_network)?;
        let stores = Arc::new(Stores::new(settings.s3, network.handle().clone()));
        let environment = RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&stores) as _).build_arc()?;
        let config = SessionConfig::new()
            .with_batch_size(settings.batch_rows.get())
            .with_target_partitions(settings.partitions.get());
        let state = SessionStateBuilder::new()
            .with_config(paceline_sql::spark_settings(config))
            .with_runtime_env(environment)
            .with_default_features()
            .with_analyzer_rule(Arc::new(HoistApiCalls))
            .with_analyzer_rule(Arc::new(SetRowsAside))
            .with_query_planner(Arc::new(Planner))
            .build();
        let context = SessionContext::new_with_state(state);
        Ok(Session {
            context,
            stores,
            quotas: Arc::default(),
            watches: Mutex::default(),
            network,
            api_defaults: settings.api,
            writing: Mutex::default(),
            running: Mutex::default(),
        })
    }

    /// Carries out one statement. `job` is the id under which an INSERT stages its files.
    ///
    /// # Errors
    /// The statement is wrong, or carrying it out failed; then nothing of an INSERT is visible.
    pub async fn sql(&self, text: &str, job: &str) -> Result<Outcome, EngineError> {
        match paceline_sql::parse(text)? {
            Statement::CreateView(view) => self.create_view(view).await.map(|()| Outcome::Done),
            Statement::CreateFunction(function) => self.create_function(*function).map(|()| Outcome::Done),
            Statement::DropFunction(drop) => functions::drop(&self.context, &drop).map(|()| Outcome::Done),
            Statement::DescribeFunction(wanted) => functions::describe(&self.context, &wanted),
            Statement::ShowFunctions(wanted) => functions::show(&self.context, &wanted),
            Statement::Explain(wanted) => explain::explain(self, wanted, job).await,
            Statement::InsertDirectory(insert) => self.insert(insert, job).await.map(Outcome::Written),
            Statement::Query(query) => {
                let plan = paceline_sql::plan_query(&self.context.state(), query).await?;
                let plan = self.context.state().create_physical_plan(&plan).await?;
                let schema = plan.schema();
                // As Spark collects: in the order of the partitions.
                let partitions = datafusion::physical_plan::collect_partitioned(plan, self.context.task_ctx()).await?;
                Ok(Outcome::Rows { schema, batches: partitions.into_iter().flatten().collect() })
            }
        }
    }

    /// The optimized logical plan of a query, one operator a line.
    ///
    /// # Errors
    /// The text is no query, or it cannot be planned.
    pub async fn explain(&self, query: &str) -> Result<String, EngineError> {
        let Statement::Query(query) = paceline_sql::parse(query)? else {
            return Err(EngineError::Setting("only a query can be explained".to_owned()));
        };
        let state = self.context.state();
        let plan = state.optimize(&paceline_sql::plan_query(&state, query).await?)?;
        Ok(plan.display_indent().to_string())
    }

    /// The rows of a query as they come.
    ///
    /// # Errors
    /// The text is no query, or it cannot be planned; running it may fail later.
    pub async fn stream(&self, query: &str) -> Result<SendableRecordBatchStream, EngineError> {
        let Statement::Query(query) = paceline_sql::parse(query)? else {
            return Err(EngineError::Setting("only a query has rows".to_owned()));
        };
        let plan = paceline_sql::plan_query(&self.context.state(), query).await?;
        let plan = self.context.state().create_physical_plan(&plan).await?;
        Ok(datafusion::physical_plan::execute_stream(plan, self.context.task_ctx())?)
    }

    /// The numbers of all API functions so far.
    pub fn progress(&self) -> Progress {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Progress::of(&self.functions(), running.as_ref())
    }

    /// Every API function that was declared, replaced ones too.
    pub fn functions(&self) -> Vec<Watch> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The object stores of the session.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The limits that the API functions are called under.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    pub(crate) async fn create_view(&self, view: CreateView) -> Result<(), EngineError> {
        let state = self.context.state();
        if !view.or_replace && self.context.table_exist(view.name.as_str())? {
            return Err(already_there("view", &view.name));
        }
        let table = match view.source {
            ViewSource::Files { format, columns, options } => {
                readers::open(&state, &self.stores, &format, columns, &options).await?
            }
            ViewSource::Query(query) => {
                let text = query.to_string();
                Arc::new(ViewTable::new(paceline_sql::plan_query(&state, query).await?, Some(text)))
            }
        };
        self.context.deregister_table(view.name.as_str())?;
        self.context.register_table(view.name.as_str(), table)?;
        Ok(())
    }

    fn create_function(&self, function: CreateFunction) -> Result<(), EngineError> {
        let CreateFunction { or_replace, name, arguments, returns, deterministic, options } = function;
        let api = self.api_defaults.declare(&name, arguments, returns, deterministic, &options)?;
        if !or_replace && self.context.state().scalar_functions().contains_key(&api.name) {
            return Err(already_there("function", &api.name));
        }
        self.register(api).map(|_| ())
    }

    /// Declares an API function, in place of an older one of that name.
    pub(crate) fn declare(
        &self,
        name: &str,
        arguments: Fields,
        returns: DataType,
        options: &[(String, String)],
    ) -> Result<Arc<Caller>, EngineError> {
        self.register(self.api_defaults.declare(name, arguments, returns, false, options)?)
    }

    fn register(&self, api: ApiFunction) -> Result<Arc<Caller>, EngineError> {
        let api = Arc::new(api);
        self.context.deregister_udf(&api.name); // an older one lets go of its quota
        let quota = self.quotas.get(&api.options.pace.quota, api.options.pace.rate);
        let quota = quota.map_err(|error| EngineError::Setting(error.to_string()))?;
        let client = HttpClient::new(&api.options).map_err(|error| EngineError::Setting(error.to_string()))?;
        let caller = Caller::new(api, quota, Arc::new(client), self.network.handle().clone());
        let caller = Arc::new(caller.with_most_in_flight(most_connections()));
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(caller.watch());
        self.context.register_udf(api_call::liftable(Arc::clone(&caller)));
        Ok(caller)
    }

    /// The columns of a view.
    pub(crate) async fn columns(&self, view: &str) -> Result<Fields, EngineError> {
        Ok(self.context.table_provider(view).await?.schema().fields().clone())
    }

    async fn insert(&self, insert: InsertDirectory, job: &str) -> Result<Written, EngineError> {
        let format = OutputFormat::parse(&insert.format, &insert.options)?;
        let folder = JobFolder::new(self.stores.place(&insert.directory)?, job);
        let state = self.context.state();
        let plan = paceline_sql::plan_query(&state, insert.query).await?;
        let plan = WriteFiles::plan(Target { folder: folder.clone(), format }, plan)?;
        let plan = state.create_physical_plan(&plan).await?;
        let running = Running { plan: Arc::clone(&plan), wanted_before: self.progress().wanted };
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);

        commit::prepare(&folder).await?;
        self.note_writing(Some(folder.clone()));
        let staged = datafusion::physical_plan::collect(Arc::clone(&plan), self.context.task_ctx()).await;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let files = match staged.and_then(|batches| StagedFile::from_batches(&batches)) {
            Ok(files) => files,
            Err(error) => {
                commit::abandon_after_failure(&folder).await;
                self.note_writing(None);
                return Err(error.into());
            }
        };
        let rows = |kind| files.iter().filter(|file| file.kind == kind).map(|file| file.rows).sum();
        let written = Written {
            url: folder.url().clone(),
            records_read: sum_of_leaves(&plan, &|metrics| metrics.output_rows()),
            records_malformed: sum_of_leaves(&plan, &|metrics| {
                Some(metrics.sum_by_name(readers::MALFORMED)?.as_usize())
            }),
            records_dropped: sum_of_leaves(&plan, &|metrics| Some(metrics.sum_by_name(readers::DROPPED)?.as_usize())),
            records_written: rows(Kind::Rows),
            records_failed: rows(Kind::DeadLetters),
        };
        commit::commit(&folder, files).await?;
        self.note_writing(None);
        tracing::info!(url = %written.url, rows = written.records_written, failed = written.records_failed, "committed");
        Ok(written)
    }

    /// After a statement was given up on the way: finishes its commit if that had begun, otherwise removes what it had
    /// staged. Returns whether it finished a commit.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn clean_up(&self) -> Result<bool, EngineError> {
        let folder = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        match folder {
            Some(folder) => commit::prepare(&folder).await,
            None => Ok(false),
        }
    }

    fn note_writing(&self, folder: Option<JobFolder>) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = folder;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.context.session_id()).finish_non_exhaustive()
    }
}

fn already_there(what: &str, name: &str) -> EngineError {
    EngineError::Setting(format!("the {what} '{name}' is already there; CREATE OR REPLACE would replace it"))
}

/// The sum of a number over the leaves of a plan.
fn sum_of_leaves(plan: &Arc<dyn ExecutionPlan>, number: &dyn Fn(MetricsSet) -> Option<usize>) -> u64 {
    let children = plan.children();
    if children.is_empty() {
        return plan.metrics().and_then(number).unwrap_or(0) as u64;
    }
    children.into_iter().map(|child| sum_of_leaves(child, number)).sum()
}

/// DataFusion's planner with Paceline's nodes.
#[derive(Debug)]
struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn DataFusionSession,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let planner =
            DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(PlanApiCalls), Arc::new(PlanWriteFiles)]);
        planner.create_physical_plan(plan, session).await
    }
}
