//! The task that decides: command after command, and what it decided is kept before anybody hears of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use paceline_engine::cluster::Cluster;
use paceline_engine::observe::event_log::Event;
use paceline_engine::observe::recorder::Recorder;
use paceline_engine::observe::report::Report;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::ServiceError;
use crate::clock;
use crate::outbox::Unsent;
use crate::queue;
use crate::run::{Kind, Run, State, Submission};
use crate::runner::{Attempt, Outcome, Stop};
use crate::service::{Ask, JobService, Live};
use crate::store::Store;
use crate::webhook::Webhook;

/// Runs that are kept after they have ended; older ones are forgotten.
const KEPT: usize = 10_000;
/// How long runs may take to be interrupted when the service ends.
const INTERRUPTED_WITHIN: Duration = Duration::from_secs(20);

/// What the task knows beside the service.
pub(crate) struct Desk {
    store: Arc<Store>,
    asks: mpsc::Receiver<Ask>,
    cluster: Option<Cluster>,
    most_at_once: usize,
    dpus: f64,
    next: u64,
    by_token: HashMap<String, u64>,
    running: JoinSet<(String, Outcome)>,
    interrupted: CancellationToken,
}

impl Desk {
    /// A desk for the runs that are known.
    pub fn new(
        known: &[Run],
        store: Arc<Store>,
        asks: mpsc::Receiver<Ask>,
        cluster: Option<Cluster>,
        most_at_once: usize,
        dpus: f64,
    ) -> Self {
        let by_token = known.iter().filter_map(|run| Some((run.submission.idempotency_token.clone()?, run.number)));
        let next = known.iter().map(|run| run.number).max().unwrap_or(0) + 1;
        let (running, interrupted) = (JoinSet::new(), CancellationToken::new());
        Desk { by_token: by_token.collect(), store, asks, cluster, most_at_once, dpus, next, running, interrupted }
    }

    /// Decides until `stop` ends; then runs are interrupted, to go on another time.
    pub async fn work(self, service: JobService, stop: impl Future<Output = ()>) {
        At { desk: self, service }.work(stop).await;
    }
}

/// The desk at its service.
struct At {
    desk: Desk,
    service: JobService,
}

impl At {
    async fn work(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        self.go_on().await;
        self.begin_ready().await;
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(ask) = self.desk.asks.recv() => self.answer(ask).await,
                Some(ended) = self.desk.running.join_next() => self.ended(ended).await,
            }
            self.begin_ready().await;
        }
        self.desk.interrupted.cancel();
        let all = async { while self.desk.running.join_next().await.is_some() {} };
        if tokio::time::timeout(INTERRUPTED_WITHIN, all).await.is_err() {
            tracing::warn!("jobs did not end in time; they go on when the scheduler is started again");
        }
        let live: Vec<_> = self.service.live().values().cloned().collect();
        for live in live {
            live.recorder.close().await;
        }
    }

    /// What ran when the service ended waits for its turn again, before all that was submitted later.
    async fn go_on(&mut self) {
        for run in self.service.runs().iter().filter(|run| run.state.is_active()) {
            let next = if run.state == State::Stopping { State::Stopped } else { State::Waiting };
            if let Err(error) = self.change(run, next, None).await {
                tracing::error!(%error, job = run.id, "it cannot go on");
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Submit(submission, kind, answer) => drop(answer.send(self.submit(*submission, kind).await)),
            Ask::Cancel(id, answer) => drop(answer.send(self.cancel(&id).await)),
            Ask::Resume(id, answer) => drop(answer.send(self.resume(&id).await)),
            Ask::Began(id, done) => {
                if let Ok(run) = self.service.get(&id)
                    && run.state == State::Starting
                    && let Err(error) = self.change(&run, State::Running, None).await
                {
                    tracing::error!(%error, job = id, "its state is not kept");
                }
                let _ = done.send(()); // a run that ended does not listen
            }
            Ask::Late(id, done) => {
                if let Ok(run) = self.service.get(&id) {
                    self.late(&run).await;
                }
                let _ = done.send(()); // a run that ended does not listen
            }
        }
    }

    async fn submit(&mut self, submission: Submission, kind: Kind) -> Result<Arc<Run>, ServiceError> {
        if let Some(token) = &submission.idempotency_token
            && let Some(number) = self.desk.by_token.get(token)
            && let Some(run) = self.service.runs().into_iter().find(|run| run.number == *number)
        {
            if run.submission == submission {
                return Ok(run);
            }
            let why = format!("the idempotency token is that of job '{}', which was another submission", run.id);
            return Err(ServiceError::Conflict(why));
        }
        let (name, most) = (&submission.job_name, submission.max_concurrent_runs);
        if !submission.queue && !queue::has_room(self.service.runs().iter().map(AsRef::as_ref), name, most) {
            let why = format!("{most} runs of job '{name}' run at once, its max_concurrent_runs, and queue is false");
            return Err(ServiceError::ConcurrentRunsExceeded(why));
        }
        let run = Run::new(self.desk.next, kind, submission, clock::now_ms());
        self.desk.next += 1;
        if let Some(token) = run.submission.idempotency_token.clone() {
            self.desk.by_token.insert(token, run.number);
        }
        let run = self.keep(run).await?;
        self.forget_old().await;
        Ok(run)
    }

    async fn cancel(&mut self, id: &str) -> Result<Arc<Run>, ServiceError> {
        let run = self.service.get(id)?;
        match run.state {
            State::Waiting => self.change(&run, State::Stopped, None).await,
            State::Stopping => Ok(run),
            state if state.is_active() => {
                let run = self.change(&run, State::Stopping, None).await?;
                if let Some(live) = self.service.live().get(id) {
                    live.stop.cancelled.cancel();
                }
                Ok(run)
            }
            state => Err(ServiceError::Conflict(format!("job '{id}' is {} already", state.name()))),
        }
    }

    async fn resume(&mut self, id: &str) -> Result<Arc<Run>, ServiceError> {
        let run = self.service.get(id)?;
        if !run.state.may_become(State::Waiting) || run.state.is_active() {
            let why = "only a job that was stopped or failed can be resumed";
            return Err(ServiceError::Conflict(format!("job '{id}' is {}: {why}", run.state.name())));
        }
        let again = Run { retries_left: run.submission.max_retries, ..run.again() };
        self.keep(again).await
    }

    async fn late(&mut self, run: &Arc<Run>) {
        let late = Run { late: true, ..run.as_ref().clone() };
        self.tell(
            run,
            &Event::Log { level: "warn", text: "the job takes longer than notify_delay_after_s".to_owned() },
        );
        let events = self.webhook().map(|webhook| webhook.late(&late)).unwrap_or_default();
        if let Err(error) = self.keep_quietly(late, events).await {
            tracing::error!(%error, job = run.id, "that it is late is not kept");
        }
    }

    async fn begin_ready(&mut self) {
        let runs = self.service.runs();
        let ready: Vec<_> = queue::ready(runs.iter().map(AsRef::as_ref), self.desk.most_at_once)
            .into_iter()
            .map(|run| Arc::new(run.clone()))
            .collect();
        for run in ready {
            if let Err(error) = self.begin(&run).await {
                tracing::error!(%error, job = run.id, "it cannot begin");
                self.cannot_begin(&run.id, &error).await;
            }
        }
    }

    async fn begin(&mut self, run: &Arc<Run>) -> Result<(), ServiceError> {
        let run = self.change(run, State::Starting, None).await?;
        let stop = Stop { interrupted: self.desk.interrupted.clone(), ..Stop::default() };
        let settings = self.service.settings_of(&run.submission)?;
        let opened = Recorder::of_folder(&run.id, &run.submission.job_name, &settings).await;
        let recorder = opened.unwrap_or_else(|error| {
            tracing::warn!(%error, job = run.id, "the job runs without an event log");
            Recorder::in_memory()
        });
        let live = Live { recorder: Arc::clone(&recorder), stop: stop.clone() };
        self.service.live().insert(run.id.clone(), live);
        let state = Event::State { state: run.state.name().to_owned(), reason: None };
        recorder.tell(&state);
        let (cluster, asks, dpus) = (self.desk.cluster.clone(), self.service.0.asks.clone(), self.desk.dpus);
        let attempt = Attempt { run: Arc::clone(&run), settings, recorder, stop, cluster, dpus, asks };
        let id = run.id.clone();
        self.desk.running.spawn(async move {
            // On a thread of its own: deep plans need its stack, and a panic is the end of this run only.
            let runtime = Handle::current();
            let outcome = tokio::task::spawn_blocking(move || runtime.block_on(attempt.run())).await;
            (id, outcome.unwrap_or_else(|error| Outcome::Error(format!("the job broke off: {error}"))))
        });
        Ok(())
    }

    /// Ends a run whose settings are wrong by now, so that it does not stand in the way of others.
    async fn cannot_begin(&mut self, id: &str, error: &ServiceError) {
        let Ok(run) = self.service.get(id) else { return };
        if run.state == State::Starting
            && let Err(error) = self.end(&run, State::Error, None, Some(format!("it cannot begin: {error}"))).await
        {
            tracing::error!(%error, job = id, "its end is not kept");
        }
    }

    async fn ended(&mut self, ended: Result<(String, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => return tracing::error!(%error, "a job broke off"),
        };
        let Ok(run) = self.service.get(&id) else { return };
        let (state, report, error) = match outcome {
            Outcome::Succeeded(report) => (State::Succeeded, report, None),
            Outcome::Failed(report, error) => (State::Failed, report, Some(error)),
            Outcome::Stopped => (State::Stopped, None, None),
            Outcome::Timeout => {
                let why = format!("it ran for longer than its timeout of {} s", run.submission.timeout_s);
                (State::Timeout, None, Some(why))
            }
            Outcome::Error(error) => (State::Error, None, Some(error)),
            Outcome::Interrupted => return,
        };
        if let Err(error) = self.end(&run, state, report, error).await {
            tracing::error!(%error, job = id, "its end is not kept");
        }
    }

    async fn end(
        &mut self,
        run: &Arc<Run>,
        state: State,
        report: Option<Box<Report>>,
        error: Option<String>,
    ) -> Result<(), ServiceError> {
        let now = clock::now_ms();
        let mut next = run.in_state(state, error.clone(), now)?;
        next.report = report.as_ref().and_then(|report| serde_json::to_value(report).ok());
        let dpu_hours = next.attempts.iter().filter_map(|attempt| attempt.ended_ms?.checked_sub(attempt.started_ms?));
        let dpu_hours = dpu_hours.sum::<u64>() as f64 / 3_600_000.0 * self.desk.dpus;
        if let Some(live) = self.service.live().get(&run.id) {
            let ended = Event::JobEnded { state: state.name().to_owned(), report, dpu_hours: Some(dpu_hours) };
            live.recorder.tell(&ended);
            if let Some(text) = error {
                live.recorder.tell(&Event::Log { level: "error", text });
            }
        }
        if run.tries_again(state) {
            // One write: a process that ends between two would forget the retry.
            let ended = self.changed(&next);
            let again = Run { retries_left: next.retries_left.saturating_sub(1), ..next.again() };
            self.keep_behind(ended, again).await?;
        } else {
            self.keep(next).await?;
        }
        let live = self.service.live().remove(&run.id);
        if let Some(live) = live {
            live.recorder.close().await;
        }
        Ok(())
    }

    async fn change(&mut self, run: &Arc<Run>, state: State, why: Option<String>) -> Result<Arc<Run>, ServiceError> {
        self.keep(run.in_state(state, why, clock::now_ms())?).await
    }

    fn webhook(&self) -> Option<&Webhook> {
        self.service.0.webhook.as_ref()
    }

    /// The events that tell of a run's state.
    fn changed(&self, run: &Run) -> Vec<Unsent> {
        self.webhook().map(|webhook| webhook.changed(run)).unwrap_or_default()
    }

    /// Keeps a run as it is now, then tells of it.
    async fn keep(&mut self, run: Run) -> Result<Arc<Run>, ServiceError> {
        self.keep_behind(Vec::new(), run).await
    }

    /// As [`At::keep`], where other events are to be told before.
    async fn keep_behind(&mut self, mut events: Vec<Unsent>, run: Run) -> Result<Arc<Run>, ServiceError> {
        events.extend(self.changed(&run));
        let run = self.keep_quietly(run, events).await?;
        if !run.state.is_final() {
            self.tell(&run, &Event::State { state: run.state.name().to_owned(), reason: None });
        }
        tracing::info!(job = run.id, name = run.submission.job_name, state = run.state.name(), "job");
        Ok(run)
    }

    /// Keeps a run together with events, which are sent from then on.
    async fn keep_quietly(&mut self, run: Run, events: Vec<Unsent>) -> Result<Arc<Run>, ServiceError> {
        let run = Arc::new(run);
        let (store, kept) = (Arc::clone(&self.desk.store), Arc::clone(&run));
        let written = tokio::task::spawn_blocking(move || store.change(&[&kept], &[], &events)).await;
        let lost = written.map_err(|error| ServiceError::Internal(error.to_string()))??;
        self.service.0.runs.write().unwrap_or_else(PoisonError::into_inner).insert(run.number, Arc::clone(&run));
        if let Some(webhook) = self.webhook() {
            webhook.go_on(lost);
        }
        Ok(run)
    }

    fn tell(&self, run: &Run, event: &Event) {
        if let Some(live) = self.service.live().get(&run.id) {
            live.recorder.tell(event);
        }
    }

    /// Forgets the oldest runs that have ended, where there are too many.
    async fn forget_old(&mut self) {
        let runs = self.service.runs();
        let Some(more) = runs.len().checked_sub(KEPT).filter(|more| *more > 0) else { return };
        let old: Vec<_> = runs.iter().filter(|run| run.state.is_final()).take(more).cloned().collect();
        let ids: Vec<_> = old.iter().map(|run| run.id.clone()).collect();
        let store = Arc::clone(&self.desk.store);
        if let Ok(Ok(_)) = tokio::task::spawn_blocking(move || store.change(&[], &ids, &[])).await {
            let mut runs = self.service.0.runs.write().unwrap_or_else(PoisonError::into_inner);
            for run in old {
                runs.remove(&run.number);
                if let Some(token) = &run.submission.idempotency_token {
                    self.desk.by_token.remove(token);
                }
            }
        }
    }
}
