//! Finds tasks that the scheduler takes for running, and whose executor does not have them: Ballista tells once how a task
//! ended, and a message that is lost would let its job wait for ever. Time comes in as an argument.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::running::TaskId;

/// A task that an executor did not have for so long is lost. What it says of its end is on its way for less.
const LOST: Duration = Duration::from_secs(10);
/// What an executor said counts for so long.
const HEARD: Duration = Duration::from_secs(3);

/// What executors said, and what they did not have.
#[derive(Debug, Default)]
pub struct Watch {
    said: HashMap<String, Said>,
    /// Since when.
    missing: HashMap<(String, TaskId), Instant>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    runs: HashSet<TaskId>,
    memory: MemorySaid,
}

/// What an executor said of its memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemorySaid {
    /// Bytes that each task has there.
    pub share: u64,
    /// Of what the process may have, how much it has, in thousandths, where the system tells.
    pub permille: Option<u32>,
}

impl Watch {
    /// Hears what an executor runs, and of its memory.
    pub fn hear(&mut self, executor: &str, runs: HashSet<TaskId>, memory: MemorySaid, now: Instant) {
        self.said.insert(executor.to_owned(), Said { at: now, runs, memory });
        self.said.retain(|_, said| now.saturating_duration_since(said.at) < LOST);
    }

    /// What an executor said of its memory, if it has.
    pub fn memory(&self, executor: &str) -> Option<MemorySaid> {
        self.said.get(executor).map(|said| said.memory)
    }

    /// Of the tasks that are taken for running on executors, those that are lost. An executor that says nothing is the
    /// scheduler's to miss.
    pub fn lost(&mut self, running: Vec<(String, TaskId)>, now: Instant) -> Vec<(String, TaskId)> {
        let is_missing = |(executor, task): &(String, TaskId)| {
            let said = self.said.get(executor);
            said.is_some_and(|said| now.saturating_duration_since(said.at) < HEARD && !said.runs.contains(task))
        };
        let before = std::mem::take(&mut self.missing);
        self.missing = running
            .into_iter()
            .filter(is_missing)
            .map(|at| {
                let since = before.get(&at).copied().unwrap_or(now);
                (at, since)
            })
            .collect();
        let is_lost = |since: &Instant| now.saturating_duration_since(*since) >= LOST;
        self.missing.extract_if(|_, since| is_lost(since)).map(|(at, _)| at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(task: usize) -> TaskId {
        TaskId { job: "j".to_owned(), stage: 1, task }
    }

    fn on(executor: &str, number: usize) -> (String, TaskId) {
        (executor.to_owned(), task(number))
    }

    #[test]
    fn a_task_is_lost_when_its_executor_did_not_have_it_for_long() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        let mut lost = Vec::new();
        for second in 0..=12 {
            let now = start + Duration::from_secs(second);
            watch.hear("a", HashSet::from([task(1)]), MemorySaid::default(), now);
            // b said something once; the scheduler misses it by its heartbeat.
            if second == 0 {
                watch.hear("b", HashSet::new(), MemorySaid::default(), now);
            }
            let found = watch.lost(vec![on("a", 1), on("a", 2), on("b", 3), on("unheard", 4)], now);
            lost.extend(found.into_iter().map(|at| (second, at)));
        }
        assert_eq!(lost, [(10, on("a", 2))]);
    }

    #[test]
    fn a_task_that_shows_up_late_is_not_lost() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        for second in 0..=30 {
            let now = start + Duration::from_secs(second);
            let runs = if second % 9 == 8 { HashSet::from([task(1)]) } else { HashSet::new() };
            watch.hear("a", runs, MemorySaid::default(), now);
            assert_eq!(watch.lost(vec![on("a", 1)], now), []);
        }
    }
}
