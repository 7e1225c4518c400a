//! Jobs that are killed, and resumed.

use super::*;

const RATE: usize = 2_000;
const IN_FLIGHT: usize = 50;
const RECORDS: usize = 8_000;
const KILLS: usize = 20;

impl Setting {
    /// A job of `RECORDS` calls at `RATE` a second, `IN_FLIGHT` at once.
    fn of_many_calls() -> Self {
        let setting = Setting::new("unlimited");
        let ids: String = (1..=RECORDS).map(|id| format!("{id}\n")).collect();
        std::fs::write(setting.path("in.csv"), format!("id\n{ids}")).unwrap();
        let options = format!("rate_limit_calls '{RATE}', max_in_flight '{IN_FLIGHT}'");
        setting.write_job_with(&options);
        setting
    }

    fn resume(&self, arguments: &[&str]) -> Command {
        self.paceline(&[&["resume", "nightly", "--report", "report.json"], arguments].concat())
    }

    pub fn wait_for_requests(&self, child: &mut Child, requests: usize) {
        let begin = Instant::now();
        while self.api.stats().requests < requests && child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60), "the job makes no calls");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_job_killed_twenty_times_is_exact_and_repeats_a_second_of_calls_at_most() {
    let setting = Setting::of_many_calls();
    // At any moment: before the first call, in the midst, and where the job was about to end by itself.
    let moments = [0, 1, 5, 700, 1500, 30, 900, 2300, 0, 400, 1800, 60, 2500, 300, 1200, 10, 800, 2100, 2, 1000];
    assert_eq!(moments.len(), KILLS);
    let mut command = setting.run();
    for (kill, more) in moments.into_iter().enumerate() {
        let before = setting.api.stats();
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        setting.wait_for_requests(&mut child, before.requests + more);
        child.kill().unwrap(); // with SIGKILL
        child.wait().unwrap();
        let repeated = setting.api.stats().repeated_keys - before.repeated_keys;
        assert!(repeated <= IN_FLIGHT + RATE + RATE / 10, "kill {kill}: {repeated} requests were sent again");
        if setting.is_complete() {
            break;
        }
        // Killed before it had begun, it is not known.
        let known = Path::new(&setting.path("state/paceline/jobs/nightly.json")).exists();
        command = if known { setting.resume(&[]) } else { setting.run() };
    }
    if !setting.is_complete() {
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    setting.verify();
    let own = std::fs::read_dir(setting.path("out/_paceline")).unwrap();
    let own: Vec<_> = own.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(own, ["commit.json"], "the journal goes with the commit");
}

#[test]
fn a_resumed_job_asks_for_nothing_that_was_written_down() {
    let setting = Setting::of_many_calls();
    let mut child = setting.start();
    setting.wait_for_requests(&mut child, RATE * 3);
    signal(&child, "-TERM"); // which writes down what came
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let output = setting.resume(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let repeated = setting.api.stats().repeated_keys;
    assert!(repeated <= IN_FLIGHT, "{repeated} requests were sent again, {IN_FLIGHT} can have been in flight");
    setting.verify();
    let report = setting.report();
    let (requests, reused) = (report["requests"].as_u64().unwrap(), report["answers_reused"].as_u64().unwrap());
    assert_eq!(requests + reused, RECORDS as u64);
    let again = setting.resume(&[]).output().unwrap();
    assert!(said(&again).contains("job 'nightly' is finished"), "{}", said(&again));
}

#[test]
fn a_job_is_resumed_elsewhere_by_its_checkpoint() {
    let setting = Setting::of_many_calls();
    let location = setting.path("checkpoints");
    let mut child =
        setting.run().args(["--conf", &format!("paceline.checkpoint.location={location}")]).spawn().unwrap();
    setting.wait_for_requests(&mut child, RATE * 3);
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(setting.path("state")).unwrap();
    // As a kill in the midst of a write leaves them, on a disk.
    for unfinished in ["statement-3.json#1", "journal-3/0-00000000-9.journal#1"] {
        std::fs::write(Path::new(&location).join("nightly").join(unfinished), "cut").unwrap();
    }
    let output = setting.resume(&["--checkpoint", &format!("{location}/nightly")]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(setting.report()["answers_reused"].as_u64().unwrap() >= RATE as u64);
    setting.verify();
    let left = std::fs::read_dir(&location).into_iter().flatten().count();
    assert_eq!(left, 0, "the checkpoint goes when its job is done");
}

#[test]
fn a_job_is_not_resumed_on_other_input() {
    let setting = Setting::of_many_calls();
    let mut child = setting.start();
    setting.wait_for_requests(&mut child, RATE * 2);
    signal(&child, "-KILL");
    child.wait().unwrap();
    std::fs::remove_dir_all(setting.path("state")).unwrap();
    let unknown = setting.resume(&[]).output().unwrap();
    assert!(said(&unknown).contains("nothing is known here of a job 'nightly'"), "{}", said(&unknown));

    let checkpoint = setting.path("out/_paceline/nightly");
    let records = std::fs::read(setting.path("in.csv")).unwrap();
    std::fs::write(setting.path("in.csv"), [records.as_slice(), b"9001\n"].concat()).unwrap();
    let before = setting.api.stats().requests;
    let refused = setting.resume(&["--checkpoint", &checkpoint]).output().unwrap();
    assert!(said(&refused).contains("in.csv' has changed"), "{}", said(&refused));
    assert_eq!(setting.api.stats().requests, before);
}

#[test]
fn statements_that_were_committed_are_not_carried_out_again() {
    let setting = Setting::new("unlimited");
    let insert = |name: &str, answer: &str| {
        format!(
            "INSERT OVERWRITE DIRECTORY '{}' USING parquet SELECT id, {answer} AS answer FROM records;\n",
            setting.path(name)
        )
    };
    let job = std::fs::read_to_string(setting.path("job.sql")).unwrap();
    let job = job.split("INSERT").next().unwrap().to_owned();
    // The last statement fails: its destination is a file.
    std::fs::write(setting.path("taken"), "").unwrap();
    let script = job + &insert("first", "enrich(id)") + &insert("taken", "1");
    std::fs::write(setting.path("job.sql"), script).unwrap();
    let output = setting.run().output().unwrap();
    assert_eq!((output.status.code(), setting.api.stats().requests), (Some(1), 1000), "{}", said(&output));
    std::fs::remove_file(setting.path("taken")).unwrap();
    // Run again by its id, as a scheduler does, it goes on; resumed without its state it finds what is committed.
    std::fs::copy(setting.path("state/paceline/jobs/nightly.json"), setting.path("kept.json")).unwrap();
    let output = setting.run().output().unwrap();
    assert_eq!((output.status.code(), setting.api.stats().requests), (Some(0), 1000), "{}", said(&output));
    let state = std::fs::read_to_string(setting.path("kept.json")).unwrap();
    let mut state: Value = serde_json::from_str(&state).unwrap();
    state["done"] = Value::Array(Vec::new());
    std::fs::write(setting.path("state/paceline/jobs/nightly.json"), state.to_string()).unwrap();
    let output = setting.resume(&[]).output().unwrap();
    assert_eq!((output.status.code(), setting.api.stats().requests), (Some(0), 1000), "{}", said(&output));
}

#[test]
fn a_job_that_ended_well_is_run_anew_under_its_id_even_where_its_checkpoint_was_kept() {
    let setting = Setting::failing(10, "unlimited");
    setting.write_job_with("rate_limit_calls 'unlimited', retry_max_attempts '1', max_in_flight '1'");
    let mut keys = 0;
    for round in 1..=2 {
        let output = setting.run().args(["--conf", "paceline.checkpoint.keep=true"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let stats = setting.api.stats();
        keys += stats.repeated_keys;
        assert_eq!((stats.requests, keys), (round * 1000, 0), "new questions, with new keys");
    }
    assert!(Path::new(&setting.path("out/_paceline/nightly/statement-3.json")).exists());
    let output = setting.paceline(&["redrive", "nightly", "--report", "report.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(setting.report()["records_written"], 90);
}

#[test]
fn answers_of_a_job_whose_state_was_lost_are_found_and_its_output_is_known_again() {
    let setting = Setting::of_many_calls();
    let mut child = setting.start();
    setting.wait_for_requests(&mut child, RATE * 3);
    signal(&child, "-TERM");
    child.wait().unwrap();
    std::fs::remove_dir_all(setting.path("state")).unwrap();
    let output = setting.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(setting.report()["answers_reused"].as_u64().unwrap() >= RATE as u64);
    let output = setting.paceline(&["redrive", "nightly"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "no letters, but the output is this job's: {}", said(&output));
}
