//! Notices work that does nothing: nothing it waits for came for a long time.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

/// Work that was not woken for so long hangs. A store's and an API's own time limits are far shorter.
pub const HUNG: Duration = Duration::from_secs(600);

/// Runs `work` to its end; `None` when it hung for `limit` and `hung` said to give it up.
pub async fn noticed<T>(work: impl Future<Output = T>, limit: Duration, mut hung: impl FnMut() -> bool) -> Option<T> {
    let woken = Mutex::new(Instant::now());
    let last = || *woken.lock().unwrap_or_else(PoisonError::into_inner);
    let mut work = pin!(work);
    // The set polls it only when it was woken, not whenever this is.
    let mut running: FuturesUnordered<_> = [poll_fn(|context| {
        *woken.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        work.as_mut().poll(context)
    })]
    .into_iter()
    .collect();
    let mut looked = last();
    loop {
        tokio::select! {
            done = running.next() => return done,
            () = tokio::time::sleep_until(last().max(looked) + limit) => {
                looked = Instant::now();
                if looked.saturating_duration_since(last()) >= limit && hung() {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(600);

    async fn steps(each: Duration, number: u32) -> u32 {
        for _ in 0..number {
            tokio::time::sleep(each).await;
        }
        number
    }

    #[tokio::test(start_paused = true)]
    async fn slow_work_that_goes_on_is_let_be() {
        let done = noticed(steps(Duration::from_secs(599), 10), LIMIT, || panic!("it does not hang")).await;
        assert_eq!(done, Some(10));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_waits_for_nothing_is_given_up() {
        let start = Instant::now();
        assert_eq!(noticed(std::future::pending::<()>(), LIMIT, || true).await, None);
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_may_wait_is_only_spoken_of() {
        let mut said = 0;
        let done = noticed(steps(Duration::from_secs(2000), 1), LIMIT, || {
            said += 1;
            false
        });
        assert_eq!(done.await, Some(1));
        assert_eq!(said, 3);
    }
}
