//! Records what happens to a job: keeps its events while it runs, shows them to whoever follows, and writes them to its event log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::cloudwatch::{LogStream, Publisher};
use super::event_log::{Event, LogWriter, Started, line};
use super::executors::{OnExecutor, Roster, this_process};
use super::letters::dead_letters;
use super::masked::masked;
use super::progress::Progress;
use super::report::Report;
use super::stages::Stage;
use crate::cluster::Member;
use crate::io::stores::Stores;
use crate::job::{self, Job, Told};
use crate::{EngineError, Outcome, Session, Settings};

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Progress is kept this often at most, and at least every so many parts of the time that the job runs: a log stays small however
/// long the job is.
const KEEP: Duration = Duration::from_secs(1);
const KEEP_PART: u32 = 500;
/// Who follows and does not read for so many lines begins anew.
const BEHIND: usize = 1024;
/// Dead letters of a statement that are kept.
const LETTERS: usize = 20;

/// The events of a job.
#[derive(Debug)]
pub struct Recorder {
    lines: Mutex<Vec<Arc<str>>>,
    live: broadcast::Sender<Arc<str>>,
    log: Mutex<Option<LogWriter>>,
    /// What was seen last.
    latest: Mutex<(Progress, Vec<Stage>)>,
    /// Whether the progress that was seen last was not kept.
    shown_only: AtomicBool,
    /// The stages that were kept last.
    kept: Mutex<Vec<Stage>>,
    /// The executors.
    roster: Mutex<Roster>,
    /// The way to CloudWatch.
    publisher: Mutex<Option<Publisher>>,
    /// The way to CloudWatch Logs.
    stream: Mutex<Option<LogStream>>,
}

impl Recorder {
    /// A recorder without a log.
    pub fn in_memory() -> Arc<Self> {
        Arc::new(Recorder {
            lines: Mutex::default(),
            live: broadcast::channel(BEHIND).0,
            log: Mutex::default(),
            latest: Mutex::default(),
            shown_only: AtomicBool::new(false),
            kept: Mutex::default(),
            roster: Mutex::default(),
            publisher: Mutex::default(),
            stream: Mutex::default(),
        })
    }

    /// A recorder whose events are written down where the settings say, if they do, and whose numbers are published under a
    /// name, if that is set. A job that goes on has its earlier events.
    ///
    /// # Errors
    /// The event log cannot be opened.
    pub async fn of_folder(job: &str, name: &str, settings: &Settings) -> Result<Arc<Self>, EngineError> {
        let recorder = Self::in_memory();
        match Publisher::start(&settings.cloudwatch, name, &settings.s3) {
            Ok(publisher) => *recorder.publisher() = publisher,
            Err(error) => tracing::warn!(%error, "nothing is published to CloudWatch"),
        }
        if let Some(group) = &settings.cloudwatch.log_group {
            match LogStream::start(group, job, &settings.s3) {
                Ok(stream) => *recorder.stream() = Some(stream),
                Err(error) => tracing::warn!(%error, "nothing is sent to CloudWatch Logs"),
            }
        }
        if let Some(folder) = &settings.event_log_dir {
            let stores = Stores::new(settings.s3.clone(), Handle::current());
            let (log, earlier) = LogWriter::open(folder, job, &stores).await?;
            *recorder.lines() = earlier;
            *recorder.log() = Some(log);
        }
        Ok(recorder)
    }

    /// Something happened: it is kept, written down and shown.
    pub fn tell(&self, event: &Event) {
        if matches!(event, Event::JobEnded { .. }) {
            self.keep_executors(); // nothing newer comes
        }
        let mut lines = self.lines();
        let Some(line) = line(lines.len() as u64 + 1, event) else { return };
        lines.push(Arc::clone(&line));
        if event.is_said()
            && let Some(stream) = self.stream().as_ref()
        {
            stream.add(&line);
        }
        if let Some(log) = self.log().as_ref() {
            log.add(Arc::clone(&line));
        }
        let _ = self.live.send(line); // nobody may follow
    }

    /// These are the executors of the cluster now.
    pub fn see(&self, members: &[Member]) {
        let executors = {
            let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let mut roster = self.roster();
            roster.meet(members.to_vec());
            roster.look(&latest.1)
        };
        self.show_executors(executors);
    }

    /// How far the job is: kept, or only shown. Returns whether that is further than what was noted before.
    fn note(&self, progress: Progress, stages: Vec<Stage>, keep: bool) -> bool {
        let (other_progress, other_stages) = {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *latest, (progress.clone(), stages.clone()));
            (before.0 != progress, before.1 != stages)
        };
        // What was only shown is kept when there is nothing newer to keep: the last one always is.
        if keep && (self.shown_only.swap(false, Ordering::Relaxed) || other_progress) {
            self.tell(&Event::Progress { progress: Box::new(progress) });
        } else if other_progress {
            self.shown_only.store(true, Ordering::Relaxed);
            self.show(&Event::Progress { progress: Box::new(progress) });
        }
        let executors = self.roster().look(&stages);
        self.show_executors(executors);
        // The rows of operators change all the time: in the log they would be the most.
        let ended = !stages.is_empty() && stages.iter().all(|stage| stage.count.completed == stage.count.total);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if ended && *kept != stages {
            kept.clone_from(&stages);
            self.tell(&Event::Stages { stages });
            self.keep_executors();
        } else if other_stages {
            self.show(&Event::Stages { stages });
        }
        other_progress
    }

    fn show_executors(&self, executors: Option<Vec<OnExecutor>>) {
        if let Some(executors) = executors {
            self.show(&Event::Executors { executors });
        }
    }

    /// What was only shown of the executors is kept.
    fn keep_executors(&self) {
        let executors = self.roster().keep();
        if let Some(executors) = executors {
            self.tell(&Event::Executors { executors });
        }
    }

    /// Something is worth a look now, and not to be kept: its number is 0.
    fn show(&self, event: &Event) {
        if self.live.receiver_count() > 0
            && let Some(line) = line(0, event)
        {
            let _ = self.live.send(line);
        }
    }

    /// Everything so far, and what comes from now on.
    pub fn follow(&self) -> (Vec<Arc<str>>, broadcast::Receiver<Arc<str>>) {
        let lines = self.lines();
        (lines.clone(), self.live.subscribe())
    }

    /// Everything so far.
    pub fn so_far(&self) -> Vec<Arc<str>> {
        self.lines().clone()
    }

    /// Progress and stages as they were seen last.
    pub fn latest(&self) -> (Progress, Vec<Stage>) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The executors as they were seen last.
    pub fn executors(&self) -> Vec<OnExecutor> {
        self.roster().shown()
    }

    /// Ends the log: what waits is written.
    pub async fn close(&self) {
        let log = self.log().take();
        let closed = tokio::task::spawn_blocking(move || drop(log)).await;
        if let Err(error) = closed {
            tracing::warn!(%error, "the event log was not ended");
        }
        let publisher = self.publisher().take();
        if let Some(publisher) = publisher {
            let dropped = publisher.close(&self.latest().0).await;
            if dropped > 0 {
                tracing::warn!(dropped, "calls to CloudWatch were dropped; the numbers there are too low");
            }
        }
        let stream = self.stream().take();
        if let Some(stream) = stream {
            let dropped = stream.close().await;
            if dropped > 0 {
                tracing::warn!(dropped, "events for CloudWatch Logs were dropped");
            }
        }
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self) -> MutexGuard<'_, Option<LogStream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Arc<str>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publisher(&self) -> MutexGuard<'_, Option<Publisher>> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Option<LogWriter>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a job in this process: spark.app.name, or its id.
pub fn name<'a>(job: &'a str, settings: &'a Settings) -> &'a str {
    let given = settings.given.iter().rev().find(|(key, _)| key == "spark.app.name");
    given.map_or(job, |(_, name)| name)
}

/// What is said of a job when it begins.
pub fn started(job: &Job, settings: &Settings) -> Started {
    started_as(job.id(), job.script(), job.variables(), settings)
}

/// As [`started`], of a job that is no script of a user's.
pub fn started_as(id: &str, sql: &str, variables: &BTreeMap<String, String>, settings: &Settings) -> Started {
    let conf = masked(settings.given.iter().map(|(name, value)| (name, value)));
    Started {
        job: id.to_owned(),
        attempt: None,
        name: None,
        paceline: env!("CARGO_PKG_VERSION").to_owned(),
        sql: sql.to_owned(),
        conf,
        variables: masked(variables),
        place: settings.cluster.as_ref().map_or("embedded".to_owned(), ToString::to_string),
        dpus: 1.0,
    }
}

/// Runs a job, records what happens, and shows results as they come. The end of the job is for the caller to tell: it knows
/// whether there is another try.
pub async fn run(
    session: &Session,
    job: Job,
    recorder: &Recorder,
    mut show: impl FnMut(&Outcome),
) -> (Report, Result<(), EngineError>) {
    let letters = Mutex::new(VecDeque::new());
    let id = job.id().to_owned();
    let tell = |told: Told<'_>| {
        if let Told::Ends { outcome, .. } = &told {
            show(outcome);
        }
        if let Told::Ends { statement, outcome: Outcome::Written(written) } = &told
            && written.records_failed > 0
        {
            let to_read = (*statement, written.url.to_string());
            letters.lock().unwrap_or_else(PoisonError::into_inner).push_back(to_read);
        }
        if !matches!(told, Told::Begins { .. }) {
            look(session, recorder, true);
        }
        recorder.tell(&Event::from(told));
    };
    let work = job::run_told(session, job, tell);
    let ran = watched(session, recorder, work).await;
    let to_read: Vec<_> = letters.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    for (statement, output) in to_read {
        match dead_letters(session.stores(), &[output], &id, 0, LETTERS).await {
            Ok(letters) => recorder.tell(&Event::DeadLetters { statement, letters }),
            Err(error) => tracing::warn!(%error, "the dead letters are not shown"),
        }
    }
    ran
}

/// Looks at the progress of a session until `work` ends.
pub async fn watched<T>(session: &Session, recorder: &Recorder, work: impl Future<Output = T>) -> T {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begun = Instant::now();
    let mut kept = begun;
    tokio::pin!(work);
    loop {
        tokio::select! {
            ended = &mut work => {
                look(session, recorder, true);
                return ended;
            }
            now = tick.tick() => {
                let keep = now - kept >= KEEP.max((now - begun) / KEEP_PART);
                if look(session, recorder, keep) && keep {
                    kept = now;
                }
            }
        }
    }
}

/// Notes how far the session is; returns whether that is further than before.
fn look(session: &Session, recorder: &Recorder, keep: bool) -> bool {
    let (progress, stages) = (session.progress(), session.stages());
    if !session.calls_elsewhere() {
        recorder.roster().meet(vec![this_process(session, &stages)]);
    }
    if let Some(publisher) = recorder.publisher().as_mut() {
        publisher.observe(&progress);
    }
    recorder.note(progress, stages, keep)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::progress::Tasks;
    use crate::observe::stages::{StageState, Task};

    #[tokio::test]
    async fn the_last_progress_is_kept_though_it_was_shown_before() {
        let recorder = Recorder::in_memory();
        let note = |records, keep| {
            recorder.note(Progress { records, ..Progress::default() }, Vec::new(), keep);
            let kept = recorder.so_far();
            let last = kept.last().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            (kept.len(), last.map_or(0, |line| line["progress"]["records"].as_u64().unwrap()))
        };
        assert_eq!(note(10, true), (1, 10));
        assert_eq!(note(20, false), (1, 10), "shown only");
        assert_eq!(note(30, true), (2, 30));
        assert_eq!(note(40, false), (2, 30));
        assert_eq!(note(40, true), (3, 40), "the end, at which nothing is new");
        assert_eq!(note(40, true), (3, 40));
    }

    #[test]
    fn executors_are_shown_when_they_change_and_kept_when_the_job_ends() {
        let recorder = Recorder::in_memory();
        let (_, mut live) = recorder.follow();
        let mut told = || {
            let lines = std::iter::from_fn(|| live.try_recv().ok());
            let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
            let told = lines.filter(|line| line["event"] == "executors");
            told.map(|line| (line["seq"].as_u64().unwrap(), line["executors"].clone())).collect::<Vec<_>>()
        };
        let (id, share) = ("a".to_owned(), None);
        let member = Member { id, slots: 2, running: 1, holds_shuffle: false, share, memory_permille: None };
        recorder.see(std::slice::from_ref(&member));
        let seen = json!([{ "executor": "a", "slots": 2, "slots_used": 1, "running": 0, "completed": 0 }]);
        assert_eq!(told(), [(0, seen)]);
        recorder.see(&[member]);
        assert!(told().is_empty(), "nothing is new");
        let executor = "a".to_owned();
        let state = StageState::Running;
        let task = Task { task: 0, partition: 0, executor, state, started_ms: 1, ended_ms: None };
        let count = Tasks { total: 1, running: 1, ..Tasks::default() };
        let stage = Stage { state, count, tasks: vec![task], ..Stage::default() };
        recorder.note(Progress::default(), vec![stage], true);
        let seen = json!([{ "executor": "a", "slots": 2, "slots_used": 1, "running": 1, "completed": 0 }]);
        assert_eq!(told(), [(0, seen.clone())]);
        recorder.tell(&Event::JobEnded { state: "STOPPED".to_owned(), report: None, dpu_hours: None });
        assert_eq!(told(), [(1, seen)]);
        assert!(recorder.so_far()[1].contains("job_ended"), "it stands behind what was kept");
    }
}
