//! The demo: the statements of the README over a real S3 and a real API, checked row by row.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use tempfile::TempDir;

use super::api::{MockApi, MockApiOptions};
use super::arrivals::Stats;
use super::data::generate;
use super::records::RecordOptions;
use super::s3::DemoS3;
use super::verify::{Verified, verify};
use crate::job::{self, Job, JobId};
use crate::observe::report::Report;
use crate::{EngineError, Session, Settings};

/// How large the demo is.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Records, one request each.
    pub records: u64,
    /// Requests per second.
    pub rate: NonZeroU32,
    /// Of the API.
    pub latency: Duration,
    /// Of 100 requests this many fail.
    pub fail_percent: u8,
}

/// What came of it.
#[derive(Debug)]
pub struct DemoResult {
    /// What the job says.
    pub report: Report,
    /// What the API saw.
    pub received: Stats,
    /// What the output holds.
    pub verified: Verified,
}

const BUCKET_IN: &str = "in-bucket";
const BUCKET_OUT: &str = "out-bucket";

/// Everything that the job needs, ready to run.
#[derive(Debug)]
pub struct Demo {
    session: Session,
    job: Job,
    api: MockApi,
    _s3: DemoS3,
    _folder: TempDir,
}

impl Demo {
    /// Makes the records and starts S3 and API.
    ///
    /// # Errors
    /// A part cannot be started.
    pub async fn prepare(options: DemoOptions) -> Result<Self, EngineError> {
        let folder = tempfile::tempdir().map_err(cannot("there is no place for temporary files"))?;
        let s3 = DemoS3::start(folder.path()).await.map_err(cannot("the demo S3 does not start"))?;
        for bucket in [BUCKET_IN, BUCKET_OUT] {
            s3.create_bucket(bucket).map_err(cannot("a demo bucket cannot be made"))?;
        }
        let behaviour = MockApiOptions {
            latency: options.latency,
            fail_percent: options.fail_percent,
            reset_percent: 0,
            limit: None,
        };
        let api =
            MockApi::start(([127, 0, 0, 1], 0).into(), behaviour).map_err(cannot("the demo API does not start"))?;

        let session = Session::new(Settings { s3: s3.settings(), ..Settings::default() })?;
        let records = RecordOptions { records: options.records, seed: 1, ..RecordOptions::default() };
        generate(session.stores(), &format!("s3://{BUCKET_IN}/records.csv"), records).await?;
        let script = script(&api.url(), options.rate);
        let job = Job::new(&JobId::generate(), &script, BTreeMap::new());
        Ok(Demo { session, job, api, _s3: s3, _folder: folder })
    }

    /// For its progress.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The statements.
    pub fn script(&self) -> &str {
        self.job.script()
    }

    /// Reads what is at the destination now.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn verify(&self) -> Result<Verified, EngineError> {
        let (input, output) = (format!("s3://{BUCKET_IN}/records.csv"), format!("s3://{BUCKET_OUT}/enriched"));
        verify(&self.session, &input, &output, &["id".to_owned(), "email".to_owned()]).await
    }

    /// Runs the job and checks its output.
    ///
    /// # Errors
    /// The job fails, or its output cannot be read.
    pub async fn run(&self) -> Result<DemoResult, EngineError> {
        let (report, result) = job::run(&self.session, self.job.clone(), |_| {}).await;
        result?;
        Ok(DemoResult { report, received: self.api.stats(), verified: self.verify().await? })
    }
}

fn cannot<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> EngineError {
    move |error| EngineError::Setting(format!("{what}: {error}"))
}

fn script(endpoint: &str, rate: NonZeroU32) -> String {
    format!(
        "CREATE OR REPLACE TEMPORARY VIEW records
USING csv OPTIONS (path 's3://{BUCKET_IN}/records.csv', header 'true', inferSchema 'true');

CREATE OR REPLACE TEMPORARY FUNCTION enrich(id BIGINT, email STRING)
RETURNS STRUCT<status: STRING, score: DOUBLE>
USING API OPTIONS (
  endpoint '{endpoint}',
  rate_limit_calls '{rate}', rate_limit_period '1 second'
);

INSERT OVERWRITE DIRECTORY 's3://{BUCKET_OUT}/enriched' USING parquet
SELECT *, enrich(id, email) AS answer FROM records;
"
    )
}
