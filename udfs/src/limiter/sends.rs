//! Counts what was really sent in the fullest sliding period, for the report.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::limits::Rate;

/// So many calls of one period are remembered one by one; of more, those that are so close together that a period has
/// this many such spans count as one moment, the first. It bounds the memory, and may count too few by that span's share.
const MOMENTS: u32 = 100_000;

/// When calls were sent, as far back as one period reaches.
#[derive(Debug, Default)]
pub(super) struct Sends {
    window: VecDeque<(Instant, usize)>,
    in_window: usize,
    worst: usize,
}

impl Sends {
    pub fn record(&mut self, rate: Rate, now: Instant) {
        let Rate::Limited { calls, period } = rate else { return };
        while let Some((sent, calls)) = self.window.front().copied()
            && now.saturating_duration_since(sent) >= period
        {
            self.window.pop_front();
            self.in_window -= calls;
        }
        let moment = if calls.get() > MOMENTS { period / MOMENTS } else { Duration::ZERO };
        match self.window.back_mut() {
            Some((sent, calls)) if now.saturating_duration_since(*sent) < moment => *calls += 1,
            _ => self.window.push_back((now, 1)),
        }
        self.in_window += 1;
        self.worst = self.worst.max(self.in_window);
    }

    /// When calls were sent in the last period, and how many.
    pub fn recent(&self) -> impl Iterator<Item = (Instant, usize)> {
        self.window.iter().copied()
    }

    pub fn worst(&self) -> usize {
        self.worst
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_million_calls_a_day_are_remembered_in_bounded_memory() {
        let day = Duration::from_secs(86_400);
        let rate = Rate::Limited { calls: NonZeroU32::new(1_000_000).unwrap(), period: day };
        let (start, mut sends) = (Instant::now(), Sends::default());
        for call in 0..1_500_000 {
            sends.record(rate, start + day / 1_000_000 * call);
        }
        assert!(sends.window.len() <= MOMENTS as usize + 1, "{}", sends.window.len());
        assert!((999_980..=1_000_000).contains(&sends.worst()), "{}", sends.worst());
    }
}
