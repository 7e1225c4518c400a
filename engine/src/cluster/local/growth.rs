//! Brings what is seen of a cluster to the decisions about its size, and those to its processes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::kept::Kept;
use crate::cluster::describe::{Description, Member};
use crate::cluster::sizing::{Act, Allocation, Dynamic, Executor, Seen};

/// A cluster whose size follows its work.
pub(super) struct Growth {
    allocation: Allocation,
    begun: Instant,
    /// Since when executors run nothing, by their ids.
    idle: HashMap<String, Duration>,
    said: String,
}

impl Growth {
    pub fn new(rules: Dynamic, slots: usize) -> Self {
        let (allocation, begun) = (Allocation::new(rules, slots), Instant::now());
        Growth { allocation, begun, idle: HashMap::new(), said: String::new() }
    }

    /// Decides; lets executors end, and returns how many are to be started.
    pub fn step(&mut self, description: &Description, executors: &mut [Kept], tell: fn(&str)) -> usize {
        let now = self.begun.elapsed();
        let seen = self.see(now, description, executors);
        let decision = self.allocation.decide(now, &seen);
        if decision.reason != self.said {
            tracing::info!(decision = ?decision.act, reason = decision.reason, "executors");
            self.said.clone_from(&decision.reason);
        }
        match decision.act {
            Act::Nothing => 0,
            Act::Start(more) => {
                tell(&format!("executors: {more} more ({})", decision.reason));
                more
            }
            Act::Drain(ids) => {
                for kept in executors.iter_mut().filter(|kept| ids.iter().any(|id| id == kept.id())) {
                    tell(&format!("{} ends ({})", kept.name(), decision.reason));
                    kept.stop();
                }
                0
            }
        }
    }

    fn see(&mut self, now: Duration, description: &Description, executors: &[Kept]) -> Seen {
        let idle = description.executors.iter().filter(|member| member.running == 0).map(|member| {
            let since = self.idle.get(member.process()).copied().unwrap_or(now);
            (member.process().to_owned(), since)
        });
        self.idle = idle.collect();
        let (mut seen, mut starting) = (Vec::new(), 0);
        for kept in executors.iter().filter(|kept| !kept.is_gone()) {
            let member = description.executors.iter().find(|member| member.process() == kept.id());
            match (member, kept.is_stopping()) {
                // It may still finish tasks when the scheduler has let go of it.
                (None, true) => seen.push(executor(kept.id(), None, None, true)),
                (None, false) => starting += 1,
                (member, draining) => {
                    seen.push(executor(kept.id(), member, self.idle.get(kept.id()).copied(), draining));
                }
            }
        }
        Seen { executors: seen, starting, stages: description.waiting.clone() }
    }
}

fn executor(id: &str, member: Option<&Member>, idle_since: Option<Duration>, draining: bool) -> Executor {
    Executor {
        id: id.to_owned(),
        running: member.map_or(0, |member| member.running),
        idle_since,
        draining,
        holds_shuffle: member.is_some_and(|member| member.holds_shuffle),
    }
}
