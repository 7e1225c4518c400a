//! How far the paces of a cluster are used, by what processes say of the calls they sent. Time comes in as an argument.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use paceline_udfs::lease::{Ask, LEASE};
use tokio::time::Instant;

use super::sizing::Pace;

/// The rate of calls is that of so long a time.
const SPAN: Duration = Duration::from_secs(5);
/// What is looked at is written down so often.
const EVERY: Duration = Duration::from_millis(500);
/// A process that says nothing for so long has ended.
const GONE: Duration = Duration::from_secs(60);

/// What was sent under each quota.
#[derive(Debug, Default)]
pub struct Usage(HashMap<String, Used>);

#[derive(Debug)]
struct Used {
    /// Calls a second.
    allowed: f64,
    /// What each process said that it sent since it started.
    sent: HashMap<u64, (u64, Instant)>,
    /// Calls of all processes since they are known.
    total: u64,
    /// What the total was when.
    past: VecDeque<(Instant, u64)>,
    /// Since when the pace is used up.
    used_up: Option<Instant>,
    /// Calls per period that each process was granted last.
    leased: HashMap<u64, u32>,
}

/// A quota and who calls under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leased {
    /// Its name.
    pub quota: String,
    /// Its pace.
    pub pace: Pace,
    /// Processes that have a lease.
    pub leases: usize,
    /// Calls per period that these come to.
    pub calls: u64,
}

impl Usage {
    /// Hears what a process says.
    pub fn hear(&mut self, ask: &Ask, now: Instant) {
        let allowed = ask.limits.iter().map(|limit| f64::from(limit.calls.get()) / limit.period.as_secs_f64());
        let Some(allowed) = allowed.min_by(f64::total_cmp) else { return };
        let used = self.0.entry(ask.quota.clone()).or_insert_with(|| Used {
            allowed,
            sent: HashMap::new(),
            total: 0,
            past: VecDeque::new(),
            used_up: None,
            leased: HashMap::new(),
        });
        used.allowed = allowed;
        let (before, _) = used.sent.insert(ask.holder, (ask.sent, now)).unwrap_or((ask.sent, now));
        used.total += ask.sent.saturating_sub(before);
        used.look(now);
        if ask.leaving {
            used.sent.remove(&ask.holder);
            used.leased.remove(&ask.holder);
        }
        self.0.retain(|_, used| {
            used.sent.retain(|_, (_, heard)| now.saturating_duration_since(*heard) < GONE);
            let Used { sent, leased, .. } = used;
            leased.retain(|holder, _| {
                sent.get(holder).is_some_and(|(_, heard)| now.saturating_duration_since(*heard) < LEASE)
            });
            !used.sent.is_empty()
        });
    }

    /// A process was granted so many calls per period.
    pub fn granted(&mut self, quota: &str, holder: u64, calls: u32) {
        if let Some(used) = self.0.get_mut(quota)
            && used.sent.contains_key(&holder)
        {
            used.leased.insert(holder, calls);
        }
    }

    /// All quotas, by name.
    pub fn all(&self, now: Instant) -> Vec<Leased> {
        let leased = |(quota, used): (&String, &Used)| Leased {
            quota: quota.clone(),
            pace: used.pace(now),
            leases: used.leased.values().filter(|calls| **calls > 0).count(),
            calls: used.leased.values().map(|calls| u64::from(*calls)).sum(),
        };
        let mut all: Vec<_> = self.0.iter().map(leased).collect();
        all.sort_by(|one, other| one.quota.cmp(&other.quota));
        all
    }

    /// How far a quota's pace is used; `None` where nobody calls under it, or without a limit.
    pub fn of(&self, quota: &str, now: Instant) -> Option<Pace> {
        Some(self.0.get(quota)?.pace(now))
    }
}

impl Used {
    fn pace(&self, now: Instant) -> Pace {
        let used_up_for = self.used_up.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        Pace { allowed: self.allowed, reached: self.rate(now), used_up_for }
    }

    fn rate(&self, now: Instant) -> f64 {
        let Some((since, before)) = self.past.front() else { return 0.0 };
        let span = now.saturating_duration_since(*since).max(EVERY);
        (self.total - before) as f64 / span.as_secs_f64()
    }

    fn look(&mut self, now: Instant) {
        if self.past.back().is_some_and(|(last, _)| now.saturating_duration_since(*last) < EVERY) {
            return;
        }
        self.past.push_back((now, self.total));
        while self.past.get(1).is_some_and(|(next, _)| now.saturating_duration_since(*next) >= SPAN) {
            self.past.pop_front();
        }
        let pace = Pace { allowed: self.allowed, reached: self.rate(now), used_up_for: Duration::ZERO };
        self.used_up = if pace.used_up() { self.used_up.or(Some(now)) } else { None };
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use paceline_udfs::limiter::Limit;

    use super::*;

    fn ask(holder: u64, sent: u64) -> Ask {
        let limits = vec![Limit { calls: NonZeroU32::MIN.saturating_add(99), period: Duration::from_secs(1) }];
        Ask {
            quota: "q".to_owned(),
            limits,
            holder,
            number: 1,
            applied: 0,
            held: Vec::new(),
            demand: 0,
            sent,
            paused_for: Duration::ZERO,
            breakers: Vec::new(),
            leaving: false,
        }
    }

    #[test]
    fn a_pace_is_used_up_when_all_processes_together_reach_it() {
        let (mut usage, start) = (Usage::default(), Instant::now());
        let at = |tenths: u64| start + Duration::from_millis(tenths * 100);
        // Two processes that were there before, 50 calls a second each.
        for tenths in 0..=100 {
            for (holder, before) in [(1, 7_000), (2, 9_000)] {
                usage.hear(&ask(holder, before + tenths * 5), at(tenths));
            }
        }
        let pace = usage.of("q", at(100)).unwrap();
        assert_eq!(pace.allowed, 100.0);
        assert!((95.0..=105.0).contains(&pace.reached), "{pace:?}");
        assert!(pace.used_up_for >= Duration::from_secs(8), "{pace:?}");
        // One ends.
        for tenths in 101..=200 {
            usage.hear(&ask(1, 7_000 + tenths * 5), at(tenths));
        }
        let pace = usage.of("q", at(200)).unwrap();
        assert!((45.0..=55.0).contains(&pace.reached), "{pace:?}");
        assert_eq!(pace.used_up_for, Duration::ZERO);
        assert_eq!(usage.of("other", at(200)), None);
        usage.granted("q", 2, 60);
        usage.granted("q", 3, 40); // nobody heard of it
        let [all] = usage.all(at(200)).try_into().unwrap();
        assert_eq!((all.quota.as_str(), all.leases, all.calls), ("q", 1, 60));
        usage.hear(&Ask { leaving: true, ..ask(2, 9_000) }, at(201));
        assert!(usage.all(at(201)).iter().all(|quota| quota.calls == 0));
    }
}
