//! The commit as a protocol: live drivers that stall and crash between any two operations on a store, of one job and of two.
//!
//! It models the steps of `engine/src/io/commit/`, not its code: the scenarios stall and break the code itself. A driver that
//! stalls is one that another acts before; that it is believed dead is a takeover while it runs. Left out: sizes and contents
//! of files, signs of life (a write of the manifest more, which changes nothing in it), a request that arrives after its
//! sender went on, partitions that stay (the same steps with a shorter list of old files), other writers than Paceline.

mod protocol;
mod state;

use protocol::Destination;
use state::{ATTEMPTS, At, Driver, Files, Job, OLD, REPLACED, State, TRIES};
use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

/// A step done otherwise, which must be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    OldFilesFirst,
    OldSuccessStays,
    /// `_SUCCESS` is put instead of staged and completed.
    SuccessIsPut,
    /// A `_SUCCESS` that was deleted late is not brought back.
    NobodyRestores,
    /// The manifest is overwritten, whoever wrote it.
    WritesBlindly,
    /// A try commits although its job was started again.
    AnyTryCommits,
    /// A try aborts what its job has staged although that was started again.
    AnyTryCleansUp,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    crashes: u8,
    reruns: u8,
    lost: u8,
    expiries: u8,
    /// How often a live driver is believed dead.
    takeovers: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happens {
    Step,
    /// A file's upload is completed; they are completed side by side.
    Completes(Files),
    /// The store did it and the answer was lost.
    LosesAnswer,
    CompletesTwice(Files),
    TaskDies,
    Crashes,
    Resumes,
    /// The bucket's rule ends the uploads that are open.
    UploadsExpire,
}

impl Destination {
    /// Whether these files are what one job left, all of it and nothing else.
    fn exact(&self, visible: Files) -> bool {
        let stays = if self.appends { OLD & !REPLACED } else { 0 };
        visible == OLD || complete_sets().any(|set| visible == set | stays)
    }

    /// Whether the driver takes the commit over that it found, and whether that is of one that lives.
    fn takes_over(&self, state: &State, driver: &Driver) -> (bool, bool) {
        let owner = state.ledger.commit.as_ref().and_then(|commit| commit.owner);
        let lives = state.drivers.iter().any(|other| other.runs() && Some(other.attempt()) == owner);
        let other_lives = lives && owner != Some(driver.attempt());
        (!other_lives || state.left.takeovers > 0, other_lives)
    }
}

/// Each set that a try can leave: either attempt of partition 0, and partition 1.
fn complete_sets() -> impl Iterator<Item = Files> {
    (0..2 * u32::from(TRIES)).flat_map(|a_try| [0b101, 0b110].map(|set| set << (a_try * ATTEMPTS)))
}

impl Model for Destination {
    type State = State;
    type Action = (usize, Happens);

    fn init_states(&self) -> Vec<State> {
        let drivers = (0..).zip(&self.jobs).map(|(number, job)| Driver::new(number, *job)).collect();
        let [uploads, abandoned, claimed] = [0; 3];
        let (visible, success, success_uploads) = (OLD, Some(Job::Earlier), 0);
        let (ledger, left) = (Default::default(), self.bounds);
        vec![State { visible, uploads, success, success_uploads, ledger, drivers, left, abandoned, claimed }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(usize, Happens)>) {
        let left = state.left;
        for (who, driver) in state.drivers.iter().enumerate() {
            let mut may = |happens, when| actions.extend(Some((who, happens)).filter(|_| when));
            let (runs, at) = (driver.runs(), driver.at);
            let waits = at == At::TakeOver && driver.current && !self.takes_over(state, driver).0;
            for file in
                (0..Files::BITS).map(|bit| 1 << bit).filter(|file| at == At::Complete && driver.todo & file != 0)
            {
                may(Happens::Completes(file), true);
                may(Happens::CompletesTwice(file), left.lost > 0 && state.uploads & file != 0);
            }
            may(Happens::Step, runs && !waits && (at != At::Complete || driver.missed != 0));
            may(Happens::LosesAnswer, runs && !waits && driver.current && left.lost > 0 && at.writes_manifest());
            may(Happens::TaskDies, at == At::Stage(0) && left.reruns > 0);
            may(Happens::Crashes, runs && left.crashes > 0 && driver.tries < TRIES);
            may(Happens::Resumes, at == At::Crashed);
            may(Happens::UploadsExpire, who == 0 && left.expiries > 0 && state.uploads != 0);
        }
    }

    fn next_state(&self, state: &State, (who, happens): (usize, Happens)) -> Option<State> {
        let mut next = state.clone();
        let mut driver = next.drivers[who].clone();
        match happens {
            Happens::Step | Happens::LosesAnswer => {
                let taken_alive = driver.at == At::TakeOver && driver.current && self.takes_over(state, &driver).1;
                next.left.takeovers -= u8::from(taken_alive);
                self.step(&mut next, &mut driver, happens == Happens::LosesAnswer);
                next.left.lost -= u8::from(happens == Happens::LosesAnswer);
            }
            Happens::Completes(file) | Happens::CompletesTwice(file) => {
                let twice = matches!(happens, Happens::CompletesTwice(_));
                next.left.lost -= u8::from(twice);
                driver.todo &= !file;
                driver.missed |= if twice { file } else { file & !next.uploads };
                next.visible |= next.uploads & file;
                next.uploads &= !file;
                driver.at = self.completed(&driver);
            }
            Happens::TaskDies => {
                next.left.reruns -= 1;
                next.abandoned |= driver.file(0);
                next.uploads |= driver.file(0);
                driver.at = At::Stage(1);
            }
            Happens::Crashes => {
                next.left.crashes -= 1;
                driver = driver.again(At::Crashed, driver.tries, Some(driver.at));
            }
            Happens::Resumes => driver = driver.again(At::Read, driver.tries + 1, driver.crashed),
            Happens::UploadsExpire => {
                next.left.expiries -= 1;
                (next.uploads, next.success_uploads) = (0, 0);
            }
        }
        next.drivers[who] = driver;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = ALWAYS.map(|(name, condition)| (Expectation::Always, name, condition));
        let sometimes = SOMETIMES.map(|(name, condition)| (Expectation::Sometimes, name, condition));
        let all = always.into_iter().chain(sometimes.into_iter().filter(|_| self.weakness.is_none()));
        all.map(|(expectation, name, condition)| Property { expectation, name, condition }).collect()
    }
}

const EXACT: &str = "beside _SUCCESS is all of one job and nothing else";
const ALL_ROWS: &str = "no row is gone";
const NOT_ABANDONED: &str = "no abandoned attempt is visible";
const ENDS: &str = "when every driver has ended the destination is complete and no commit is left";

type Condition = fn(&Destination, &State) -> bool;

const ALWAYS: [(&str, Condition); 6] = [
    (EXACT, |model, state| state.success.is_none() || model.exact(state.visible)),
    ("_SUCCESS names the job whose files are there", |_, state| match (state.success, state.visible & !OLD) {
        (None, _) => true,
        (Some(success), 0) => success == Job::Earlier,
        (Some(success), new) => new & state.files(success) != 0,
    }),
    (ALL_ROWS, |_, state| state.visible & OLD == OLD || complete_sets().any(|set| state.visible & set == set)),
    ("nothing is visible before its manifest", |_, state| state.visible & !OLD & !state.claimed == 0),
    (NOT_ABANDONED, |_, state| state.visible & state.abandoned == 0),
    (ENDS, |model, state| {
        let mut actions = Vec::new();
        model.actions(state, &mut actions);
        // A commit whose uploads are gone in part needs a person.
        let expired = state.left.expiries < model.bounds.expiries;
        // A driver that deleted _SUCCESS late was killed before it put it back. Where everything is replaced, its job is done
        // again when it is resumed; where one file is, that is done already, and _SUCCESS stays away until the next commit.
        let owes = |driver: &Driver| driver.crashed.is_some_and(|at| at > At::DropSuccess && at <= At::Restore);
        let lost = model.appends && state.drivers.iter().any(owes);
        !actions.is_empty() || expired || (state.success.is_some() || lost) && state.ledger.commit.is_none()
    }),
];

/// Its commit ended well although it was broken off there.
fn recovered(state: &State, at: At) -> bool {
    state
        .drivers
        .iter()
        .any(|driver| driver.at == At::Done && driver.crashed == Some(at) && state.success == Some(driver.job))
}

/// A live driver was taken over before it did this; what it does late is checked by all of the above.
fn late(state: &State, at: At) -> bool {
    let owner = state.ledger.commit.as_ref().and_then(|commit| commit.owner);
    state.drivers.iter().any(|driver| driver.at == at && owner != Some(driver.attempt()))
}

const SOMETIMES: [(&str, Condition); 14] = [
    ("recovers while files are staged", |model, state| model.bounds.crashes == 0 || recovered(state, At::Stage(2))),
    ("recovers before the claim", |model, state| model.bounds.crashes == 0 || recovered(state, At::Claim)),
    ("recovers before the list is written", |model, state| model.bounds.crashes == 0 || recovered(state, At::PutList)),
    ("recovers before _SUCCESS goes", |model, state| model.bounds.crashes == 0 || recovered(state, At::DropSuccess)),
    ("recovers while uploads are completed", |model, state| {
        model.bounds.crashes == 0 || recovered(state, At::Complete)
    }),
    ("recovers while old files go", |model, state| model.bounds.crashes == 0 || recovered(state, At::DropOld)),
    ("recovers before _SUCCESS", |model, state| model.bounds.crashes == 0 || recovered(state, At::PutSuccess)),
    ("recovers before the commit leaves", |model, state| model.bounds.crashes == 0 || recovered(state, At::End)),
    ("writes its list late", |model, state| model.bounds.takeovers == 0 || late(state, At::PutList)),
    ("deletes _SUCCESS late", |model, state| model.bounds.takeovers == 0 || late(state, At::DropSuccess)),
    ("completes late", |model, state| model.bounds.takeovers == 0 || late(state, At::Complete)),
    ("deletes old files late", |model, state| model.bounds.takeovers == 0 || late(state, At::DropOld)),
    ("puts _SUCCESS late", |model, state| model.bounds.takeovers == 0 || late(state, At::PutSuccess)),
    ("ends its commit late", |model, state| model.bounds.takeovers == 0 || late(state, At::End)),
];

const NOTHING: Bounds = Bounds { crashes: 0, reruns: 0, lost: 0, expiries: 0, takeovers: 0 };

fn one_job() -> Destination {
    let bounds = Bounds { crashes: 1, reruns: 1, lost: 1, expiries: 1, ..NOTHING };
    Destination { weakness: None, jobs: vec![Job::A], bounds, abandoned_too: false, appends: false }
}

fn one_job_twice(bounds: Bounds) -> Destination {
    Destination { jobs: vec![Job::A, Job::A], bounds, ..one_job() }
}

fn two_jobs(bounds: Bounds) -> Destination {
    Destination { jobs: vec![Job::A, Job::B], bounds, ..one_job() }
}

fn holds(model: Destination) {
    let checked = model.checker().spawn_dfs().join();
    assert!(checked.unique_state_count() > 1_000, "{}", checked.unique_state_count());
    checked.assert_properties();
}

/// Whether it finds this property not to hold.
fn breaks(model: Destination, name: &'static str) -> bool {
    let found = HasDiscoveries::AnyOf([name].into());
    model.checker().finish_when(found).spawn_bfs().join().discovery(name).is_some()
}

#[test]
fn a_job_that_crashes_anywhere_is_finished_when_it_is_resumed() {
    holds(one_job());
}

#[test]
fn two_live_drivers_of_one_job_leave_its_result_once() {
    holds(one_job_twice(Bounds { takeovers: 2, ..NOTHING }));
    holds(one_job_twice(Bounds { crashes: 1, takeovers: 1, ..NOTHING }));
    holds(one_job_twice(Bounds { lost: 1, takeovers: 1, ..NOTHING }));
}

#[test]
fn two_live_jobs_at_one_destination_leave_the_result_of_one() {
    holds(two_jobs(Bounds { takeovers: 2, ..NOTHING }));
    holds(two_jobs(Bounds { crashes: 1, takeovers: 1, ..NOTHING }));
    holds(two_jobs(Bounds { lost: 1, reruns: 1, takeovers: 1, ..NOTHING }));
}

#[test]
fn files_that_two_drivers_replace_are_replaced_once() {
    for bounds in [Bounds { takeovers: 2, ..NOTHING }, Bounds { crashes: 1, takeovers: 1, ..NOTHING }] {
        holds(Destination { appends: true, ..two_jobs(bounds) });
        holds(Destination { appends: true, ..one_job_twice(bounds) });
    }
}

#[test]
fn a_step_done_otherwise_is_found_out() {
    let live = Bounds { takeovers: 2, ..NOTHING };
    let weak = |weakness, model| Destination { weakness: Some(weakness), ..model };
    assert!(breaks(weak(Weakness::OldFilesFirst, one_job()), ALL_ROWS));
    assert!(breaks(weak(Weakness::OldSuccessStays, one_job()), EXACT));
    assert!(breaks(Destination { abandoned_too: true, ..one_job() }, NOT_ABANDONED));
    assert!(breaks(Destination { abandoned_too: true, ..one_job() }, EXACT));
    assert!(breaks(weak(Weakness::SuccessIsPut, two_jobs(live)), EXACT));
    assert!(breaks(weak(Weakness::NobodyRestores, two_jobs(live)), ENDS));
    assert!(breaks(weak(Weakness::WritesBlindly, two_jobs(live)), EXACT));
    assert!(breaks(weak(Weakness::AnyTryCommits, one_job_twice(live)), ENDS));
    assert!(breaks(weak(Weakness::AnyTryCleansUp, one_job_twice(live)), ENDS));
}
