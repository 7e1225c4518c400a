//! What is asserted of simulated clusters: no window above the limit, and little of it lost.

use fastrand::Rng;

use super::*;

/// Everybody is busy now and then, in the worst weather.
fn check_in_foul_weather(limits: &[(u32, u64)], processes: usize, seeds: std::ops::Range<u64>, seconds: u64) {
    for seed in seeds {
        let mut world = World::new(limits, processes, foul(seed));
        let mut rng = Rng::with_seed(seed);
        for at in (0..seconds).step_by(3) {
            let busy: Vec<_> = (0..processes).map(|_| rng.u32(0..3) > 0).collect();
            world.busy(at * SECOND, |process| busy[process]);
        }
        world.run(seconds * SECOND);
        world.check();
        assert!(!world.sent.is_empty());
    }
}

#[test]
fn one_process_never_exceeds_the_limit() {
    check_in_foul_weather(&[(5000, 1)], 1, 0..4, 30);
    check_in_foul_weather(&[(10, 1)], 1, 0..20, 30);
    check_in_foul_weather(&[(7, 2), (20, 10)], 1, 0..20, 60);
}

#[test]
fn three_processes_never_exceed_the_limit() {
    check_in_foul_weather(&[(5000, 1)], 3, 0..4, 30);
    check_in_foul_weather(&[(10, 1)], 3, 0..40, 30);
    check_in_foul_weather(&[(250, 1)], 3, 0..20, 30);
}

#[test]
fn more_processes_than_calls_never_exceed_the_limit() {
    check_in_foul_weather(&[(7, 1)], 30, 0..20, 60);
    check_in_foul_weather(&[(10, 1), (50, 10)], 30, 0..10, 60);
}

#[test]
fn a_thousand_processes_never_exceed_the_limit() {
    check_in_foul_weather(&[(5000, 1)], 1000, 0..1, 25);
}

#[test]
fn long_limits_are_never_exceeded() {
    check_in_foul_weather(&[(600, 60)], 3, 0..5, 200);
    check_in_foul_weather(&[(600, 60)], 30, 0..2, 150);
    check_in_foul_weather(&[(2000, 1), (6000, 60)], 5, 0..3, 150);
    check_in_foul_weather(&[(5000, 1), (20_000, 60)], 30, 0..1, 100);
}

#[test]
fn a_thousand_busy_processes_use_the_limit() {
    let mut world = World::new(&[(5000, 1)], 1000, FAIR);
    world.busy(0, |_| true);
    world.run(25 * SECOND);
    world.check();
    let used = world.used(5..25, |_| true);
    println!("1,000 busy processes: {used:.2} %");
    assert!(used >= 98.0, "{used}");
}

#[test]
fn demand_that_moves_keeps_the_limit_in_use() {
    for (processes, delay, lost) in
        [(30, 1..20, 0), (300, 1..20, 0), (30, 1..200, 0), (300, 1..200, 0), (30, 1..200, 2), (300, 1..200, 2)]
    {
        let mut world = World::new(&[(5000, 1)], processes, Weather { delay: delay.clone(), lost, ..FAIR });
        let mut rng = Rng::with_seed(7);
        for at in (0..60).step_by(10) {
            let busy: Vec<_> = (0..processes).map(|_| rng.u32(0..3) == 0).collect();
            world.busy(at * SECOND, |process| busy[process]);
        }
        world.run(10 * SECOND);
        world.units = [0.0; 4];
        world.run(60 * SECOND);
        world.check();
        let used = world.used(10..60, |_| true);
        println!("another third of {processes} busy every 10 s, delay {delay:?} ms, {lost} % lost: {used:.2} %");
        println!(
            "in 50 s the units were at who is busy, at who is not, at nobody, on their way: {:.2?} s",
            world.units
        );
        assert!(used >= 95.0, "{used}");
    }
}

#[test]
fn a_lone_busy_process_gets_nearly_all_and_a_new_one_its_part() {
    for (limit, delay, processes) in [(5000, 1..20, 3), (5000, 1..200, 30), (100, 1..200, 3), (20, 1..20, 3)] {
        let mut world = World::new(&[(limit, 1)], processes, Weather { delay, ..FAIR });
        world.busy(0, |process| process == 0);
        world.busy(20 * SECOND, |process| process < 2);
        world.run(40 * SECOND);
        world.check();
        let lone = world.used(5..20, |process| process == 0);
        let new = world.used(24..40, |process| process == 1);
        let early = world.used(20..24, |process| process == 1);
        println!("{limit}/s: alone {lone:.2} %, the new one {early:.2} % in its first 4 s and {new:.2} % after");
        assert!(lone >= 98.0 && early >= 38.0 && new >= 48.5, "{lone} {early} {new}");
    }
}

#[test]
fn where_there_are_fewer_calls_than_processes_all_have_their_turn() {
    let mut world = World::new(&[(7, 1)], 30, FAIR);
    world.busy(0, |_| true);
    world.run(150 * SECOND);
    world.check();
    let by: Vec<_> = (0..30).map(|process| world.sent.iter().filter(|(_, by)| *by == process).count()).collect();
    let used = world.used(10..150, |_| true);
    println!("7/s for 30: {used:.2} %, {by:?}");
    assert!(used >= 85.0 && by.iter().all(|calls| *calls >= 10), "{used} {by:?}");
}

#[test]
fn a_long_limit_is_used_and_spaced() {
    for processes in [1, 3, 30] {
        let mut world = World::new(&[(600, 60)], processes, FAIR);
        world.busy(0, |_| true);
        world.run(300 * SECOND);
        world.check();
        let used = world.used(60..300, |_| true);
        let most = (0..200).map(|at| world.used(at..at + 1, |_| true)).fold(0.0, f64::max);
        println!(
            "600/min for {processes}: {used:.2} %, at most {} in a second",
            (most * 6.0).round() / 60.0 * 10.0 / 10.0
        );
        assert!(used >= 92.0, "{used}");
    }
    let mut world = World::new(&[(5000, 1), (20_000, 60)], 30, FAIR);
    world.busy(0, |_| true);
    world.run(180 * SECOND);
    world.check();
    let used = world.used(0..180, |_| true) * 15.0;
    println!("5000/s and 20,000/min for 30: {used:.2} % of the long limit");
    assert!(used >= 95.0);
}

#[test]
fn a_new_keeper_lets_holders_go_on() {
    let mut world = World::new(&[(5000, 1)], 30, Weather { keeper_dies: vec![10], ..FAIR });
    world.busy(0, |_| true);
    world.run(20 * SECOND);
    world.check();
    let used = world.used(10..20, |_| true);
    println!("over a restart of the keeper: {used:.2} %");
    assert!(used >= 97.0, "{used}");
}
