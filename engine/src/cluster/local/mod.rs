//! A cluster on this machine: a scheduler and executors as processes, started, watched, started again, and ended together.
//! What they are told on the command line, and what a person is told, is for the caller to say.

mod backoff;
mod growth;
mod kept;
mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::access::Access;
use super::address::HostPort;
use super::client::Cluster;
use super::describe::Description;
use super::reach::Reach;
use super::sizing::Dynamic;
use crate::EngineError;
use crate::io::s3::S3Settings;
use crate::io::stores::Stores;
use crate::network::Network;
use growth::Growth;
use kept::Kept;

/// How often processes are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often the scheduler is asked who is there.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A cluster that starts and gains nothing for so long has what it will have.
const NO_PROGRESS: Duration = Duration::from_secs(60);
/// How long the scheduler may take to end: nothing runs any more by then.
const SCHEDULER_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// What an executor is told, by its id and the folder for its rows.
pub type Told = dyn Fn(&str, &Path) -> Vec<OsString> + Send;

/// How a cluster on this machine runs.
pub struct LocalOptions {
    /// The program of all its processes.
    pub program: PathBuf,
    /// What the scheduler is told.
    pub scheduler: Vec<OsString>,
    /// What an executor is told, by its id and the folder for its rows.
    pub executor: Box<Told>,
    /// Where the scheduler listens.
    pub at: HostPort,
    /// What is shown to it.
    pub access: Access,
    /// Executors at the start.
    pub executors: usize,
    /// How executors come and go; `None` where their number stays.
    pub dynamic: Option<Dynamic>,
    /// Tasks that an executor runs at once.
    pub slots: usize,
    /// A folder of this cluster's own, for rows. It is removed in the end.
    pub work_dir: PathBuf,
    /// Where each process's log is.
    pub log_dir: PathBuf,
    /// How long executors may take to finish their tasks in the end.
    pub stop_within: Duration,
    /// Tells a person what happens.
    pub tell: fn(&str),
}

/// Runs a cluster until `stop` returns; when it returns again, what still runs is ended at once.
///
/// # Errors
/// It cannot be started: then nothing of it is left.
pub async fn run(options: LocalOptions, stop: impl AsyncFn()) -> Result<(), EngineError> {
    let failed = |what: &Path, error| EngineError::Setting(format!("cannot use {}: {error}", what.display()));
    for folder in [&options.work_dir, &options.log_dir] {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    let network = Network::start().map_err(|error| failed(&options.program, error))?;
    let stores = Arc::new(Stores::new(S3Settings::default(), network.handle().clone()));
    let client = Cluster::new(Reach::new(options.at.clone(), options.access.clone(), network.handle().clone()), stores);
    let mut here = Local::start(options, client);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = {
        let stopped = stop();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => break Ok(()),
                _ = tick.tick() => if let Err(error) = here.step().await { break Err(error) },
            }
        }
    };
    here.end(stop).await;
    ended
}

/// A cluster that runs.
struct Local {
    options: LocalOptions,
    client: Cluster,
    scheduler: Kept,
    executors: Vec<Kept>,
    growth: Option<Growth>,
    asked: Option<Instant>,
    start: Option<Start>,
}

/// A cluster's start, while it lasts.
struct Start {
    executors: usize,
    progress: Instant,
}

impl Local {
    fn start(options: LocalOptions, client: Cluster) -> Self {
        let scheduler = Kept::new("scheduler".to_owned());
        let growth = options.dynamic.map(|rules| Growth::new(rules, options.slots));
        let start = Some(Start { executors: 0, progress: Instant::now() });
        let mut here = Local { client, scheduler, executors: Vec::new(), growth, asked: None, start, options };
        here.add(here.options.executors);
        here
    }

    /// Executors with the lowest numbers that are free.
    fn add(&mut self, executors: usize) {
        for _ in 0..executors {
            let name = |number: usize| format!("executor-{number}");
            let is_free = |name: &String| self.executors.iter().all(|executor| executor.name() != name);
            if let Some(name) = (1..).map(name).find(is_free) {
                self.executors.push(Kept::new(name));
            }
        }
    }

    async fn step(&mut self) -> Result<(), EngineError> {
        self.mend();
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY) {
            return Ok(());
        }
        let seen = timeout(ANSWER_WITHIN, self.client.describe()).await.ok().and_then(Result::ok);
        self.asked = Some(Instant::now());
        self.come_up(seen.as_ref())?;
        if let (Some(seen), Some(growth), None) = (&seen, &mut self.growth, &self.start) {
            let more = growth.step(seen, &mut self.executors, self.options.tell);
            self.add(more);
        }
        Ok(())
    }

    /// Starts what is to run and does not, and lets go of what was to end and has.
    fn mend(&mut self) {
        let LocalOptions { program, scheduler, executor, work_dir, log_dir, tell, .. } = &self.options;
        self.scheduler.mend(program, log_dir, *tell, |_| Ok(scheduler.clone()));
        for kept in &mut self.executors {
            let folder = work_dir.join(kept.name());
            kept.mend(program, log_dir, *tell, |id| {
                // What its predecessor left there, nobody reads any more.
                if folder.exists() {
                    std::fs::remove_dir_all(&folder)?;
                }
                Ok(executor(id, &folder))
            });
        }
        self.executors.retain(|kept| {
            if kept.is_gone()
                && let Err(error) = remove(&work_dir.join(kept.name()))
            {
                tracing::warn!(%error, executor = kept.name(), "its folder stays");
            }
            !kept.is_gone()
        });
    }

    /// Says when the cluster is there. One that gains nothing more goes on with fewer executors.
    fn come_up(&mut self, seen: Option<&Description>) -> Result<(), EngineError> {
        let Some(start) = &mut self.start else { return Ok(()) };
        let LocalOptions { at, tell, executors: wanted, log_dir, .. } = &self.options;
        let there = seen.map(|seen| seen.executors.len());
        if there.is_some_and(|there| there > start.executors) {
            *start = Start { executors: there.unwrap_or(0), progress: Instant::now() };
        }
        let is_late = start.progress.elapsed() >= NO_PROGRESS;
        match there {
            Some(there) if there >= *wanted => tell(&format!("cluster at {at}")),
            Some(there @ 1..) if is_late => {
                tell(&format!("warning: {there} of {wanted} executors are there; see {}", log_dir.display()));
                tell(&format!("cluster at {at}"));
            }
            _ if is_late => {
                let what = if there.is_some() { "no executor comes" } else { "the scheduler does not answer" };
                let logs = log_dir.display();
                return Err(EngineError::Setting(format!(
                    "the cluster cannot be started: {what}; see the logs in {logs}"
                )));
            }
            _ => return Ok(()),
        }
        self.start = None;
        Ok(())
    }

    /// Ends executors, then the scheduler, which they tell about their last tasks.
    async fn end(mut self, again: impl AsyncFn()) {
        self.executors.iter_mut().for_each(Kept::stop);
        let patience = async {
            tokio::select! {
                () = sleep(self.options.stop_within) => {}
                () = again() => {}
            }
        };
        tokio::pin!(patience);
        while !self.executors.iter_mut().all(Kept::has_ended) {
            tokio::select! {
                () = sleep(TICK) => {}
                () = &mut patience => {
                    (self.options.tell)("executors did not end in time: they are killed");
                    break;
                }
            }
        }
        self.executors.clear(); // which kills
        self.scheduler.stop();
        let begun = Instant::now();
        while !self.scheduler.has_ended() && begun.elapsed() < SCHEDULER_ENDS_WITHIN {
            sleep(TICK).await;
        }
        drop(self.scheduler);
        if let Err(error) = remove(&self.options.work_dir) {
            tracing::warn!(%error, folder = %self.options.work_dir.display(), "it stays");
        }
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
}
