//! The executors of a job: the tasks of its plan that each of them has, by its stages, and their slots and memory, as they were
//! seen last. A plan in this process has one, the process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::memory::rss_permille;
use super::stages::{Stage, StageState};
use crate::Session;
use crate::cluster::Member;

/// An executor, and what it has of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnExecutor {
    /// Its id, as tasks have it; empty for this process.
    pub executor: String,
    /// Tasks that it can run at once; absent where it was not seen, or is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u64>,
    /// Tasks that it runs, those of other jobs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots_used: Option<u64>,
    /// Memory for the operators of all its tasks, in bytes; absent where there is no bound, or it has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_pool_bytes: Option<u64>,
    /// Of the memory that its process may have, how much it has, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_permille: Option<u32>,
    /// Tasks of the plan that runs, or ran last, which run there.
    pub running: u64,
    /// Those that have ended well there.
    pub completed: u64,
}

impl OnExecutor {
    /// Those that are there, and those that had tasks of the stages, by their ids.
    fn all(stages: &[Stage], members: &[Member]) -> Vec<Self> {
        let mut all: BTreeMap<_, _> = members.iter().map(|member| (member.id.as_str(), Self::of(member))).collect();
        // Of tries that failed it is not always told where.
        let is_placed = |state| matches!(state, StageState::Running | StageState::Completed);
        for task in stages.iter().flat_map(|stage| &stage.tasks).filter(|task| is_placed(task.state)) {
            let on = all.entry(task.executor.as_str());
            let on = on.or_insert_with(|| OnExecutor { executor: task.executor.clone(), ..Self::default() });
            if task.state == StageState::Running {
                on.running += 1;
            } else {
                on.completed += 1;
            }
        }
        all.into_values().collect()
    }

    fn of(member: &Member) -> Self {
        let slots = member.slots as u64;
        OnExecutor {
            executor: member.id.clone(),
            slots: Some(slots),
            slots_used: Some(member.running as u64),
            memory_pool_bytes: member.share.map(|share| share.saturating_mul(slots)),
            memory_permille: member.memory_permille,
            ..Self::default()
        }
    }
}

/// Who is there, and what was shown and kept of a job's executors.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: Vec<Member>,
    shown: Vec<OnExecutor>,
    kept: Vec<OnExecutor>,
}

impl Roster {
    /// These are there now.
    pub fn meet(&mut self, members: Vec<Member>) {
        self.members = members;
    }

    /// What they have of the stages, where that is to be shown: it is other than before.
    pub fn look(&mut self, stages: &[Stage]) -> Option<Vec<OnExecutor>> {
        let now = OnExecutor::all(stages, &self.members);
        (now != self.shown).then(|| {
            self.shown.clone_from(&now);
            now
        })
    }

    /// What was shown last, where that is to be kept: it was not.
    pub fn keep(&mut self) -> Option<Vec<OnExecutor>> {
        (self.kept != self.shown).then(|| {
            self.kept.clone_from(&self.shown);
            self.shown.clone()
        })
    }

    /// What was shown last.
    pub fn shown(&self) -> Vec<OnExecutor> {
        self.shown.clone()
    }
}

/// This process, as the executor of plans that run in it: as many of their tasks run at once as there are partitions.
pub(super) fn this_process(session: &Session, stages: &[Stage]) -> Member {
    Member {
        id: String::new(),
        slots: session.context().copied_config().target_partitions(),
        running: usize::try_from(Stage::sum(stages).running).unwrap_or(usize::MAX),
        holds_shuffle: false,
        share: None,
        memory_permille: rss_permille(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::stages::Task;

    fn member(id: &str, running: usize) -> Member {
        let (id, share) = (id.to_owned(), Some(1 << 30));
        Member { id, slots: 2, running, holds_shuffle: false, share, memory_permille: Some(250) }
    }

    fn stage(tasks: &[(&str, StageState)]) -> Stage {
        let tasks = tasks.iter().zip(0..).map(|((executor, state), task)| Task {
            task,
            partition: task,
            executor: (*executor).to_owned(),
            state: *state,
            started_ms: 1,
            ended_ms: None,
        });
        Stage { tasks: tasks.collect(), ..Stage::default() }
    }

    #[test]
    fn tasks_are_counted_where_they_are_and_those_who_are_idle_or_gone_are_shown_too() {
        let (runs, done, failed) = (StageState::Running, StageState::Completed, StageState::Failed);
        let first = stage(&[("b", done), ("b", done), ("gone", done), ("", failed)]);
        let second = stage(&[("b", runs), ("gone", runs)]);
        let all = OnExecutor::all(&[first, second], &[member("b", 2), member("a", 0)]);
        let seen = |executor: &str, slots_used, running, completed| OnExecutor {
            executor: executor.to_owned(),
            slots: Some(2),
            slots_used: Some(slots_used),
            memory_pool_bytes: Some(2 << 30),
            memory_permille: Some(250),
            running,
            completed,
        };
        let gone = OnExecutor { executor: "gone".to_owned(), running: 1, completed: 1, ..OnExecutor::default() };
        assert_eq!(all, [seen("a", 0, 0, 0), seen("b", 2, 1, 2), gone]);
    }

    #[test]
    fn what_is_as_before_is_neither_shown_nor_kept_again() {
        let mut roster = Roster::default();
        assert_eq!((roster.look(&[]), roster.keep()), (None, None));
        roster.meet(vec![member("a", 0)]);
        let running = [stage(&[("a", StageState::Running)])];
        let shown = roster.look(&running).unwrap();
        assert_eq!((shown.len(), shown[0].running, roster.look(&running)), (1, 1, None));
        assert_eq!((roster.shown(), roster.keep(), roster.keep()), (shown.clone(), Some(shown), None));
        roster.meet(vec![member("a", 1)]);
        assert_eq!(roster.look(&running).map(|shown| shown[0].slots_used), Some(Some(1)));
        assert_eq!(roster.keep().map(|kept| kept[0].completed), Some(0));
    }
}
