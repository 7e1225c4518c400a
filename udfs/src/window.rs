//! How many requests may be in flight: a number the user gave, or as many as the limit and the latency ask for.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::hosts::{HostPlace, Member};
use crate::limiter::Rate;

/// More connections than this help nobody, unless somebody asks for them.
const MOST_WITHOUT_WORD: usize = 10_000;
/// Fewer would let a burst of slow replies stop the pace.
const LEAST: usize = 16;
/// In flight without a limit that says how many calls there should be.
const WITHOUT_LIMIT: usize = 1000;
/// What is assumed before the first replies.
const FIRST_LATENCY: Duration = Duration::from_millis(200);
/// So many replies decide on the next size.
const SAMPLE: u64 = 500;

/// A place in flight, in the window and at the host, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _host: Option<HostPlace>,
    /// `None` never happens: the window is never closed.
    _window: Option<OwnedSemaphorePermit>,
}

/// The window of requests in flight of one function.
#[derive(Debug)]
pub(crate) struct Window {
    places: Arc<Semaphore>,
    automatic: Option<Automatic>,
    host: Option<Member>,
}

#[derive(Debug)]
struct Automatic {
    per_second: f64,
    most: usize,
    sizing: Mutex<Sizing>,
}

#[derive(Debug)]
struct Sizing {
    size: usize,
    /// In microseconds.
    latencies: Option<Histogram<u64>>,
}

impl Window {
    /// `given` is what the user said; without it the size follows the latency. It is never above `most`, which is what the
    /// process can carry.
    pub fn new(given: Option<NonZeroUsize>, rate: Rate, most: NonZeroUsize) -> Self {
        let most =
            most.get().min(MOST_WITHOUT_WORD.max(given.map_or(0, NonZeroUsize::get))).min(Semaphore::MAX_PERMITS);
        let automatic = match (given, rate.per_second()) {
            (None, Some(per_second)) => Some(per_second),
            _ => None,
        };
        let size = match (given, automatic) {
            (Some(given), _) => given.get().min(most),
            (None, Some(per_second)) => size_for(per_second, FIRST_LATENCY).min(most),
            (None, None) => WITHOUT_LIMIT.min(most),
        };
        let sizing = Sizing { size, latencies: latencies() };
        let automatic = automatic.map(|per_second| Automatic { per_second, most, sizing: Mutex::new(sizing) });
        Window { places: Arc::new(Semaphore::new(size)), automatic, host: None }
    }

    /// The same window, whose requests need a place at a host too.
    pub fn at_host(self, host: Option<Member>) -> Self {
        Window { host, ..self }
    }

    /// The window's share in a host, taken out of it.
    pub fn take_host(&mut self) -> Option<Member> {
        self.host.take()
    }

    /// A place, in the order of asking; the host's comes last, because other functions wait for it too.
    pub async fn place(&self) -> Place {
        let window = Arc::clone(&self.places).acquire_owned().await.ok();
        let host = match &self.host {
            Some(host) => Some(host.place().await),
            None => None,
        };
        Place { _host: host, _window: window }
    }

    /// Takes the latency of a reply into account: the window is limit × p99 latency × 1.5.
    pub fn learn(&self, latency: Duration) {
        let Some(automatic) = &self.automatic else { return };
        let mut sizing = automatic.sizing.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        let Some(latencies) = &mut sizing.latencies else { return };
        latencies.saturating_record(micros);
        if latencies.len() < SAMPLE {
            return;
        }
        let p99 = Duration::from_micros(latencies.value_at_quantile(0.99));
        latencies.reset();
        self.resize(&mut sizing, size_for(automatic.per_second, p99).min(automatic.most));
    }

    fn resize(&self, sizing: &mut Sizing, size: usize) {
        if size > sizing.size {
            self.places.add_permits(size - sizing.size);
            sizing.size = size;
        } else {
            // Places in use cannot be taken away; the next sizing takes what is free by then.
            sizing.size -= self.places.forget_permits(sizing.size - size);
        }
    }
}

/// Up to an hour, to two digits; `None` never happens, the bounds are valid.
fn latencies() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, 3_600_000_000, 2).ok()
}

fn size_for(per_second: f64, latency: Duration) -> usize {
    // Float to integer saturates, so a huge rate gives the bound.
    ((per_second * latency.as_secs_f64() * 1.5).ceil() as usize).clamp(LEAST, MOST_WITHOUT_WORD)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn window(given: Option<usize>, calls: u32) -> Window {
        let rate = Rate::Limited { calls: NonZeroU32::new(calls).unwrap(), period: Duration::from_secs(1) };
        Window::new(given.and_then(NonZeroUsize::new), rate, NonZeroUsize::MAX)
    }

    fn learn(window: &Window, latency: Duration) {
        (0..SAMPLE).for_each(|_| window.learn(latency));
    }

    #[tokio::test]
    async fn it_grows_and_shrinks_with_the_latency() {
        let window = window(None, 1000);
        assert_eq!(window.places.available_permits(), 300);
        learn(&window, Duration::from_secs(1));
        let size = window.places.available_permits();
        assert!((1500..1530).contains(&size), "{size}");
        learn(&window, Duration::from_secs(100));
        assert_eq!(window.places.available_permits(), MOST_WITHOUT_WORD);
        let in_use = window.place().await;
        learn(&window, Duration::from_micros(10));
        assert_eq!(window.places.available_permits(), LEAST - 1);
        drop(in_use);
        assert_eq!(window.places.available_permits(), LEAST);
    }

    #[test]
    fn what_the_user_said_stays() {
        let window = window(Some(7), 1000);
        learn(&window, Duration::from_secs(9));
        assert_eq!(window.places.available_permits(), 7);
        assert_eq!(Window::new(None, Rate::Unlimited, NonZeroUsize::MAX).places.available_permits(), WITHOUT_LIMIT);
    }

    #[test]
    fn it_is_never_larger_than_the_process_can_carry() {
        let most = NonZeroUsize::new(50).unwrap();
        let rate = Rate::Limited { calls: NonZeroU32::new(5000).unwrap(), period: Duration::from_secs(1) };
        for (given, rate) in [(NonZeroUsize::new(70), rate), (None, rate), (None, Rate::Unlimited)] {
            let window = Window::new(given, rate, most);
            learn(&window, Duration::from_secs(9));
            assert_eq!(window.places.available_permits(), 50);
        }
    }
}
