//! The façade: the trip of a statement on one screen.

mod action;
mod collect;
mod elsewhere;
mod handed;
mod insert;
mod known;
pub(crate) mod plan;
pub(crate) mod planner;
mod query;
mod redrive;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Fields, SchemaRef};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use paceline_sql::catalog;
use paceline_sql::commands::Action;
use paceline_udfs::auth::Services;
use paceline_udfs::caller::Watch;
use paceline_udfs::client::causes;
use paceline_udfs::quota::Quotas;
use paceline_udfs::{ApiFunction, Caller};
use prometheus::Registry;
use url::Url;

use crate::EngineError;
use crate::api_call::{Callers, HoistApiCalls, SetRowsAside, caller_of};
use crate::api_defaults::ApiDefaults;
use crate::checkpoint::{Begun, CheckpointSettings, Output, Step};
use crate::cluster::{self, Carried, Cluster, PaceLink, Reach};
use crate::io::aws::Aws;
use crate::io::stores::Stores;
use crate::network::Network;
use crate::observe::progress::{Executors, Moved, Progress, Records, Running};
use crate::observe::stages::Stage;
use crate::observe::{Counted, Totals};
use crate::position::LiftPositions;
use crate::settings::Settings;
use crate::unordered;
use insert::Inserting;
use planner::Planner;

pub use handed::Handed;
pub use known::{Known, KnownKind};
pub use query::{Destination, Prepared, Query};

/// Views, functions and settings of one user, and the way their statements take.
pub struct Session {
    context: SessionContext,
    /// What statements know by name.
    catalog: Mutex<catalog::Session>,
    stores: Arc<Stores>,
    callers: Callers,
    /// Where plans run; `None` for this process.
    cluster: Option<Cluster>,
    /// What statements take along to a cluster.
    carried: Carried,
    watches: Mutex<Vec<Watch>>,
    totals: Totals,
    /// The functions, as they are counted there.
    counted: Mutex<Vec<Counted>>,
    network: Network,
    api_defaults: ApiDefaults,
    /// Options of outputs that they do not give.
    checkpoints: CheckpointSettings,
    /// The INSERT that is being carried out.
    inserting: Mutex<Option<Inserting>>,
    /// The plan of an INSERT that runs now.
    running: Mutex<Option<Running>>,
    /// The stages of the plan that runs, or ran last.
    stages: Mutex<Vec<Stage>>,
    /// Records of the statements so far.
    records: Mutex<Records>,
    /// What plans moved that have ended, and the executors as they were seen last.
    moved: Mutex<(Moved, Option<Executors>)>,
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
    /// It is an INSERT that an earlier run of the job had committed to this place.
    DoneBefore(Output),
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
    /// The run of the job that its commit names.
    pub run: String,
    /// Segments and blocks of its journal that were damaged; the rows of their answers were asked for again.
    pub journal_damaged: u64,
}

impl Written {
    pub(crate) fn nothing(url: &Url) -> Self {
        Written {
            url: url.clone(),
            records_read: 0,
            records_malformed: 0,
            records_dropped: 0,
            records_written: 0,
            records_failed: 0,
            run: String::new(),
            journal_damaged: 0,
        }
    }
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
        let aws = Arc::new(Aws::new(Arc::clone(&stores)));
        let services =
            Services { secrets: Some(Arc::clone(&aws) as _), signer: Some(aws), allowed_hosts: settings.allowed_hosts };
        let at = settings.cluster.clone();
        let reach = |at| Reach::new(at, settings.access.clone(), network.handle().clone());
        let cluster = at.map(|at| Cluster::new(reach(at), Arc::clone(&stores)));
        let quotas = match (settings.quota, settings.state_dir) {
            // The calls are elsewhere, and so are their leases.
            _ if cluster.is_some() => Quotas::default(),
            (Some(at), _) => {
                let process = format!("session {}", uuid::Uuid::now_v7());
                Quotas::shared(PaceLink::new(reach(at), process.clone()), process, network.handle())
            }
            (None, folder) => folder.map_or_else(Quotas::default, |folder| Quotas::with_folder(folder.join("quotas"))),
        };
        let quotas = Arc::new(quotas);
        settings.totals.show(&quotas);
        let callers = Callers {
            quotas,
            hosts: Arc::default(),
            services,
            network: network.handle().clone(),
            unlimited_failures: settings.unlimited_failures,
        };
        let given = serde_json::to_string(&settings.given).map_err(|error| EngineError::Setting(error.to_string()))?;
        let unlimited_failures = settings.unlimited_failures;
        let carried = Carried { settings: given, unlimited_failures, ..Carried::default() };
        let environment = RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&stores) as _).build_arc()?;
        let config = SessionConfig::new()
            .with_batch_size(settings.batch_rows.get())
            .with_target_partitions(settings.partitions.get());
        let config = match &settings.cluster {
            Some(at) => cluster::at(at, config),
            None => config,
        };
        let state = SessionStateBuilder::new()
            .with_config(paceline_sql::spark_settings(config))
            .with_runtime_env(environment)
            .with_default_features()
            .with_optimizer_rules(cluster::optimizer_rules(cluster.is_some()))
            .with_physical_optimizer_rules(unordered::physical_rules())
            .with_analyzer_rule(Arc::new(LiftPositions))
            .with_analyzer_rule(Arc::new(HoistApiCalls))
            .with_analyzer_rule(Arc::new(SetRowsAside))
            .with_query_planner(Arc::new(Planner { cluster: cluster.clone() }))
            .build();
        let context = SessionContext::new_with_state(state);
        let of_sql = settings.given.iter().filter(|(key, _)| key.starts_with("spark.sql.")).cloned();
        let catalog = catalog::Session::default().with(of_sql.collect());
        Ok(Session {
            context,
            catalog: Mutex::new(catalog),
            stores,
            callers,
            cluster,
            carried,
            watches: Mutex::default(),
            totals: settings.totals,
            counted: Mutex::default(),
            network,
            api_defaults: settings.api,
            checkpoints: settings.checkpoints,
            inserting: Mutex::default(),
            running: Mutex::default(),
            stages: Mutex::default(),
            records: Mutex::default(),
            moved: Mutex::default(),
        })
    }

    /// Carries out one statement. `job` is the id under which an INSERT stages its files.
    ///
    /// # Errors
    /// The statement is wrong, or carrying it out failed; then nothing of an INSERT is visible.
    pub async fn sql(&self, text: &str, job: &str) -> Result<Outcome, EngineError> {
        let begun = Begun::new(job, text, BTreeMap::new());
        self.carry_out(text, &Step { begun: &begun, statement: 1, again: false }).await
    }

    /// Carries out one statement of a job.
    ///
    /// # Errors
    /// As [`Session::sql`].
    pub async fn carry_out(&self, text: &str, step: &Step<'_>) -> Result<Outcome, EngineError> {
        let action = self.plan(text).await?;
        self.act(action, text, step).await
    }

    /// The optimized logical plan of a query, one operator a line.
    ///
    /// # Errors
    /// The text is no query, or it cannot be planned.
    pub async fn explain(&self, query: &str) -> Result<String, EngineError> {
        let Action::Query(query) = self.plan(query).await? else {
            return Err(EngineError::Setting("only a query can be explained".to_owned()));
        };
        Ok(self.context.state().optimize(&query.plan)?.display_indent().to_string())
    }

    /// How far the session is: the numbers of all API functions, of the records and of the tasks.
    pub fn progress(&self) -> Progress {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stages = self.stages();
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut progress = Progress::of(&self.functions(), self.quotas(), running.as_ref(), &stages, &mut records);
        (progress.moved, progress.executors) = *self.moved();
        progress
    }

    /// The stages of the plan that runs, or ran last.
    pub fn stages(&self) -> Vec<Stage> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.filter(|_| !self.calls_elsewhere()) {
            *stages = vec![Stage::of_plan(&running.plan)];
        }
        stages.clone()
    }

    /// Every API function that was declared, replaced ones too.
    pub fn functions(&self) -> Vec<Watch> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A registry of Prometheus with the numbers of the session's API functions and quotas.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn metrics(&self) -> Result<Registry, EngineError> {
        self.totals.registry()
    }

    /// Writes down what was spent of quotas that outlive the process.
    pub(crate) fn flush_quotas(&self) {
        for quota in self.callers.quotas.all() {
            if let Err(error) = quota.flush(tokio::time::Instant::now(), SystemTime::now()) {
                tracing::warn!(error = %causes(&error), quota = quota.name(), "what was spent of a quota could not be kept");
            }
        }
    }

    /// The object stores of the session.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Whether calls are made on a cluster.
    pub(crate) fn calls_elsewhere(&self) -> bool {
        self.cluster.is_some()
    }

    /// The limits that the API functions are called under.
    pub fn quotas(&self) -> &Quotas {
        &self.callers.quotas
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

    /// Forgets an API function, which lets go of its quota.
    pub(crate) fn forget(&self, name: &str) {
        self.catalog().functions.remove(&name.to_lowercase());
    }

    fn register(&self, api: ApiFunction) -> Result<Arc<Caller>, EngineError> {
        let key = api.name.to_lowercase();
        self.forget(&key);
        let caller = self.callers.caller(api)?;
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(caller.watch());
        let counted = self.totals.count(caller.watch());
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).push(counted);
        let declared = plan::declared(&caller)?;
        self.catalog().functions.insert(key, declared);
        Ok(caller)
    }

    /// An API function that the session declared.
    pub(crate) fn api_function(&self, name: &str) -> Option<Arc<ApiFunction>> {
        let catalog = self.catalog();
        let declared = catalog.functions.get(&name.to_lowercase())?;
        caller_of(&declared.function).map(|caller| Arc::clone(caller.api()))
    }

    /// The columns of a view.
    pub(crate) fn columns(&self, view: &str) -> Option<Fields> {
        let catalog = self.catalog();
        let view = catalog.catalog.temporary.get(&view.to_lowercase())?;
        Some(view.columns.iter().map(|column| column.field.to_arrow()).collect())
    }

    /// What of its settings changes the meaning of expressions, and the text of values.
    pub fn expression_settings(&self) -> Arc<paceline_functions::Settings> {
        Arc::clone(&self.catalog().settings)
    }

    fn moved(&self) -> MutexGuard<'_, (Moved, Option<Executors>)> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalog(&self) -> MutexGuard<'_, catalog::Session> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.context.session_id()).finish_non_exhaustive()
    }
}
