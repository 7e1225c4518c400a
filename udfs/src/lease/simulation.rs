//! A cluster on simulated time: keeper, holders and limiters as they are, over a network that delays, loses, repeats and
//! reorders, with clocks that differ, processes that die and a keeper that starts again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tokio::time::Instant;

use super::*;
use crate::limiter::{Admit, Limiter, Limits};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;

/// What the network and the machines do.
#[derive(Clone)]
struct Weather {
    /// Of a message, in milliseconds.
    delay: std::ops::Range<u64>,
    /// Of 100 messages.
    lost: u32,
    repeated: u32,
    /// Each process dies once in so many seconds, about, and another starts.
    dies_after: Option<u64>,
    /// The keeper dies at these seconds.
    keeper_dies: Vec<u64>,
    seed: u64,
}

const FAIR: Weather =
    Weather { delay: 1..20, lost: 0, repeated: 0, dies_after: None, keeper_dies: Vec::new(), seed: 1 };

fn foul(seed: u64) -> Weather {
    Weather { delay: 1..200, lost: 5, repeated: 5, dies_after: Some(20), keeper_dies: vec![9, 17], seed }
}

enum Event {
    Try {
        process: usize,
        turn: u64,
    },
    Renew {
        process: usize,
        turn: u64,
    },
    ToKeeper {
        process: usize,
        ask: Ask,
    },
    ToProcess {
        process: usize,
        holder: u64,
        answer: Result<Grant, Refused>,
    },
    Die {
        process: usize,
    },
    KeeperDies,
    /// The process begins or ends to want calls.
    Busy {
        process: usize,
        busy: bool,
    },
}

struct Process {
    limiter: Limiter,
    holder: u64,
    /// Local nanoseconds per million true ones.
    clock: u64,
    busy: bool,
    tries: u64,
    renewals: u64,
}

struct World {
    base: Instant,
    limits: Limits,
    weather: Weather,
    rng: Rng,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    /// By the number in `events`.
    what: std::collections::HashMap<u64, Event>,
    next: u64,
    processes: Vec<Process>,
    keeper: Keeper,
    keeper_clock: u64,
    folder: Option<tempfile::TempDir>,
    /// When calls were sent in true nanoseconds, and by whom.
    sent: Vec<(u64, usize)>,
    counted: u64,
    /// For how many seconds all units were at who is busy, at who is not, at nobody, and on their way.
    units: [f64; 4],
}

fn limits_of(given: &[(u32, u64)]) -> Limits {
    let limit = |(calls, seconds): &(u32, u64)| Limit {
        calls: NonZeroU32::new(*calls).unwrap(),
        period: Duration::from_secs(*seconds),
    };
    Limits::new(given.iter().map(limit).collect()).unwrap()
}

impl World {
    fn new(given: &[(u32, u64)], processes: usize, weather: Weather) -> Self {
        let (base, limits, mut rng) = (Instant::now(), limits_of(given), Rng::with_seed(weather.seed));
        let folder = given.iter().any(|(_, seconds)| *seconds >= 60).then(|| tempfile::tempdir().unwrap());
        let path = folder.as_ref().map(|folder| folder.path().to_owned());
        let keeper_clock = rng.u64(990_000..=1_010_000);
        let (events, what, sent) = (BinaryHeap::new(), std::collections::HashMap::new(), Vec::new());
        let keeper = Keeper::new(path, false, base);
        let mut world = World {
            base,
            limits,
            weather,
            rng,
            events,
            what,
            next: 0,
            processes: Vec::new(),
            keeper,
            keeper_clock,
            folder,
            sent,
            counted: 0,
            units: [0.0; 4],
        };
        for process in 0..processes {
            let started = world.process(0);
            world.processes.push(started);
            let at = world.rng.u64(0..250 * MS);
            world.at(at, Event::Renew { process, turn: 0 });
            if let Some(seconds) = world.weather.dies_after {
                let at = world.rng.u64(0..seconds * 2 * SECOND);
                world.at(at, Event::Die { process });
            }
        }
        for at in world.weather.keeper_dies.clone() {
            world.at(at * SECOND, Event::KeeperDies);
        }
        world
    }

    fn process(&mut self, now: u64) -> Process {
        let (holder, clock) = (self.rng.u64(..), self.rng.u64(990_000..=1_010_000));
        let local = self.local(clock, now);
        let mut limiter = Limiter::new(self.limits.clone(), local);
        limiter.lease(Holder::new("q", self.limits.clone(), holder, local));
        Process { limiter, holder, clock, busy: false, tries: 0, renewals: 0 }
    }

    fn at(&mut self, time: u64, event: Event) {
        self.events.push(Reverse((time, self.next)));
        self.what.insert(self.next, event);
        self.next += 1;
    }

    fn local(&self, clock: u64, now: u64) -> Instant {
        self.base + Duration::from_nanos((u128::from(now) * u128::from(clock) / 1_000_000) as u64)
    }

    fn truly(&self, clock: u64, local: Instant) -> u64 {
        ((local - self.base).as_nanos() * 1_000_000).div_ceil(u128::from(clock)) as u64
    }

    fn wall() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    /// Sets who is busy, from `at` on.
    fn busy(&mut self, at: u64, busy: impl Fn(usize) -> bool) {
        for process in 0..self.processes.len() {
            self.at(at, Event::Busy { process, busy: busy(process) });
        }
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((now, number))) = self.events.peek().copied().filter(|Reverse((at, _))| *at < until) {
            self.count(now);
            self.events.pop();
            let event = self.what.remove(&number).unwrap();
            self.happen(event, now);
        }
    }

    fn happen(&mut self, event: Event, now: u64) {
        match event {
            Event::Try { process, turn } if self.processes[process].tries == turn => self.try_to_send(process, now),
            Event::Renew { process, turn } if self.processes[process].renewals == turn => self.renew(process, now),
            Event::Try { .. } | Event::Renew { .. } => {}
            Event::ToKeeper { process, ask } => {
                let local = self.local(self.keeper_clock, now);
                let answer = self.keeper.ask(&ask, local, Self::wall() + Duration::from_nanos(now));
                let all: Vec<_> = leased(self.limits.all()).map(|limit| limit.calls.get()).collect();
                assert_eq!(self.keeper.units("q"), all, "units are lost or made");
                let holder = ask.holder;
                self.deliver(now, |answer| Event::ToProcess { process, holder, answer }, answer);
            }
            Event::ToProcess { process, holder, answer } => self.answered(process, holder, answer, now),
            Event::Die { process } => {
                let (busy, turns) = (self.processes[process].busy, self.processes[process].renewals);
                let tries = self.processes[process].tries;
                let started = self.process(now);
                self.processes[process] = Process { busy, tries: tries + 1, renewals: turns + 1, ..started };
                self.at(now, Event::Renew { process, turn: turns + 1 });
                self.at(now, Event::Try { process, turn: tries + 1 });
                if let Some(seconds) = self.weather.dies_after {
                    let at = now + self.rng.u64(0..seconds * 2 * SECOND);
                    self.at(at, Event::Die { process });
                }
            }
            Event::KeeperDies => {
                let path: Option<PathBuf> = self.folder.as_ref().map(|folder| folder.path().to_owned());
                let local = self.local(self.keeper_clock, now);
                // Without its end: what it had written stays, and it writes no more.
                let quotas = std::mem::replace(&mut self.keeper, Keeper::new(path.clone(), true, local));
                let kept = path.iter().flat_map(|path| std::fs::read_dir(path).unwrap());
                let files: Vec<_> = kept.map(|file| file.unwrap().path()).collect();
                let texts: Vec<_> = files.iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
                drop(quotas);
                texts.iter().for_each(|(file, text)| std::fs::write(file, text).unwrap());
            }
            Event::Busy { process, busy } => {
                let it = &mut self.processes[process];
                if it.busy == busy {
                    return;
                }
                it.busy = busy;
                it.tries += 1;
                let tries = it.tries;
                self.at(now, Event::Try { process, turn: tries });
                // The driver is told of demand that begins; it looks for one that has ended.
                let late = if busy { 0 } else { self.rng.u64(0..LOOK.as_nanos() as u64) };
                self.plan(process, now, late);
            }
        }
    }

    fn try_to_send(&mut self, process: usize, now: u64) {
        let local = self.local(self.processes[process].clock, now);
        loop {
            let it = &mut self.processes[process];
            if !it.busy {
                return;
            }
            match it.limiter.admit(local) {
                Admit::Now => self.sent.push((now, process)),
                Admit::At(when) | Admit::PausedUntil(when) => {
                    let (turn, clock) = (it.tries, it.clock);
                    let late = self.rng.u64(0..MS); // as a timer fires
                    self.at(self.truly(clock, when) + late, Event::Try { process, turn });
                    return;
                }
                Admit::NoLease => return,
            }
        }
    }

    /// Renews when the process's next ask is due.
    fn plan(&mut self, process: usize, now: u64, late: u64) {
        let local = self.local(self.processes[process].clock, now);
        let it = &mut self.processes[process];
        it.renewals += 1;
        let (turn, clock) = (it.renewals, it.clock);
        let due = it.limiter.leased().unwrap().asks_at(it.busy, local).max(local);
        self.at(self.truly(clock, due).max(now) + late, Event::Renew { process, turn });
    }

    fn renew(&mut self, process: usize, now: u64) {
        let local = self.local(self.processes[process].clock, now);
        let it = &mut self.processes[process];
        let ask = it.limiter.leased().unwrap().ask(it.busy, Vec::new(), local);
        self.deliver(now, |ask| Event::ToKeeper { process, ask }, ask);
        self.plan(process, now, 0);
    }

    fn deliver<T: Clone>(&mut self, now: u64, event: impl Fn(T) -> Event, message: T) {
        let copies = 1 + u32::from(self.rng.u32(0..100) < self.weather.repeated);
        for _ in 0..copies {
            let late = self.rng.u64(self.weather.delay.start * MS..self.weather.delay.end * MS);
            if self.rng.u32(0..100) >= self.weather.lost {
                self.at(now + late, event(message.clone()));
            }
        }
    }

    fn answered(&mut self, process: usize, holder: u64, answer: Result<Grant, Refused>, now: u64) {
        let local = self.local(self.processes[process].clock, now);
        let it = &mut self.processes[process];
        let Some(grant) = answer.ok().filter(|_| it.holder == holder) else { return };
        let applied = it.limiter.leased().unwrap().apply(&grant, local);
        self.plan(process, now, 0);
        if applied {
            self.processes[process].tries += 1;
            self.try_to_send(process, now);
        }
    }

    /// Counts where the finest limit's units were since the last time.
    fn count(&mut self, now: u64) {
        if now < self.counted + 5 * MS {
            return;
        }
        let span = (now - std::mem::replace(&mut self.counted, now)) as f64 / SECOND as f64;
        let (all, nobody) = (self.limits.all()[0].calls.get(), self.keeper.free("q"));
        let (mut busy, mut idle) = (0, 0);
        for it in &mut self.processes {
            *(if it.busy { &mut busy } else { &mut idle }) += it.limiter.leased().unwrap().units();
        }
        let moving = all.saturating_sub(busy + idle + nobody);
        for (sum, units) in self.units.iter_mut().zip([busy, idle, nobody, moving]) {
            *sum += f64::from(units) / f64::from(all) * span;
        }
    }

    /// Asserts that no window of any limit holds more than it allows.
    fn check(&self) {
        for limit in self.limits.all() {
            let (period, mut start) = (limit.period.as_nanos() as u64, 0);
            for (end, (at, _)) in self.sent.iter().enumerate() {
                while at - self.sent[start].0 >= period {
                    start += 1;
                }
                let calls = end - start + 1;
                let seed = self.weather.seed;
                assert!(calls <= limit.calls.get() as usize, "{calls} calls of {limit:?} at {at} ns, seed {seed}");
            }
        }
    }

    /// Calls sent in a span of seconds by some processes, as a percentage of what the finest limit allows.
    fn used(&self, seconds: std::ops::Range<u64>, by: impl Fn(usize) -> bool) -> f64 {
        let finest = self.limits.all()[0];
        let span = seconds.start * SECOND..seconds.end * SECOND;
        let sent = self.sent.iter().filter(|(at, process)| span.contains(at) && by(*process)).count() as f64;
        let periods = (seconds.end - seconds.start) as f64 / finest.period.as_secs_f64();
        100.0 * sent / (f64::from(finest.calls.get()) * periods)
    }
}

mod courses;
