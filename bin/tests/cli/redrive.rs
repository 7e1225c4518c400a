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
