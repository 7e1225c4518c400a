//! One answer per question, for functions that are declared DETERMINISTIC: rows with the same arguments share a request in
//! flight, and recent answers are kept. Time comes in as an argument.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use lru::LruCache;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::ask::{Answer, RowFate};
use crate::key::Key;
use crate::spec::Answers;

/// Answers that several rows may have.
#[derive(Debug)]
pub(crate) struct Shared {
    ttl: Duration,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Not more than `most`.
    recent: LruCache<Key, (Answer, Instant)>,
    in_flight: HashMap<Key, watch::Receiver<Option<RowFate>>>,
}

/// What a row with this key does.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It takes this answer.
    Cached(Answer),
    /// It waits for the row that asks.
    Follow(Follower),
    /// It asks, and tells the others.
    Lead(Leader),
}

impl Shared {
    pub fn new(options: &Answers) -> Self {
        let state = State { recent: LruCache::unbounded(), in_flight: HashMap::new() };
        Shared { ttl: options.cache_ttl, most: options.cache_size, state: Mutex::new(state) }
    }

    /// Decides for one row at `now`.
    pub fn claim(self: &Arc<Self>, key: Key, now: Instant) -> Claim {
        let mut state = self.state();
        if let Some((answer, since)) = state.recent.get(&key) {
            if now.saturating_duration_since(*since) < self.ttl {
                return Claim::Cached(answer.clone());
            }
            state.recent.pop(&key);
        }
        if let Some(asked) = state.in_flight.get(&key) {
            return Claim::Follow(Follower(asked.clone()));
        }
        let (sender, receiver) = watch::channel(None);
        state.in_flight.insert(key, receiver);
        Claim::Lead(Leader { shared: Arc::clone(self), key, sender })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for another row's fate.
#[derive(Debug)]
pub(crate) struct Follower(watch::Receiver<Option<RowFate>>);

impl Follower {
    /// That fate; `None` if whoever asked has gone without one.
    pub async fn fate(mut self) -> Option<RowFate> {
        let fate = self.0.wait_for(Option::is_some).await.ok()?;
        fate.clone()
    }
}

/// The right and the duty to ask. Dropped without a fate, somebody else may.
#[derive(Debug)]
pub(crate) struct Leader {
    shared: Arc<Shared>,
    key: Key,
    sender: watch::Sender<Option<RowFate>>,
}

impl Leader {
    /// Tells the fate to those who wait, and keeps an answer for those who come later.
    pub fn publish(self, fate: &RowFate, now: Instant) {
        if let RowFate::Answered(answer) = fate
            && self.shared.most > 0
        {
            // A slice would keep the whole reply.
            let kept = Answer { value: Bytes::copy_from_slice(&answer.value), ..answer.clone() };
            let mut state = self.shared.state();
            state.recent.put(self.key, (kept, now));
            if state.recent.len() > self.shared.most {
                state.recent.pop_lru();
            }
        }
        self.sender.send_replace(Some(fate.clone()));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.shared.state().in_flight.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    fn shared(size: usize) -> Arc<Shared> {
        let ttl = Duration::from_secs(60);
        Arc::new(Shared::new(&Answers { cache_size: size, cache_ttl: ttl, idempotency_header: None }))
    }

    fn key(number: u8) -> Key {
        Key([number; 16])
    }

    fn answer(text: &'static str) -> RowFate {
        RowFate::Answered(Answer { value: text.into(), status: 200, attempts: 1, latency: Duration::ZERO })
    }

    fn lead(shared: &Arc<Shared>, number: u8) -> Leader {
        match shared.claim(key(number), Instant::now()) {
            Claim::Lead(leader) => leader,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_the_others_wait_and_later_ones_find_it() {
        let shared = shared(10);
        let leader = lead(&shared, 1);
        let Claim::Follow(follower) = shared.claim(key(1), Instant::now()) else { panic!("two ask") };
        leader.publish(&answer("a"), Instant::now());
        assert!(matches!(follower.fate().await, Some(RowFate::Answered(answer)) if answer.value == "a"));
        assert!(matches!(shared.claim(key(1), Instant::now()), Claim::Cached(_)));
        tokio::time::advance(Duration::from_secs(60)).await;
        lead(&shared, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_without_a_fate_makes_room_for_another() {
        let shared = shared(10);
        let leader = lead(&shared, 1);
        let Claim::Follow(follower) = shared.claim(key(1), Instant::now()) else { panic!("two ask") };
        drop(leader);
        assert!(follower.fate().await.is_none());
        lead(&shared, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_cache_keeps_the_recent_ones_or_none() {
        let cache = shared(2);
        for number in 1..=3 {
            lead(&cache, number).publish(&answer("a"), Instant::now());
        }
        assert!(matches!(cache.claim(key(3), Instant::now()), Claim::Cached(_)));
        lead(&cache, 1);
        let none = shared(0);
        lead(&none, 1).publish(&answer("a"), Instant::now());
        lead(&none, 1);
    }
}
