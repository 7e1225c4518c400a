//! A small cluster, in as many orders of events as there is time for: the keeper's and the holders' own code, and a
//! network that delays, repeats and reorders. A message that never arrives is lost.

use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use stateright::{Checker, Model, Property, UniformChooser};
use tokio::time::Instant;

use super::kept::Kept;
use super::*;
use crate::limiter::{Admit, Limits};

/// Two calls of one holder are two ticks apart, a lease lasts nearly two, a period nearly four.
const TICK: Duration = Duration::from_millis(1015);
const PERIOD: Duration = Duration::from_secs(4);
const CALLS: NonZeroU32 = NonZeroU32::new(2).unwrap();
/// A call matters for so many ticks.
const WINDOW: u32 = 4;

const SOMETIMES: [&str; 4] = [
    "the limit is reached",
    "two holders send in one window",
    "a holder gets what one gave back",
    "a holder gets what one had that died",
];

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How much may happen.
#[derive(Clone)]
struct Cluster {
    holders: u64,
    ticks: u32,
    /// Asks of one holder.
    asks: u64,
    repeats: u8,
    deaths: u8,
    keepers: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Message {
    Ask(Ask),
    Grant(u64, Grant),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Happens {
    Tick,
    Ask(usize),
    /// Its demand has ended: it gives all units back.
    GivesBack(usize),
    Send(usize),
    Arrives(usize),
    ArrivesAndIsRepeated(usize),
    Dies(usize),
    KeeperDies,
}

#[derive(Clone, Debug)]
struct State {
    tick: u32,
    keeper: Kept,
    /// Each with its number.
    holders: Vec<(u64, Holder)>,
    network: Vec<Message>,
    /// Calls of the last period: when and by whom.
    sent: Vec<(u32, u64)>,
    /// Who gave units back.
    gave_back: Vec<u64>,
    next_holder: u64,
    repeats: u8,
    deaths: u8,
    keepers: u8,
}

impl State {
    fn now(&self) -> Instant {
        *START + TICK * self.tick
    }

    fn key(&self) -> impl std::hash::Hash + PartialEq + use<'_> {
        let budget = (self.next_holder, self.repeats, self.deaths, self.keepers);
        (self.tick, &self.holders, &self.network, &self.sent, &self.gave_back, budget)
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl std::hash::Hash for State {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
        self.keeper.hash(state);
    }
}

fn limits() -> Limits {
    Limits::new(vec![crate::limiter::Limit { calls: CALLS, period: PERIOD }]).unwrap()
}

fn keeper(quiet: bool, now: Instant) -> Kept {
    let ask = Holder::new("q", limits(), 0, now).ask(false, Vec::new(), now);
    let quiet_until = quiet.then(|| now + certainly(LEASE));
    Kept::new(&ask, limits(), None, quiet_until, now, SystemTime::UNIX_EPOCH).unwrap()
}

impl Model for Cluster {
    type State = State;
    type Action = Happens;

    fn init_states(&self) -> Vec<State> {
        let holders = (1..=self.holders).map(|id| (id, Holder::new("q", limits(), id, *START))).collect();
        vec![State {
            tick: 0,
            keeper: keeper(false, *START),
            holders,
            network: Vec::new(),
            sent: Vec::new(),
            gave_back: Vec::new(),
            next_holder: self.holders + 1,
            repeats: self.repeats,
            deaths: self.deaths,
            keepers: self.keepers,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.tick < self.ticks {
            actions.push(Happens::Tick);
        }
        for index in 0..state.holders.len() {
            let (_, holder) = &state.holders[index];
            if holder.clone().admit(state.now()) == Admit::Now {
                actions.push(Happens::Send(index));
            }
            if holder.asks() < self.asks && holder.last_ask() != Some(state.now()) {
                actions.push(Happens::Ask(index));
                if holder.units() > 0 && holder.asks_at(false, state.now()) <= state.now() {
                    actions.push(Happens::GivesBack(index));
                }
            }
            if state.deaths > 0 {
                actions.push(Happens::Dies(index));
            }
        }
        for index in 0..state.network.len() {
            actions.push(Happens::Arrives(index));
            if state.repeats > 0 {
                actions.push(Happens::ArrivesAndIsRepeated(index));
            }
        }
        if state.keepers > 0 {
            actions.push(Happens::KeeperDies);
        }
    }

    fn next_state(&self, last: &State, action: Happens) -> Option<State> {
        let mut state = last.clone();
        let now = state.now();
        match action {
            Happens::Tick => {
                state.tick += 1;
                let tick = state.tick;
                state.sent.retain(|(at, _)| at + WINDOW > tick);
            }
            Happens::Ask(index) => {
                let ask = state.holders[index].1.ask(true, Vec::new(), now);
                state.network.push(Message::Ask(ask));
            }
            Happens::GivesBack(index) => {
                let (id, holder) = &mut state.holders[index];
                let ask = holder.ask(false, Vec::new(), now);
                if ask.held.iter().all(|held| held.units == 0) {
                    state.gave_back.push(*id);
                }
                state.network.push(Message::Ask(ask));
            }
            Happens::Send(index) => {
                let (id, holder) = &mut state.holders[index];
                if holder.admit(now) != Admit::Now {
                    return None;
                }
                state.sent.push((state.tick, *id));
            }
            Happens::Arrives(index) => {
                let message = state.network.remove(index);
                arrives(&mut state, message, now);
            }
            Happens::ArrivesAndIsRepeated(index) => {
                state.repeats -= 1;
                let message = state.network[index].clone();
                arrives(&mut state, message, now);
            }
            Happens::Dies(index) => {
                state.deaths -= 1;
                let id = state.next_holder;
                state.next_holder += 1;
                state.holders[index] = (id, Holder::new("q", limits(), id, now));
            }
            Happens::KeeperDies => {
                state.keepers -= 1;
                state.keeper = keeper(true, now);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no window holds more than the limit", |_, state: &State| {
                state.sent.len() <= CALLS.get() as usize
            }),
            Property::sometimes(SOMETIMES[0], |_, state: &State| state.sent.len() == CALLS.get() as usize),
            Property::sometimes(SOMETIMES[1], |_, state: &State| {
                state.sent.iter().any(|(_, id)| *id != state.sent[0].1)
            }),
            Property::sometimes(SOMETIMES[2], |_, state: &State| match &state.gave_back[..] {
                [first] => state.sent.last().is_some_and(|(_, id)| id != first) && state.sent[0].1 == *first,
                _ => false,
            }),
            Property::sometimes(SOMETIMES[3], |model: &Cluster, state: &State| {
                state.sent.iter().any(|(_, id)| *id > model.holders)
            }),
        ]
    }
}

fn arrives(state: &mut State, message: Message, now: Instant) {
    match message {
        Message::Ask(ask) => {
            if let Ok(grant) = state.keeper.ask(&ask, now, SystemTime::UNIX_EPOCH) {
                state.network.push(Message::Grant(ask.holder, grant));
            }
        }
        Message::Grant(id, grant) => {
            if let Some((_, holder)) = state.holders.iter_mut().find(|(other, _)| *other == id) {
                holder.apply(&grant, now);
            }
        }
    }
}

/// Checks orders of events, as they come and by chance, up to so many states each.
fn check(cluster: Cluster, states: usize) {
    let all = cluster.clone().checker().target_state_count(states).spawn_dfs().join();
    let chance = cluster.checker().target_state_count(states).spawn_simulation(1, UniformChooser).join();
    println!(
        "{} and {} states, depth {} and {}",
        all.unique_state_count(),
        chance.state_count(),
        all.max_depth(),
        chance.max_depth()
    );
    all.assert_no_discovery("no window holds more than the limit");
    chance.assert_no_discovery("no window holds more than the limit");
    for seen in SOMETIMES {
        println!("{seen}: {} {}", all.discovery(seen).is_some(), chance.discovery(seen).is_some());
    }
    for seen in &SOMETIMES[..3] {
        assert!(all.discovery(seen).or(chance.discovery(seen)).is_some(), "{seen}");
    }
}

#[test]
fn two_holders_in_any_order_of_messages() {
    check(Cluster { holders: 2, ticks: 8, asks: 4, repeats: 1, deaths: 0, keepers: 0 }, 250_000);
}

#[test]
fn a_holder_that_dies() {
    check(Cluster { holders: 2, ticks: 10, asks: 4, repeats: 0, deaths: 1, keepers: 0 }, 250_000);
}

#[test]
fn a_keeper_that_starts_again() {
    check(Cluster { holders: 2, ticks: 10, asks: 4, repeats: 0, deaths: 0, keepers: 1 }, 250_000);
}

#[test]
fn three_holders_share_two_calls() {
    check(Cluster { holders: 3, ticks: 8, asks: 3, repeats: 0, deaths: 0, keepers: 0 }, 250_000);
}
