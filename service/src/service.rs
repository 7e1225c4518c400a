//! The job service as others see it: what can be asked of it, and what can be looked at.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use paceline_engine::Settings;
use paceline_engine::cluster::Cluster;
use paceline_engine::observe::recorder::Recorder;
use tokio::sync::{mpsc, oneshot};

use crate::ServiceError;
use crate::desk::Desk;
use crate::run::{Kind, Run, State, Submission, run_of};
use crate::runner::Stop;
use crate::store::Store;
use crate::webhook::{Told, Webhook};

/// Commands that wait for the task.
const COMMANDS: usize = 256;
/// Settings that are the service's own.
const OWN_SETTINGS: [&str; 5] =
    ["paceline.state.dir", "paceline.eventlog.dir", "paceline.cluster", "paceline.cluster.auto", "paceline.quota"];

/// How a service runs.
pub struct ServiceOptions {
    /// Where it keeps its jobs, what each was begun with, and their event logs.
    pub folder: PathBuf,
    /// What submissions do not say themselves; the cluster that they run on is part of it.
    pub settings: Settings,
    /// That cluster; `None` for this process.
    pub cluster: Option<Cluster>,
    /// Runs at once, of all jobs together.
    pub most_at_once: usize,
    /// Who is told of changes of state.
    pub told: Told,
    /// What runs while a job does, in data processing units.
    pub dpus: f64,
}

/// A service that runs. Clones are the same.
#[derive(Clone)]
pub struct JobService(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) runs: RwLock<BTreeMap<u64, Arc<Run>>>,
    live: Mutex<HashMap<String, Live>>,
    pub(crate) asks: Asks,
    pub(crate) settings: Settings,
    pub(crate) webhook: Option<Webhook>,
}

/// A run that runs, or did a moment ago.
#[derive(Clone)]
pub(crate) struct Live {
    pub recorder: Arc<Recorder>,
    pub stop: Stop,
}

/// The way to the task that decides.
#[derive(Clone)]
pub struct Asks(mpsc::Sender<Ask>);

pub(crate) type Answer = oneshot::Sender<Result<Arc<Run>, ServiceError>>;

pub(crate) enum Ask {
    Submit(Box<Submission>, Kind, Answer),
    Cancel(String, Answer),
    Resume(String, Answer),
    Began(String, oneshot::Sender<()>),
    Late(String, oneshot::Sender<()>),
}

impl Asks {
    /// The statements of the run's attempt begin.
    pub async fn began(&self, run: &str) {
        self.tell(|done| Ask::Began(run.to_owned(), done)).await;
    }

    /// The run takes longer than expected.
    pub async fn late(&self, run: &str) {
        self.tell(|done| Ask::Late(run.to_owned(), done)).await;
    }

    async fn tell(&self, ask: impl FnOnce(oneshot::Sender<()>) -> Ask) {
        let (done, heard) = oneshot::channel();
        if self.0.send(ask(done)).await.is_ok() {
            let _ = heard.await; // the service may end
        }
    }

    async fn ask(&self, ask: impl FnOnce(Answer) -> Ask) -> Result<Arc<Run>, ServiceError> {
        let ends = || ServiceError::Internal("the job service ends; try again when the scheduler is back".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0.send(ask(answer)).await.map_err(|_| ends())?;
        answered.await.map_err(|_| ends())?
    }
}

impl JobService {
    /// Opens the service, and goes on with the runs that it knows. The second value is its work, to be polled until `stop` ends
    /// and runs are interrupted.
    ///
    /// # Errors
    /// Its folder cannot be used.
    pub fn start(
        options: ServiceOptions,
        stop: impl Future<Output = ()>,
    ) -> Result<(Self, impl Future<Output = ()>), ServiceError> {
        let ServiceOptions { folder, mut settings, cluster, most_at_once, told, dpus } = options;
        let (store, known) = Store::open(&folder)?;
        let store = Arc::new(store);
        settings.state_dir = Some(folder.clone());
        settings.event_log_dir = Some(folder.join("events").to_string_lossy().into_owned());
        let webhook = Webhook::start(told, &settings.s3, &store)?;
        let (sender, asks) = mpsc::channel(COMMANDS);
        let desk = Desk::new(&known, store, asks, cluster, most_at_once, dpus);
        let runs = known.into_iter().map(|run| (run.number, Arc::new(run))).collect();
        let inner = Inner { runs: RwLock::new(runs), live: Mutex::default(), asks: Asks(sender), settings, webhook };
        let service = JobService(Arc::new(inner));
        let work = desk.work(service.clone(), stop);
        Ok((service, work))
    }

    /// Submits a run. One with the token of another is that one.
    ///
    /// # Errors
    /// It cannot be run, or not now and it does not wait.
    pub async fn submit(&self, submission: Submission) -> Result<Arc<Run>, ServiceError> {
        submission.check()?;
        self.settings_of(&submission)?;
        self.0.asks.ask(|answer| Ask::Submit(Box::new(submission), Kind::Submitted, answer)).await
    }

    /// Tells a run to stop.
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub async fn cancel(&self, id: &str) -> Result<Arc<Run>, ServiceError> {
        self.0.asks.ask(|answer| Ask::Cancel(run_of(id).to_owned(), answer)).await
    }

    /// Goes on with a run that did not succeed, as a new attempt.
    ///
    /// # Errors
    /// There is none, or it did, or it runs.
    pub async fn resume(&self, id: &str) -> Result<Arc<Run>, ServiceError> {
        self.0.asks.ask(|answer| Ask::Resume(run_of(id).to_owned(), answer)).await
    }

    /// Sends the dead letters of a run again, as a run of its own.
    ///
    /// # Errors
    /// There is none, or it did not succeed.
    pub async fn redrive(&self, id: &str) -> Result<Arc<Run>, ServiceError> {
        let run = self.get(id)?;
        if run.state != State::Succeeded || run.kind != Kind::Submitted {
            let why = "only the dead letters of a submitted job that succeeded can be sent again";
            return Err(ServiceError::Conflict(format!("job '{}' is {}: {why}", run.id, run.state.name())));
        }
        let submission = Submission { idempotency_token: None, ..run.submission.clone() };
        let kind = Kind::Redrive { redrive_of: run.id.clone() };
        self.0.asks.ask(|answer| Ask::Submit(Box::new(submission), kind, answer)).await
    }

    /// A run, by its id or that of an attempt.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, id: &str) -> Result<Arc<Run>, ServiceError> {
        let wanted = run_of(id);
        let found = self.runs().into_iter().find(|run| run.id == wanted);
        found.ok_or_else(|| ServiceError::NotFound(id.to_owned()))
    }

    /// All runs, in the order in which they were submitted.
    pub fn runs(&self) -> Vec<Arc<Run>> {
        self.0.runs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The events of a run that runs, or has in this process.
    pub fn recorder(&self, run: &str) -> Option<Arc<Recorder>> {
        self.live().get(run).map(|live| Arc::clone(&live.recorder))
    }

    /// The settings that a submission runs with.
    pub(crate) fn settings_of(&self, submission: &Submission) -> Result<Settings, ServiceError> {
        let mut settings = self.0.settings.clone();
        for (key, value) in &submission.conf {
            if OWN_SETTINGS.contains(&key.as_str()) {
                return Err(ServiceError::Invalid(format!("conf: '{key}' is the scheduler's to say, not a job's")));
            }
            settings.set(key, value).map_err(|error| ServiceError::Invalid(format!("conf: {error}")))?;
        }
        Ok(settings)
    }

    pub(crate) fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
