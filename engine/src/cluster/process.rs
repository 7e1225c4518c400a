//! What the tasks of an executor share: callers, quotas, journals and stores. A plan that arrives is bound to them here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use paceline_udfs::auth::Services;
use paceline_udfs::client::causes;
use paceline_udfs::hosts::Hosts;
use paceline_udfs::quota::Quotas;
use paceline_udfs::{ApiFunction, Caller};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::carried::Carried;
use super::outer;
use super::pace::PaceLink;
use super::reach::Reach;
use super::running::Running;
use super::service::proto;
use crate::EngineError;
use crate::api_call::{Answers, ApiCallExec, Callers, Run, SharedJournal};
use crate::io::aws::Aws;
use crate::io::job_folder::JobFolder;
use crate::io::sink::WriteFilesExec;
use crate::io::stores::Stores;
use crate::observe::cpu::Lately;
use crate::observe::{Counted, Totals};
use crate::settings::Settings;

/// How often numbers are brought up.
const REPORT: Duration = Duration::from_millis(500);
/// A scheduler that does not answer for so long is gone, and with it all that it knew of its jobs.
const LOST: Duration = Duration::from_secs(10);

/// An executor's process.
#[derive(Debug)]
pub struct Process {
    network: Handle,
    quotas: Arc<Quotas>,
    /// Where numbers are brought.
    scheduler: Arc<PaceLink>,
    hosts: Arc<Hosts>,
    /// Tasks that run at once.
    slots: usize,
    /// What this process was started with; statements bring their own beside it.
    settings: Settings,
    /// By the client's settings.
    stores: Mutex<HashMap<String, Arc<Stores>>>,
    statements: Mutex<HashMap<Carried, Arc<Statement>>>,
    /// The tasks that are here.
    pub running: Running,
    /// How busy this machine is.
    pub busy: Lately,
}

/// A statement some of whose tasks run here, or did a moment ago.
#[derive(Debug)]
pub struct Statement {
    stores: Arc<Stores>,
    callers: Callers,
    totals: Totals,
    run: Arc<Run>,
    called: Mutex<HashMap<Arc<ApiFunction>, Called>>,
    used: Mutex<Instant>,
    /// Nobody waits for its tasks any more.
    ended: CancellationToken,
}

/// A task's plan in this process.
pub struct Bound {
    /// The statement it belongs to.
    pub statement: Arc<Statement>,
    /// The plan.
    pub plan: Arc<dyn ExecutionPlan>,
    /// To be cancelled when nobody waits for it any more; it may be cancelled from elsewhere too.
    pub ended: CancellationToken,
}

/// A function that is called for a statement, and what was said of its quota before that.
#[derive(Debug)]
struct Called {
    caller: Arc<Caller>,
    /// For Prometheus.
    _counted: Counted,
    wanted_before: Duration,
    paused_before: Duration,
}

impl Process {
    /// A process called `name` whose requests run on `network`, at a pace that `keeper` keeps; `scheduler` brings it tasks, as
    /// many at once as it has slots, and each has its share of the memory, in bytes.
    pub fn new(
        settings: Settings,
        keeper: Reach,
        scheduler: Reach,
        name: &str,
        (slots, share): (usize, u64),
        network: Handle,
    ) -> Arc<Self> {
        let pace = PaceLink::new(keeper, name.to_owned());
        let quotas = Arc::new(Quotas::shared(pace, name, &network));
        settings.totals.show(&quotas);
        let scheduler = PaceLink::new(scheduler, name.to_owned());
        let (stores, statements) = (Mutex::default(), Mutex::default());
        let (hosts, running, busy) = (Arc::default(), Running::new(share), Lately::new());
        let process =
            Arc::new(Process { network, quotas, scheduler, hosts, slots, settings, stores, statements, running, busy });
        process.scheduler.bring(&process);
        process
    }

    /// Brings numbers up now: whoever hears that a task is done may ask for them next.
    pub async fn report(&self) {
        if let Err(error) = self.scheduler.report().await {
            tracing::warn!(error = %causes(&error), "what tasks did could not be reported; the job's numbers may be too low");
        }
    }

    /// Brings numbers up all the time. When the scheduler was started anew, or is gone for [`LOST`], nobody waits for the
    /// tasks that are here any more: they end, so that they buy no answer that their job, resumed, buys as well.
    pub async fn keep_up(&self) {
        let (mut known, mut heard) = (None, Instant::now());
        loop {
            // First at once: who plans for this executor asks how much memory its tasks have.
            match self.scheduler.report().await {
                Ok(start) => {
                    heard = Instant::now();
                    let is_another = known.as_ref().is_some_and(|known| *known != start);
                    if is_another && self.end_all() {
                        tracing::warn!("the scheduler was started anew; the tasks of its earlier jobs end");
                    }
                    known = Some(start);
                }
                Err(_) if heard.elapsed() < LOST => {}
                Err(error) => {
                    if self.end_all() {
                        tracing::warn!(error = %causes(&error), "the scheduler is gone; the tasks of its jobs end");
                    }
                }
            }
            tokio::time::sleep(REPORT).await;
        }
    }

    /// Returns whether there was any.
    fn end_all(&self) -> bool {
        let mut statements = self.statements();
        statements.values().for_each(|statement| statement.ended.cancel());
        !std::mem::take(&mut *statements).is_empty()
    }

    /// The stores as a client with these settings has them.
    ///
    /// # Errors
    /// The settings are not of this version.
    pub fn stores(&self, carried: &Carried) -> Result<Arc<Stores>, EngineError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = stores.get(&carried.settings) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Stores::new(self.settings_of(carried)?.s3, self.network.clone()));
        stores.insert(carried.settings.clone(), Arc::clone(&made));
        Ok(made)
    }

    fn settings_of(&self, carried: &Carried) -> Result<Settings, EngineError> {
        let mut settings = self.settings.clone();
        if !carried.settings.is_empty() {
            let given: Vec<(String, String)> = serde_json::from_str(&carried.settings)
                .map_err(|error| EngineError::Setting(format!("the settings that came cannot be read: {error}")))?;
            given.iter().try_for_each(|(name, value)| settings.set(name, value))?;
        }
        Ok(settings)
    }

    /// The plan of a task, with its calls made and its files written by this process.
    ///
    /// # Errors
    /// Its settings are not of this version, or a function cannot be called here, as where a secret is missing.
    pub fn bind(&self, carried: &Carried, plan: Arc<dyn ExecutionPlan>) -> Result<Bound> {
        let statement = self.statement(carried).map_err(outer)?;
        let ended = statement.ended.child_token();
        let bound = statement.bind(Arc::clone(&plan), &ended).or_else(|_| {
            self.forget(Instant::now()); // one that has ended may still hold a quota under other limits
            statement.bind(plan, &ended)
        });
        bound.map(|plan| Bound { statement, plan, ended })
    }

    fn statement(&self, carried: &Carried) -> Result<Arc<Statement>, EngineError> {
        if let Some(known) = self.statements().get(carried) {
            return Ok(Arc::clone(known));
        }
        let stores = self.stores(carried)?;
        let settings = self.settings_of(carried)?;
        let aws = Arc::new(Aws::new(Arc::clone(&stores)));
        let services =
            Services { secrets: Some(Arc::clone(&aws) as _), signer: Some(aws), allowed_hosts: settings.allowed_hosts };
        let callers = Callers {
            quotas: Arc::clone(&self.quotas),
            hosts: Arc::clone(&self.hosts),
            services,
            network: self.network.clone(),
            unlimited_failures: carried.unlimited_failures,
        };
        let journal = match carried.journal.as_str() {
            "" => Answers::Nowhere,
            url => Answers::Shared(SharedJournal {
                place: stores.place(url)?,
                partitions: self.slots,
                network: self.network.clone(),
                opened: Default::default(),
            }),
        };
        self.end_earlier(carried);
        let run = Arc::new(Run { scope: carried.scope.clone(), journal, ..Run::default() });
        let used = Mutex::new(Instant::now());
        let statement = Arc::new(Statement {
            stores,
            callers,
            totals: self.settings.totals.clone(),
            run,
            called: Mutex::default(),
            used,
            ended: CancellationToken::new(),
        });
        Ok(Arc::clone(self.statements().entry(carried.clone()).or_insert(statement)))
    }

    /// Tasks that it can run at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Bytes that came from S3 since the process started, and that went there.
    pub fn s3_bytes(&self) -> (u64, u64) {
        self.settings.s3.counters.bytes()
    }

    /// What the functions of every statement came to so far.
    pub fn numbers(&self) -> Vec<proto::Numbers> {
        let statements: Vec<_> =
            self.statements().iter().map(|(of, at)| (of.attempt.clone(), Arc::clone(at))).collect();
        let numbers = statements.iter().flat_map(|(attempt, statement)| statement.numbers(attempt));
        numbers.collect()
    }

    /// Ends earlier attempts at a statement: a job that is resumed goes on without them.
    fn end_earlier(&self, carried: &Carried) {
        let is_earlier = |of: &Carried| of.scope == carried.scope && of.attempt < carried.attempt;
        let earlier = self.statements().extract_if(|of, _| is_earlier(of)).collect::<Vec<_>>();
        earlier.into_iter().for_each(|(_, statement)| statement.ended.cancel());
    }

    /// Forgets statements that nobody used since `before`, except those in use.
    pub fn forget(&self, before: Instant) {
        self.statements().retain(|_, statement| Arc::strong_count(statement) > 1 || statement.used() >= before);
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|_, stores| Arc::strong_count(stores) > 1);
    }

    fn statements(&self) -> MutexGuard<'_, HashMap<Carried, Arc<Statement>>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Statement {
    fn bind(&self, plan: Arc<dyn ExecutionPlan>, ended: &CancellationToken) -> Result<Arc<dyn ExecutionPlan>> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let bound = plan.transform_up(|node| {
            if let Some(call) = node.downcast_ref::<ApiCallExec>() {
                let caller = self.caller(call.asked().caller.api())?;
                return Ok(Transformed::yes(
                    Arc::new(call.called_by(caller, Arc::clone(&self.run), ended.clone())) as _
                ));
            }
            if let Some(write) = node.downcast_ref::<WriteFilesExec>() {
                let folder = &write.target().folder;
                let place = self.stores.place(folder.url().as_str()).map_err(outer)?;
                let moved = JobFolder::new(place, folder.job());
                let moved = if folder.appends() { moved.appending(Vec::new()) } else { moved };
                return Ok(Transformed::yes(Arc::new(write.writing_to(moved).map_err(outer)?) as _));
            }
            Ok(Transformed::no(node))
        });
        Ok(bound?.data)
    }

    /// Makes sure that every answer so far is written down.
    ///
    /// # Errors
    /// It cannot be.
    pub async fn flush(&self) -> Result<()> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.run.flush().await
    }

    fn numbers(&self, attempt: &str) -> Vec<proto::Numbers> {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = called.values().filter_map(|Called { caller, wanted_before, paused_before, .. }| {
            let quota = caller.quota();
            let mut snapshot = caller.counters().snapshot(now, wall);
            snapshot.breaker_openings = caller.watch().breaker().openings();
            snapshot.wanted = quota.time_wanted().saturating_sub(*wanted_before);
            snapshot.paused = quota.time_paused().saturating_sub(*paused_before);
            let snapshot = serde_json::to_vec(&snapshot).ok()?;
            Some(proto::Numbers { attempt: attempt.to_owned(), function: caller.api().name.clone(), snapshot })
        });
        numbers.collect()
    }

    fn caller(&self, api: &Arc<ApiFunction>) -> Result<Arc<Caller>> {
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(called) = called.get(api) {
            return Ok(Arc::clone(&called.caller));
        }
        let caller = self.callers.caller(api.as_ref().clone()).map_err(outer)?;
        let (wanted_before, paused_before) = (caller.quota().time_wanted(), caller.quota().time_paused());
        let _counted = self.totals.count(caller.watch());
        called.insert(Arc::clone(api), Called { caller: Arc::clone(&caller), _counted, wanted_before, paused_before });
        Ok(caller)
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
