//! A stage for scenarios: a real S3 and a real API in this process, and a session that reaches them.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its stage stops")]

use std::time::Duration;

use paceline_engine::demo::{DemoS3, Faults, MockApi, MockApiOptions};
use paceline_engine::io::stores::Stores;
use paceline_engine::job::{self, Job, JobId};
use paceline_engine::observe::report::Report;
use paceline_engine::{EngineError, Outcome, Session, Settings};
use tempfile::TempDir;

/// S3 with the buckets `in-bucket` and `out-bucket`, an API, and a session.
#[derive(Debug)]
pub struct Stage {
    /// The API.
    pub api: MockApi,
    /// The session.
    pub session: Session,
    /// For looking at the buckets.
    pub stores: Stores,
    /// A folder for local files; the S3 lives elsewhere.
    pub folder: TempDir,
    _s3: DemoS3,
    _buckets: TempDir,
}

/// An API that answers at once and never fails.
pub const QUICK: MockApiOptions =
    MockApiOptions { latency: Duration::ZERO, fail_percent: 0, reset_percent: 0, limit: None };

impl Stage {
    /// Sets the stage.
    pub async fn set(api: MockApiOptions) -> Stage {
        Self::set_faulty(api, Faults::default()).await
    }

    /// Sets the stage with an S3 that fails at times.
    pub async fn set_faulty(api: MockApiOptions, faults: Faults) -> Stage {
        let buckets = tempfile::tempdir().unwrap();
        let s3 = DemoS3::start_faulty(buckets.path(), faults).await.unwrap();
        s3.create_bucket("in-bucket").unwrap();
        s3.create_bucket("out-bucket").unwrap();
        let settings = Settings { s3: s3.settings(), ..Settings::default() };
        Stage {
            api: MockApi::start(([127, 0, 0, 1], 0).into(), api).unwrap(),
            session: Session::new(settings).unwrap(),
            stores: Stores::new(s3.settings(), tokio::runtime::Handle::current()),
            folder: tempfile::tempdir().unwrap(),
            _s3: s3,
            _buckets: buckets,
        }
    }

    /// Runs a script; `{api}` and `{folder}` in it stand for the API's URL and the local folder.
    pub async fn run(&self, script: &str) -> (Report, Result<Vec<Outcome>, EngineError>) {
        self.run_as(JobId::generate(), script).await
    }

    /// Runs a script under a job id.
    pub async fn run_as(&self, id: JobId, script: &str) -> (Report, Result<Vec<Outcome>, EngineError>) {
        let folder = self.folder.path().to_str().unwrap();
        let script = script.replace("{api}", &self.api.url()).replace("{folder}", folder);
        let job = Job::new(&id, &script, Default::default());
        let mut shown = Vec::new();
        let (report, result) = job::run(&self.session, job, |outcome| shown.push(outcome.clone())).await;
        (report, result.map(|()| shown))
    }

    /// Writes a local file and returns its path.
    pub fn file(&self, name: &str, bytes: &(impl AsRef<[u8]> + ?Sized)) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
