//! Keeps count of a job's tasks that were killed with an attempt at their stage: where rows that a stage reads are lost, Ballista
//! begins it anew and forgets what it had of the attempt before.

use std::collections::HashMap;

use crate::observe::progress::Tasks;
use crate::observe::stages::Stage;

/// What was seen of a job's stages, by their numbers.
#[derive(Debug, Default)]
pub struct Killed(HashMap<u32, Attempts>);

#[derive(Debug, Default)]
struct Attempts {
    /// Tasks of the attempt that was seen last.
    last: Tasks,
    /// Tasks that were killed in those before it.
    earlier: u64,
}

impl Killed {
    /// The stages as Ballista has them, with the tasks that were killed in earlier attempts at them. A task that ran when its
    /// attempt was seen last was killed with it.
    pub fn counted(&mut self, mut stages: Vec<Stage>) -> Vec<Stage> {
        for stage in &mut stages {
            let Attempts { last, earlier } = self.0.entry(stage.stage).or_default();
            let is_anew = begun(&stage.count) < begun(last); // tasks are only added to an attempt
            if is_anew {
                *earlier += last.running + last.killed;
            }
            *last = stage.count;
            stage.count.killed += *earlier;
        }
        stages
    }
}

/// Tasks that have begun.
fn begun(tasks: &Tasks) -> u64 {
    tasks.running + tasks.completed + tasks.failed + tasks.killed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_in_an_attempt_that_is_forgotten_was_killed() {
        let mut killed = Killed::default();
        let mut seen = |running, completed, failed, killed_now| {
            let count = Tasks { total: 4, waiting: 0, running, completed, failed, killed: killed_now };
            let stages = killed.counted(vec![Stage { stage: 7, count, ..Stage::default() }]);
            stages[0].count.killed
        };
        assert_eq!([seen(0, 0, 0, 0), seen(3, 1, 0, 0), seen(2, 1, 1, 0)], [0, 0, 0]);
        assert_eq!(seen(1, 1, 1, 1), 1, "one was lost with its executor");
        assert_eq!(seen(0, 0, 0, 0), 2, "the stage waits for its rows again, and the one that ran was killed");
        assert_eq!([seen(4, 0, 0, 0), seen(0, 4, 0, 0)], [2, 2], "the second attempt");
        assert_eq!(seen(1, 2, 0, 2), 4);
    }

    #[test]
    fn stages_are_told_apart() {
        let mut killed = Killed::default();
        let stage = |stage, running| Stage { stage, count: Tasks { running, ..Tasks::default() }, ..Stage::default() };
        killed.counted(vec![stage(1, 2), stage(2, 3)]);
        let now = killed.counted(vec![stage(1, 0), stage(2, 3)]);
        assert_eq!(now.iter().map(|stage| stage.count.killed).collect::<Vec<_>>(), [2, 0]);
    }
}
