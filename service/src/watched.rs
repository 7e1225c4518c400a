//! What can be looked at: the runs of a service, or the jobs of a folder of event logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use paceline_engine::Settings;
use paceline_engine::cluster::Member;
use paceline_engine::io::stores::Stores;
use paceline_engine::job::{Job, JobId};
use paceline_engine::observe::event_log::{LogFolder, Summary, summary};
use paceline_engine::observe::executors::OnExecutor;
use paceline_engine::observe::progress::Progress;
use paceline_engine::observe::stages::Stage;
use paceline_engine::observe::{dead_letters, masked};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use crate::ServiceError;
use crate::clock;
use crate::run::{Kind, Run, State};
use crate::service::JobService;

/// Where jobs are looked at.
#[derive(Clone)]
pub enum Jobs {
    /// A service.
    Live(JobService),
    /// Event logs that were written somewhere.
    History(Arc<LogFolder>),
}

/// A job in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct JobView {
    /// The run's id.
    pub id: String,
    /// Its place in lists.
    #[serde(skip)]
    pub number: u64,
    /// The id of its last attempt.
    pub attempt: String,
    /// The job that it is a run of.
    pub job_name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Whose dead letters it sends again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_of: Option<String>,
    /// How far it is, by Glue's names.
    pub state: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<String>,
    /// When its statements began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Records whose fate is decided.
    pub records: u64,
    /// How many there will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Rows given up.
    pub failed: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests in the last second.
    pub requests_per_s: u64,
}

/// All of one job.
#[derive(Clone, Debug, Serialize)]
pub struct JobDetail {
    /// As in lists.
    #[serde(flatten)]
    pub view: JobView,
    /// Its statements.
    pub sql: String,
    /// Its settings, without what might be a secret.
    pub conf: BTreeMap<String, String>,
    /// Its variables, without what might be a secret.
    pub variables: BTreeMap<String, String>,
    /// Its attempts.
    pub attempts: Vec<AttemptView>,
    /// What was said of how it is to be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The statement that is carried out, from 1, and how many there are.
    pub statement: u64,
    /// How many there are.
    pub statements: u64,
    /// How far it is.
    pub progress: Progress,
    /// What each executor has of it, or had in the end.
    pub executors: Vec<OnExecutor>,
    /// Its report, when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Value>,
    /// DPU-hours, when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpu_hours: Option<f64>,
}

/// How a run is to be run.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    max_concurrent_runs: u32,
    queue: bool,
    max_retries: u32,
    retries_left: u32,
    timeout_s: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_delay_after_s: Option<u64>,
}

/// An attempt.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptView {
    id: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The events of a job: those so far, and those to come where it still runs.
pub struct Events {
    /// Lines of its event log.
    pub lines: Vec<Arc<str>>,
    /// More of them.
    pub more: Option<broadcast::Receiver<Arc<str>>>,
}

impl Jobs {
    /// All jobs, the newest first.
    ///
    /// # Errors
    /// The event logs cannot be read.
    pub async fn list(&self) -> Result<Vec<JobView>, ServiceError> {
        match self {
            Jobs::Live(service) => Ok(service.runs().iter().rev().map(|run| view(run, service)).collect()),
            Jobs::History(folder) => {
                let jobs = folder.jobs().await.map_err(internal)?;
                let mut views = Vec::new();
                for (at, job) in jobs.iter().enumerate() {
                    if let Some(lines) = folder.lines(job).await.map_err(internal)? {
                        let number = (jobs.len() - at) as u64;
                        views.push(JobView { number, ..of_log(job, &summed(&lines)) });
                    }
                }
                Ok(views)
            }
        }
    }

    /// One job.
    ///
    /// # Errors
    /// There is none, or its event log cannot be read.
    pub async fn get(&self, id: &str) -> Result<JobDetail, ServiceError> {
        let sum = summed(&self.events(id).await?.lines);
        Ok(match self {
            Jobs::Live(service) => {
                let run = service.get(id)?;
                detail(&run, service, sum)
            }
            Jobs::History(_) => JobDetail {
                view: of_log(id, &sum),
                sql: sum.started.sql,
                conf: sum.started.conf,
                variables: sum.started.variables,
                attempts: Vec::new(),
                policy: None,
                statement: sum.statement,
                statements: sum.statements,
                progress: sum.progress,
                executors: sum.executors,
                report: sum.report,
                dpu_hours: sum.dpu_hours,
            },
        })
    }

    /// Shows the jobs that run on the cluster who is there.
    pub fn see(&self, members: &[Member]) {
        if let Jobs::Live(service) = self
            && service.0.settings.cluster.is_some()
        {
            service.live().values().for_each(|live| live.recorder.see(members));
        }
    }

    /// The stages of a job's plan that runs, or ran last.
    ///
    /// # Errors
    /// As [`Jobs::get`].
    pub async fn stages(&self, id: &str) -> Result<Vec<Stage>, ServiceError> {
        if let Jobs::Live(service) = self {
            let run = service.get(id)?;
            if let Some(recorder) = service.recorder(&run.id) {
                return Ok(recorder.latest().1);
            }
        }
        Ok(summed(&self.events(id).await?.lines).stages)
    }

    /// The events of a job.
    ///
    /// # Errors
    /// There is none, or its event log cannot be read.
    pub async fn events(&self, id: &str) -> Result<Events, ServiceError> {
        let ended = |lines| Events { lines, more: None };
        match self {
            Jobs::Live(service) => {
                let run = service.get(id)?;
                if let Some(recorder) = service.recorder(&run.id) {
                    let (lines, more) = recorder.follow();
                    return Ok(Events { lines, more: Some(more) });
                }
                let settings = &service.0.settings;
                let folder = settings.event_log_dir.clone().unwrap_or_default();
                let folder = LogFolder::new(&folder, &stores(settings)).map_err(internal)?;
                Ok(ended(folder.lines(&run.id).await.map_err(internal)?.unwrap_or_default()))
            }
            Jobs::History(folder) => {
                let lines = folder.lines(id).await.map_err(internal)?;
                lines.map(ended).ok_or_else(|| ServiceError::NotFound(id.to_owned()))
            }
        }
    }

    /// Dead letters of a job: after the first `skip`, at most `most`.
    ///
    /// # Errors
    /// There is no such job, or they cannot be read.
    pub async fn dead_letters(&self, id: &str, skip: usize, most: usize) -> Result<Vec<Value>, ServiceError> {
        match self {
            Jobs::Live(service) => {
                let run = service.get(id)?;
                let settings = service.settings_of(&run.submission)?;
                let of = match &run.kind {
                    Kind::Redrive { redrive_of } => redrive_of,
                    Kind::Submitted => &run.id,
                };
                let job = JobId::parse(of).map_err(internal)?;
                let outputs = Job::outputs(&job, &settings).map_err(internal)?;
                dead_letters(&stores(&settings), &outputs, of, skip, most).await.map_err(internal)
            }
            // Where the outputs were reached is not known here: what was kept of them is shown.
            Jobs::History(_) => {
                let lines = self.events(id).await?.lines;
                let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                let letters = events.filter(|event| event["event"] == "dead_letters");
                let letters = letters.flat_map(|event| event["letters"].as_array().cloned().unwrap_or_default());
                Ok(letters.skip(skip).take(most).collect())
            }
        }
    }
}

fn stores(settings: &Settings) -> Stores {
    Stores::new(settings.s3.clone(), Handle::current())
}

fn internal(error: paceline_engine::EngineError) -> ServiceError {
    ServiceError::Internal(error.to_string())
}

fn summed(lines: &[Arc<str>]) -> Summary {
    summary(lines.iter().map(AsRef::as_ref))
}

/// A run as it is in lists.
pub fn view(run: &Run, service: &JobService) -> JobView {
    let live = service.recorder(&run.id).map(|recorder| recorder.latest().0).unwrap_or_default();
    let reported = |name: &str| run.report.as_ref().and_then(|report| report.get(name)?.as_u64()).unwrap_or(0);
    let is_live = live != Progress::default();
    let written = reported("records_written") + reported("records_failed");
    let redrive_of = match &run.kind {
        Kind::Redrive { redrive_of } => Some(redrive_of.clone()),
        Kind::Submitted => None,
    };
    JobView {
        id: run.id.clone(),
        number: run.number,
        attempt: run.attempt_id().to_owned(),
        job_name: run.submission.job_name.clone(),
        run_name: run.submission.run_name.clone(),
        redrive_of,
        state: run.state.name().to_owned(),
        error: run.error().map(str::to_owned),
        submitted_at: Some(clock::text(run.submitted_ms)),
        started_at: run.started_ms().map(clock::text),
        ended_at: run.ended_ms().map(clock::text),
        records: if is_live { live.records } else { written },
        expected: if is_live { live.expected } else { run.report.is_some().then_some(written) },
        failed: if is_live { live.failed } else { reported("records_failed") },
        requests: if is_live { live.requests } else { reported("requests") },
        requests_per_s: if run.state.is_active() { live.requests_per_s } else { 0 },
    }
}

fn detail(run: &Run, service: &JobService, sum: Summary) -> JobDetail {
    let submission = &run.submission;
    let attempts = run.attempts.iter().map(|attempt| AttemptView {
        id: attempt.id.clone(),
        state: attempt.state,
        started_at: attempt.started_ms.map(clock::text),
        ended_at: attempt.ended_ms.map(clock::text),
        error: attempt.error.clone(),
    });
    let recorder = service.recorder(&run.id);
    let progress = recorder.as_ref().map(|recorder| recorder.latest().0);
    let executors = recorder.map(|recorder| recorder.executors());
    JobDetail {
        view: view(run, service),
        sql: submission.sql.clone(),
        conf: masked(&submission.conf),
        variables: masked(&submission.variables),
        attempts: attempts.collect(),
        policy: Some(Policy {
            max_concurrent_runs: submission.max_concurrent_runs,
            queue: submission.queue,
            max_retries: submission.max_retries,
            retries_left: run.retries_left,
            timeout_s: submission.timeout_s,
            notify_delay_after_s: submission.notify_delay_after_s,
        }),
        statement: sum.statement,
        statements: sum.statements,
        progress: progress.filter(|progress| *progress != Progress::default()).unwrap_or(sum.progress),
        executors: executors.filter(|executors| !executors.is_empty()).unwrap_or(sum.executors),
        report: run.report.clone(),
        dpu_hours: sum.dpu_hours,
    }
}

fn of_log(job: &str, sum: &Summary) -> JobView {
    JobView {
        id: job.to_owned(),
        number: 0,
        attempt: sum.started.attempt.clone().unwrap_or_else(|| job.to_owned()),
        job_name: sum.started.name.clone().unwrap_or_else(|| job.to_owned()),
        run_name: None,
        redrive_of: None,
        state: sum.state.clone(),
        error: sum.error.clone(),
        submitted_at: None,
        started_at: sum.started_at.clone(),
        ended_at: sum.ended_at.clone(),
        records: sum.progress.records,
        expected: sum.progress.expected,
        failed: sum.progress.failed,
        requests: sum.progress.requests,
        requests_per_s: if sum.ended_at.is_some() { 0 } else { sum.progress.requests_per_s },
    }
}
