//! The commit as a protocol: drivers that crash between any two operations on a store, resumed, with another job beside.
//! Over 400 lines because the protocol and what must hold of it are read together.
//!
//! It models the steps of `engine/src/io/commit.rs`, not its code: the scenarios break the code itself after every operation.
//! Left out: sizes and contents of files, a request that arrives long after its sender gave it up, two drivers of one job
//! at once, partitions that stay (the same steps with a shorter list of old files), renaming on a local disk.

use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

/// A set of files, a bit each; each try of a job has names of its own.
type Files = u32;

/// Both partitions of the earlier job.
const OLD: Files = 0b11 << 30;
/// Of these, the one that is replaced where the others stay.
const REPLACED: Files = 1 << 30;
/// Attempts of tasks in a try: partition 0, partition 0 again, partition 1.
const ATTEMPTS: u32 = 3;
const TRIES: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Job {
    A,
    B,
    Earlier,
}

/// What the driver does next; each is one operation on the store.
#[rustfmt::skip] // one a line would hide their order
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum At {
    ReadManifest, Abort, RemoveAborted, ReadOwnSuccess, Create(u32), Note(u32), Write(u32), Claim, ReadClaimed,
    HeadReplaced, Unclaim, ReadOldSuccess, ListOld, PutList, DropSuccess, Complete, Recheck, DropOld, PutSuccess,
    RemoveOwn, DropManifest, RestoreSuccess, GiveUp, Crashed, Failed, Done,
}

use At::{Complete, DropManifest, DropOld, DropSuccess, PutSuccess, Recheck, RemoveOwn};

/// What follows once the list of old files is written.
type Order = [At; 7];
const REAL: Order = [DropSuccess, Complete, Recheck, DropOld, PutSuccess, RemoveOwn, DropManifest];
const OLD_FILES_FIRST: Order = [DropSuccess, DropOld, Complete, Recheck, PutSuccess, RemoveOwn, DropManifest];
const SUCCESS_GOES_LAST: Order = [Complete, Recheck, DropOld, DropSuccess, PutSuccess, RemoveOwn, DropManifest];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Manifest {
    job: Job,
    files: Files,
    old_success: Option<Job>,
    old: Option<Files>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Driver {
    job: Job,
    tries: u32,
    at: At,
    /// What its tasks returned.
    staged: Files,
    /// The commit that it carries out, its own or one that it found.
    commit: Option<Manifest>,
    /// Files that the step is still to be done for.
    todo: Files,
    /// Files whose completion failed, to be looked for.
    unsure: Files,
    gone: Files,
    /// Where a crash broke it off last.
    crashed: Option<At>,
}

impl Driver {
    fn new(job: Job) -> Self {
        let (at, crashed) = (At::ReadManifest, None);
        Driver { job, tries: 1, at, staged: 0, commit: None, todo: 0, unsure: 0, gone: 0, crashed }
    }

    fn file(&self, attempt: u32) -> Files {
        1 << ((self.job as u32 * TRIES + self.tries - 1) * ATTEMPTS + attempt)
    }

    /// All files of all tries of its job.
    fn files(&self) -> Files {
        ((1 << (TRIES * ATTEMPTS)) - 1) << (self.job as u32 * TRIES * ATTEMPTS)
    }

    fn runs(&self) -> bool {
        self.at < At::Crashed
    }

    /// After a commit: its own work, if the commit was one that it found when it began.
    fn ended(&self) -> At {
        if self.staged == 0 { At::Abort } else { At::Done }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    visible: Files,
    uploads: Files,
    notes: Files,
    success: Option<Job>,
    manifest: Option<Manifest>,
    drivers: Vec<Driver>,
    left: Bounds,
    /// Attempts whose task died.
    abandoned: Files,
    /// What was in a manifest once.
    claimed: Files,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Happens {
    Step,
    /// A file's upload is completed; they are completed side by side.
    Completes(Files),
    /// The store did it, the answer was lost, and the client sent it again.
    ClaimsTwice,
    CompletesTwice(Files),
    TaskDies,
    Crashes,
    Resumes,
    /// The bucket's rule ends the uploads that are open.
    UploadsExpire,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Bounds {
    crashes: u8,
    reruns: u8,
    lost: u8,
    expiries: u8,
}

#[derive(Clone, Debug)]
struct Destination {
    order: Order,
    jobs: Vec<Job>,
    bounds: Bounds,
    /// Whether an abandoned attempt's upload gets into the manifest.
    abandoned_too: bool,
    /// Whether the jobs replace one file and leave the other.
    appends: bool,
    /// Whether a commit is also finished by a job that finds it while its own driver still lives.
    overlap: bool,
}

impl Destination {
    /// Whether these files are what one job left, all of it and nothing else.
    fn exact(&self, visible: Files) -> bool {
        let stays = if self.appends { OLD & !REPLACED } else { 0 };
        visible == OLD || complete_sets().any(|set| visible == set | stays)
    }

    fn step(&self, state: &mut State, driver: &mut Driver) {
        let before = driver.at;
        driver.at = match before {
            At::ReadManifest => match state.manifest.clone() {
                Some(found) => {
                    let listed = found.old.is_some() && found.old_success.is_some();
                    driver.commit = Some(found);
                    if listed { self.order[0] } else { At::ReadOldSuccess }
                }
                None => At::Abort,
            },
            At::Abort => {
                let noted = state.notes & state.uploads & driver.files();
                state.uploads &= !first(noted);
                if noted == first(noted) { At::RemoveAborted } else { At::Abort }
            }
            At::RemoveAborted => {
                state.notes &= !driver.files();
                if driver.staged == 0 { At::ReadOwnSuccess } else { At::Failed }
            }
            At::ReadOwnSuccess if state.success == Some(driver.job) => At::Done,
            // What was to be replaced has been.
            At::ReadOwnSuccess if self.appends && state.visible & REPLACED == 0 => At::Done,
            At::ReadOwnSuccess => At::Create(0),
            At::Create(attempt) => add(&mut state.uploads, driver.file(attempt), At::Note(attempt)),
            At::Note(attempt) => add(&mut state.notes, driver.file(attempt), At::Write(attempt)),
            At::Write(attempt) => {
                driver.staged |= driver.file(attempt);
                if attempt == 2 { At::Claim } else { At::Create(2) }
            }
            At::Claim => {
                let mut files = driver.staged;
                if self.abandoned_too {
                    files |= state.notes & (driver.file(0) | driver.file(1) | driver.file(2));
                }
                let old = self.appends.then_some(REPLACED);
                let manifest = Manifest { job: driver.job, files, old_success: None, old };
                driver.commit = Some(manifest.clone());
                if state.manifest.is_none() {
                    state.claimed |= files;
                    state.manifest = Some(manifest);
                    self.claimed()
                } else {
                    At::ReadClaimed
                }
            }
            At::ReadClaimed if state.manifest == driver.commit => self.claimed(),
            At::ReadClaimed => At::Abort,
            At::HeadReplaced if state.visible & REPLACED == 0 => At::Unclaim,
            At::HeadReplaced => At::ReadOldSuccess,
            At::Unclaim => set(&mut state.manifest, None, At::Abort),
            _ => self.commit_step(state, driver),
        };
        match (driver.at, &driver.commit) {
            (at, _) if at == before => {}
            (Complete, Some(commit)) => (driver.todo, driver.unsure, driver.gone) = (commit.files, 0, 0),
            (DropOld, Some(commit)) => driver.todo = commit.old.unwrap_or_default(),
            (At::Abort | At::Failed | At::Done, _) => driver.commit = None,
            _ => {}
        }
    }

    /// Steps 2 to 5 of the commit.
    fn commit_step(&self, state: &mut State, driver: &mut Driver) -> At {
        let Some(mut commit) = driver.commit.clone() else { unreachable!("{driver:?}") };
        let next = match driver.at {
            At::ReadOldSuccess => {
                commit.old_success = state.success;
                if commit.old.is_none() { At::ListOld } else { At::PutList }
            }
            At::ListOld => set(&mut commit.old, Some(state.visible & !commit.files), At::PutList),
            At::PutList => set(&mut state.manifest, Some(commit.clone()), self.order[0]),
            At::RestoreSuccess => set(&mut state.success, commit.old_success, At::GiveUp),
            At::GiveUp => set(&mut state.manifest, None, At::Failed),
            // An upload that is not there may have been completed before.
            Complete => {
                let file = first(driver.unsure);
                driver.unsure &= !file;
                driver.gone |= file & !state.visible;
                self.completed(driver, &commit)
            }
            Recheck => match &state.manifest {
                Some(found) if found.job == commit.job && found.files == commit.files => self.after(Recheck),
                _ => driver.ended(),
            },
            DropOld => {
                let file = first(driver.todo);
                driver.todo &= !file;
                remove(&mut state.visible, file, if driver.todo == 0 { self.after(DropOld) } else { DropOld })
            }
            DropSuccess => set(&mut state.success, None, self.after(DropSuccess)),
            PutSuccess => set(&mut state.success, Some(commit.job), RemoveOwn),
            RemoveOwn => remove(&mut state.notes, Driver::new(commit.job).files(), DropManifest),
            DropManifest => set(&mut state.manifest, None, driver.ended()),
            at => unreachable!("{at:?}"),
        };
        driver.commit = Some(commit);
        next
    }

    fn after(&self, at: At) -> At {
        let found = self.order.iter().position(|step| *step == at);
        found.map_or(At::Failed, |found| self.order[found + 1])
    }

    /// After an upload was completed or not.
    fn completed(&self, driver: &Driver, commit: &Manifest) -> At {
        match driver.gone {
            _ if driver.todo | driver.unsure != 0 => Complete,
            0 => self.after(Complete),
            gone if gone != commit.files => At::Failed,
            _ if commit.old_success.is_some() => At::RestoreSuccess,
            _ => At::GiveUp,
        }
    }

    fn claimed(&self) -> At {
        if self.appends { At::HeadReplaced } else { At::ReadOldSuccess }
    }
}

fn first(files: Files) -> Files {
    files & files.wrapping_neg()
}

/// Each set that a try can leave: either attempt of partition 0, and partition 1.
fn complete_sets() -> impl Iterator<Item = Files> {
    (0..2 * TRIES).flat_map(|a_try| [0b101, 0b110].map(|set| set << (a_try * ATTEMPTS)))
}

fn set<T>(place: &mut T, value: T, next: At) -> At {
    *place = value;
    next
}

fn add(place: &mut Files, files: Files, next: At) -> At {
    set(place, *place | files, next)
}

fn remove(place: &mut Files, files: Files, next: At) -> At {
    set(place, *place & !files, next)
}

impl Model for Destination {
    type State = State;
    type Action = (usize, Happens);

    fn init_states(&self) -> Vec<State> {
        vec![State {
            visible: OLD,
            uploads: 0,
            notes: 0,
            success: Some(Job::Earlier),
            manifest: None,
            drivers: self.jobs.iter().map(|job| Driver::new(*job)).collect(),
            left: self.bounds,
            abandoned: 0,
            claimed: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(usize, Happens)>) {
        let left = state.left;
        for (who, driver) in state.drivers.iter().enumerate() {
            let mut may = |happens, when| actions.extend(Some((who, happens)).filter(|_| when));
            let (runs, at) = (driver.runs(), driver.at);
            let at_work = |other: &Driver| other.runs() && other.commit.is_some();
            let waits = at == At::ReadManifest && !self.overlap && state.drivers.iter().any(at_work);
            for file in (0..Files::BITS).map(|bit| 1 << bit).filter(|file| at == Complete && driver.todo & file != 0) {
                may(Happens::Completes(file), true);
                may(Happens::CompletesTwice(file), left.lost > 0 && state.uploads & file != 0);
            }
            may(Happens::Step, runs && !waits && (at != Complete || driver.unsure != 0));
            may(Happens::ClaimsTwice, at == At::Claim && left.lost > 0 && state.manifest.is_none());
            may(Happens::TaskDies, matches!(at, At::Note(0) | At::Write(0)) && left.reruns > 0);
            may(Happens::Crashes, runs && left.crashes > 0);
            may(Happens::Resumes, !runs && driver.job == Job::A && at != At::Done && driver.tries < TRIES);
            may(Happens::UploadsExpire, who == 0 && left.expiries > 0 && state.uploads != 0);
        }
    }

    fn next_state(&self, state: &State, (who, happens): (usize, Happens)) -> Option<State> {
        let mut next = state.clone();
        let mut driver = next.drivers[who].clone();
        let again = |at, tries, crashed| Driver { at, tries, crashed, ..Driver::new(state.drivers[who].job) };
        match happens {
            Happens::Step => self.step(&mut next, &mut driver),
            Happens::ClaimsTwice => {
                self.step(&mut next, &mut driver);
                next.left.lost -= 1;
                driver.at = At::ReadClaimed;
            }
            Happens::Completes(file) | Happens::CompletesTwice(file) => {
                let twice = matches!(happens, Happens::CompletesTwice(_));
                next.left.lost -= u8::from(twice);
                driver.todo &= !file;
                driver.unsure |= if twice { file } else { file & !next.uploads };
                next.visible |= next.uploads & file;
                next.uploads &= !file;
                driver.at = self.completed(&driver, driver.commit.as_ref()?);
            }
            Happens::TaskDies => {
                next.left.reruns -= 1;
                next.abandoned |= driver.file(0);
                driver.at = At::Create(1);
            }
            Happens::Crashes => {
                next.left.crashes -= 1;
                driver = again(At::Crashed, driver.tries, Some(driver.at));
            }
            Happens::Resumes => driver = again(At::ReadManifest, driver.tries + 1, driver.crashed),
            Happens::UploadsExpire => {
                next.left.expiries -= 1;
                next.uploads = 0;
            }
        }
        next.drivers[who] = driver;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = ALWAYS.map(|(name, condition)| (Expectation::Always, name, condition));
        let sometimes = RECOVERS.map(|(name, condition)| (Expectation::Sometimes, name, condition));
        let all = always.into_iter().chain(sometimes);
        all.map(|(expectation, name, condition)| Property { expectation, name, condition }).collect()
    }
}

const EXACT: &str = "beside _SUCCESS is all of one job and nothing else";
const ALL_ROWS: &str = "no row is gone";
const NOT_ABANDONED: &str = "no abandoned attempt is visible";
const ENDS: &str = "a job that is resumed often enough ends and leaves nothing of a commit";

type Condition = fn(&Destination, &State) -> bool;

/// Its commit ended well although it was broken off there.
fn recovered(state: &State, at: At) -> bool {
    let driver = &state.drivers[0];
    driver.at == At::Done && driver.crashed == Some(at) && state.success == Some(driver.job)
}

const ALWAYS: [(&str, Condition); 6] = [
    (EXACT, |model, state| state.success.is_none() || model.exact(state.visible)),
    ("_SUCCESS names the job whose files are there", |_, state| match (state.success, state.visible & !OLD) {
        (None, _) => true,
        (Some(success), 0) => success == Job::Earlier,
        (Some(success), new) => new & Driver::new(success).files() != 0,
    }),
    (ALL_ROWS, |_, state| state.visible & OLD == OLD || complete_sets().any(|set| state.visible & set == set)),
    ("nothing is visible before its manifest", |_, state| state.visible & !OLD & !state.claimed == 0),
    (NOT_ABANDONED, |_, state| state.visible & state.abandoned == 0),
    (ENDS, |model, state| {
        let mut actions = Vec::new();
        model.actions(state, &mut actions);
        let crashed = state.drivers.iter().any(|driver| driver.at == At::Crashed);
        // A commit whose uploads are gone in part needs a person.
        let expired = state.left.expiries < model.bounds.expiries;
        let clean = state.success.is_some() && state.manifest.is_none();
        !actions.is_empty() || expired || state.drivers[0].at == At::Done && (crashed || clean)
    }),
];

const RECOVERS: [(&str, Condition); 11] = [
    ("recovers while files are staged", |_, state| recovered(state, At::Write(2))),
    ("recovers before the claim", |_, state| recovered(state, At::Claim)),
    ("recovers before the list", |model, state| model.appends || recovered(state, At::ListOld)),
    ("recovers before the list is written", |_, state| recovered(state, At::PutList)),
    ("recovers before _SUCCESS goes", |_, state| recovered(state, At::DropSuccess)),
    ("recovers while uploads are completed", |_, state| recovered(state, At::Complete)),
    ("recovers before the manifest is looked at again", |_, state| recovered(state, At::Recheck)),
    ("recovers while old files go", |_, state| recovered(state, At::DropOld)),
    ("recovers before _SUCCESS", |_, state| recovered(state, At::PutSuccess)),
    ("recovers before its folder goes", |_, state| recovered(state, At::RemoveOwn)),
    ("recovers before the manifest goes", |_, state| recovered(state, At::DropManifest)),
];

fn alone() -> Destination {
    let bounds = Bounds { crashes: 2, reruns: 1, lost: 1, expiries: 1 };
    Destination { order: REAL, jobs: vec![Job::A], bounds, abandoned_too: false, appends: false, overlap: false }
}

fn two_jobs(crashes: u8, lost: u8) -> Destination {
    let bounds = Bounds { crashes, reruns: 1, lost, expiries: 0 };
    Destination { jobs: vec![Job::A, Job::B], bounds, ..alone() }
}

fn holds(model: Destination) {
    let checked = model.checker().spawn_dfs().join();
    assert!(checked.unique_state_count() > 50_000, "{}", checked.unique_state_count());
    checked.assert_properties();
}

/// Whether it finds this property not to hold.
fn breaks(model: Destination, name: &'static str) -> bool {
    let found = HasDiscoveries::AnyOf([name].into());
    model.checker().finish_when(found).spawn_bfs().join().discovery(name).is_some()
}

#[test]
fn a_job_that_crashes_anywhere_is_finished_when_it_is_resumed() {
    holds(alone());
}

#[test]
fn two_jobs_at_one_destination_leave_the_result_of_one() {
    holds(two_jobs(1, 1));
    holds(two_jobs(2, 0));
}

#[test]
fn another_order_of_the_steps_is_found_out() {
    assert!(breaks(Destination { order: OLD_FILES_FIRST, ..alone() }, ALL_ROWS));
    assert!(breaks(Destination { order: OLD_FILES_FIRST, ..alone() }, EXACT));
    assert!(breaks(Destination { order: SUCCESS_GOES_LAST, ..alone() }, EXACT));
    assert!(breaks(Destination { abandoned_too: true, ..alone() }, NOT_ABANDONED));
    assert!(breaks(Destination { abandoned_too: true, ..alone() }, EXACT));
}

/// Known gaps. When the code and this model close one, nothing is found any more.
#[test]
fn what_the_commit_does_not_guard_against() {
    // A manifest is finished while its own driver lives: no operation after the claim depends on it still being there.
    for name in [EXACT, ENDS] {
        assert!(breaks(Destination { overlap: true, ..two_jobs(0, 0) }, name), "{name}");
    }
    // A crash between the claim and the look at the replaced files: whoever finishes the commit does not look.
    assert!(breaks(Destination { appends: true, ..two_jobs(1, 0) }, EXACT));
}
