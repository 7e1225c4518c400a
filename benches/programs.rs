//! The programs that are measured, each in a process of its own: the API, and the job as a user runs it.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The binary: what `PACELINE` names, or what stands beside this bench.
///
/// # Errors
/// There is none.
pub fn paceline() -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("paceline"));
    let path = std::env::var_os("PACELINE").map(PathBuf::from).or_else(beside).unwrap_or_default();
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("there is no binary at '{}': build it, or name it with PACELINE", path.display()).into())
}

/// `paceline mock-api` in a process of its own, which ends with this.
#[derive(Debug)]
pub struct Api {
    child: Child,
    url: String,
}

/// What arrived at it.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Requests.
    pub requests: f64,
    /// Requests per second from the first to the last.
    pub requests_per_s: f64,
    /// Most in any sliding second.
    pub worst_period: f64,
    /// Those whose idempotency key had arrived before.
    pub repeated_keys: f64,
}

impl Api {
    /// Starts it at a free port.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(latency: Duration) -> Result<Self> {
        Self::start_with(latency, &[])
    }

    /// Starts it with further flags.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(latency: Duration, flags: &[&str]) -> Result<Self> {
        let latency = latency.as_millis().to_string();
        let mut child = Command::new(paceline()?)
            .args(["mock-api", "--port", "0", "--latency-ms", &latency])
            .args(flags)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        BufReader::new(child.stderr.take().ok_or("no standard error")?).read_line(&mut said)?;
        let url = said.split([' ', ';']).find(|word| word.starts_with("http://")).map(str::to_owned);
        match url {
            Some(url) => Ok(Api { child, url }),
            None => {
                child.kill().ok();
                Err(format!("the API does not start: {said}").into())
            }
        }
    }

    /// Where records are sent.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests arrived since [`Api::received`] was last asked.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn requests(&self) -> Result<f64> {
        self.stats().await?["requests"].as_f64().ok_or_else(|| "the API counts no requests".into())
    }

    async fn stats(&self) -> Result<Value> {
        let text = reqwest::get(self.url.replace("/process", "/stats")).await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// What arrived since it was last asked.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn received(&self) -> Result<Received> {
        let stats = self.stats().await?;
        let reset = self.url.replace("/process", "/reset");
        reqwest::Client::new().post(reset).send().await?.error_for_status()?;
        let number = |key: &str| stats[key].as_f64().ok_or_else(|| format!("no {key} in {stats}"));
        Ok(Received {
            requests: number("requests")?,
            requests_per_s: number("requests_per_s")?,
            worst_period: number("worst_period")?,
            repeated_keys: number("repeated_keys")?,
        })
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A folder with records, where a job runs.
#[derive(Debug)]
pub struct Workplace {
    folder: TempDir,
    records: usize,
}

/// How the job gets to know the columns of the records.
#[derive(Clone, Copy, Debug)]
pub enum Columns {
    /// The view says them.
    Declared,
    /// They are taken from the file, as `data verify` does it; only then are types, and with them rows, the same.
    Inferred,
}

/// A job that has ended well.
#[derive(Debug)]
pub struct Ran {
    /// From the start of the process to its end, which comes after `_SUCCESS`.
    pub elapsed: Duration,
    /// Its report.
    pub report: Value,
}

impl Ran {
    /// A number of the report.
    pub fn figure(&self, key: &str) -> f64 {
        self.report[key].as_f64().unwrap_or(f64::NAN)
    }
}

impl Workplace {
    /// A folder with a CSV file of `records`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn with(records: usize) -> Result<Self> {
        let workplace = Workplace { folder: tempfile::tempdir()?, records };
        let input = workplace.input().display().to_string();
        let arguments = ["data", "generate", "--records", &records.to_string(), "--out", &input].map(str::to_owned);
        workplace.succeed(&arguments)?;
        Ok(workplace)
    }

    /// The records.
    pub fn input(&self) -> PathBuf {
        self.path().join("records.csv")
    }

    /// Where jobs write to.
    pub fn output(&self) -> PathBuf {
        self.path().join("enriched")
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the job of the README, over local files, and returns what runs it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn job(&self, columns: Columns, endpoint: &str, options: &str) -> Result<Command> {
        self.job_with(columns, "id", "", endpoint, options)
    }

    /// The same, where `id` is sent in its place, and `said` stands behind the type of the answer.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn job_with(&self, columns: Columns, id: &str, said: &str, endpoint: &str, options: &str) -> Result<Command> {
        let (input, output) = (self.input(), self.output());
        let (declared, infer) = match columns {
            Columns::Declared => {
                ("(id BIGINT, name STRING, email STRING, country STRING, amount DOUBLE, created_at TIMESTAMP)", "false")
            }
            Columns::Inferred => ("", "true"),
        };
        let email = if id == "id" { "email" } else { "'same@example.com'" };
        let script = format!(
            "CREATE TEMPORARY VIEW records {declared}
             USING csv OPTIONS (path '{}', header 'true', inferSchema '{infer}');
             CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
             {said} USING API OPTIONS (endpoint '{endpoint}', {options});
             INSERT OVERWRITE DIRECTORY '{}' USING parquet SELECT *, enrich({id}, {email}) AS answer FROM records;",
            input.display(),
            output.display()
        );
        std::fs::write(self.path().join("job.sql"), script)?;
        let mut command = Command::new(paceline()?);
        command.args(["run", "job.sql", "--report", "report.json"]).current_dir(self.path());
        command.stdin(Stdio::null()).stderr(Stdio::null()).env("XDG_STATE_HOME", self.path());
        Ok(command)
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    /// It fails, gives rows up, or leaves no `_SUCCESS`.
    pub fn run(&self, columns: Columns, endpoint: &str, options: &str) -> Result<Ran> {
        self.finish(self.job(columns, endpoint, options)?)
    }

    /// Runs what [`Workplace::job`] gave to its end.
    ///
    /// # Errors
    /// As [`Workplace::run`].
    pub fn finish(&self, mut job: Command) -> Result<Ran> {
        let start = Instant::now();
        let status = job.status()?;
        let elapsed = start.elapsed();
        let report: Value = serde_json::from_slice(&std::fs::read(self.path().join("report.json"))?)?;
        let complete = report["records_written"] == self.records && self.output().join("_SUCCESS").is_file();
        if !status.success() || !complete {
            return Err(format!("the job failed: {report}").into());
        }
        Ok(Ran { elapsed, report })
    }

    /// Checks that every record is in the output once, with its answer.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self) -> Result<()> {
        let paths = [self.input(), self.output()].map(|path| path.display().to_string());
        let [input, output] = paths;
        self.succeed(&["data", "verify", &input, &output, "--arguments", "id,email"].map(str::to_owned))
    }

    fn succeed(&self, arguments: &[String]) -> Result<()> {
        let output = Command::new(paceline()?).args(arguments).stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("paceline {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
