//! Who carries a commit out, and whether another driver may take it over.
//! Time only decides who waits: whoever is taken over too early is kept out by compare-and-swap.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How often a driver says that it still commits.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// After so long without a sign of life it is taken over.
pub(in crate::io) const STALE: Duration = Duration::from_secs(60);

/// How long a driver waits for another one that shows signs of life.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The driver that a commit belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// The try that its driver carries out; a job that is started again is another try.
    pub attempt: String,
    pub host: String,
    process: Process,
    /// When it began, in milliseconds since 1970.
    pub since: u64,
    /// Its last sign of life.
    pub beat: u64,
}

impl Owner {
    pub fn new(attempt: &str) -> Self {
        let now = now();
        Owner { attempt: attempt.to_owned(), host: host(), process: Process::own(), since: now, beat: now }
    }
}

/// A process of this machine, as long as it runs; empty where that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    /// The machine since it was started, and the process ids that are counted together there.
    space: String,
    id: u32,
    started: String,
}

impl Process {
    fn own() -> Self {
        let id = std::process::id();
        Process { space: space().unwrap_or_default(), id, started: started(id).unwrap_or_default() }
    }

    /// Whether it has ended; `false` where that is not known.
    fn has_ended(&self) -> bool {
        !self.started.is_empty()
            && space().is_some_and(|space| space == self.space)
            && started(self.id).as_ref() != Some(&self.started)
    }
}

fn space() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let ids = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), ids.display()))
}

/// When a process was started, the 22nd field of its line; the second may hold spaces. A zombie has ended.
fn started(id: u32) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    (fields.next()? != "Z").then(|| fields.nth(18).map(str::to_owned))?
}

pub(super) fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    named.or_else(|| std::env::var("HOSTNAME").ok()).map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
}

/// What to do where another commit is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    TakeOver,
    LookAgainIn(Duration),
    Refuse,
}

/// What a waiting driver knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub attempt: &'a str,
    pub now: u64,
    /// For how long, by its own clock, it has seen no sign of life.
    pub silent: Duration,
    pub waited: Duration,
    pub stale: Duration,
}

pub(super) fn next(owner: Option<&Owner>, known: Known<'_>) -> Next {
    // Without an owner it was released, or is that of an older Paceline, which is dead or cannot be told from dead.
    let Some(owner) = owner else { return Next::TakeOver };
    let age = Duration::from_millis(known.now.saturating_sub(owner.beat)).max(known.silent);
    if owner.attempt == known.attempt || age >= known.stale || owner.process.has_ended() {
        Next::TakeOver
    } else if known.waited >= LONGEST_WAIT {
        Next::Refuse
    } else {
        Next::LookAgainIn(LOOK_AGAIN.min(known.stale - age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(owner: &Owner, seconds: [u64; 3], expected: Next) {
        let [age, silent, waited] = seconds;
        let now = owner.beat + age * 1000;
        let (silent, waited) = (Duration::from_secs(silent), Duration::from_secs(waited));
        let known = Known { attempt: "another", now, silent, waited, stale: STALE };
        assert_eq!(next(Some(owner), known), expected, "{seconds:?}");
    }

    #[test]
    fn a_driver_is_taken_over_when_it_was_silent_for_a_minute_by_either_clock() {
        let owner = Owner::new("one");
        check(&owner, [0, 0, 0], Next::LookAgainIn(LOOK_AGAIN));
        check(&owner, [59, 0, 0], Next::LookAgainIn(LOOK_AGAIN));
        check(&owner, [60, 0, 0], Next::TakeOver);
        check(&owner, [0, 60, 60], Next::TakeOver);
        check(&owner, [1, 1, 600], Next::Refuse);
    }

    #[test]
    fn a_driver_whose_process_has_ended_or_that_is_the_same_try_is_taken_over_at_once() {
        let mut owner = Owner::new("another");
        check(&owner, [0, 0, 0], Next::TakeOver);
        owner.attempt = "one".to_owned();
        owner.process.started.push('0');
        check(&owner, [0, 0, 0], Next::TakeOver);
        owner.process.space.push('0'); // on another machine nothing is known of it
        check(&owner, [0, 0, 0], Next::LookAgainIn(LOOK_AGAIN));
    }
}
