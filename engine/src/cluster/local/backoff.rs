//! Decides how long a process that ended waits before it is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);
/// Whoever ran for so long was healthy.
const HEALTHY: Duration = Duration::from_secs(60);

/// The waits of one process.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub fn new() -> Self {
        Backoff { next: FIRST }
    }

    /// How long to wait, after it ran for so long.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY {
            self.next = FIRST;
        }
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(MOST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_bound_and_begin_anew_after_a_minute_of_health() {
        let mut backoff = Backoff::new();
        let ran = [0, 0, 59, 0, 0, 0, 0, 60, 0];
        let waits = ran.map(|seconds| backoff.after(Duration::from_secs(seconds)).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 1, 2]);
    }
}
