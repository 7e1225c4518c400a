//! The binary as a user runs it: exit codes, reports, signals, and a death in the middle.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "cli/cluster.rs"]
mod cluster;
#[path = "cli/jobs.rs"]
mod jobs;
#[path = "cli/local_cluster.rs"]
mod local_cluster;
#[path = "cli/redrive.rs"]
mod redrive;
#[path = "cli/resume.rs"]
mod resume;
#[path = "cli/tpch.rs"]
mod tpch;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use paceline_engine::demo::{MockApi, MockApiOptions};
use serde_json::Value;
use tempfile::TempDir;

/// An API, a folder with 1,000 records, and a job that writes to `out` in it.
struct Setting {
    api: MockApi,
    folder: TempDir,
}

impl Setting {
    fn new(rate_limit_calls: &str) -> Self {
        Self::failing(0, rate_limit_calls)
    }

    /// With an API that fails at so many of a hundred calls.
    fn failing(fail_percent: u8, rate_limit_calls: &str) -> Self {
        let options = MockApiOptions { latency: Duration::from_millis(1), fail_percent, reset_percent: 0, limit: None };
        let setting = Setting {
            api: MockApi::start(([127, 0, 0, 1], 0).into(), options).unwrap(),
            folder: TempDir::new().unwrap(),
        };
        let ids: String = (1..=1000).map(|id| format!("{id}\n")).collect();
        std::fs::write(setting.path("in.csv"), format!("id\n{ids}")).unwrap();
        setting.write_job(rate_limit_calls);
        setting
    }

    fn write_job(&self, rate_limit_calls: &str) {
        self.write_job_with(&format!("rate_limit_calls '{rate_limit_calls}', rate_limit_period '1 hour'"));
    }

    fn write_job_with(&self, options: &str) {
        let job = format!(
            "CREATE TEMPORARY VIEW records USING csv OPTIONS (path '${{in}}', header 'true', inferSchema 'true');
             CREATE TEMPORARY FUNCTION enrich(id BIGINT) RETURNS STRUCT<status: STRING, score: DOUBLE>
               USING API OPTIONS (endpoint '{}', {options});
             INSERT OVERWRITE DIRECTORY '{}' USING parquet SELECT *, enrich(id) AS answer FROM records;",
            self.api.url(),
            self.path("out")
        );
        std::fs::write(self.path("job.sql"), job).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn paceline(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paceline"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("PACELINE_LOG");
        command.env("XDG_STATE_HOME", self.path("state"));
        command
    }

    fn run(&self) -> Command {
        let input = format!("in={}", self.path("in.csv"));
        self.paceline(&["run", "job.sql", "--var", &input, "--job-id", "nightly", "--report", "report.json"])
    }

    /// Starts the job and returns once the API has been called.
    fn start(&self) -> Child {
        let mut child = self.run().stderr(Stdio::piped()).spawn().unwrap();
        let begin = Instant::now();
        while self.api.stats().requests == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the job ended before its first call");
            assert!(begin.elapsed() < Duration::from_secs(60), "the job makes no call");
            std::thread::yield_now();
        }
        child
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    fn verify(&self) {
        let verify = ["data", "verify", &self.path("in.csv"), &self.path("out")];
        let verified = self.paceline(&verify).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    }

    fn is_complete(&self) -> bool {
        Path::new(&self.path("out/_SUCCESS")).exists()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_complete_job_exits_with_0_and_reports() {
    let setting = Setting::new("unlimited");
    let output = setting.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = setting.report();
    assert_eq!((&report["state"], &report["records_written"]), (&"SUCCEEDED".into(), &1000.into()));
    setting.verify();
}

#[test]
fn a_failed_job_says_why_and_reports() {
    let setting = Setting::new("unlimited");
    std::fs::remove_file(setting.path("in.csv")).unwrap();
    let output = setting.run().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: statement 1 (line 1): there is no file at 'file://{}'", setting.path("in.csv"));
    assert!(said(&output).contains(&expected), "{}", said(&output));
    let report = setting.report();
    assert_eq!(report["state"], "FAILED");
}

#[test]
fn a_signal_stops_the_job_and_nothing_is_left() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let setting = Setting::new("1");
        let child = setting.start();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains("nothing of the statement that was running is visible"), "{}", said(&output));
        assert!(!setting.is_complete());
    }
}

#[test]
fn a_job_that_was_killed_is_run_again_under_its_id() {
    let setting = Setting::new("1");
    let mut child = setting.start();
    signal(&child, "-KILL");
    assert!(!child.wait().unwrap().success());
    assert!(!setting.is_complete());

    setting.write_job("unlimited");
    let output = setting.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let own = std::fs::read_dir(setting.path("out/_paceline")).unwrap();
    let left: Vec<_> = own.map(|entry| entry.unwrap().file_name()).collect();
    assert!(setting.is_complete() && left == ["commit.json"], "{left:?}");
    setting.verify();
}

#[test]
fn a_dry_run_counts_and_sends_nothing() {
    let setting = Setting::new("500");
    let output = setting.run().arg("--dry-run").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("enrich: ~1000 requests for ~1000 rows, quota enrich (500 calls per 1h)"), "{shown}");
    assert!(shown.contains("minimum time: ~2 h"), "{shown}");
    let report: Value = serde_json::from_slice(&std::fs::read(setting.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["statements"][0]["calls"][0]["requests"]["number"], 1000);
    assert_eq!((setting.api.stats().requests, Path::new(&setting.path("out")).exists()), (0, false));
}

#[test]
fn options_of_functions_have_defaults_in_settings() {
    let setting = Setting::new("500");
    let run = |conf: &[&str]| {
        let conf = conf.iter().flat_map(|conf| ["--conf", conf]);
        setting.run().arg("--dry-run").args(conf).output().unwrap()
    };
    let output = run(&["paceline.api.enrich.format=array", "paceline.api.default.batch_size=10"]);
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(shown.contains("enrich: ~100 requests for ~1000 rows"), "{shown}{}", said(&output));
    let output = run(&["paceline.api.enrich.rate_limit_calls=1"]);
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(shown.contains("(500 calls per 1h)"), "{shown}{}", said(&output));
    let output = run(&["paceline.api.enrich.retries=1"]);
    assert!(said(&output).contains("there is no option 'retries' of an API function"), "{}", said(&output));
}

#[test]
fn a_low_limit_of_open_files_makes_the_window_smaller_and_says_so() {
    let setting = Setting::new("unlimited");
    let job = setting.run();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 260 && exec \"$0\" \"$@\""]).arg(job.get_program()).args(job.get_args());
    limited.env("XDG_STATE_HOME", setting.path("state"));
    let output = limited.current_dir(setting.folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("fewer requests in flight than calls may need"), "{}", said(&output));
    let report = setting.report();
    assert_eq!((&report["requests"], &report["retries"]), (&1000.into(), &0.into()));
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    let setting = Setting::new("1");
    let check = |arguments: &[&str], expected: &str| {
        let output = setting.paceline(arguments).output().unwrap();
        assert!(!output.status.success() && said(&output).contains(expected), "{}", said(&output));
    };
    check(&["run", "none.sql"], "cannot read none.sql");
    check(&["run", "job.sql", "--conf", "paceline.nope=1"], "there is no setting 'paceline.nope'");
    check(&["run", "job.sql", "--conf", "spark.foo=1"], "warning: spark.foo 1: has no effect");
    check(&["run", "job.sql", "--job-id", "../x"], "cannot be a job id");
    check(&["run", "job.sql"], "the variable '${in}' has no value");
    check(&["enrich", "--s3-bucket", "b"], "S3_KEY is not set: give --s3-key");
    check(&["data", "clean", "."], "nothing to clean");
}

#[test]
fn config_shows_every_setting_with_its_source_and_no_secret() {
    let setting = Setting::new("1");
    let env = "S3_BUCKET=mine\nAPI_ENDPOINT=https://user:hunter2@api.example/x?token=hunter3\n";
    std::fs::write(setting.path(".env"), env).unwrap();
    let output = setting.paceline(&["config", "--batch-size", "7"]).env("MAX_WORKERS", "3").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "mine (.env)",
        "7 (flag)",
        "3 (environment)",
        "5000 (default)",
        "(not set)",
        "paceline.s3.endpoint",
        "paceline.api.<function>",
        "spark.dynamicAllocation.maxExecutors",
    ] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    assert!(!shown.contains("hunter"), "{shown}");
}
