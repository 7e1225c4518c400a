//! Decides how many executors there should be while work comes and goes.
//! Time and what is seen come in as arguments; whoever asks does the starting and draining, and sees to it again.
//!
//! It grows as Spark does: once tasks have waited for a while by one executor, then by two, four and so on, never past what the
//! waiting tasks have use for. It shrinks by executors that were idle for long. Two things Spark does not know: while the API's
//! pace is used up more executors would only wait for it, and an executor whose shuffle files are still read is never given
//! back, because the stage that wrote them would call the API again.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::spark_conf::Dynamic;

/// From this share of the allowed rate on the pace is used up.
const PACE_USED: f64 = 0.95;

/// The decisions, and what they remember of growth.
#[derive(Clone, Debug)]
pub struct Allocation {
    rules: Dynamic,
    slots: usize,
    growth: Option<Growth>,
}

/// How growth goes on while tasks wait.
#[derive(Clone, Copy, Debug)]
struct Growth {
    /// Executors to add next.
    by: usize,
    /// When.
    at: Duration,
}

/// What is seen of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Executors that are there.
    pub executors: Vec<Executor>,
    /// Executors that were asked for and are not there yet. Whoever starts them stops counting those that fail to come.
    pub starting: usize,
    /// Stages with tasks that could run if there were slots.
    pub stages: Vec<Stage>,
}

/// An executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executor {
    /// Its id.
    pub id: String,
    /// Tasks that it runs.
    pub running: usize,
    /// Since when it runs none, on the clock of `now`; `None` while it runs some.
    pub idle_since: Option<Duration>,
    /// Whether it was told to end when its tasks have. There is no way back.
    pub draining: bool,
    /// Whether a job that is not done may still read shuffle files of it.
    pub holds_shuffle: bool,
}

/// A stage with waiting tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Tasks without a slot.
    pub waiting: usize,
    /// The pace of the API that it calls; `None` where it calls none, or none with a limit.
    pub pace: Option<Pace>,
}

/// How far a pace is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Calls a second that are allowed to all executors together.
    pub allowed: f64,
    /// Calls a second that they reach.
    pub reached: f64,
    /// For how long they have reached so much.
    pub used_up_for: Duration,
}

impl Pace {
    /// Whether more executors would only wait for it.
    pub fn used_up(&self) -> bool {
        self.allowed > 0.0 && self.reached >= self.allowed * PACE_USED
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The deed.
    pub act: Act,
    /// Why, for the log.
    pub reason: String,
}

/// The deed of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// Start so many executors, at least one.
    Start(usize),
    /// Let these executors end: they are idle, and no job reads from them. At least one.
    Drain(Vec<String>),
}

impl Allocation {
    /// Decisions under these rules, for executors that run `slots` tasks at once.
    pub fn new(rules: Dynamic, slots: usize) -> Self {
        Allocation { rules, slots: slots.max(1), growth: None }
    }

    /// What to do now. `now` is the time since any fixed moment; it does not go back.
    pub fn decide(&mut self, now: Duration, seen: &Seen) -> Decision {
        let there = seen.executors.iter().filter(|executor| !executor.draining).count();
        let coming = there + seen.starting;
        // Those that drain still take their place.
        let room = self.rules.max.saturating_sub(seen.executors.len() + seen.starting);
        if coming < self.rules.min {
            let missing = (self.rules.min - coming).min(room);
            return start(missing, format!("executors: {coming}, the least is {}", self.rules.min));
        }
        let running: usize = seen.executors.iter().filter(|executor| !executor.draining).map(|e| e.running).sum();
        let waiting = |stages: &[Stage], all: bool| -> usize {
            let counted = stages.iter().filter(|stage| all || !stage.pace.is_some_and(|pace| pace.used_up()));
            counted.map(|stage| stage.waiting).fold(0, usize::saturating_add)
        };
        let needed = |waiting: usize| running.saturating_add(waiting).div_ceil(self.slots);
        let (waiting, waiting_anyhow) = (waiting(&seen.stages, false), waiting(&seen.stages, true));
        let (useful, needed) = (needed(waiting), needed(waiting_anyhow));
        if waiting > 0 && useful > coming {
            return self.grow(now, waiting, useful - coming, coming, room);
        }
        // Whoever grows later begins with one again.
        self.growth = None;
        let decision = self.shrink(now, seen, there, needed);
        match seen
            .stages
            .iter()
            .filter_map(|stage| stage.pace.filter(|pace| stage.waiting > 0 && pace.used_up()))
            .next()
        {
            Some(pace) if decision.act == Act::Nothing && needed > coming => nothing(format!(
                "tasks waiting: {waiting_anyhow}, but the pace is used up, {:.0} of {:.0} calls/s for {} s: \
                 more executors would only wait",
                pace.reached,
                pace.allowed,
                pace.used_up_for.as_secs()
            )),
            _ => decision,
        }
    }

    fn grow(&mut self, now: Duration, waiting: usize, useful: usize, coming: usize, room: usize) -> Decision {
        if room == 0 {
            self.growth = None;
            return nothing(format!(
                "tasks waiting: {waiting}; executors: {coming}, and there are no more than {}",
                self.rules.max
            ));
        }
        let growth = self.growth.get_or_insert(Growth { by: 1, at: now.saturating_add(self.rules.backlog_timeout) });
        if now < growth.at {
            let left = growth.at.saturating_sub(now);
            return nothing(format!("tasks waiting: {waiting}; executors are added in {left:?} if they still wait"));
        }
        let added = growth.by.min(useful).min(room);
        growth.by = if added == growth.by { growth.by.saturating_mul(2) } else { 1 };
        growth.at = now.saturating_add(self.rules.sustained_backlog_timeout);
        start(added, format!("tasks waiting: {waiting}; executors: {coming}, with slots for {} each", self.slots))
    }

    /// Gives back who was idle for long, longest first, but keeps the least, and as many as the waiting tasks have use for.
    fn shrink(&self, now: Duration, seen: &Seen, there: usize, needed: usize) -> Decision {
        let idle = |executor: &&Executor| {
            let since = executor.idle_since.filter(|_| executor.running == 0 && !executor.draining);
            since.is_some_and(|since| now.saturating_sub(since) >= self.rules.idle_timeout)
        };
        let (held, mut free): (Vec<_>, Vec<_>) = seen.executors.iter().filter(idle).partition(|e| e.holds_shuffle);
        free.sort_by_key(|executor| (executor.idle_since, executor.id.as_str()));
        // Those that are starting may never come: they do not count.
        let spare = there.saturating_sub(self.rules.min.max(needed));
        let ids: Vec<_> = free.iter().take(spare).map(|executor| executor.id.clone()).collect();
        if !ids.is_empty() {
            let reason = format!("idle for {} s or more", self.rules.idle_timeout.as_secs());
            return Decision { act: Act::Drain(ids), reason };
        }
        if spare > 0 && !held.is_empty() {
            return nothing(format!(
                "idle executors: {}, which stay because their shuffle files are still read",
                held.len()
            ));
        }
        nothing(format!("executors: {there}, which is enough"))
    }
}

fn start(executors: usize, reason: String) -> Decision {
    match executors {
        0 => nothing(format!("{reason}, but those that drain still take their places")),
        executors => Decision { act: Act::Start(executors), reason },
    }
}

fn nothing(reason: String) -> Decision {
    Decision { act: Act::Nothing, reason }
}
