//! How busy the processors of this machine are.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Ticks are too coarse for a shorter time.
const SPAN: Duration = Duration::from_secs(1);

/// How busy they were in the last second or so, for whoever asks more often than that.
#[derive(Debug)]
pub(crate) struct Lately(Mutex<Looked>);

#[derive(Debug)]
struct Looked {
    ticks: Option<Ticks>,
    at: Instant,
    share: Option<f64>,
}

impl Lately {
    /// From now on.
    pub fn new() -> Self {
        Lately(Mutex::new(Looked { ticks: Ticks::now(), at: Instant::now(), share: None }))
    }

    /// The share of that time in which they were busy, in thousandths; `None` in the first second, and where the system does not
    /// tell.
    pub fn permille(&self) -> Option<u32> {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looked.look(Ticks::now, Instant::now());
        looked.share.map(|share| (share * 1000.0).round() as u32)
    }
}

impl Looked {
    fn look(&mut self, ticks: impl FnOnce() -> Option<Ticks>, now: Instant) {
        if now.saturating_duration_since(self.at) >= SPAN {
            let ticks = ticks();
            let share = ticks.zip(self.ticks).and_then(|(now, before)| now.share_since(before));
            *self = Looked { ticks, at: now, share };
        }
    }
}

/// What they did since the machine was started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    /// As of now; `None` where the system does not tell (it is read from Linux's `/proc`).
    pub fn now() -> Option<Self> {
        Self::of(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    fn of(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // Those of user, nice, system, idle, iowait, irq, softirq and steal; those of guests are among the user's.
        let ticks: Option<Vec<u64>> = line.split_whitespace().take(8).map(|ticks| ticks.parse().ok()).collect();
        let ticks = ticks?;
        let all = ticks.iter().sum::<u64>();
        let idle = ticks.iter().skip(3).take(2).sum::<u64>();
        Some(Ticks { busy: all - idle, all })
    }

    /// The share of the time since `before` in which they were busy, from 0 to 1; `None` where no time has passed.
    pub fn share_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some((self.busy.saturating_sub(before.busy) as f64 / all as f64).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_disk_is_no_work() {
        let before = Ticks::of("cpu  100 0 50 800 40 0 10 0 7 0\ncpu0 1 2 3 4\n").unwrap();
        assert_eq!(before, Ticks { busy: 160, all: 1000 });
        let now = Ticks::of("cpu  130 0 60 850 50 0 10 0 7 0\n").unwrap();
        assert_eq!(now.share_since(before), Some(0.4));
        assert_eq!(before.share_since(before), None);
        assert_eq!(Ticks::of("intr 5\n"), None);
    }

    #[test]
    fn who_asks_often_hears_of_the_last_whole_second() {
        let start = Instant::now();
        let ticks = |busy, all| Some(Ticks { busy, all });
        let mut looked = Looked { ticks: ticks(0, 0), at: start, share: None };
        let mut at = |tenths, busy, all| {
            looked.look(|| ticks(busy, all), start + tenths * SPAN / 10);
            looked.share
        };
        assert_eq!([at(1, 10, 10), at(9, 90, 90), at(10, 25, 100)], [None, None, Some(0.25)]);
        assert_eq!([at(15, 75, 150), at(21, 125, 200)], [Some(0.25), Some(1.0)]);
    }
}
