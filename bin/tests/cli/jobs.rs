//! The job service, with a real scheduler: submitted, watched, stopped and gone on with as a user does it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

/// How long a step may take on a busy machine.
const STEP: Duration = Duration::from_secs(60);

/// A scheduler that runs jobs itself; it ends with this.
pub struct Service {
    pub setting: Setting,
    process: Child,
    pub url: String,
}

impl Service {
    fn start(setting: Setting, arguments: &[&str]) -> Self {
        let (process, url) = Self::spawn(&setting, arguments);
        Service { setting, process, url }
    }

    fn spawn(setting: &Setting, arguments: &[&str]) -> (Child, String) {
        let own = ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", "--state-dir", "kept"];
        let mut command = setting.paceline(&own);
        command.args(arguments).stderr(File::create(setting.path("said.log")).unwrap());
        let mut process = command.spawn().unwrap();
        let begin = Instant::now();
        loop {
            let said = std::fs::read_to_string(setting.path("said.log")).unwrap();
            if let Some((_, rest)) = said.split_once("page at ")
                && let Some((url, _)) = rest.split_once('\n')
            {
                return (process, url.to_owned());
            }
            assert!(process.try_wait().unwrap().is_none(), "it ended: {said}");
            assert!(begin.elapsed() < STEP, "it says no page: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill_and_start_again(&mut self, arguments: &[&str]) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        (self.process, self.url) = Self::spawn(&self.setting, arguments);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.setting.paceline(arguments);
        command.env("PACELINE_SERVER", &self.url);
        command
    }

    /// What a command prints as JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn submit(&self, job: &str, arguments: &[&str]) -> String {
        let run = self.json(&[&["submit", job], arguments].concat());
        run["id"].as_str().unwrap().to_owned()
    }

    fn job(&self, id: &str) -> Value {
        self.json(&["jobs", "status", id])
    }

    fn wait(&self, id: &str, state: &str) -> Value {
        let begin = Instant::now();
        loop {
            let job = self.job(id);
            if job["state"] == state {
                return job;
            }
            assert!(begin.elapsed() < STEP, "it is not {state}: {job}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The status and body of a request that is written by hand.
    fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }
}

impl Drop for Service {
    #[expect(clippy::print_stderr, reason = "what a failed test leaves")]
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!(
                "the scheduler said:\n{}",
                std::fs::read_to_string(self.setting.path("said.log")).unwrap_or_default()
            );
        }
    }
}

impl Setting {
    /// A job over so many records that writes to a folder of its own, at this rate.
    fn write_numbered_job(&self, name: &str, records: usize, options: &str) {
        let ids: String = (1..=records).map(|id| format!("{id}\n")).collect();
        std::fs::write(self.path(&format!("{name}.csv")), format!("id\n{ids}")).unwrap();
        let job = format!(
            "CREATE TEMPORARY VIEW records USING csv OPTIONS (path '{}', header 'true', inferSchema 'true');
             CREATE TEMPORARY FUNCTION enrich(id BIGINT) RETURNS STRUCT<status: STRING, score: DOUBLE>
               USING API OPTIONS (endpoint '{}', {options});
             INSERT OVERWRITE DIRECTORY '{}' USING json SELECT *, enrich(id) AS answer FROM records;",
            self.path(&format!("{name}.csv")),
            self.api.url(),
            self.path(&format!("out-{name}")),
        );
        std::fs::write(self.path(&format!("{name}.sql")), job).unwrap();
    }

    fn rows(&self, name: &str) -> Vec<u64> {
        let files = std::fs::read_dir(self.path(&format!("out-{name}"))).unwrap().map(|entry| entry.unwrap().path());
        let parts = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let text = parts.map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap();
        let mut ids: Vec<_> = text.lines().map(id).collect();
        ids.sort_unstable();
        ids
    }
}

#[test]
fn fifty_jobs_run_three_at_a_time_in_order_and_a_killed_scheduler_loses_none() {
    const JOBS: usize = 50;
    const RECORDS: usize = 40;
    let setting = Setting::new("unlimited");
    for job in 0..JOBS {
        // Slow enough that most are still to come when all are submitted.
        setting.write_numbered_job(&format!("job-{job}"), RECORDS, "rate_limit_calls '600'");
    }
    let arguments = ["--max-running-jobs", "20"];
    let mut service = Service::start(setting, &arguments);
    let names: Vec<_> = (0..JOBS).map(|job| format!("job-{job}.sql")).collect();
    let flags = ["--job-name", "many", "--max-concurrent-runs", "3"];
    let ids: Vec<_> = names.iter().map(|name| service.submit(name, &flags)).collect();

    let states = |service: &Service| -> BTreeMap<String, usize> {
        let jobs = service.json(&["jobs", "list", "--limit", "100"]);
        let mut states = BTreeMap::new();
        for job in jobs.as_array().unwrap() {
            *states.entry(job["state"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        states
    };
    let begin = Instant::now();
    let mut killed = false;
    loop {
        let states = states(&service);
        let of = |name: &str| states.get(name).copied().unwrap_or(0);
        assert!(of("STARTING") + of("RUNNING") + of("STOPPING") <= 3, "{states:?}");
        assert_eq!(states.values().sum::<usize>(), JOBS, "none is lost");
        if of("SUCCEEDED") == JOBS {
            break;
        }
        assert!(begin.elapsed() < STEP, "{states:?}");
        if !killed && of("SUCCEEDED") >= JOBS / 4 {
            killed = true;
            service.kill_and_start_again(&arguments);
        }
    }
    assert!(killed, "the scheduler was killed amid");

    let jobs: Vec<_> = ids.iter().map(|id| service.job(id)).collect();
    let time = |job: &Value, name: &str| job[name].as_str().unwrap().to_owned();
    let begun: Vec<_> = jobs.iter().map(|job| time(job, "started_at")).collect();
    // Three begin side by side; each of them begins before those that were submitted three later.
    for (earlier, later) in begun.iter().zip(begun.iter().skip(3)) {
        assert!(earlier <= later, "{begun:?}");
    }
    let expected: Vec<_> = (1..=RECORDS as u64).collect();
    for (job, run) in jobs.iter().enumerate() {
        assert_eq!(service.setting.rows(&format!("job-{job}")), expected, "{run}");
        assert_eq!(run["attempts"].as_array().unwrap().len(), 1, "a restart is no retry: {run}");
    }
    // Those three that ran when it was killed may have asked again for what was not written down.
    let asked = service.setting.api.stats().requests;
    assert!((JOBS * RECORDS..=(JOBS + 3) * RECORDS).contains(&asked), "{asked}");
}

#[test]
fn a_job_that_fails_is_tried_again_and_can_be_resumed() {
    let setting = Setting::new("unlimited");
    setting.write_numbered_job("late", 10, "rate_limit_calls 'unlimited'");
    std::fs::rename(setting.path("late.csv"), setting.path("hidden.csv")).unwrap();
    let service = Service::start(setting, &[]);
    let output = service.command(&["submit", "late.sql", "--wait", "--max-retries", "1", "--report", "late.json"]);
    let output = { output }.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("FAILED: statement 1 (line 1): there is no file at"), "{}", said(&output));
    let jobs = service.json(&["jobs", "list", "--state", "failed"]);
    let id = jobs[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(jobs[0]["attempt"], format!("{id}_attempt_1"));

    std::fs::rename(service.setting.path("hidden.csv"), service.setting.path("late.csv")).unwrap();
    let resumed = service.json(&["jobs", "resume", &id]);
    assert_eq!(resumed["attempt"], format!("{id}_attempt_2"));
    let done = service.wait(&id, "SUCCEEDED");
    assert_eq!(service.setting.rows("late"), (1..=10).collect::<Vec<_>>());
    assert_eq!((&done["progress"]["records"], &done["progress"]["expected"]), (&10.into(), &10.into()));
    // An attempt's id names its run.
    assert_eq!(service.job(&format!("{id}_attempt_1"))["id"], id);
    let again = service.command(&["jobs", "resume", &id]).output().unwrap();
    assert!(said(&again).contains("only a job that was stopped or failed can be resumed"), "{}", said(&again));
}

#[test]
fn a_job_is_stopped_or_runs_out_of_time_and_leaves_nothing() {
    let setting = Setting::new("unlimited");
    setting.write_numbered_job("slow", 10, "rate_limit_calls '1', rate_limit_period '1 hour'");
    let service = Service::start(setting, &[]);
    let id = service.submit("slow.sql", &["--idempotency-token", "once"]);
    assert_eq!(service.submit("slow.sql", &["--idempotency-token", "once"]), id);
    let other =
        service.command(&["submit", "slow.sql", "--idempotency-token", "once", "--max-retries", "1"]).output().unwrap();
    assert!(said(&other).contains("which was another submission"), "{}", said(&other));
    let refused = service.command(&["submit", "slow.sql", "--no-queue"]).output().unwrap();
    assert!(said(&refused).contains("1 runs of job 'slow' run at once"), "{}", said(&refused));
    let behind = service.submit("slow.sql", &[]);
    service.wait(&id, "RUNNING");
    assert_eq!(service.job(&behind)["state"], "WAITING");
    let cancelled = service.json(&["jobs", "cancel", &id]);
    assert!(["STOPPING", "STOPPED"].contains(&cancelled["state"].as_str().unwrap()), "{cancelled}");
    service.wait(&id, "STOPPED");
    service.json(&["jobs", "cancel", &behind]);

    let output =
        service.command(&["submit", "slow.sql", "--wait", "--timeout", "1s", "--max-retries", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("TIMEOUT: it ran for longer than its timeout of 1 s"), "{}", said(&output));
    let out = Path::new(&service.setting.path("out-slow")).join("_SUCCESS");
    assert!(!out.exists());
    let logs = service.command(&["jobs", "logs", &id]).output().unwrap();
    let logs = String::from_utf8(logs.stdout).unwrap();
    assert!(logs.contains("nothing of the statement that was running is visible"), "{logs}");
}

#[test]
fn numbers_are_the_same_wherever_they_are_shown() {
    let setting = Setting::failing(20, "unlimited");
    let options = "rate_limit_calls 'unlimited', retry_max_attempts '1', breaker 'off', max_failed_percent '100'";
    setting.write_numbered_job("some", 200, options);
    let service = Service::start(setting, &[]);
    let output = service.command(&["submit", "some.sql", "--wait", "--report", "some.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&std::fs::read(service.setting.path("some.json")).unwrap()).unwrap();
    let jobs = service.json(&["jobs", "list"]);
    let (job, id) = (&jobs[0], jobs[0]["id"].as_str().unwrap());
    let detail = service.job(id);
    let failed = report["records_failed"].as_u64().unwrap();
    assert!(failed > 10, "{report}");
    for (shown, told) in [
        (&job["requests"], &report["requests"]),
        (&job["failed"], &report["records_failed"]),
        (&detail["progress"]["requests"], &report["requests"]),
        (&detail["progress"]["failures_by_kind"], &report["failures_by_kind"]),
        (&detail["report"], &report),
        (&detail["progress"]["records"], &200.into()),
        (&detail["progress"]["expected"], &200.into()),
        (&detail["executors"][0]["executor"], &"".into()),
        (&detail["executors"][0]["completed"], &detail["progress"]["tasks"]["total"]),
        (&detail["executors"][1], &Value::Null),
    ] {
        assert_eq!(shown, told);
    }
    assert!(detail["executors"][0]["slots"].as_u64().is_some_and(|slots| slots > 0), "{detail}");
    let (status, metrics) = service.ask("GET", "/metrics", "");
    assert_eq!(status, 200);
    let function = &report["functions"]["enrich"];
    for line in [
        format!("paceline_requests_total{{function=\"enrich\"}} {}", function["requests"]),
        format!("paceline_records_answered_total{{function=\"enrich\"}} {}", function["answered"]),
        format!("paceline_records_failed_total{{function=\"enrich\",kind=\"http_5xx\"}} {failed}"),
        format!("paceline_sent_bytes_total{{function=\"enrich\"}} {}", function["bytes_sent"]),
        "paceline_requests_in_flight{function=\"enrich\"} 0".to_owned(),
        "paceline_jobs{state=\"SUCCEEDED\"} 1".to_owned(),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    let letters = service.command(&["jobs", "dead-letters", id, "--limit", "1000", "--json"]).output().unwrap();
    assert_eq!(String::from_utf8(letters.stdout).unwrap().lines().count() as u64, failed);
}

#[test]
fn without_the_token_nothing_is_told() {
    let setting = Setting::new("unlimited");
    std::fs::write(setting.path("token"), "0123456789abcdef0123").unwrap();
    let service = Service::start(setting, &["--token-file", "token"]);
    for path in ["/api/v1/jobs", "/api/v1/jobs/x", "/api/v1/events", "/api/v1/openapi.json", "/api/none", "/metrics"] {
        assert_eq!(service.ask("GET", path, "").0, 401, "{path}");
        assert_eq!(service.ask("GET", path, "Authorization: Bearer 0123456789abcdef0124\r\n").0, 401, "{path}");
    }
    for path in ["/api/v1/jobs", "/api/v1/jobs/x/cancel", "/api/v1/jobs/x/resume", "/api/v1/jobs/x/redrive"] {
        assert_eq!(service.ask("POST", path, "").0, 401, "{path}");
    }
    assert_eq!((service.ask("GET", "/", "").0, service.ask("GET", "/health", "").0), (200, 200));
    let bearer = "Authorization: Bearer 0123456789abcdef0123\r\n";
    assert_eq!(service.ask("GET", "/api/v1/jobs", bearer).0, 200);
    assert_eq!(service.ask("GET", "/api/none", bearer).0, 404);
    let output = service.command(&["jobs", "list"]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("--token-file"), "{}", said(&output));
    let output = service.command(&["jobs", "list", "--token-file", "token"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn pages_of_other_sites_get_nothing_done() {
    let setting = Setting::new("unlimited");
    let service = Service::start(setting, &[]);
    assert_eq!(service.ask("POST", "/api/v1/jobs/x/cancel", "Sec-Fetch-Site: cross-site\r\n").0, 403);
    assert_eq!(service.ask("POST", "/api/v1/jobs/x/cancel", "Origin: http://evil.example\r\n").0, 403);
    assert_eq!(service.ask("POST", "/api/v1/jobs/x/cancel", "").0, 404);
    let bent = service.url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(bent).unwrap();
    write!(stream, "GET /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn an_embedded_run_has_an_event_log_that_the_page_reads() {
    let setting = Setting::new("unlimited");
    let logs = format!("paceline.eventlog.dir={}", setting.path("logs"));
    let output = setting.run().args(["--conf", &logs]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(setting.path("logs/nightly.jsonl")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let progress: Vec<_> = events.iter().filter(|event| event["event"] == "progress").collect();
    let records: Vec<_> = progress.iter().map(|event| event["progress"]["records"].as_u64().unwrap()).collect();
    assert!(records.is_sorted() && records.last() == Some(&1000), "{records:?}");

    let mut page = setting.paceline(&["ui", "logs", "--port", "0"]);
    let mut page = page.stderr(File::create(setting.path("said.log")).unwrap()).spawn().unwrap();
    let begin = Instant::now();
    let url = loop {
        let said = std::fs::read_to_string(setting.path("said.log")).unwrap();
        if let Some(url) = said.split_once("page at ").and_then(|(_, rest)| Some(rest.split_once('\n')?.0.to_owned())) {
            break url;
        }
        assert!(page.try_wait().unwrap().is_none() && begin.elapsed() < STEP, "{said}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let shown = setting.paceline(&["jobs", "status", "nightly", "--server", &url, "--json"]).output().unwrap();
    signal(&page, "-TERM");
    assert!(page.wait().unwrap().success());
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&shown["state"], &shown["report"]), (&"SUCCEEDED".into(), &setting.report()));

    let read = setting.paceline(&["jobs", "show", "nightly", "--logdir", "logs", "--json"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&read.stdout).unwrap(), shown, "{}", said(&read));
    let missing = setting.paceline(&["jobs", "show", "weekly", "--logdir", "logs"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    assert!(said(&missing).contains("weekly"), "{}", said(&missing));
}
