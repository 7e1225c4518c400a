//! Dead letters that are sent again.

use super::*;

impl Setting {
    fn redrive(&self) -> Output {
        self.paceline(&["redrive", "nightly", "--report", "report.json"]).output().unwrap()
    }

    /// Rows in the dead letters.
    fn letters(&self) -> usize {
        let Ok(files) = std::fs::read_dir(self.path("out/_dead_letter")) else { return 0 };
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().lines().count()).sum()
    }
}

#[test]
fn rows_that_succeed_now_are_added_once_and_have_the_keys_that_they_had() {
    let setting = Setting::failing(10, "unlimited");
    setting.write_job_with("rate_limit_calls 'unlimited', retry_max_attempts '1', max_in_flight '1'");
    assert_eq!(setting.run().output().unwrap().status.code(), Some(0));
    assert_eq!((setting.letters(), setting.report()["records_written"].as_u64()), (100, Some(900)));

    let output = setting.redrive();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = setting.report();
    assert_eq!((&report["records_read"], &report["records_written"]), (&100.into(), &90.into()));
    assert_eq!((&report["records_failed"], setting.letters()), (&10.into(), 10));
    setting.redrive();
    assert_eq!(setting.letters(), 1);
    setting.redrive();
    assert_eq!(setting.letters(), 0);
    setting.verify();
    let stats = setting.api.stats();
    assert_eq!((stats.requests, stats.repeated_keys), (1111, 111));

    // There is nothing left to send, so nothing is added.
    let output = setting.redrive();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(setting.api.stats().requests, 1111);
    setting.verify();
}

#[test]
fn letters_are_refused_where_another_job_has_written_since_or_the_job_is_not_known() {
    let setting = Setting::failing(10, "unlimited");
    setting.write_job_with("rate_limit_calls 'unlimited', retry_max_attempts '1'");
    assert_eq!(setting.run().output().unwrap().status.code(), Some(0));
    let unknown = setting.paceline(&["redrive", "weekly"]).output().unwrap();
    assert!(said(&unknown).contains("nothing is known here of a job 'weekly'"), "{}", said(&unknown));
    let input = format!("in={}", setting.path("in.csv"));
    let other = setting.paceline(&["run", "job.sql", "--var", &input, "--job-id", "other"]).output().unwrap();
    assert_eq!(other.status.code(), Some(0), "{}", said(&other));
    let refused = setting.redrive();
    assert!(said(&refused).contains("is not that of job 'nightly' any more"), "{}", said(&refused));
}

#[test]
fn letters_of_a_job_that_keeps_other_partitions_are_its_own() {
    let setting = Setting::failing(10, "unlimited");
    setting.write_job_with("rate_limit_calls 'unlimited', retry_max_attempts '1'");
    let job = std::fs::read_to_string(setting.path("job.sql")).unwrap();
    let job = job.replace(
        "USING parquet SELECT *",
        "USING parquet OPTIONS (partitionBy 'k', partitionOverwriteMode 'dynamic') SELECT *, id % 7 AS k",
    );
    std::fs::write(setting.path("job.sql"), job).unwrap();
    std::fs::create_dir_all(setting.path("out/_dead_letter/job=other")).unwrap();
    std::fs::write(setting.path("out/_dead_letter/job=other/part-x.json"), "of another job").unwrap();
    std::fs::create_dir_all(setting.path("out/k=9")).unwrap();
    std::fs::write(setting.path("out/k=9/part-x"), "of another job").unwrap();

    assert_eq!(setting.run().output().unwrap().status.code(), Some(0));
    assert_eq!(setting.report()["records_written"].as_u64(), Some(900));
    for left in [10, 1, 0] {
        let output = setting.redrive();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(setting.report()["records_failed"].as_u64(), Some(left));
    }
    assert!(!Path::new(&setting.path("out/_dead_letter/job=nightly")).exists());
    for other in ["out/_dead_letter/job=other/part-x.json", "out/k=9/part-x"] {
        assert_eq!(std::fs::read_to_string(setting.path(other)).unwrap(), "of another job");
        std::fs::remove_file(setting.path(other)).unwrap();
    }
    setting.verify();
}
