//! One limiter per name, its history over changes and restarts, and its file.

use std::fs;
use std::num::NonZeroU32;

use expect_test::{Expect, expect};

use super::*;
use crate::client::causes;
use crate::limiter::{Limit, Rate};

const SECOND: Duration = Duration::from_secs(1);

fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + SECOND * 1_800_000_000
}

fn per_second(calls: u32) -> Limits {
    Rate::Limited { calls: NonZeroU32::new(calls).unwrap(), period: SECOND }.into()
}

/// Ten a second and so many an hour.
fn per_hour(calls: u32) -> Limits {
    let limit = |calls, seconds| Limit { calls: NonZeroU32::new(calls).unwrap(), period: SECOND * seconds };
    Limits::new(vec![limit(10, 1), limit(calls, 3600)]).unwrap()
}

#[test]
fn one_name_is_one_limiter() {
    let quotas = Quotas::default();
    let a = quotas.get("vendor", &per_second(5), wall()).unwrap();
    let b = quotas.get("vendor", &per_second(5), wall()).unwrap();
    assert!(Arc::ptr_eq(&a, &b));
    let conflict = |limits| quotas.get("vendor", &limits, wall()).unwrap_err().to_string();
    expect!["quota 'vendor' allows 5 calls per 1s for another function, this one says 6 calls per 1s: give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"].assert_eq(&conflict(per_second(6)));
    expect!["quota 'vendor' allows 5 calls per 1s for another function, this one says 10 calls per 1s, 9 per 1h: give both the same limits (rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"].assert_eq(&conflict(per_hour(9)));
}

#[test]
fn an_unused_quota_may_change_its_limits() {
    let quotas = Quotas::default();
    drop(quotas.get("vendor", &per_second(5), wall()).unwrap());
    assert_eq!(quotas.get("vendor", &per_hour(6), wall()).unwrap().limiter().limits(), &per_hour(6));
}

#[tokio::test(start_paused = true)]
async fn time_wanted_counts_overlapping_waits_once() {
    let quota = Arc::new(Quota::new("q", Limits::UNLIMITED, None));
    let (first, second) = (quota.want(), quota.want());
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(first);
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(second);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(quota.time_wanted(), Duration::from_secs(3));
}

/// Sends as many calls as are admitted within `span`, each as early as it may be, and says how many.
fn send_for(quota: &Quota, span: Duration, from: SystemTime) -> u32 {
    let start = Instant::now();
    let (mut now, mut sent) = (start, 0);
    while now - start < span {
        match quota.admit(now, from + (now - start)).unwrap() {
            Admit::Now => sent += 1,
            Admit::At(when) | Admit::PausedUntil(when) => now = when,
            Admit::NoLease => unreachable!("nothing is leased"),
        }
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn a_budget_outlives_the_process_exactly_where_it_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let open = |wall| Quotas::with_folder(folder.path()).get("vendor", &per_hour(50), wall).unwrap();
    let quota = open(wall());
    assert_eq!(send_for(&quota, SECOND * 3, wall()), 30);
    quota.flush(Instant::now() + SECOND * 3, wall() + SECOND * 3).unwrap();
    fs::remove_file(folder.path().join("vendor.lock")).unwrap(); // as if the process had ended
    let next = open(wall() + SECOND * 3);
    assert_eq!(send_for(&next, SECOND * 3000, wall() + SECOND * 3), 20);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_never_exceeded_where_the_process_dies() {
    let dies_after = [0, 1, 99, 100, 950, 1000, 1700, 2999].map(Duration::from_millis);
    for dies_after in dies_after {
        let folder = tempfile::tempdir().unwrap();
        let open = |wall| Quotas::with_folder(folder.path()).get("vendor", &per_hour(50), wall).unwrap();
        let quota = open(wall());
        let sent = send_for(&quota, dies_after, wall());
        fs::remove_file(folder.path().join("vendor.lock")).unwrap();
        let restart = wall() + dies_after;
        let after = send_for(&open(restart), SECOND * 3000, restart);
        assert!((40..=50).contains(&(sent + after)), "{sent} and {after} of 50, died after {dies_after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_once_a_second_and_by_long_limits_only() {
    let folder = tempfile::tempdir().unwrap();
    let quotas = Quotas::with_folder(folder.path());
    let short = quotas.get("short", &per_second(10), wall()).unwrap();
    let long = quotas.get("Long/../€", &per_hour(50), wall()).unwrap();
    let start = Instant::now();
    let file = folder.path().join("%4cong%2f%2e%2e%2f%e2%82%ac.json");
    let mut writes = Vec::new();
    for tenth in 0..25 {
        let _ = fs::remove_file(&file);
        let after = SECOND * tenth / 10;
        assert_eq!(short.admit(start + after, wall() + after).unwrap(), Admit::Now);
        assert_eq!(long.admit(start + after, wall() + after).unwrap(), Admit::Now);
        writes.extend(file.exists().then_some(tenth));
    }
    assert_eq!(writes, [0, 10, 20]);
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["%4cong%2f%2e%2e%2f%e2%82%ac.lock"]);
    drop((quotas, long));
    assert!(file.exists(), "what was spent is written when the quota is dropped");
}

#[test]
fn long_names_stay_different() {
    let folder = tempfile::tempdir().unwrap();
    let quotas = Quotas::with_folder(folder.path());
    for last in ["a", "b"] {
        let quota = quotas.get(&("Ä".repeat(500) + last), &per_hour(5), wall()).unwrap();
        quota.admit(Instant::now(), wall()).unwrap();
    }
    drop(quotas);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(files.filter(|file| file.extension().is_some_and(|kind| kind == "json")).count(), 2);
}

/// Opens quota `vendor` over a file with this content.
fn check_file(content: &str, expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vendor.json"), content).unwrap();
    let opened = Quotas::with_folder(folder.path()).get("vendor", &per_hour(5), wall());
    let shown = opened.map_or_else(|error| causes(&error), |_| "opened".to_owned());
    expected.assert_eq(&shown.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[test]
fn a_file_that_cannot_be_trusted_is_an_error() {
    check_file(r#"{"quota":"vendor","spent":{"at":0,"budgets":[]}}"#, expect!["opened"]);
    check_file(
        "",
        expect![
            "what was spent of quota 'vendor' is unknown, because FOLDER/vendor.json is damaged: wait for the longest period of the quota to pass since its last job, then delete the file: EOF while parsing a value at line 1 column 0"
        ],
    );
    check_file(
        r#"{"quota":"other","spent":{"at":0,"budgets":[]}}"#,
        expect!["FOLDER/vendor.json counts for quota 'other', not for 'vendor': move it back to where it came from"],
    );
}

#[test]
fn two_processes_never_spend_the_same_budget() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, theirs) = (Quotas::with_folder(folder.path()), Quotas::with_folder(folder.path()));
    let quota = mine.get("vendor", &per_hour(5), wall()).unwrap();
    let error = causes(&theirs.get("vendor", &per_hour(5), wall()).unwrap_err());
    expect!["quota 'vendor' is in use by another process or session (its file is FOLDER/vendor.json): wait for its end, or share the limit between the two by quotas of different names"].assert_eq(&error.replace(&folder.path().display().to_string(), "FOLDER"));
    drop((mine, quota));
    theirs.get("vendor", &per_hour(5), wall()).unwrap();
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let quotas = Quotas::with_folder(folder.path());
    let quota = quotas.get("vendor", &per_hour(5), wall()).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    let error = causes(&quota.admit(Instant::now(), wall()).unwrap_err());
    expect!["what was spent of quota 'vendor' cannot be kept in FOLDER/vendor.json: give a folder that can be written, or free space on its disk: No such file or directory (os error 2)"].assert_eq(&error.replace(&folder.path().display().to_string(), "FOLDER"));
    assert_eq!(quota.limiter().sent(), 0);
}
