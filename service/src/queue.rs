//! Decides which runs begin: those that were submitted first, as far as their jobs and the service allow. Pure.

use std::collections::{HashMap, HashSet};

use crate::run::{Run, State};

/// The runs that begin now, where at most `most` may run at once. A run never overtakes another of its job.
pub fn ready<'a>(runs: impl IntoIterator<Item = &'a Run>, most: usize) -> Vec<&'a Run> {
    let mut active: HashMap<&str, u32> = HashMap::new();
    let mut waiting = Vec::new();
    let mut total = 0;
    for run in runs {
        if run.state.is_active() {
            *active.entry(&run.submission.job_name).or_default() += 1;
            total += 1;
        } else if run.state == State::Waiting {
            waiting.push(run);
        }
    }
    waiting.sort_by_key(|run| run.number);
    let mut blocked = HashSet::new();
    let mut begin = Vec::new();
    for run in waiting {
        let name = run.submission.job_name.as_str();
        let running = active.entry(name).or_default();
        if total >= most {
            break;
        }
        if blocked.contains(name) || *running >= run.submission.max_concurrent_runs {
            blocked.insert(name);
            continue;
        }
        *running += 1;
        total += 1;
        begin.push(run);
    }
    begin
}

/// Whether a new run would begin at once.
pub fn has_room<'a>(runs: impl IntoIterator<Item = &'a Run>, name: &str, most_of_job: u32) -> bool {
    let of_job = |run: &&Run| run.submission.job_name == name && !run.state.is_final();
    (runs.into_iter().filter(of_job).count() as u64) < u64::from(most_of_job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Kind, Submission};

    fn run(number: u64, name: &str, most: u32, state: State) -> Run {
        let json = serde_json::json!({ "sql": "SELECT 1", "job_name": name, "max_concurrent_runs": most });
        let submission: Submission = serde_json::from_value(json).unwrap();
        Run { state, ..Run::new(number, Kind::Submitted, submission, 0) }
    }

    fn numbers(runs: &[Run], most: usize) -> Vec<u64> {
        ready(runs, most).iter().map(|run| run.number).collect()
    }

    #[test]
    fn those_that_came_first_begin_as_far_as_their_job_allows() {
        let runs = [
            run(5, "a", 3, State::Waiting),
            run(1, "a", 3, State::Running),
            run(2, "a", 3, State::Stopping),
            run(3, "a", 3, State::Waiting),
            run(4, "b", 1, State::Waiting),
            run(6, "b", 1, State::Waiting),
            run(7, "c", 1, State::Succeeded),
        ];
        assert_eq!(numbers(&runs, 10), [3, 4]);
        assert_eq!(numbers(&runs, 3), [3]);
        assert_eq!(numbers(&runs, 2), [0; 0]);
    }

    #[test]
    fn none_overtakes_another_run_of_its_job() {
        let runs = [run(1, "a", 9, State::Running), run(2, "a", 1, State::Waiting), run(3, "a", 9, State::Waiting)];
        assert_eq!(numbers(&runs, 10), [0; 0]);
        assert!(has_room(&runs, "a", 4) && !has_room(&runs, "a", 3) && has_room(&runs, "b", 1));
    }
}
