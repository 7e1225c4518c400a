//! Smooth pacing at one rate: governor's GCRA with time as an argument, and its shape (how much burst, how much reserve).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as Shape, RateLimiter};

use super::limits::Rate;

/// Admits at most b − 1 + ⌈r·T⌉ calls into a half-open window of length T, which [`shape`] keeps at or below the limit.
/// Times are counted from an origin that the owner chooses. By default there is no limit.
#[derive(Debug, Default)]
pub(super) struct Gcra {
    limiter: Option<RateLimiter<NotKeyed, InMemoryState, GivenClock, NoOpMiddleware<Nanos>>>,
    clock: GivenClock,
}

impl Gcra {
    /// Counts a call at `now`, or says when to ask again.
    pub fn admit(&self, now: Duration) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        self.clock.set(now);
        limiter.check().map_err(|not_until| not_until.earliest_possible().into())
    }

    /// Carries the theoretical arrival time on, so that no fresh burst comes with the new rate.
    pub fn set_rate(&mut self, rate: Rate) {
        self.clock.set(Duration::ZERO); // governor takes its start from the clock
        let state = self.limiter.take().map(RateLimiter::into_state_store).unwrap_or_default();
        self.limiter = shape(rate).map(|shape| RateLimiter::new(shape, state, self.clock.clone()));
    }
}

/// Most calls that pass in a half-open window of length `span`; `None` without a limit.
pub(super) fn most_in(rate: Rate, span: Duration) -> Option<u64> {
    let shape = shape(rate)?;
    let spaced = span.as_nanos().div_ceil(shape.replenish_interval().as_nanos().max(1));
    Some(u64::try_from(spaced).unwrap_or(u64::MAX).saturating_add(u64::from(shape.burst_size().get()) - 1))
}

/// Burst and spacing for a rate: burst b = max(1, 0.5 % of L); from L ≥ 200 the rate keeps 0.5 % in reserve, so that
/// b − 1 + ⌈r·T⌉ ≤ L. The spacing is rounded up to whole nanoseconds.
fn shape(rate: Rate) -> Option<Shape> {
    let Rate::Limited { calls, period } = rate else { return None };
    let limit = u128::from(calls.get());
    let (burst, in_1000) = if limit >= 200 { (limit / 200, 995) } else { (1, 1000) };
    let spacing = (period.as_nanos() * 1000).div_ceil(limit * in_1000);
    let spacing = Duration::from_nanos(u64::try_from(spacing).unwrap_or(u64::MAX));
    let burst = u32::try_from(burst).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    Some(Shape::with_period(spacing)?.allow_burst(burst))
}

/// A clock that says what it was told, which turns governor's limiter into arithmetic.
#[derive(Clone, Debug, Default)]
struct GivenClock(Arc<AtomicU64>);

impl GivenClock {
    fn set(&self, since_origin: Duration) {
        let nanos = u64::try_from(since_origin.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for GivenClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}
