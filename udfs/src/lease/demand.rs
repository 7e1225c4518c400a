//! Measures how many calls a process could send: what it sent lately, or all it can get where its share holds it back.
//! Says when a demand has ended.

use std::time::Duration;

use tokio::time::Instant;

/// A shorter time says nothing.
const SHORTEST: Duration = Duration::from_millis(100);
/// A demand has ended when nothing was wanted for twice the longest pause that it made lately, within these bounds.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// What happened since the last ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Demand {
    since: Instant,
    sent: u32,
    /// How long calls waited for the share.
    held_back: Duration,
    holding_back: Option<Instant>,
    last: u32,
    last_call: Instant,
    patience: Duration,
}

impl Demand {
    pub fn new(now: Instant) -> Self {
        let (sent, held_back, holding_back, last) = (0, Duration::ZERO, None, 0);
        Demand { since: now, sent, held_back, holding_back, last, last_call: now, patience: PATIENCE.0 }
    }

    pub fn sent(&mut self, now: Instant) {
        self.wanted(now);
        self.last_call = now;
        self.sent += 1;
        self.let_go(now);
    }

    pub fn held_back(&mut self, now: Instant) {
        self.wanted(now);
        self.holding_back.get_or_insert(now);
    }

    /// What was measured last.
    pub fn told(&self) -> u32 {
        self.last
    }

    /// When the demand has ended, if nothing is wanted from now on.
    pub fn ends(&self) -> Instant {
        self.last_call + self.patience
    }

    /// Learns from a pause that ends now.
    fn wanted(&mut self, now: Instant) {
        let pause = now.saturating_duration_since(self.last_call);
        if self.holding_back.is_none() && pause <= PATIENCE.1 {
            self.patience = self.patience.max(pause * 2).min(PATIENCE.1);
        }
    }

    fn let_go(&mut self, now: Instant) {
        if let Some(since) = self.holding_back.take() {
            self.held_back += now.saturating_duration_since(since);
        }
    }

    /// Calls per `period` that could be sent; begins to measure anew.
    pub fn measure(&mut self, waiting: bool, has_units: bool, period: Duration, now: Instant) -> u32 {
        if !has_units {
            self.last = if waiting { u32::MAX } else { 0 };
            return self.last;
        }
        let span = now.saturating_duration_since(self.since);
        let pauses = self.sent == 0 && !waiting && now < self.ends();
        if span < SHORTEST || pauses {
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
        let patience = (self.patience * 3 / 4).max(PATIENCE.0);
        *self = Demand { since: now, sent: 0, held_back: Duration::ZERO, holding_back, patience, ..*self };
        self.last
    }
}
