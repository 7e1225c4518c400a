//! Jobs on a cluster of real processes, which are killed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use futures::StreamExt;
use paceline_engine::{Session, Settings};

use super::*;

const RATE: usize = 3_000;
const RECORDS: usize = 12_000;
const TOKEN_OF_TESTS: &str = "the-token-of-these-tests";
const WRONG_TOKEN: &str = "another-token-as-long";

/// A scheduler and its executors; they end with it, and where the test failed it shows what they said.
pub(super) struct Machines<'a> {
    setting: &'a Setting,
    scheduler: Child,
    executors: Vec<Child>,
    port: u16,
    /// Flags that every process gets.
    access: Vec<String>,
    /// Flags that each executor gets.
    size: Vec<String>,
    /// Whether each executor has a state folder of its own, and so knows of no other on its machine.
    apart: bool,
    token: Option<&'static str>,
    logs: Vec<PathBuf>,
}

impl<'a> Machines<'a> {
    pub(super) fn new(setting: &'a Setting, executors: usize) -> Self {
        Self::guarded(setting, executors, None, Vec::new())
    }

    pub(super) fn sized(setting: &'a Setting, executors: usize, size: &[&str]) -> Self {
        let mut machines = Self::new(setting, 0);
        machines.size = size.iter().map(|&flag| flag.to_owned()).collect();
        (0..executors).for_each(|_| machines.add_executor());
        machines
    }

    pub(super) fn apart(setting: &'a Setting, executors: usize) -> Self {
        let mut machines = Self::new(setting, 0);
        machines.apart = true;
        (0..executors).for_each(|_| machines.add_executor());
        machines
    }

    pub(super) fn are_all_alive(&mut self) -> bool {
        self.executors.iter_mut().chain([&mut self.scheduler]).all(|child| child.try_wait().unwrap().is_none())
    }

    fn guarded(setting: &'a Setting, executors: usize, token: Option<&'static str>, access: Vec<String>) -> Self {
        let (scheduler, port, log) = start_scheduler(setting, 0, token, &access);
        let (none, size, logs) = (Vec::new(), Vec::new(), vec![log]);
        let mut machines =
            Machines { setting, scheduler, executors: none, port, access, size, apart: false, token, logs };
        (0..executors).for_each(|_| machines.add_executor());
        machines
    }

    fn add_executor(&mut self) {
        let name = format!("executor-{}", self.executors.len());
        let (scheduler, work) = (format!("127.0.0.1:{}", self.port), self.setting.path(&name));
        let log = PathBuf::from(self.setting.path(&format!("{name}.log")));
        let mut command = self.setting.paceline(&["executor", "--scheduler", &scheduler, "--work-dir", &work]);
        command.args(["--slots", "2"]).args(&self.access).args(&self.size).stderr(File::create(&log).unwrap());
        if self.apart {
            command.env("XDG_STATE_HOME", self.setting.path(&format!("{name}-state")));
        }
        with_token(&mut command, self.token);
        self.executors.push(command.spawn().unwrap());
        self.logs.push(log);
    }

    fn restart_scheduler(&mut self) {
        self.scheduler.kill().unwrap();
        self.scheduler.wait().unwrap();
        let (scheduler, _, log) = start_scheduler(self.setting, self.port, self.token, &self.access);
        self.scheduler = scheduler;
        self.logs.push(log);
    }

    fn url(&self) -> String {
        format!("df://127.0.0.1:{}", self.port)
    }

    /// The job of the setting, on these machines.
    fn run(&self) -> Command {
        self.on(self.setting.run())
    }

    pub(super) fn on(&self, mut command: Command) -> Command {
        command.args(["--cluster", &self.url(), "--conf", "paceline.partitions=8"]).args(&self.access);
        with_token(&mut command, self.token);
        command
    }

    /// What a query says, here and without a cluster.
    pub(super) fn query(&self, statements: &str) -> (String, String) {
        std::fs::write(self.setting.path("query.sql"), statements).unwrap();
        let run = |mut command: Command| {
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            assert!(!said(&output).contains("is not known"), "rows were not counted: {}", said(&output));
            String::from_utf8(output.stdout).unwrap()
        };
        let here = run(self.on(self.setting.paceline(&["run", "query.sql"])));
        (here, run(self.setting.paceline(&["run", "query.sql"])))
    }
}

impl Drop for Machines<'_> {
    #[expect(clippy::print_stderr, reason = "what a failed test leaves")]
    fn drop(&mut self) {
        for child in self.executors.iter_mut().chain([&mut self.scheduler]) {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            for log in &self.logs {
                eprintln!("{}:\n{}", log.display(), std::fs::read_to_string(log).unwrap_or_default());
            }
        }
    }
}

fn with_token(command: &mut Command, token: Option<&str>) {
    command.env_remove("PACELINE_TOKEN");
    command.envs(token.map(|token| ("PACELINE_TOKEN", token)));
}

/// Starts a scheduler and returns when it says where it is.
fn start_scheduler(setting: &Setting, port: u16, token: Option<&str>, access: &[String]) -> (Child, u16, PathBuf) {
    let log = PathBuf::from(setting.path(&format!("scheduler-{port}.log")));
    let mut command = setting.paceline(&["scheduler", "--bind", &format!("127.0.0.1:{port}")]);
    command.args(access).args(["--state-dir", &setting.path("keeper")]).stderr(File::create(&log).unwrap());
    with_token(&mut command, token);
    let mut scheduler = command.spawn().unwrap();
    let begin = Instant::now();
    loop {
        let lines: Vec<_> = BufReader::new(File::open(&log).unwrap()).lines().map_while(Result::ok).collect();
        let port = lines.iter().find_map(|line| line.strip_prefix("scheduler at df://127.0.0.1:")?.parse().ok());
        if let Some(port) = port {
            return (scheduler, port, log);
        }
        assert!(scheduler.try_wait().unwrap().is_none(), "the scheduler ended: {lines:?}");
        assert!(begin.elapsed() < Duration::from_secs(60), "the scheduler does not start: {lines:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn with_many_calls() -> Setting {
    let setting = Setting::new("unlimited");
    let ids: String = (1..=RECORDS).map(|id| format!("{id}\n")).collect();
    std::fs::write(setting.path("in.csv"), format!("id\n{ids}")).unwrap();
    setting.write_job_with(&format!("rate_limit_calls '{RATE}', max_in_flight '50'"));
    setting
}

fn succeeds(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

/// One limit for each executor would be three times as much; the receiver counts what the network delays, too.
fn kept_one_pace(setting: &Setting) {
    let worst = setting.api.stats().worst_period;
    assert!(worst <= RATE + RATE / 2, "{worst} requests in a second");
}

#[test]
fn executors_share_one_pace_and_the_report_is_of_all() {
    let setting = with_many_calls();
    let machines = Machines::new(&setting, 3);
    let output = machines.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = setting.report();
    let number = |name: &str| report[name].as_u64().unwrap() as usize;
    assert_eq!((number("records_read"), number("records_written"), number("requests")), (RECORDS, RECORDS, RECORDS));
    assert_eq!(report["functions"]["enrich"]["answered"], RECORDS);
    setting.verify();
    assert_eq!(setting.api.stats().repeated_keys, 0);
    kept_one_pace(&setting);
}

#[test]
fn an_executor_is_killed_and_another_joins() {
    let setting = with_many_calls();
    let mut machines = Machines::new(&setting, 3);
    let mut job = machines.run().spawn().unwrap();
    setting.wait_for_requests(&mut job, RECORDS * 3 / 10);
    machines.executors[1].kill().unwrap();
    setting.wait_for_requests(&mut job, RECORDS * 6 / 10);
    machines.add_executor();
    succeeds(job);
    setting.verify();
    // In flight, and a second of its answers, which had not been written down yet.
    let repeated = setting.api.stats().repeated_keys;
    assert!(repeated <= 50 + RATE / 2, "{repeated} requests were sent again");
    kept_one_pace(&setting);
}

#[test]
fn a_scheduler_is_killed_and_the_job_goes_on_where_it_stopped() {
    goes_on_after(|machines, _| machines.restart_scheduler());
}

#[test]
fn a_client_that_slept_while_the_scheduler_was_started_anew_does_not_wait_for_its_job() {
    goes_on_after(|machines, job| {
        signal(job, "-STOP");
        machines.restart_scheduler();
        signal(job, "-CONT");
    });
}

#[test]
fn a_client_is_killed_and_the_job_goes_on_where_it_stopped() {
    goes_on_after(|_, job| job.kill().unwrap());
}

/// A job that is broken off amid its calls is complete after it is resumed.
fn goes_on_after(breaks_off: fn(&mut Machines, &mut Child)) {
    let setting = with_many_calls();
    let mut machines = Machines::new(&setting, 2);
    let mut job = machines.run().stderr(Stdio::null()).spawn().unwrap();
    setting.wait_for_requests(&mut job, RECORDS / 2);
    breaks_off(&mut machines, &mut job);
    assert!(!job.wait().unwrap().success());
    let output = setting.paceline(&["resume", "nightly", "--report", "report.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    setting.verify();
    let repeated = setting.api.stats().repeated_keys;
    assert!(repeated <= 2 * (50 + RATE), "{repeated} requests were sent again");
    kept_one_pace(&setting);
}

#[test]
fn a_client_that_is_told_to_stop_cancels_its_job() {
    let setting = with_many_calls();
    let machines = Machines::new(&setting, 2);
    let mut job = machines.run().stderr(Stdio::null()).spawn().unwrap();
    setting.wait_for_requests(&mut job, RECORDS / 4);
    signal(&job, "-INT");
    assert_eq!(job.wait().unwrap().code(), Some(130));
    let begin = Instant::now();
    loop {
        let before = setting.api.stats().requests;
        std::thread::sleep(Duration::from_millis(500));
        if setting.api.stats().requests == before {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "the cluster goes on calling");
    }
    assert!(setting.api.stats().requests < RECORDS && !setting.is_complete());
}

#[test]
fn two_jobs_share_one_pace() {
    let setting = with_many_calls();
    let machines = Machines::new(&setting, 2);
    let other = std::fs::read_to_string(setting.path("job.sql")).unwrap();
    let other = other.replace(&setting.path("out"), &setting.path("out2"));
    std::fs::write(setting.path("other.sql"), other).unwrap();
    let input = format!("in={}", setting.path("in.csv"));
    let second = machines.on(setting.paceline(&["run", "other.sql", "--var", &input])).spawn().unwrap();
    succeeds(machines.run().spawn().unwrap());
    succeeds(second);
    setting.verify();
    let verify = ["data", "verify", &setting.path("in.csv"), &setting.path("out2")];
    assert!(setting.paceline(&verify).status().unwrap().success());
    kept_one_pace(&setting);
}

#[test]
fn embedded_runs_share_one_pace_with_a_quota_service() {
    let setting = with_many_calls();
    let log = setting.path("quota.log");
    let mut command = setting.paceline(&["quota", "--bind", "127.0.0.1:0"]);
    let mut quota = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
    let begin = Instant::now();
    let at = loop {
        let said = std::fs::read_to_string(&log).unwrap();
        if let Some(at) = said.lines().find_map(|line| line.strip_prefix("quota at ")) {
            break at.to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no quota service: {said}");
        std::thread::sleep(Duration::from_millis(10));
    };
    let other = std::fs::read_to_string(setting.path("job.sql")).unwrap();
    std::fs::write(setting.path("other.sql"), other.replace(&setting.path("out"), &setting.path("out2"))).unwrap();
    let input = format!("in={}", setting.path("in.csv"));
    let second = setting.paceline(&["run", "other.sql", "--var", &input, "--quota", &at]).spawn().unwrap();
    succeeds(setting.run().args(["--quota", &at]).spawn().unwrap());
    succeeds(second);
    quota.kill().unwrap();
    quota.wait().unwrap();
    setting.verify();
    let worst = setting.api.stats().worst_period;
    assert!(worst <= RATE + RATE / 2, "{worst} requests in a second");
}

#[test]
fn rows_that_fail_are_counted_over_all_executors() {
    let setting = Setting::failing(100, "unlimited");
    setting.write_job_with(
        "rate_limit_calls 'unlimited', max_failed_records '100', retry_max_attempts '1', on_error 'null'",
    );
    let machines = Machines::new(&setting, 2);
    let output = machines.run().output().unwrap();
    let said = said(&output);
    assert!(said.contains("max_failed_records"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn queries_say_the_same_as_without_a_cluster() {
    let setting = Setting::new("unlimited");
    let rows: String = (0..5000).map(|id| format!("{id},{},k{}\n", id * 7 % 1000, id % 13)).collect();
    std::fs::write(setting.path("t.csv"), format!("id,n,k\n{rows}")).unwrap();
    let machines = Machines::new(&setting, 2);
    let path = setting.path("t.csv");
    let long = "x".repeat(20 << 20); // a plan that is longer than what Ballista carries unless it is told
    // More messages within each other than prost takes unless it is told.
    let deep = (1..300).map(|n| format!("id * {n} = n + {n}")).collect::<Vec<_>>().join(" OR ");
    let statements = format!(
        "CREATE TEMPORARY VIEW t USING csv OPTIONS (path '{path}', header 'true', inferSchema 'true');
         SELECT k, count(*) AS c, sum(n) AS s, min(id) AS least FROM t GROUP BY k ORDER BY k;
         SELECT a.id, b.n FROM t a JOIN t b ON a.n = b.id WHERE a.k = 'k3' ORDER BY a.id LIMIT 50;
         SELECT id, row_number() OVER (PARTITION BY k ORDER BY n, id) AS r FROM t ORDER BY id LIMIT 40;
         SELECT k FROM t WHERE n < 10 UNION ALL SELECT k FROM t WHERE n > 990 ORDER BY k;
         SELECT count(*) FROM t WHERE n > (SELECT avg(n) FROM t);
         SELECT DISTINCT k FROM t WHERE id NOT IN (SELECT n FROM t) ORDER BY k;
         SELECT count(*) FROM t WHERE id NOT IN (SELECT n FROM t WHERE n > 500);
         SELECT count(*) FROM t WHERE id NOT IN (SELECT CASE WHEN n > 5 THEN n END FROM t);
         SELECT count(*), count(b.id) FROM t a LEFT JOIN t b ON a.id < b.n - 995;
         SELECT count(*) FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE b.n > a.id + 900);
         SELECT count(*) FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.n > a.id + 900);
         SELECT k FROM t WHERE id = 7 UNION ALL SELECT 'constant' UNION ALL SELECT max(k) FROM t ORDER BY k;
         SELECT id, sum(n) OVER (PARTITION BY k ORDER BY n, id ROWS 2 PRECEDING) AS s FROM t WHERE k = 'k3' ORDER BY id LIMIT 40;
         SELECT k, count(*) AS c FROM t GROUP BY k, EXISTS(SELECT id FROM t WHERE n > 990) ORDER BY k;
         SELECT id, count(*) OVER (PARTITION BY EXISTS(SELECT id FROM t WHERE n > 990)) AS c FROM t WHERE id < 5 ORDER BY id;
         SELECT count(*) FROM t WHERE {deep};
         SELECT count(*) FROM t WHERE k <> '{long}'; SELECT 1 AS one"
    );
    let (there, here) = machines.query(&statements);
    assert_eq!(there, here);
}

#[test]
fn an_embedded_session_streams_the_rows_of_a_cluster() {
    let setting = Setting::new("unlimited");
    let machines = Machines::new(&setting, 1);
    let settings = Settings { cluster: Some(machines.url().parse().unwrap()), ..Settings::default() };
    let rows = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let session = Session::new(settings).unwrap();
        let stream = session.stream("SELECT 1 AS one UNION ALL SELECT 2").await.unwrap();
        stream.map(|batch| batch.unwrap().num_rows()).fold(0, |sum, rows| async move { sum + rows }).await
    });
    assert_eq!(rows, 2);
}

#[test]
fn nobody_gets_in_without_the_token() {
    let setting = Setting::new("unlimited");
    let machines = Machines::guarded(&setting, 2, Some(TOKEN_OF_TESTS), Vec::new());
    let output = machines.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    setting.verify();
    for wrong in [None, Some(WRONG_TOKEN)] {
        let mut command = setting.run();
        command.args(["--cluster", &machines.url()]);
        with_token(&mut command, wrong);
        let said = said(&command.output().unwrap());
        assert!(said.contains("this door needs a valid token"), "{said}");
    }
    let outside = setting.paceline(&["scheduler", "--bind", "0.0.0.0:0"]).env_remove("PACELINE_TOKEN").output();
    assert!(said(&outside.unwrap()).contains("0.0.0.0 can be reached from other machines"));
}

#[test]
fn many_clients_at_once_are_all_served() {
    let setting = Setting::new("unlimited");
    let machines = Machines::new(&setting, 2);
    let job = format!(
        "CREATE TEMPORARY VIEW t USING csv OPTIONS (path '{}', header 'true', inferSchema 'true');
         SELECT count(*), sum(id) FROM t",
        setting.path("in.csv")
    );
    std::fs::write(setting.path("count.sql"), job).unwrap();
    let run = |_| machines.on(setting.paceline(&["run", "count.sql"])).stdout(Stdio::piped()).spawn().unwrap();
    for client in (0..50).map(run).collect::<Vec<_>>() {
        let output = client.wait_with_output().unwrap();
        let rows = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && rows.contains("| 1000 ") && rows.contains("500500"), "{rows}");
    }
}
