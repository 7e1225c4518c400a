//! A value that is fetched when it is first needed and before it expires, once for all who wait, and anew after a refusal.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::NoCredentials;

/// A new value is fetched this long before the old one expires, or after half of its life if that is shorter.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);
/// Between two tries while the old one is still good.
const BETWEEN_TRIES: Duration = Duration::from_secs(5);

/// What a fetch gave.
pub(crate) struct Fetched<T> {
    pub value: T,
    /// How long it is good, from when the fetch began; for ever without it.
    pub life: Option<Duration>,
}

/// The value and who may fetch it. Never shows the value.
pub(crate) struct Kept<T> {
    state: Mutex<State<T>>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
    /// Whether two fetches give two values, however good they are.
    always_new: bool,
}

struct State<T> {
    held: Option<Held<T>>,
    versions: u64,
    /// Fetches that have ended.
    fetches: u64,
    /// How the last of them failed.
    failure: Option<NoCredentials>,
}

#[derive(Clone)]
struct Held<T> {
    value: T,
    version: u64,
    due: Option<Instant>,
    expires: Option<Instant>,
    standing: Standing,
}

/// What the API has said of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing bad.
    Good,
    /// It was refused, and is to be fetched anew.
    Refused,
    /// It was had after a refusal and nothing came of it yet: refused again, fetching would not help.
    LastChance,
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(not shown)")
    }
}

impl<T: Clone + PartialEq> Kept<T> {
    /// For values that stay as they are until somebody changes them.
    pub fn of_values_that_stay() -> Self {
        Kept { state: Mutex::default(), turn: tokio::sync::Mutex::default(), always_new: false }
    }

    /// For values of which each fetch gives another.
    pub fn of_values_always_new() -> Self {
        Kept { always_new: true, ..Kept::of_values_that_stay() }
    }

    /// Fetches the value if it is due, so that [`Kept::get`] need not wait.
    pub async fn prepare<F: Future<Output = Result<Fetched<T>, NoCredentials>>>(
        &self,
        fetch: impl FnOnce() -> F,
    ) -> Result<(), NoCredentials> {
        let now = Instant::now();
        let Some(held) = self.usable(now) else { return self.get(fetch).await.map(|_| ()) };
        // One renews; for the others the old value is still good.
        if held.due.is_some_and(|due| now >= due)
            && let Ok(_turn) = self.turn.try_lock()
            && let Err(error) = self.fetch(fetch).await
        {
            tracing::warn!(%error, "new credentials could not be had; the old ones are still good");
        }
        Ok(())
    }

    /// The value and its version.
    pub async fn get<F: Future<Output = Result<Fetched<T>, NoCredentials>>>(
        &self,
        fetch: impl FnOnce() -> F,
    ) -> Result<(T, u64), NoCredentials> {
        if let Some(held) = self.usable(Instant::now()) {
            return Ok((held.value, held.version));
        }
        let before = self.state().fetches;
        let _turn = self.turn.lock().await;
        if let Some(held) = self.usable(Instant::now()) {
            return Ok((held.value, held.version));
        }
        // A fetch that ended while this one waited speaks for all who waited, or each would wait for its own timeout.
        let shared = {
            let state = self.state();
            state.failure.clone().filter(|_| state.fetches > before)
        };
        match shared {
            Some(failure) => Err(failure),
            None => self.fetch(fetch).await,
        }
    }

    /// Notes that the API refused the value of this version. Returns whether another one is there or may be had.
    pub fn refused(&self, version: u64) -> bool {
        match &mut self.state().held {
            Some(held) if held.version == version && held.standing == Standing::LastChance => false,
            Some(held) if held.version == version => {
                held.standing = Standing::Refused;
                true
            }
            _ => true,
        }
    }

    /// Notes that the API accepted the value of this version.
    pub fn accepted(&self, version: u64) {
        if let Some(held) = &mut self.state().held
            && held.version == version
            && held.standing == Standing::LastChance
        {
            held.standing = Standing::Good;
        }
    }

    fn usable(&self, now: Instant) -> Option<Held<T>> {
        let held = self.state().held.clone()?;
        (held.standing != Standing::Refused && held.expires.is_none_or(|expires| now < expires)).then_some(held)
    }

    async fn fetch<F: Future<Output = Result<Fetched<T>, NoCredentials>>>(
        &self,
        fetch: impl FnOnce() -> F,
    ) -> Result<(T, u64), NoCredentials> {
        let asked = Instant::now();
        let fetched = fetch().await;
        let mut state = self.state();
        state.fetches += 1;
        let Fetched { value, life } = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                state.failure = Some(error.clone());
                if let Some(held) = &mut state.held {
                    held.due = held.due.map(|due| due.max(Instant::now() + BETWEEN_TRIES));
                }
                return Err(error);
            }
        };
        state.failure = None;
        let old = state.held.take();
        let refused = old.as_ref().is_some_and(|old| old.standing == Standing::Refused);
        let same = old.filter(|old| old.value == value);
        let version = match &same {
            Some(old) => old.version,
            None => {
                state.versions += 1;
                state.versions
            }
        };
        let is_last = refused && (same.is_some() || self.always_new);
        let standing = if is_last { Standing::LastChance } else { Standing::Good };
        let due = life.and_then(|life| asked.checked_add(life.saturating_sub(BEFORE_EXPIRY.min(life / 2))));
        let expires = life.and_then(|life| asked.checked_add(life));
        state.held = Some(Held { value: value.clone(), version, due, expires, standing });
        Ok((value, version))
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        State { held: None, versions: 0, fetches: 0, failure: None }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    type Answer = Result<Fetched<String>, NoCredentials>;

    fn value(text: &str, life: Option<u64>) -> Answer {
        Ok(Fetched { value: text.to_owned(), life: life.map(Duration::from_secs) })
    }

    async fn get(kept: &Kept<String>, answer: Answer) -> (String, u64) {
        kept.get(|| async { answer }).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_a_fetch_and_its_failure() {
        let (kept, asked) = (Kept::of_values_that_stay(), AtomicU32::new(0));
        let slowly = |answer: fn() -> Answer| {
            let asked = &asked;
            move || async move {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                answer()
            }
        };
        let failing = (0..50).map(|_| kept.get(slowly(|| Err(NoCredentials::Ever("no".to_owned())))));
        assert!(futures::future::join_all(failing).await.iter().all(Result::is_err));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let good = futures::future::join_all((0..50).map(|_| kept.get(slowly(|| value("a", None))))).await;
        assert!(good.iter().all(|got| got.as_ref().unwrap() == &("a".to_owned(), 1)));
        assert_eq!(asked.load(Ordering::SeqCst), 2, "a failure is not remembered for those who come later");
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_renewed_a_minute_before_it_expires_or_after_half_its_life() {
        for (life, due) in [(600, 540), (60, 30)] {
            let kept = Kept::of_values_always_new();
            get(&kept, value("a", Some(life))).await;
            let start = Instant::now();
            tokio::time::advance(Duration::from_secs(due) - Duration::from_millis(1)).await;
            kept.prepare(|| async { value("b", Some(life)) }).await.unwrap();
            assert_eq!(get(&kept, value("c", None)).await.0, "a");
            tokio::time::advance(Duration::from_millis(1)).await;
            kept.prepare(|| async { Err(NoCredentials::Ever("no".to_owned())) }).await.unwrap();
            assert_eq!(get(&kept, value("c", None)).await.0, "a", "still good");
            kept.prepare(|| async { value("d", Some(life)) }).await.unwrap();
            assert_eq!(get(&kept, value("c", None)).await.0, "a", "too early for another try");
            tokio::time::advance(BETWEEN_TRIES).await;
            kept.prepare(|| async { value("d", Some(life)) }).await.unwrap();
            assert_eq!(get(&kept, value("c", None)).await.0, "d");
            assert_eq!(start.elapsed(), Duration::from_secs(due) + BETWEEN_TRIES);
            tokio::time::advance(Duration::from_secs(life)).await;
            assert_eq!(get(&kept, value("e", None)).await.0, "e");
        }
    }

    #[tokio::test]
    async fn a_refused_value_is_had_anew_once() {
        let kept = Kept::of_values_that_stay();
        assert_eq!(get(&kept, value("a", None)).await, ("a".to_owned(), 1));
        assert!(kept.refused(1));
        assert_eq!(get(&kept, value("a", None)).await, ("a".to_owned(), 1));
        assert!(!kept.refused(1), "the same again");
        kept.accepted(1);
        assert!(kept.refused(1), "accepted in between");
        assert_eq!(get(&kept, value("b", None)).await, ("b".to_owned(), 2));
        assert!(kept.refused(1), "another is there");
        assert_eq!(get(&kept, value("c", None)).await, ("b".to_owned(), 2));
        assert!(kept.refused(2), "once for each value");
    }

    #[tokio::test]
    async fn of_values_that_are_always_new_one_is_had_for_a_refusal() {
        let kept = Kept::of_values_always_new();
        get(&kept, value("a", None)).await;
        assert!(kept.refused(1));
        assert_eq!(get(&kept, value("b", None)).await, ("b".to_owned(), 2));
        assert!(!kept.refused(2));
        kept.accepted(1);
        assert!(!kept.refused(2), "that was said of another");
        kept.accepted(2);
        assert!(kept.refused(2));
    }
}
