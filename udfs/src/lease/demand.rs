//! Measures how many calls a process could send: what it sent lately, or all it can get where its share holds it back.

use std::time::Duration;

use tokio::time::Instant;

/// A shorter time says nothing.
const SHORTEST: Duration = Duration::from_millis(100);

/// What happened since the last ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Demand {
    since: Instant,
    sent: u32,
    /// How long calls waited for the share.
    held_back: Duration,
    holding_back: Option<Instant>,
    last: u32,
}

impl Demand {
    pub fn new(now: Instant) -> Self {
        Demand { since: now, sent: 0, held_back: Duration::ZERO, holding_back: None, last: 0 }
    }

    pub fn sent(&mut self, now: Instant) {
        self.sent += 1;
        self.let_go(now);
    }

    pub fn held_back(&mut self, now: Instant) {
        self.holding_back.get_or_insert(now);
    }

    fn let_go(&mut self, now: Instant) {
        if let Some(since) = self.holding_back.take() {
            self.held_back += now.saturating_duration_since(since);
        }
    }

    /// Calls per `period` that could be sent; begins to measure anew.
    pub fn measure(&mut self, waiting: bool, has_units: bool, period: Duration, now: Instant) -> u32 {
        if waiting && !has_units {
            self.last = u32::MAX;
            return self.last;
        }
        let span = now.saturating_duration_since(self.since);
        if span < SHORTEST {
            return self.last;
        }
        let holding_back = self.holding_back.is_some();
        self.let_go(now);
        self.last = if waiting && self.held_back * 2 >= span {
            u32::MAX
        } else if self.sent == 0 && !waiting {
            0
        } else {
            // A quarter more than before, so that a demand that grows is seen.
            let rate = f64::from(self.sent) * period.as_secs_f64() / span.as_secs_f64();
            ((rate * 1.25) as u32).saturating_add(1)
        };
        let holding_back = (holding_back && waiting).then_some(now);
        *self = Demand { since: now, sent: 0, held_back: Duration::ZERO, holding_back, last: self.last };
        self.last
    }
}
