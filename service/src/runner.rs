//! Runs one attempt of a run, from waiting for executors to its end.

use std::sync::Arc;
use std::time::Duration;

use paceline_engine::cluster::Cluster;
use paceline_engine::job::{Job, JobId, Redrive, redrive};
use paceline_engine::observe::event_log::Event;
use paceline_engine::observe::recorder::{self, Recorder};
use paceline_engine::observe::report::Report;
use paceline_engine::{EngineError, Session, Settings};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::run::{Kind, Run};
use crate::service::Asks;

/// How often it is looked whether executors are there.
const LOOK: Duration = Duration::from_millis(250);
/// How long what was staged may take to be removed.
const CLEAN_UP_WITHIN: Duration = Duration::from_secs(120);

/// Why a run is to end before its time.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Somebody cancelled it.
    pub cancelled: CancellationToken,
    /// The service ends; the run goes on when it is there again.
    pub interrupted: CancellationToken,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is done.
    Succeeded(Option<Box<Report>>),
    /// A statement failed.
    Failed(Option<Box<Report>>, String),
    /// It was cancelled.
    Stopped,
    /// It ran for too long.
    Timeout,
    /// It could not be run.
    Error(String),
    /// The service ends.
    Interrupted,
}

/// What an attempt is run with.
pub struct Attempt {
    /// The run.
    pub run: Arc<Run>,
    /// Settings of the service and of the submission.
    pub settings: Settings,
    /// Where its events go.
    pub recorder: Arc<Recorder>,
    /// When it is to end early.
    pub stop: Stop,
    /// The cluster that its plans run on.
    pub cluster: Option<Cluster>,
    /// What runs while it does, in data processing units.
    pub dpus: f64,
    /// Who is told how far it is.
    pub asks: Asks,
}

impl Attempt {
    /// Runs it.
    pub async fn run(self) -> Outcome {
        let limits = Limits::new(&self.run, clock::now_ms());
        tokio::select! {
            biased;
            () = self.stop.interrupted.cancelled() => return Outcome::Interrupted,
            () = self.stop.cancelled.cancelled() => return Outcome::Stopped,
            () = self.executors() => {}
        }
        match self.prepared().await {
            Ok(Some((session, work))) => self.carry_out(session, work, limits).await,
            Ok(None) => Outcome::Succeeded(None),
            Err(error) => Outcome::Error(error.to_string()),
        }
    }

    /// Waits until there is an executor: the scheduler may have been started a moment ago.
    async fn executors(&self) {
        let Some(cluster) = &self.cluster else { return };
        let mut told = false;
        loop {
            match cluster.describe().await {
                Ok(seen) if !seen.executors.is_empty() => return self.recorder.see(&seen.executors),
                seen => tracing::debug!(?seen, "there is no executor yet"),
            }
            if !std::mem::replace(&mut told, true) {
                self.recorder.tell(&Event::Log { level: "info", text: "waiting for an executor".to_owned() });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What is to be done; `None` where it is done: the service ended before it could say so.
    async fn prepared(&self) -> Result<Option<(Session, Work)>, EngineError> {
        let mut settings = self.settings.clone();
        let submission = &self.run.submission;
        let mut started;
        let (session, work) = match &self.run.kind {
            Kind::Submitted => {
                let id = JobId::parse(&self.run.id)?;
                if Job::is_finished(&id, &settings)? {
                    self.asks.began(&self.run.id).await;
                    return Ok(None);
                }
                let job = Job::begin(&id, &submission.sql, submission.variables.clone(), &mut settings)?;
                started = recorder::started(&job, &settings);
                (Session::new(settings)?, Work::Job(Box::new(job)))
            }
            Kind::Redrive { redrive_of } => {
                let (job, settings) = Redrive::of(&JobId::parse(redrive_of)?, settings)?;
                started = recorder::started(job.job(), &settings);
                (Session::new(settings)?, Work::Redrive(Box::new(job)))
            }
        };
        started.job.clone_from(&self.run.id);
        started.attempt = Some(self.run.attempt_id().to_owned());
        started.name = Some(submission.job_name.clone());
        started.dpus = self.dpus;
        self.recorder.tell(&Event::JobStarted(Box::new(started)));
        self.asks.began(&self.run.id).await;
        Ok(Some((session, work)))
    }

    async fn carry_out(&self, session: Session, work: Work, limits: Limits) -> Outcome {
        let work = async {
            match work {
                Work::Job(job) => recorder::run(&session, *job, &self.recorder, |_| {}).await,
                Work::Redrive(job) => {
                    let work = redrive(&session, &job);
                    recorder::watched(&session, &self.recorder, work).await
                }
            }
        };
        let late = async {
            match limits.late_after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
            self.asks.late(&self.run.id).await;
            std::future::pending::<()>().await;
        };
        let stopped = tokio::select! {
            (report, result) = work => {
                let report = Some(Box::new(report));
                return match result {
                    Ok(()) => Outcome::Succeeded(report),
                    Err(error) => Outcome::Failed(report, error.to_string()),
                };
            }
            () = self.stop.interrupted.cancelled() => Outcome::Interrupted,
            () = self.stop.cancelled.cancelled() => Outcome::Stopped,
            () = tokio::time::sleep(limits.timeout) => Outcome::Timeout,
            () = late => Outcome::Timeout, // never: it only tells
        };
        let said = match tokio::time::timeout(CLEAN_UP_WITHIN, session.clean_up()).await {
            Ok(Ok(false)) => "nothing of the statement that was running is visible at its destination".to_owned(),
            Ok(Ok(true)) => "the statement that was running had begun to commit: its output is complete".to_owned(),
            Ok(Err(error)) => format!("what was staged could not be removed: {error}"),
            Err(_) => "what was staged could not be removed in time".to_owned(),
        };
        self.recorder.tell(&Event::Log { level: "info", text: said });
        stopped
    }
}

enum Work {
    Job(Box<Job>),
    Redrive(Box<Redrive>),
}

/// How long an attempt may still take. What it took before the service was started again counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    timeout: Duration,
    late_after: Option<Duration>,
}

impl Limits {
    fn new(run: &Run, now_ms: u64) -> Self {
        let started = run.attempt().and_then(|attempt| attempt.started_ms);
        let taken = Duration::from_millis(started.map_or(0, |started| now_ms.saturating_sub(started)));
        let left = |seconds: u64| Duration::from_secs(seconds).saturating_sub(taken);
        let late_after = run.submission.notify_delay_after_s.filter(|_| !run.late).map(left);
        Limits { timeout: left(run.submission.timeout_s), late_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::State;

    #[test]
    fn what_an_attempt_took_before_counts() {
        let json = r#"{"sql":"SELECT 1","timeout_s":60,"notify_delay_after_s":10}"#;
        let run = Run::new(1, Kind::Submitted, serde_json::from_str(json).unwrap(), 0);
        let seconds = Duration::from_secs;
        let limits = |timeout, late| Limits { timeout: seconds(timeout), late_after: Some(seconds(late)) };
        assert_eq!(Limits::new(&run, 1_000_000), limits(60, 10));
        let run = run.in_state(State::Starting, None, 0).unwrap().in_state(State::Running, None, 5_000).unwrap();
        assert_eq!(Limits::new(&run, 9_000), limits(56, 6));
        assert_eq!(Limits::new(&run, 99_000), limits(0, 0));
        let told = Run { late: true, ..run };
        assert_eq!(Limits::new(&told, 9_000).late_after, None);
    }
}
