//! When executors are started and drained: cases in order, and what holds of any of them.

use super::*;
use expect_test::{Expect, expect};

const S: Duration = Duration::from_secs(1);

fn rules(min: usize, max: usize) -> Dynamic {
    Dynamic { min, max, idle_timeout: 60 * S, backlog_timeout: S, sustained_backlog_timeout: S }
}

fn executor(id: usize, running: usize, idle_since: Option<Duration>) -> Executor {
    Executor { id: format!("e{id}"), running, idle_since, draining: false, holds_shuffle: false }
}

fn busy(executors: usize) -> Vec<Executor> {
    (0..executors).map(|id| executor(id, 4, None)).collect()
}

fn idle(executors: usize, since: Duration) -> Vec<Executor> {
    (0..executors).map(|id| executor(id, 0, Some(since))).collect()
}

fn waiting(tasks: usize) -> Vec<Stage> {
    vec![Stage { waiting: tasks, pace: None }]
}

fn calling(tasks: usize, reached: f64) -> Vec<Stage> {
    vec![Stage { waiting: tasks, pace: Some(Pace { allowed: 5000.0, reached, used_up_for: 12 * S }) }]
}

fn shown(decision: &Decision) -> String {
    let act = match &decision.act {
        Act::Nothing => "-".to_owned(),
        Act::Start(executors) => format!("start {executors}"),
        Act::Drain(ids) => format!("drain {}", ids.join(" ")),
    };
    format!("{act}: {}", decision.reason)
}

/// One decision that nothing came before.
fn check(rules: Dynamic, now: Duration, seen: Seen, expected: Expect) {
    expected.assert_eq(&shown(&Allocation::new(rules, 4).decide(now, &seen)));
}

#[test]
fn waiting_tasks_double_the_executors_as_in_spark() {
    let mut allocation = Allocation::new(rules(0, 20), 4);
    let mut there = 0;
    let mut lines = String::new();
    for second in 0..9 {
        // 50 tasks have use for 13 executors, each of which takes 4 as soon as it is there.
        let seen = Seen { executors: busy(there), starting: 0, stages: waiting(50 - 50.min(there * 4)) };
        let decision = allocation.decide(second * S, &seen);
        lines += &format!("{second}s {}\n", shown(&decision));
        if let Act::Start(more) = decision.act {
            there += more;
        }
    }
    expect![[r#"
        0s -: tasks waiting: 50; executors are added in 1s if they still wait
        1s start 1: tasks waiting: 50; executors: 0, with slots for 4 each
        2s start 2: tasks waiting: 46; executors: 1, with slots for 4 each
        3s start 4: tasks waiting: 38; executors: 3, with slots for 4 each
        4s start 6: tasks waiting: 22; executors: 7, with slots for 4 each
        5s -: executors: 13, which is enough
        6s -: executors: 13, which is enough
        7s -: executors: 13, which is enough
        8s -: executors: 13, which is enough
    "#]]
    .assert_eq(&lines);
}

#[test]
fn executors_on_their_way_are_not_started_again() {
    let mut allocation = Allocation::new(rules(0, 20), 4);
    let mut seen = Seen { executors: Vec::new(), starting: 2, stages: waiting(8) };
    for second in 0..5 {
        assert_eq!(allocation.decide(second * S, &seen).act, Act::Nothing);
    }
    seen.stages = waiting(9);
    allocation.decide(5 * S, &seen);
    assert_eq!(allocation.decide(6 * S, &seen).act, Act::Start(1));
}

#[test]
fn growth_begins_with_one_again_after_a_pause() {
    let mut allocation = Allocation::new(rules(0, 20), 4);
    let mut acts = Vec::new();
    for (second, tasks) in [(0, 40), (1, 40), (2, 40), (3, 0), (4, 40), (5, 40), (6, 40)] {
        acts.push(allocation.decide(second * S, &Seen { stages: waiting(tasks), ..Seen::default() }).act);
    }
    let (wait, start) = (Act::Nothing, Act::Start);
    assert_eq!(acts, [wait.clone(), start(1), start(2), wait.clone(), wait, start(1), start(2)]);
}

#[test]
fn fewer_than_the_least_are_started_at_once() {
    check(rules(3, 9), S, Seen::default(), expect!["start 3: executors: 0, the least is 3"]);
    check(rules(3, 9), S, Seen { starting: 2, ..Seen::default() }, expect!["start 1: executors: 2, the least is 3"]);
    let draining = busy(9).into_iter().map(|executor| Executor { draining: true, ..executor }).collect();
    check(
        rules(3, 9),
        S,
        Seen { executors: draining, ..Seen::default() },
        expect!["-: executors: 0, the least is 3, but those that drain still take their places"],
    );
}

#[test]
fn no_executor_is_started_for_a_stage_whose_pace_is_used_up() {
    let seen = |reached| Seen { executors: busy(3), starting: 0, stages: calling(40, reached) };
    let mut allocation = Allocation::new(rules(0, 9), 4);
    let mut lines = String::new();
    for (second, reached) in [(0, 5000.0), (1, 4750.0), (2, 4749.0), (3, 4749.0), (4, 4990.0), (5, 2000.0), (6, 2000.0)]
    {
        lines += &format!("{second}s {}\n", shown(&allocation.decide(second * S, &seen(reached))));
    }
    expect![[r#"
        0s -: tasks waiting: 40, but the pace is used up, 5000 of 5000 calls/s for 12 s: more executors would only wait
        1s -: tasks waiting: 40, but the pace is used up, 4750 of 5000 calls/s for 12 s: more executors would only wait
        2s -: tasks waiting: 40; executors are added in 1s if they still wait
        3s start 1: tasks waiting: 40; executors: 3, with slots for 4 each
        4s -: tasks waiting: 40, but the pace is used up, 4990 of 5000 calls/s for 12 s: more executors would only wait
        5s -: tasks waiting: 40; executors are added in 1s if they still wait
        6s start 1: tasks waiting: 40; executors: 3, with slots for 4 each
    "#]]
    .assert_eq(&lines);
}

#[test]
fn other_stages_grow_beside_one_whose_pace_is_used_up() {
    let stages = [calling(40, 5000.0), waiting(3)].concat();
    let mut allocation = Allocation::new(rules(0, 9), 4);
    let seen = Seen { executors: busy(3), starting: 0, stages };
    allocation.decide(S, &seen);
    expect!["start 1: tasks waiting: 3; executors: 3, with slots for 4 each"]
        .assert_eq(&shown(&allocation.decide(2 * S, &seen)));
}

#[test]
fn the_least_is_kept_even_while_the_pace_is_used_up() {
    check(
        rules(2, 9),
        S,
        Seen { executors: busy(1), starting: 0, stages: calling(9, 5000.0) },
        expect!["start 1: executors: 1, the least is 2"],
    );
}

#[test]
fn idle_executors_are_given_back_down_to_the_least() {
    check(
        rules(2, 9),
        60 * S,
        Seen { executors: idle(4, S), ..Seen::default() },
        expect!["-: executors: 4, which is enough"],
    );
    check(
        rules(2, 9),
        61 * S,
        Seen { executors: idle(4, S), ..Seen::default() },
        expect!["drain e0 e1: idle for 60 s or more"],
    );
    let mut executors = idle(4, 5 * S);
    executors[2].idle_since = Some(S);
    executors[3].running = 1;
    executors[3].idle_since = None;
    check(rules(2, 9), 99 * S, Seen { executors, ..Seen::default() }, expect!["drain e2 e0: idle for 60 s or more"]);
}

#[test]
fn an_executor_whose_shuffle_files_are_read_stays() {
    let mut executors = idle(2, S);
    executors[0].holds_shuffle = true;
    check(
        rules(0, 9),
        99 * S,
        Seen { executors: executors.clone(), ..Seen::default() },
        expect!["drain e1: idle for 60 s or more"],
    );
    executors[1].holds_shuffle = true;
    check(
        rules(0, 9),
        99 * S,
        Seen { executors, ..Seen::default() },
        expect!["-: idle executors: 2, which stay because their shuffle files are still read"],
    );
}

#[test]
fn none_is_given_back_that_waiting_tasks_have_use_for() {
    // The scheduler has not handed them out yet.
    let seen = Seen { executors: idle(4, S), starting: 0, stages: waiting(9) };
    check(rules(0, 9), 99 * S, seen, expect!["drain e0: idle for 60 s or more"]);
    let seen = Seen { executors: idle(4, S), starting: 0, stages: calling(40, 5000.0) };
    check(
        rules(0, 9),
        99 * S,
        seen,
        expect![
            "-: tasks waiting: 40, but the pace is used up, 5000 of 5000 calls/s for 12 s: more executors would only wait"
        ],
    );
}

#[test]
fn all_executors_are_all() {
    check(
        rules(0, 9),
        S,
        Seen { executors: busy(9), starting: 0, stages: waiting(99) },
        expect!["-: tasks waiting: 99; executors: 9, and there are no more than 9"],
    );
}

/// A cluster that obeys: executors take a while to come, tasks take a while to run.
struct Cluster {
    chance: Chance,
    seen: Seen,
    next_id: usize,
    due: Vec<Duration>,
}

/// Numbers by xorshift, so that a run can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

impl Cluster {
    fn step(&mut self, now: Duration, slots: usize) {
        let Cluster { chance, seen, next_id, due } = self;
        let came = due.iter().filter(|due| **due <= now).count();
        due.retain(|due| *due > now);
        for _ in 0..came {
            *next_id += 1;
            seen.executors.push(executor(*next_id, 0, Some(now)));
        }
        seen.starting = due.len();
        seen.executors.retain(|executor| !(executor.draining && executor.running == 0));
        for executor in &mut seen.executors {
            let ended = if chance.below(3) == 0 { chance.below(executor.running + 1) } else { 0 };
            executor.running -= ended;
            for stage in seen.stages.iter_mut().filter(|_| !executor.draining) {
                let taken = stage.waiting.min(slots - executor.running);
                stage.waiting -= taken;
                executor.running += taken;
            }
            executor.idle_since = (executor.running == 0).then(|| executor.idle_since.unwrap_or(now));
            executor.holds_shuffle = chance.below(10) == 0;
        }
    }
}

#[test]
fn whatever_comes_the_bounds_hold() {
    for seed in 1..400 {
        let mut chance = Chance(seed * 0x9E37_79B9);
        let (min, slots) = (chance.below(4), 1 + chance.below(8));
        let max = min.max(1) + chance.below(10);
        let mut allocation = Allocation::new(rules(min, max), slots);
        let mut cluster = Cluster { chance, seen: Seen::default(), next_id: 0, due: Vec::new() };
        for second in 0..600 {
            let now = second * S;
            if cluster.chance.below(40) == 0 {
                let tasks = cluster.chance.below(100);
                let reached = cluster.chance.below(5001) as f64;
                cluster.seen.stages = [waiting(tasks / 2), calling(tasks, reached)].concat();
            }
            cluster.step(now, slots);
            let seen = &cluster.seen;
            let there = seen.executors.iter().filter(|executor| !executor.draining).count();
            let decision = allocation.decide(now, seen);
            assert!(!decision.reason.is_empty());
            match decision.act {
                Act::Nothing => {}
                Act::Start(more) => {
                    assert!(more > 0 && seen.executors.len() + seen.starting + more <= max, "above {max}, seed {seed}");
                    let came = (0..more).map(|_| now + (1 + cluster.chance.below(20)) as u32 * S);
                    cluster.due.extend(came);
                    cluster.seen.starting = cluster.due.len();
                }
                Act::Drain(ids) => {
                    assert!(!ids.is_empty() && there - ids.len() >= min, "below {min}, seed {seed}");
                    for executor in cluster.seen.executors.iter_mut().filter(|executor| ids.contains(&executor.id)) {
                        assert!(executor.running == 0 && !executor.holds_shuffle && !executor.draining, "seed {seed}");
                        executor.draining = true;
                    }
                }
            }
            // Asked again at once, with what it asked for on its way, it asks for no more of the same kind.
            let again = allocation.decide(now, &cluster.seen);
            assert!(!matches!(again.act, Act::Start(_)) || there + cluster.seen.starting < min, "seed {seed}");
        }
    }
}

#[test]
fn a_steady_load_settles_and_stays() {
    for tasks in [0, 1, 7, 16, 200] {
        let mut allocation = Allocation::new(rules(1, 9), 4);
        let (mut there, mut acts) = (5_usize, 0);
        for second in 0..1000_u32 {
            // As many as have a slot run, the others wait; whoever has none was idle from the start.
            let executors: Vec<_> = (0..there)
                .map(|id| tasks.min((id + 1) * 4) - tasks.min(id * 4))
                .enumerate()
                .map(|(id, running)| executor(id, running, (running == 0).then_some(Duration::ZERO)))
                .collect();
            let seen = Seen { executors, starting: 0, stages: waiting(tasks - tasks.min(there * 4)) };
            match allocation.decide(second * S, &seen).act {
                Act::Nothing => continue,
                Act::Start(more) => there += more,
                Act::Drain(ids) => there -= ids.len(),
            }
            acts += 1;
            assert!(second <= 61, "{tasks} tasks, at {second} s");
        }
        assert_eq!(there, tasks.div_ceil(4).clamp(1, 9), "{tasks} tasks");
        assert!(acts <= 4, "{tasks} tasks, {acts} acts");
    }
}

#[test]
fn bursts_shorter_than_the_idle_time_drain_none() {
    let mut allocation = Allocation::new(rules(0, 9), 4);
    for second in 0..600_u32 {
        let burst = second % 60 < 20;
        let since = Duration::from_secs(u64::from(second / 60 * 60 + 20));
        let executors = if burst { busy(5) } else { idle(5, since) };
        let decision = allocation.decide(second * S, &Seen { executors, ..Seen::default() });
        assert_eq!(decision.act, Act::Nothing, "at {second} s");
    }
}
