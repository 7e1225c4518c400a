//! A cluster on one machine, with real processes: it starts, mends itself, follows its work, and leaves nothing behind.

use std::collections::BTreeMap;
use std::fs::File;

use super::*;

/// How long a step may take on a busy machine.
const STEP: Duration = Duration::from_secs(40);

/// A cluster; its processes end with it.
struct Cluster {
    setting: Setting,
    process: Child,
    url: String,
}

impl Cluster {
    fn start(arguments: &[&str]) -> Self {
        let setting = Setting::new("unlimited");
        std::fs::write(
            setting.path("query.sql"),
            format!(
                "CREATE TEMPORARY VIEW records USING csv OPTIONS (path '{}', header 'true', inferSchema 'true');
                 SELECT count(*) AS n, sum(id) AS total FROM records;",
                setting.path("in.csv")
            ),
        )
        .unwrap();
        let mut command = setting.paceline(&["cluster", "--port", "0", "--log-dir", "logs", "--work-dir", "work"]);
        command.args(arguments).stderr(File::create(setting.path("said.log")).unwrap());
        let process = command.spawn().unwrap();
        let mut cluster = Cluster { setting, process, url: String::new() };
        let at = |said: &str| Some(said.split_once("cluster at ")?.1.split_once('\n')?.0.to_owned());
        cluster.url = cluster.wait("it says where it is", |cluster| at(&cluster.said()));
        cluster
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.setting.path("said.log")).unwrap()
    }

    /// Waits until something is there.
    fn wait<T>(&mut self, what: &str, there: impl Fn(&mut Self) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(there) = there(self) {
                return there;
            }
            assert!(begin.elapsed() < STEP, "not within {STEP:?}: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its processes, by their names: the name of an executor's folder, or `scheduler`.
    fn processes(&self) -> BTreeMap<String, u32> {
        let numbers = std::fs::read_dir("/proc").unwrap();
        let ids = numbers.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok());
        let child = |id: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // Behind the name in brackets: state and parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
            let command = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
            let last = command.trim_end_matches('\0').rsplit(['\0', '/']).next()?.to_owned();
            let name = if command.contains("\0scheduler\0") { "scheduler".to_owned() } else { last };
            (parent == self.process.id().to_string()).then_some((name, id))
        };
        ids.filter_map(child).collect()
    }

    fn query(&self) -> String {
        let output = self.setting.paceline(&["run", "query.sql", "--cluster", &self.url]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn ends_all(&mut self, processes: &BTreeMap<String, u32>) {
        let alive = |id: &&u32| Path::new(&format!("/proc/{id}")).exists();
        self.wait("all processes end", |_| processes.values().find(alive).is_none().then_some(()));
    }
}

impl Drop for Cluster {
    /// Processes that were left end with this one, which held their standard inputs.
    #[expect(clippy::print_stderr, reason = "what a failed test leaves")]
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the cluster said:\n{}", self.said());
            for log in std::fs::read_dir(self.setting.path("logs")).into_iter().flatten().flatten() {
                let text = std::fs::read_to_string(log.path()).unwrap_or_default();
                eprintln!("{}:\n{text}", log.path().display());
            }
        }
    }
}

const ROWS: &str = "| 1000 | 500500 |";

#[test]
fn a_cluster_mends_itself_and_ends_as_a_whole() {
    let mut cluster = Cluster::start(&["--number-of-workers", "3", "--conf", "spark.speculation=true"]);
    assert_eq!(cluster.said().matches("warning: spark.speculation true: kept off").count(), 1);
    let begun = cluster.processes();
    assert_eq!(begun.keys().collect::<Vec<_>>(), ["executor-1", "executor-2", "scheduler"]);
    assert!(cluster.query().contains(ROWS));

    let killed = begun["executor-1"];
    assert!(Command::new("kill").args(["-KILL", &killed.to_string()]).status().unwrap().success());
    let again = cluster.wait("the executor comes back", |cluster| {
        let now = cluster.processes();
        now.get("executor-1").is_some_and(|id| *id != killed).then_some(now)
    });
    assert_eq!((again["scheduler"], again["executor-2"]), (begun["scheduler"], begun["executor-2"]));
    assert!(cluster.said().contains("executor-1 ended (signal: 9 (SIGKILL)); it is started again in 1 s"));
    assert!(cluster.query().contains(ROWS));

    signal(&cluster.process, "-TERM");
    let status = cluster.wait("the cluster ends", |cluster| cluster.process.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    cluster.ends_all(&again);
    assert_eq!(std::fs::read_dir(cluster.setting.path("work")).unwrap().count(), 0);
}

#[test]
fn processes_end_with_the_one_that_started_them() {
    let mut cluster = Cluster::start(&[]);
    let processes = cluster.processes();
    assert_eq!(processes.keys().collect::<Vec<_>>(), ["executor-1", "scheduler"]);
    signal(&cluster.process, "-KILL");
    cluster.process.wait().unwrap();
    cluster.ends_all(&processes);
}

#[test]
fn executors_come_and_go_with_the_work() {
    let allocation = ["enabled=true", "minExecutors=0", "maxExecutors=20", "executorIdleTimeout=1s"];
    let allocation = allocation.map(|setting| format!("spark.dynamicAllocation.{setting}"));
    let mut arguments = vec!["--number-of-workers", "3"];
    arguments.extend(allocation.iter().flat_map(|setting| ["--conf", setting]));
    let mut cluster = Cluster::start(&arguments);
    let of_max = "warning: spark.dynamicAllocation.maxExecutors 20: clamped to 2";
    assert_eq!(cluster.said().matches(of_max).count(), 1, "{}", cluster.said());
    let is_alone = |cluster: &mut Cluster| (cluster.processes().len() == 1).then_some(());
    cluster.wait("no executor is there", is_alone);
    assert!(cluster.query().contains(ROWS));
    assert!(cluster.said().contains("executors: 1 more (tasks waiting: "), "{}", cluster.said());
    cluster.wait("idle executors are given back", is_alone);
}

#[test]
fn a_cluster_that_cannot_be_is_refused_at_once() {
    let setting = Setting::new("1");
    let check = |arguments: &[&str], expected: &str| {
        let output = setting.paceline(&[&["cluster", "--port", "0"], arguments].concat()).output().unwrap();
        assert!(!output.status.success() && said(&output).contains(expected), "{}", said(&output));
    };
    check(&["--number-of-workers", "1"], "expected at least 2");
    check(&["--worker-type", "G.3X"], "there is no worker type 'G.3X'");
    check(&["--conf", "spark.executor.memory=much"], "setting 'spark.executor.memory' is 'much'");
    check(&["--conf", "paceline.nope=1"], "there is no setting 'paceline.nope'");
    check(&["--bind", "0.0.0.0"], "set a token with PACELINE_TOKEN");
}

#[test]
fn the_choice_between_process_and_cluster_is_said_with_its_reason() {
    let setting = Setting::new("unlimited");
    let auto = |cluster: Option<&str>| {
        let mut run = setting.run();
        run.args(["--cluster", "auto"]).env_remove("PACELINE_CLUSTER").envs(cluster.map(|at| ("PACELINE_CLUSTER", at)));
        let output = run.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        said(&output)
    };
    let alone = auto(None);
    assert!(alone.contains("cluster auto: embedded, because no cluster is known: set PACELINE_CLUSTER"), "{alone}");
    // Nobody is there: the job is too small to go there.
    let small = auto(Some("df://127.0.0.1:1"));
    assert!(small.contains("KiB of input and 1000 requests take this machine about 0 s"), "{small}");
    setting.verify();
}
